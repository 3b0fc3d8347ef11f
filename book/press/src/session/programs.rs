//! The programs a session may run: our own, built once, and those that come with Redis, where they are installed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Programs that come with Redis. A session that needs one is skipped where it is not installed.
const OF_REDIS: [&str; 2] = ["redis-server", "redis-cli"];

/// Programs that are servers: they are started and go on, and the page shows a part of their log.
const SERVERS: [&str; 3] = ["ha-server", "ha-proxy", "redis-server"];

/// Clients whose replies look on the page as on a terminal: numbered lists, quoted strings.
const CLIENTS: [&str; 2] = ["ha-cli", "redis-cli"];

/// Which program a name in a session stands for.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    by_name: BTreeMap<String, Vec<OsString>>,
}

/// A command line of a page, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CommandLine {
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
}

impl CommandLine {
    /// Takes `text` apart as a shell would, but runs no shell.
    ///
    /// `cargo run … --bin NAME -- ARGUMENTS` stands for `NAME ARGUMENTS`: that is what a reader types on a
    /// fresh clone.
    pub(super) fn parse(text: &str) -> Result<CommandLine, String> {
        let text = text.strip_suffix('&').unwrap_or(text).trim();
        let mut words = shlex::split(text).ok_or_else(|| format!("a quote is never closed in `{text}`"))?;
        if let Some(word) =
            words.iter().find(|word| ["|", ">", "<", "&&", "||", ";", ">>"].contains(&word.as_str()))
        {
            return Err(format!("a session runs one program at a time and no shell: no `{word}`"));
        }
        if words.first().is_some_and(|word| word == "cargo") {
            let dashes = words.iter().position(|word| word == "--").unwrap_or(words.len());
            let arguments = words.split_off(dashes);
            if words.iter().any(|word| word.starts_with("--features")) {
                return Err("a session runs the reference build: no `--features`".into());
            }
            let bin = words.iter().position(|word| word == "--bin").and_then(|at| words.get(at + 1)).cloned();
            let bin = bin.ok_or("`cargo run` needs `--bin NAME` here")?;
            words = [bin].into_iter().chain(arguments.into_iter().skip(1)).collect();
        }
        let mut words = words.into_iter();
        let program = words.next().ok_or("an empty command")?;
        Ok(CommandLine { program, arguments: words.collect() })
    }
}

impl CommandLine {
    /// It goes on until it is ended.
    pub(super) fn is_server(&self) -> bool {
        SERVERS.contains(&self.program.as_str())
    }
}

impl Programs {
    /// No programs; see [`Programs::with`].
    pub fn new() -> Programs {
        Programs::default()
    }

    /// Adds a program: its path, and arguments that always come first.
    pub fn with(mut self, name: &str, command: impl IntoIterator<Item = impl Into<OsString>>) -> Programs {
        self.by_name.insert(name.into(), command.into_iter().map(Into::into).collect());
        self
    }

    /// Builds `ha-server` and `ha-cli` with cargo, for the development profile, where `cargo test` has them too.
    pub fn build(root: &Path) -> Result<Programs> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "--package",
                "server",
                "--bins",
                "--message-format=json-render-diagnostics",
            ])
            .current_dir(root)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        ensure!(output.status.success(), "`cargo build --package server` failed");
        let mut programs = Programs::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let message: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            let name = message["target"]["name"].as_str();
            if let (Some(name), Some(path)) = (name, message["executable"].as_str()) {
                programs = programs.with_installed(name, path.into());
            }
        }
        for name in ["ha-server", "ha-cli"] {
            ensure!(programs.by_name.contains_key(name), "package `server` has no program `{name}`");
        }
        let installed = OF_REDIS.iter().filter_map(|name| Some((name, on_path(name)?)));
        Ok(installed.fold(programs, |programs, (name, path)| programs.with_installed(name, path)))
    }

    fn with_installed(self, name: &str, path: PathBuf) -> Programs {
        let first = CLIENTS.contains(&name).then(|| OsString::from("--no-raw"));
        self.with(name, [path.into_os_string()].into_iter().chain(first))
    }

    /// The program of Redis that a command needs, if it is not there. Any other unknown program is an error when it is
    /// run.
    pub(super) fn missing(&self, command: &str) -> Option<String> {
        let program = CommandLine::parse(command).ok()?.program;
        (OF_REDIS.contains(&program.as_str()) && !self.by_name.contains_key(&program)).then_some(program)
    }

    /// A command that runs `name`, and will be given these arguments.
    pub(super) fn command(&self, name: &str, arguments: &[String]) -> Result<Command, String> {
        let words = self.by_name.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
            format!("a session may run {} and not `{name}`", known.join(" and "))
        })?;
        let (path, first) = words.split_first().ok_or("an empty command")?;
        let mut command = Command::new(path);
        // `redis-cli --cluster` decides by this whether to write in colours.
        command.env("TERM", "dumb");
        // `--cluster` is the first word or none, and its output has one form only.
        let is_cluster = arguments.first().is_some_and(|word| word == "--cluster");
        command.args(first.iter().filter(|word| !is_cluster || *word != "--no-raw"));
        Ok(command)
    }
}

/// Where a program is installed.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|folder| folder.join(&file)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_redis_may_be_missing() {
        let programs = Programs::new().with("redis-cli", ["x"]);
        assert_eq!(programs.missing("redis-server --port 7000"), Some("redis-server".into()));
        for here in ["redis-cli -p 7000 PING", "ha-cli PING", "rm x", "'"] {
            assert_eq!(programs.missing(here), None, "{here}");
        }
    }

    #[test]
    fn command_lines() {
        let parsed = |text| CommandLine::parse(text).map(|line| (line.program, line.arguments.join("_")));
        assert_eq!(parsed("ha-cli SET a 'b c'"), Ok(("ha-cli".into(), "SET_a_b c".into())));
        assert_eq!(parsed("ha-server --port 7000 &"), Ok(("ha-server".into(), "--port_7000".into())));
        assert_eq!(
            parsed("cargo run -p server --bin ha-cli -- -p 7000 PING"),
            Ok(("ha-cli".into(), "-p_7000_PING".into()))
        );
        for wrong in [
            "",
            "ha-cli 'x",
            "ha-cli GET a | wc",
            "cargo run -- x",
            "cargo run --features lab-1 --bin ha-server",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
