use std::fmt;
use std::fmt::Write;

use core_types::show_bytes;
use solution_0::split_inline;

use super::values::{self, WRONG_NUMBER};
use super::{Config, NAME, VERSION, table};

/// A text that the driver must read for us: this crate opens no files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source<'a> {
    /// The configuration file with this path.
    File(&'a str),
    /// Standard input, to its end.
    Stdin,
}

/// Why a configuration is not taken. [`fmt::Display`] gives what Redis prints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// A line that makes no sense. Redis prints this on standard error.
    Line {
        /// Counted from 1. The flags follow the file, each a line of its own.
        number: usize,
        /// The line, without blanks at its ends.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file that cannot be read. Redis logs this one.
    File {
        /// Its path as it was given.
        path: String,
        /// The system's reason.
        why: String,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Line { number, text, why } => write!(
                f,
                "\n*** FATAL CONFIG FILE ERROR ({NAME} {VERSION}) ***\n\
                 Reading the configuration file, at line {number}\n>>> '{text}'\n{why}"
            ),
            LoadError::File { path, why } => write!(f, "Fatal error, can't open config file '{path}': {why}"),
        }
    }
}

impl std::error::Error for LoadError {}

/// Reads a source, or says why it cannot be read.
type Read<'r> = &'r mut dyn FnMut(Source<'_>) -> Result<String, String>;

/// How deep files may include each other. Redis has no limit and ends when its stack does.
const DEEPEST: usize = 16;

impl Config {
    /// Reads a command line: `[file.conf] [--directive value …] [-]`, without the program's name.
    ///
    /// `read` is called for the file, for each `include` in it, and for standard input if the last
    /// argument is `-`. What comes later wins: file, standard input, flags.
    ///
    /// A flag takes every argument up to the next one that starts with `--`; but the argument right
    /// behind a flag is always its value, whatever it looks like. `"--port 7000"` in one argument works
    /// too. All this is as in Redis 7.0, the one exception of `--save` without a value included.
    pub fn from_args<A: AsRef<str>>(args: &[A], read: Read<'_>) -> Result<Config, LoadError> {
        let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        let (file, rest) = match args.split_first() {
            Some((&first, rest)) if !first.starts_with('-') => (Some(first), rest),
            _ => (None, &args[..]),
        };
        let sentinel = rest.iter().any(|argument| argument.eq_ignore_ascii_case("--sentinel"));
        let rest: Vec<&str> =
            rest.iter().copied().filter(|argument| !argument.eq_ignore_ascii_case("--sentinel")).collect();
        let (flags, stdin) = match rest.split_last() {
            Some((&"-", flags)) => (flags, true),
            _ => (&rest[..], false),
        };
        let mut text = String::new();
        if let Some(path) = file {
            text += &read_file(read, path)?;
        }
        if stdin {
            let more = read(Source::Stdin).map_err(|why| LoadError::File { path: "-".into(), why })?;
            text += "\n";
            text += &more;
        }
        if !flags.is_empty() {
            text += "\n";
            text += &flags_as_lines(flags);
        }
        let mut config = if sentinel { Config::for_sentinel() } else { Config::default() };
        config.apply_text(&text, read, 0)?;
        config.check_sentinel(&text)?;
        config.check_cluster(&text)?;
        config.file = file.unwrap_or_default().to_owned();
        Ok(config)
    }

    /// What a sentinel starts with: a port of its own, and open to others, as a sentinel alone is of no use
    /// (`initSentinelConfig` in Redis's `sentinel.c`).
    pub fn for_sentinel() -> Config {
        Config { port: 26379, protected_mode: false, sentinel: Some(Vec::new()), ..Config::default() }
    }

    /// Do the `sentinel` lines of `text` make sense, all together?
    fn check_sentinel(&self, text: &str) -> Result<(), LoadError> {
        let Some(lines) = &self.sentinel else { return Ok(()) };
        crate::sentinel::Watcher::check(lines).map_err(|(place, why)| {
            let is_one = |line: &str| {
                line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("sentinel"))
            };
            let mut found = text.lines().enumerate().filter(|(_, line)| is_one(line));
            // A line of an included file is not in the text; then its words must do.
            let (index, line) = found.nth(place).unwrap_or((place, ""));
            let text = match line.trim() {
                "" => format!("sentinel {}", lines[place].join(" ")),
                line => line.to_owned(),
            };
            LoadError::Line { number: index + 1, text, why }
        })
    }

    /// In a cluster the node itself knows whom it follows.
    fn check_cluster(&self, text: &str) -> Result<(), LoadError> {
        if !self.cluster_enabled || self.replicaof.is_none() {
            return Ok(());
        }
        let is_one = |line: &str| {
            let word = line.split_whitespace().next().unwrap_or_default();
            ["replicaof", "slaveof"].iter().any(|name| name.eq_ignore_ascii_case(word))
        };
        let found = text.lines().enumerate().filter(|(_, line)| is_one(line)).last();
        let (index, line) = found.unwrap_or((0, ""));
        let why = "replicaof directive not allowed in cluster mode".into();
        Err(LoadError::Line { number: index + 1, text: line.trim().to_owned(), why })
    }

    /// Reads a configuration from its text, without flags; `include` finds nothing.
    pub fn from_text(text: &str) -> Result<Config, LoadError> {
        let mut config = Config::default();
        config.apply_text(text, &mut |_| Err("No such file or directory".into()), 0)?;
        Ok(config)
    }

    fn apply_text(&mut self, text: &str, read: Read<'_>, depth: usize) -> Result<(), LoadError> {
        for (index, line) in text.split('\n').enumerate() {
            let line = line.trim_matches([' ', '\t', '\r', '\n']);
            let wrong = |why: String| LoadError::Line { number: index + 1, text: line.to_owned(), why };
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words = split_inline(line.as_bytes())
                .map_err(|_| wrong("Unbalanced quotes in configuration line".into()))?;
            let words: Result<Vec<&str>, _> = words.as_args().iter().map(std::str::from_utf8).collect();
            let words = words.map_err(|_| wrong("argument must be UTF-8 text".into()))?;
            match words.as_slice() {
                [] => {}
                [name, path] if name.eq_ignore_ascii_case("include") => {
                    if depth == DEEPEST {
                        return Err(wrong("Files include each other without end".into()));
                    }
                    let text = read_file(read, path)?;
                    self.apply_text(&text, read, depth + 1)?;
                }
                [name, values @ ..] => self.apply_line(name, values).map_err(wrong)?,
            }
        }
        Ok(())
    }

    fn apply_line(&mut self, name: &str, values: &[&str]) -> Result<(), String> {
        if name.eq_ignore_ascii_case("sentinel") {
            let Some(lines) = &mut self.sentinel else {
                return Err("sentinel directive while not in sentinel mode".into());
            };
            lines.push(values.iter().map(|word| word.to_string()).collect());
            return Ok(());
        }
        if let (true, [value]) = (name.eq_ignore_ascii_case("enable-test-partition"), values) {
            self.enable_test_partition = values::yes_or_no(value)?;
            return Ok(());
        }
        if says_what_holds_anyway(name, values) {
            return Ok(());
        }
        let directive = table::find(name).ok_or("Bad directive or wrong number of arguments")?;
        if values.is_empty() {
            return Err(WRONG_NUMBER.into());
        }
        let save_so_far = self.save.clone();
        directive.set(self, values)?;
        if directive.name == "save" && !self.save.is_empty() {
            // Unlike CONFIG SET, a further line adds to the earlier ones.
            self.save.splice(0..0, save_so_far);
        }
        if directive.name == "daemonize" && values[0].eq_ignore_ascii_case("yes") {
            return Err(format!("{NAME} stays in the foreground: leave 'daemonize' at 'no'"));
        }
        Ok(())
    }
}

/// Two lines that Redis writes into every file, although their values are the defaults. We have neither directive; a file
/// that a Redis has written is taken all the same.
fn says_what_holds_anyway(name: &str, values: &[&str]) -> bool {
    match name.to_ascii_lowercase().as_str() {
        "latency-tracking-info-percentiles" => values == ["50", "99", "99.9"],
        "user" => {
            let rules = |word: &&&str| !word.eq_ignore_ascii_case("sanitize-payload");
            let rules: Vec<&str> = values.iter().filter(rules).copied().collect();
            rules == ["default", "on", "nopass", "~*", "&*", "+@all"]
        }
        _ => false,
    }
}

fn read_file(read: Read<'_>, path: &str) -> Result<String, LoadError> {
    read(Source::File(path)).map_err(|why| LoadError::File { path: path.to_owned(), why })
}

/// The flags as the lines that Redis makes of them, each value in quotes.
fn flags_as_lines(flags: &[&str]) -> String {
    let mut text = String::new();
    // True right behind a flag that still has no value.
    let mut needs_value = false;
    for (index, argument) in flags.iter().enumerate() {
        let Some(flag) = argument.strip_prefix("--").filter(|_| !needs_value) else {
            let _ = write!(text, " \"{}\"", show_bytes(argument.as_bytes()));
            needs_value = false;
            continue;
        };
        if index > 0 {
            text.push('\n');
        }
        text.push_str(flag);
        needs_value = !flag.trim().contains(' ');
        let next_is_flag = flags.get(index + 1).is_none_or(|next| next.starts_with("--"));
        if flag.trim().eq_ignore_ascii_case("save") && next_is_flag {
            text.push_str(" \"\"");
            needs_value = false;
        }
    }
    text
}
