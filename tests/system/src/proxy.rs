use std::path::Path;
use std::process::{Child, Command, Stdio};

use core_types::Frame;
use tempfile::TempDir;

use crate::{Client, free_port, programs, redis_tool, wait};

/// Whose proxy it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProxyKind {
    /// `ha-proxy`.
    Ours,
    /// Twemproxy; its program is called `nutcracker`.
    Twemproxy,
}

/// A proxy in front of some servers. It ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    child: Child,
    dir: TempDir,
}

impl Proxy {
    /// Starts a proxy with one pool on a free port and waits until it answers. `settings` are keys and values of the
    /// pool, as both kinds of proxy know them; each server has weight 1 and its address as its name.
    ///
    /// # Panics
    /// If it does not answer; with its log.
    pub fn start(kind: ProxyKind, settings: &[(&str, &str)], servers: &[u16]) -> Proxy {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        let file = dir.path().join("pools");
        let text = match kind {
            ProxyKind::Ours => toml(port, settings, servers),
            ProxyKind::Twemproxy => yaml(port, settings, servers),
        };
        std::fs::write(&file, text).expect("a configuration file");
        let child = spawn(kind, &file, dir.path());
        let mut proxy = Proxy { port, child, dir };
        wait::until("the proxy's start", || {
            assert!(proxy.child.try_wait().is_ok_and(|ended| ended.is_none()), "{}", proxy.log());
            Client::connect(port).and_then(|mut client| client.try_call(&["PING"])).is_ok_and(|reply| {
                reply == Frame::Simple("PONG".to_owned()) || matches!(reply, Frame::Error(_))
            })
        });
        proxy
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A new connection to it.
    pub fn client(&self) -> Client {
        Client::connect(self.port).expect("the proxy takes connections")
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.dir.path().join("log")).unwrap_or_default()).into_owned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the proxy on port {} ---\n{}", self.port, self.log());
        }
    }
}

fn spawn(kind: ProxyKind, file: &Path, dir: &Path) -> Child {
    let log = std::fs::File::create(dir.join("log")).expect("a log file");
    let mut command = match kind {
        ProxyKind::Ours => {
            let mut command = Command::new(programs::ha_proxy());
            command.arg(file);
            command
        }
        ProxyKind::Twemproxy => {
            let mut command = Command::new(redis_tool("nutcracker").expect("nutcracker is installed"));
            let stats = free_port().to_string();
            command.arg("-c").arg(file).args(["-a", "127.0.0.1", "-s", &stats]);
            command.arg("-o").arg(dir.join("log")).arg("-p").arg(dir.join("pid"));
            command
        }
    };
    command.env("HA_EXIT_WITH_PARENT", "1").stdin(Stdio::piped());
    command.stdout(log.try_clone().expect("a second handle")).stderr(log);
    command.spawn().expect("the proxy's program runs")
}

fn toml(port: u16, settings: &[(&str, &str)], servers: &[u16]) -> String {
    let mut text = format!("[pool]\nlisten = \"127.0.0.1:{port}\"\n");
    for (key, value) in settings {
        let plain = value.parse::<u64>().is_ok() || ["true", "false"].contains(value);
        let value = if plain { (*value).to_owned() } else { format!("{value:?}") };
        text += &format!("{key} = {value}\n");
    }
    let servers: Vec<String> = servers.iter().map(|port| format!("\"127.0.0.1:{port}:1\"")).collect();
    text + &format!("servers = [{}]\n", servers.join(", "))
}

fn yaml(port: u16, settings: &[(&str, &str)], servers: &[u16]) -> String {
    let mut text = format!("pool:\n  listen: 127.0.0.1:{port}\n  redis: true\n");
    for (key, value) in settings {
        let quoted = if value.contains(['{', '}']) { format!("{value:?}") } else { (*value).to_owned() };
        text += &format!("  {key}: {quoted}\n");
    }
    text += "  servers:\n";
    servers.iter().for_each(|port| text += &format!("   - 127.0.0.1:{port}:1\n"));
    text
}
