//! `cargo book look`: every page as a reader's browser shows it, in a light and a dark theme, wide and narrow.
//!
//! What only a browser knows: whether scripts complain, pictures arrive, the page can be read without scrolling
//! sideways, and the text of a drawing is large and dark enough. The questions to a page are in `page.js`; this module
//! opens the pages, and [`chromium`] is the browser.

pub mod chromium;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::serve::Site;
use chromium::Chromium;

/// How to look.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only pages whose name holds this.
    pub page: Option<String>,
    /// Write a picture of each page to this folder.
    pub pictures: Option<PathBuf>,
}

/// One way to look at a page.
struct View {
    name: &'static str,
    scheme: &'static str,
    width: u32,
}

/// What a desk and a telephone show.
const VIEWS: [View; 4] = [
    View { name: "light-wide", scheme: "light", width: 1280 },
    View { name: "light-narrow", scheme: "light", width: 390 },
    View { name: "dark-wide", scheme: "dark", width: 1280 },
    View { name: "dark-narrow", scheme: "dark", width: 390 },
];

/// What a page is asked. An expression whose value is a list of complaints.
const QUESTIONS: &str = include_str!("look/page.js");

/// Requests that are answered at the same time.
const WORKERS: usize = 4;

/// Looks at every page below `root`, and returns how many pages there were and what is wrong with them.
///
/// # Errors
/// If no page has such a name, if there is no browser, or if it stops answering.
pub fn run(root: &Path, options: &Options) -> Result<(usize, Vec<Problem>)> {
    let wanted = |page: &Path| match &options.page {
        Some(part) => page.to_string_lossy().contains(part.as_str()),
        None => true,
    };
    let all = pages(root)?;
    let pages: Vec<PathBuf> = all.iter().filter(|page| wanted(page)).cloned().collect();
    if pages.is_empty() {
        let names: Vec<String> = all.iter().map(|page| page.display().to_string()).collect();
        let part = options.page.as_deref().unwrap_or_default();
        bail!("no page has `{part}` in its name; there are {}", names.join(", "));
    }
    let mut browser = Chromium::start()?;
    let site = Site::listen(root.to_path_buf(), "127.0.0.1", 0)?.still();
    for _ in 0..WORKERS {
        let site = site.clone();
        std::thread::spawn(move || site.answer());
    }
    let address = site.address()?;
    let mut problems = Vec::new();
    for page in &pages {
        // Each complaint with the views in which it was heard.
        let mut heard: Vec<(String, Vec<&str>)> = Vec::new();
        for view in views(page) {
            let url = format!("http://{address}/{}", page.display());
            let seen = look(&mut browser, &url, view);
            for what in seen.with_context(|| format!("{} ({})", page.display(), view.name))? {
                match heard.iter_mut().find(|(known, _)| *known == what) {
                    Some((_, views)) => views.push(view.name),
                    None => heard.push((what, vec![view.name])),
                }
            }
            if let Some(folder) = &options.pictures {
                let name = page.with_extension("").to_string_lossy().replace(['/', '\\'], "-");
                std::fs::create_dir_all(folder)?;
                std::fs::write(folder.join(format!("{name}-{}.png", view.name)), browser.picture()?)?;
            }
        }
        let named = heard.into_iter().map(|(what, views)| format!("{what} ({})", views.join(", ")));
        problems.extend(named.map(|what| Problem::new(page, 0, what)));
    }
    (0..WORKERS).for_each(|_| site.stop());
    Ok((pages.len(), problems))
}

/// How a page is looked at. The one to print holds all others once more, and is as long as all of them.
fn views(page: &Path) -> &'static [View] {
    if page == Path::new("print.html") { &VIEWS[..1] } else { &VIEWS }
}

/// Opens one page and returns what is wrong with it, each complaint once.
fn look(browser: &mut Chromium, url: &str, view: &View) -> Result<Vec<String>> {
    let View { scheme, width, .. } = view;
    let narrow = *width < 600;
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        &json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": narrow }),
    )?;
    let scheme = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
    browser.call("Emulation.setEmulatedMedia", &json!({ "features": scheme }))?;
    browser.open(url)?;
    let answer = browser.value(QUESTIONS)?;
    let asked: Vec<String> =
        serde_json::from_value(answer).context("page.js answers with a list of words")?;
    let mut complaints = Vec::new();
    for complaint in browser.complaints().into_iter().chain(asked) {
        if !complaints.contains(&complaint) {
            complaints.push(complaint);
        }
    }
    Ok(complaints)
}

/// Every page that a reader can come to. `toc.html` is the part of a page for browsers without scripts.
fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let name = path.strip_prefix(root).expect("found below it").to_path_buf();
                if name != Path::new("toc.html") {
                    found.push(name);
                }
            }
        }
    }
    // The first chapter is there twice, as `index.html` too: that one goes.
    found.sort_by_key(|name| (name == Path::new("index.html"), name.clone()));
    let mut known = BTreeSet::new();
    found.retain(|name| std::fs::read(root.join(name)).is_ok_and(|content| known.insert(content)));
    Ok(found)
}

/// The text of a field, or nothing.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
