//! Cargo at work, for somebody who waits: one line that moves instead of hundreds that pass.

use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{ChildStderr, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::repo::Repo;
use crate::scoring::cargo;

/// Programs of one package.
pub(super) struct Wanted<'a> {
    /// "the nodes"
    pub(super) what: &'a str,
    pub(super) package: &'a str,
    pub(super) binaries: &'a [&'a str],
    /// More of what cargo shall know.
    pub(super) options: &'a [&'a str],
}

/// Builds programs and returns where they are, in the order in which they were named.
///
/// The `dev` profile, unless the options say otherwise: measured, its first build takes half as long as that of the
/// release profile, and a change of the node is built in seconds where the other optimises the whole program anew. A
/// reader's commands do not come at a rate at which the difference in speed matters.
pub(super) fn build(repo: &Repo, wanted: &Wanted<'_>) -> Result<Vec<PathBuf>, String> {
    let mut command = cargo();
    command.current_dir(&repo.root).args(["build", "--package", wanted.package]);
    command.args(wanted.binaries.iter().flat_map(|binary| ["--bin", binary]));
    command.args(["--message-format", "json-render-diagnostics"]).args(wanted.options);
    // So that it says how far it is although it does not write to a terminal.
    command.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "200");
    if io::stderr().is_terminal() {
        command.args(["--color", "always"]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let complain = |error: io::Error| format!("cannot run cargo: {error}");
    let mut child = command.spawn().map_err(complain)?;
    let errors = child.stderr.take().ok_or("cargo has no standard error")?;
    let show = Show::of(wanted.what);
    let reader = thread::spawn(move || show.follow(errors));
    let output = child.wait_with_output().map_err(complain)?;
    let said = reader.join().unwrap_or_default();
    eprint!("{said}");
    if !output.status.success() {
        return Err(format!("{} could not be built", wanted.what));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<Value> = messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let program = |binary: &&str| {
        let is_it =
            |message: &&Value| message["target"]["name"] == **binary && message["executable"].is_string();
        let path = messages.iter().find(is_it).and_then(|message| message["executable"].as_str());
        path.map(PathBuf::from).ok_or_else(|| format!("cargo did not say where {binary} is"))
    };
    wanted.binaries.iter().map(program).collect()
}

/// What cargo says, as far as it is worth a look.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// So many parts of so many are done.
    Progress(u32, u32),
    /// Something is fetched or compiled: it is not all there.
    Work(String),
    /// Cargo's own words that nobody needs.
    Noise,
    /// A complaint of the compiler, say.
    Words,
}

/// The line that moves.
struct Show {
    what: String,
    /// Else only the beginning and the end are told.
    moves: bool,
    began: Instant,
    works: bool,
    drawn: bool,
}

impl Show {
    fn of(what: &str) -> Show {
        let moves = io::stdout().is_terminal();
        Show { what: what.to_string(), moves, began: now(), works: false, drawn: false }
    }

    /// Reads until cargo ends. Returns what it said that is not about its progress.
    fn follow(mut self, errors: ChildStderr) -> String {
        let mut words = String::new();
        for line in pieces(BufReader::new(errors)) {
            match said(&line) {
                Said::Progress(done, of) if self.works => self.draw(&format!("{done} of {of} parts")),
                Said::Progress(..) | Said::Noise => {}
                Said::Work(what) => self.work(&what),
                Said::Words => words += &format!("{line}\n"),
            }
        }
        self.end();
        words
    }

    fn work(&mut self, what: &str) {
        if !self.works && !self.moves {
            println!("  Building {} …", self.what);
        }
        self.works = true;
        if what != "Compiling" {
            self.draw(what);
        }
    }

    fn draw(&mut self, text: &str) {
        if self.moves {
            print!("\r\x1b[K  Building {}: {text}, {}", self.what, shown(now() - self.began));
            let _ = io::stdout().flush();
            self.drawn = true;
        }
    }

    fn end(&self) {
        if self.drawn {
            print!("\r\x1b[K");
        }
        if self.works {
            println!("  Built {} in {}.", self.what, shown(now() - self.began));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the time that a person waits")]
fn now() -> Instant {
    Instant::now()
}

/// "41 s", "2 min 5 s".
fn shown(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// What stands between line ends, and between the returns by which a terminal's line is written over.
fn pieces(mut from: impl Read) -> impl Iterator<Item = String> {
    let mut rest: Vec<u8> = Vec::new();
    let mut buffer = [0; 4096];
    std::iter::from_fn(move || {
        loop {
            if let Some(end) = rest.iter().position(|byte| b"\r\n".contains(byte)) {
                let piece: Vec<u8> = rest.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&piece[..end]).into_owned());
            }
            match from.read(&mut buffer) {
                Ok(length @ 1..) => rest.extend_from_slice(&buffer[..length]),
                Ok(0) | Err(_) if rest.is_empty() => return None,
                Ok(0) | Err(_) => {
                    return Some(String::from_utf8_lossy(&std::mem::take(&mut rest)).into_owned());
                }
            }
        }
    })
}

fn said(line: &str) -> Said {
    let plain = plain(line);
    let first = plain.split_whitespace().next().unwrap_or_default();
    match first {
        "" => Said::Noise,
        // `Building [====>   ] 12/345: some-crate`
        "Building" if plain.contains('[') => {
            let numbers =
                plain.split(']').next_back().and_then(|rest| rest.trim().split(':').next()?.split_once('/'));
            let parsed =
                numbers.and_then(|(done, of)| Some((done.trim().parse().ok()?, of.trim().parse().ok()?)));
            parsed.map_or(Said::Noise, |(done, of)| Said::Progress(done, of))
        }
        "Compiling" => Said::Work("Compiling".into()),
        "Downloading" | "Downloaded" | "Updating" | "Fetch" => Said::Work("fetching crates".into()),
        "Blocking" => Said::Work("waiting for another cargo to finish".into()),
        "Finished" | "Locking" | "Adding" | "Dirty" | "Fresh" => Said::Noise,
        _ => Said::Words,
    }
}

/// Without colours and other commands to the terminal.
fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter == '\x1b' {
            // Up to the letter that ends it.
            letters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_is_sorted() {
        for (line, expected) in [
            ("    Building [====>                ] 12/345: node, server(bin)", Said::Progress(12, 345)),
            ("\x1b[K\x1b[1m\x1b[96m    Building\x1b[0m [=> ] 1/2", Said::Progress(1, 2)),
            ("   \x1b[1m\x1b[92mCompiling\x1b[0m node v0.1.0 (/x)", Said::Work("Compiling".into())),
            (
                "    Blocking waiting for file lock on build directory",
                Said::Work("waiting for another cargo to finish".into()),
            ),
            ("  Downloaded tokio v1.2.3", Said::Work("fetching crates".into())),
            ("    Finished `dev` profile", Said::Noise),
            ("\x1b[K", Said::Noise),
            ("error[E0308]: mismatched types", Said::Words),
            ("warning: unused variable: `x`", Said::Words),
        ] {
            assert_eq!(said(line), expected, "{line:?}");
        }
    }

    #[test]
    fn a_line_that_is_written_over_is_many() {
        let read = |text: &str| pieces(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(read("a\rb\nlast"), ["a", "b", "last"]);
        assert_eq!(read(""), [""; 0]);
        // Longer than what is read at once.
        let long = "x".repeat(10_000);
        assert_eq!(read(&format!("{long}\r{long}")), [long.clone(), long]);
    }

    #[test]
    fn a_time_is_said_as_a_person_says_it() {
        assert_eq!(shown(Duration::from_millis(41_900)), "41 s");
        assert_eq!(shown(Duration::from_secs(125)), "2 min 5 s");
    }
}
