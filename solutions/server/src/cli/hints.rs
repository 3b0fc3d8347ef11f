use std::borrow::Cow;

use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::docs::Docs;

/// Names to complete, and the arguments that a command still expects, greyed out behind the cursor.
pub(super) struct Hints {
    docs: Docs,
    /// The user wants them.
    pub(super) shown: bool,
    coloured: bool,
}

/// A hint is read, not taken over: what it names are not the values.
pub(super) struct Expected(String);

impl Hint for Expected {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hints {
    pub(super) fn new(docs: Docs) -> Hints {
        // No colour where `NO_COLOR` is set (https://no-color.org).
        Hints {
            docs,
            shown: true,
            coloured: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    pub(super) fn docs(&self) -> &Docs {
        &self.docs
    }

    /// What is missing behind this line.
    fn expected(&self, line: &str) -> Option<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, doc) = self.docs.find(&words)?;
        let at_word_end = line.ends_with(char::is_whitespace);
        let mut given = words.len() - name;
        if doc.is_container {
            return (given == 0).then(|| if at_word_end { "subcommand" } else { " subcommand" }.to_owned());
        }
        // A word that is being typed counts once it is complete.
        if given > 0 && !at_word_end {
            given -= 1;
            return Some(
                doc.arguments.iter().skip(given + 1).fold(String::new(), |all, next| all + " " + next),
            )
            .filter(|rest| !rest.is_empty());
        }
        let rest = doc.arguments.iter().skip(given).cloned().collect::<Vec<_>>().join(" ");
        (!rest.is_empty()).then(|| if at_word_end { rest } else { format!(" {rest}") })
    }
}

impl Hinter for Hints {
    type Hint = Expected;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<Expected> {
        if !self.shown || pos < line.len() {
            return None;
        }
        self.expected(line).map(Expected)
    }
}

impl Completer for Hints {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        // After `help` a command's name, too.
        let start = if line.to_ascii_lowercase().starts_with("help ") { 5 } else { 0 };
        let typed = line.get(start..pos).unwrap_or_default().to_ascii_uppercase();
        let lower = line[start..].starts_with(|first: char| first.is_ascii_lowercase());
        let names = self.docs.commands.keys().filter(|name| !typed.is_empty() && name.starts_with(&typed));
        // First the commands, and their subcommands once one of them is chosen.
        let depth = typed.split(' ').count();
        let names = names.filter(|name| name.split(' ').count() == depth);
        Ok((start, names.map(|name| if lower { name.to_ascii_lowercase() } else { name.clone() }).collect()))
    }
}

impl Highlighter for Hints {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.coloured { Cow::Owned(format!("\x1b[90m{hint}\x1b[0m")) } else { Cow::Borrowed(hint) }
    }
}

impl Validator for Hints {}

impl Helper for Hints {}

#[cfg(test)]
mod tests {
    use rustyline::history::DefaultHistory;

    use super::super::docs::tests::some;
    use super::*;

    #[test]
    fn a_hint_is_what_is_missing() {
        let hints = Hints::new(some());
        let cases = [
            ("set", Some(" key value [GET] [EX seconds|PX milliseconds]")),
            ("set ", Some("key value [GET] [EX seconds|PX milliseconds]")),
            ("SET k", Some(" value [GET] [EX seconds|PX milliseconds]")),
            ("set k ", Some("value [GET] [EX seconds|PX milliseconds]")),
            ("config", Some(" subcommand")),
            ("config get ", Some("parameter [parameter ...]")),
            ("config get x ", None),
            ("nosuch ", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(hints.expected(line).as_deref(), expected, "{line:?}");
        }
    }

    #[test]
    fn names_are_completed_in_the_case_they_are_typed() {
        let hints = Hints::new(some());
        let history = DefaultHistory::new();
        let complete = |line: &str| hints.complete(line, line.len(), &Context::new(&history)).unwrap();
        assert_eq!(complete("z"), (0, vec!["zadd".to_owned()]));
        assert_eq!(complete("CON"), (0, vec!["CONFIG".to_owned()]));
        assert_eq!(complete("config g"), (0, vec!["config get".to_owned()]));
        assert_eq!(complete("help ZA"), (5, vec!["ZADD".to_owned()]));
        assert_eq!(complete(""), (0, vec![]));
        assert_eq!(complete("set k"), (0, vec![]));
    }
}
