//! `cargo book serve`: the book in a browser, rebuilt and reloaded when something that it is made from changes.

mod files;
mod live;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::pages;
use crate::workspace::Workspace;
use files::Found;
use live::Live;

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name or address to listen on.
    pub hostname: String,
    /// The port to listen on; 0 for any that is free.
    pub port: u16,
    /// Open a browser.
    pub open: bool,
}

/// How many requests are answered at the same time. Those that wait for a change don't count.
const WORKERS: usize = 4;

/// Serves the book until the process is ended.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let root = pages::output(workspace)?;
    let site = Site::listen(root, &options.hostname, options.port)?;
    let mut built = pages::build(workspace, None);
    for line in built.report(workspace) {
        eprintln!("{line}");
    }
    site.live.show(built.report(workspace));
    for _ in 0..WORKERS {
        let site = site.clone();
        std::thread::spawn(move || site.answer());
    }
    let url = format!("http://{}/", site.address()?);
    println!("The book is at {url} (Ctrl-C ends it)");
    if options.open {
        open(&url);
    }
    let mut watch = watch::Watch::new(workspace)?;
    loop {
        watch.also(&built.sources);
        let changed = watch.wait()?;
        println!("{} changed", workspace.show(&changed));
        // A broken chapter leaves the old pages, and its problems are shown on top of them.
        let sources = std::mem::take(&mut built.sources);
        built = pages::build(workspace, None);
        if !built.is_good() {
            built.sources.extend(sources);
        }
        for line in built.report(workspace) {
            eprintln!("{line}");
        }
        site.live.show(if built.is_good() { Vec::new() } else { built.report(workspace) });
    }
}

/// Opens `url` in the browser. That it didn't work is no reason to stop: the address is on the screen.
fn open(url: &str) {
    let (program, first): (&str, &[&str]) = match std::env::consts::OS {
        "windows" => ("cmd", &["/C", "start"]),
        "macos" => ("open", &[]),
        _ => ("xdg-open", &[]),
    };
    let started = std::process::Command::new(program).args(first).arg(url).spawn();
    if let Err(error) = started {
        eprintln!("cannot open a browser with {program}: {error}");
    }
}

/// The pages and whoever looks at them.
#[derive(Clone)]
pub struct Site {
    server: Arc<Server>,
    root: Arc<PathBuf>,
    live: Arc<Live>,
    /// Pages are left as they are: they don't ask for changes.
    still: bool,
}

impl Site {
    /// Listens, but does not answer yet. `root` is the folder with the pages; nothing outside it is served.
    pub fn listen(root: PathBuf, hostname: &str, port: u16) -> Result<Site> {
        let server = Server::http((hostname, port))
            .map_err(|error| anyhow!("{error}"))
            .with_context(|| format!("cannot listen on {hostname}:{port} (another `--port`?)"))?;
        Ok(Site { server: Arc::new(server), root: Arc::new(root), live: Arc::default(), still: false })
    }

    /// The same site with its pages as they were built: they do not reload themselves.
    #[must_use]
    pub fn still(self) -> Site {
        Site { still: true, ..self }
    }

    /// Where it listens.
    pub fn address(&self) -> Result<std::net::SocketAddr> {
        self.server.server_addr().to_ip().context("not an IP address")
    }

    /// Answers requests until [`Site::stop`].
    pub fn answer(&self) {
        for request in self.server.incoming_requests() {
            if let Some(version) = request.url().strip_prefix(live::PATH) {
                let version = version.trim_start_matches('?').parse().unwrap_or(0);
                self.live.answer_when_newer(version, request);
            } else {
                // A reader that went away is no concern of ours.
                let _ = self.page(request);
            }
        }
    }

    /// Lets one call of [`Site::answer`] return.
    pub fn stop(&self) {
        self.server.unblock();
    }

    fn page(&self, request: Request) -> std::io::Result<()> {
        if !matches!(request.method(), Method::Get | Method::Head) {
            return request.respond(Response::from_string("only GET and HEAD\n").with_status_code(405));
        }
        // Before the file is read: a build that ends in between then leads to one reload too many, not too few.
        let script = self.live.script();
        let (status, path) = match files::find(&self.root, request.url()) {
            Found::File(path) => (200, path),
            Found::Folder => {
                let target = format!("{}/", request.url());
                let response = Response::empty(301).with_header(header("Location", &target));
                return request.respond(response);
            }
            Found::Nothing => (404, self.root.join("404.html")),
        };
        let kind = files::content_type(&path);
        let Ok(mut content) = std::fs::read(&path) else {
            return request.respond(Response::from_string("There is no such page.\n").with_status_code(404));
        };
        if kind.starts_with("text/html") && !self.still {
            content = with_script(&content, &script);
        }
        let response = Response::from_data(content)
            .with_status_code(status)
            .with_header(header("Content-Type", kind))
            .with_header(header("Cache-Control", "no-cache"));
        request.respond(response)
    }
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value.replace(|c: char| c.is_control() || !c.is_ascii(), ""))
        .expect("plain ASCII")
}

/// `page` with `script` at the end of its body.
fn with_script(page: &[u8], script: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(page);
    let at = text.rfind("</body>").unwrap_or(text.len());
    format!("{}{script}{}", &text[..at], &text[at..]).into_bytes()
}

/// The folder that holds `path`.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}
