//! A handout: a copy of the repository for a class, in which the answers are sealed.
//!
//! Three ways to take the answers out were weighed. *Without* them there is nothing to compare a learner's run with, and
//! no node to run a layer in. *Compiled* they would fit one machine and one compiler. *Sealed* they compile anywhere and
//! cannot be read in passing: the source files stay what they are, with their types and documentation (which the book's
//! listings show), and each body becomes a `seal::open!("…")` that a macro opens while it is compiled.
//!
//! The seal keeps out a glance, a search, and an editor that completes from what lies beside. It does not keep out
//! somebody who wants to see the answer, and is not meant to: what the compiler can open, its user can open. The key of a
//! handout is of the same kind. It is a promise between a teacher and a class, which `cargo workbook` keeps.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::repo::Repo;

#[path = "../seal/src/code.rs"]
mod code;

/// What makes a copy a handout, at its root.
pub(crate) const FILE: &str = "handout.toml";

const HEAD: &str = "\
# This copy of the workbook is a handout: the reference answers in solutions/ compile and run, but their bodies are
# sealed. Everything else is as it always is: begin with `cargo workbook start`, or with README.md.
#
# `cargo workbook solution N.M` and `diff N` open an answer when your own passes. To give up before takes the key that
# whoever made this handout may have; without the line below there is none.
";

const OPENS: &str = "seal::open!(";

/// What a handout says of itself.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Handout {
    /// The sum of the key, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl Handout {
    /// None: this is the full repository.
    pub(crate) fn load(repo: &Repo) -> Result<Option<Handout>, String> {
        let path = repo.path(FILE);
        match fs::read_to_string(&path) {
            Err(_) => Ok(None),
            Ok(text) => {
                toml::from_str(&text).map(Some).map_err(|error| format!("{}: {error}", path.display()))
            }
        }
    }

    /// A handout whose answers open before they are earned to whoever says this word; to nobody, if there is none.
    pub(crate) fn with_key(word: Option<&str>) -> Handout {
        Handout { key: word.map(sum) }
    }

    /// The file.
    pub(crate) fn text(&self) -> Result<String, String> {
        let body = toml::to_string(self).map_err(|error| format!("cannot write down the key: {error}"))?;
        Ok(format!("{HEAD}{body}"))
    }

    /// Whether an answer may be shown that has not been earned.
    pub(crate) fn may_give_up(&self, word: Option<&str>) -> Result<(), String> {
        let first = "This is a handout: an answer opens when your own passes";
        match (&self.key, word) {
            (None, _) => Err(format!("{first}, and not before. A hint helps: cargo workbook hint N.M")),
            (Some(_), None) => {
                Err(format!("{first}. To give up, add --key and the word that your teacher has"))
            }
            (Some(key), Some(word)) if *key == sum(word) => Ok(()),
            (Some(_), Some(_)) => Err("that is not the key of this handout".to_string()),
        }
    }
}

fn sum(word: &str) -> String {
    format!("{:016x}", code::sum(word.trim().as_bytes()))
}

/// A body as a handout holds it, indented.
pub(crate) fn sealed(body: &str, indent: &str) -> String {
    let lines: String = code::close(body).iter().map(|line| format!("{indent}    {line}\n")).collect();
    format!("{indent}{OPENS}\n{indent}    \"\n{lines}{indent}    \"\n{indent})\n")
}

/// The body behind a seal; one that is not sealed is what it is.
pub(crate) fn unsealed(body: &str) -> Result<String, String> {
    let digits = body.trim().strip_prefix(OPENS).and_then(|rest| rest.strip_suffix(')'));
    match digits {
        None => Ok(body.to_string()),
        Some(digits) => code::open(digits.trim().trim_matches('"')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_keeps_the_body_with_its_comments() {
        let body = "    // Why.\n    let text = \"a)\";\n\n    text.len()";
        let shut = sealed(body, "    ");
        assert!(
            shut.starts_with("    seal::open!(\n        \"\n        ")
                && shut.ends_with("        \"\n    )\n")
        );
        assert!(!shut.contains("Why") && !shut.contains("text"));
        assert_eq!(unsealed(&shut).as_deref(), Ok(body));
        assert_eq!(unsealed(body).as_deref(), Ok(body));
        assert!(unsealed(&shut.replacen('\n', "\n00", 1)).is_err());
    }

    #[test]
    fn giving_up_takes_the_key_and_some_handouts_have_none() {
        let none = Handout::with_key(None);
        assert!(none.may_give_up(Some("x")).is_err_and(|complaint| complaint.contains("and not before")));
        let some = Handout::with_key(Some("open sesame"));
        assert!(some.may_give_up(None).is_err_and(|complaint| complaint.contains("--key")));
        assert!(some.may_give_up(Some("sesame")).is_err());
        assert_eq!(some.may_give_up(Some("open sesame ")), Ok(()));
        for handout in [none, some] {
            let text = handout.text().expect("it can be written");
            assert!(!text.contains("sesame"));
            assert_eq!(toml::from_str(&text), Ok(handout));
        }
    }
}
