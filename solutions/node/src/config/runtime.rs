use core_types::Args;

use super::Config;
use super::table::{Change, DIRECTIVES, Directive, find};

/// What a `CONFIG SET` changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    /// The directives that were set, by their new names, whether or not their value differs now.
    pub names: Vec<&'static str>,
    /// What an operator should know about the new values: lines for the log, at level warning.
    pub notes: Vec<String>,
}

impl Config {
    /// Answers `CONFIG GET pattern…`: `patterns` are the arguments behind `GET`.
    ///
    /// Each match is a name and its value; no name comes twice. A pattern without wildcards is
    /// answered under the name as it was asked for, in its own upper and lower case; old names are
    /// answered too, beside the new ones if both match.
    ///
    /// ```
    /// # use core_types::ArgsBuf;
    /// # let config = node::config::Config::default();
    /// let asked = ArgsBuf::from_parts(["repl-time*", "PORT"]);
    /// let found = config.get_matching(asked.as_args());
    /// assert_eq!(found, [("repl-timeout".to_string(), "60".to_string()), ("PORT".to_string(), "6379".to_string())]);
    /// ```
    pub fn get_matching(&self, patterns: Args<'_>) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, directive: &Directive| {
            if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                found.push((name.to_owned(), directive.show(self)));
            }
        };
        for pattern in patterns.iter() {
            if !pattern.iter().any(|byte| b"*?[".contains(byte)) {
                let name = String::from_utf8_lossy(pattern);
                if let Some(directive) = find(&name) {
                    add(&name, directive);
                }
                continue;
            }
            // Names are lower-case, and Redis ignores case here.
            let pattern = pattern.to_ascii_lowercase();
            for directive in DIRECTIVES {
                for name in [Some(directive.name), directive.alias].into_iter().flatten() {
                    if keyspace::matches(&pattern, name.as_bytes()) {
                        add(name, directive);
                    }
                }
            }
        }
        found
    }

    /// Carries out `CONFIG SET name value [name value …]`: `pairs` are the arguments behind `SET`.
    ///
    /// Either every pair is applied or, on an error, none. The error is the whole text for the client,
    /// with its code. After success the caller logs [`Changed::notes`] and acts on what concerns it
    /// among [`Changed::names`] (a new `masterauth` is read at the next handshake anyway).
    ///
    /// ```
    /// # use core_types::ArgsBuf;
    /// # let mut config = node::config::Config::default();
    /// let pairs = ArgsBuf::from_parts(["hz", "50", "timeout", "soon"]);
    /// let error = config.set(pairs.as_args()).unwrap_err();
    /// assert_eq!(error, "ERR CONFIG SET failed (possibly related to argument 'timeout') \
    ///                    - argument couldn't be parsed into an integer");
    /// assert_eq!(config.hz, 10);
    /// ```
    pub fn set(&mut self, pairs: Args<'_>) -> Result<Changed, String> {
        let words: Vec<&[u8]> = pairs.iter().collect();
        if !words.len().is_multiple_of(2) {
            return Err("ERR syntax error".into());
        }
        let mut chosen: Vec<(String, &Directive, &[u8])> = Vec::new();
        for pair in words.chunks(2) {
            let name = String::from_utf8_lossy(pair[0]).into_owned();
            let Some(directive) = find(&name) else {
                return Err(format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'"));
            };
            match directive.change {
                Change::AtStart => return Err(failed(&name, "can't set immutable config")),
                Change::Protected => return Err(failed(&name, "can't set protected config")),
                Change::Any => {}
            }
            if chosen.iter().any(|(other, ..)| other.eq_ignore_ascii_case(&name)) {
                return Err(failed(&name, "duplicate parameter"));
            }
            chosen.push((name, directive, pair[1]));
        }
        let mut next = self.clone();
        for (name, directive, value) in &chosen {
            let value =
                std::str::from_utf8(value).map_err(|_| failed(name, "argument must be UTF-8 text"))?;
            directive.set(&mut next, &[value]).map_err(|why| failed(name, &why))?;
        }
        let old_notes = self.notes();
        *self = next;
        Ok(Changed {
            names: chosen.iter().map(|(_, directive, _)| directive.name).collect(),
            notes: self.notes().into_iter().filter(|note| !old_notes.contains(note)).collect(),
        })
    }
}

fn failed(name: &str, why: &str) -> String {
    format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}")
}
