//! What a server says of its own commands (`COMMAND DOCS`), as one line of syntax each.

use std::collections::BTreeMap;

use core_types::Frame;

/// The commands of a server by name, upper case; those with subcommands also as `CONFIG GET`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Docs {
    pub(super) commands: BTreeMap<String, Doc>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Doc {
    pub(super) summary: String,
    pub(super) since: String,
    pub(super) group: String,
    /// Its arguments, each as one word or phrase: `key`, `[EX seconds|PX milliseconds]`, `member [member ...]`.
    pub(super) arguments: Vec<String>,
    /// It only holds subcommands.
    pub(super) is_container: bool,
}

impl Docs {
    pub(super) fn read(answer: &Frame) -> Docs {
        let mut docs = Docs::default();
        docs.add_all(answer);
        docs
    }

    fn add_all(&mut self, map: &Frame) {
        for (name, facts) in pairs(map) {
            let name = text(name).replace('|', " ").to_ascii_uppercase();
            let subcommands = get(facts, "subcommands");
            let doc = Doc {
                summary: get(facts, "summary").map(text).unwrap_or_default(),
                since: get(facts, "since").map(text).unwrap_or_default(),
                group: get(facts, "group").map(text).unwrap_or_default(),
                arguments: get(facts, "arguments")
                    .map(|list| items(list).iter().map(syntax).collect())
                    .unwrap_or_default(),
                is_container: subcommands.is_some(),
            };
            self.commands.insert(name, doc);
            if let Some(subcommands) = subcommands {
                self.add_all(subcommands);
            }
        }
    }

    /// The command that these words begin with, and how many of the words are its name.
    pub(super) fn find(&self, words: &[&str]) -> Option<(usize, &Doc)> {
        let name = |count: usize| words[..count].join(" ").to_ascii_uppercase();
        (1..=words.len().min(2)).rev().find_map(|count| Some((count, self.commands.get(&name(count))?)))
    }
}

/// One argument in the notation of the manuals: `|` between alternatives, brackets around what may be missing.
fn syntax(argument: &Frame) -> String {
    let parts = || get(argument, "arguments").map(items).unwrap_or_default();
    let flags: Vec<String> =
        get(argument, "flags").map(|flags| items(flags).iter().map(text).collect()).unwrap_or_default();
    let has = |flag: &str| flags.iter().any(|own| own == flag);
    let token = get(argument, "token").map(text);
    let kind = get(argument, "type").map(text).unwrap_or_default();
    let value = match kind.as_str() {
        "pure-token" => String::new(),
        "oneof" => parts().iter().map(syntax).collect::<Vec<_>>().join("|"),
        "block" => parts().iter().map(syntax).collect::<Vec<_>>().join(" "),
        _ => {
            let name = get(argument, "display_text").or(get(argument, "value")).or(get(argument, "name"));
            name.map(text).unwrap_or_default()
        }
    };
    let joined = |value: &str| match &token {
        Some(token) if value.is_empty() => token.clone(),
        Some(token) => format!("{token} {value}"),
        None => value.to_owned(),
    };
    let whole = match (has("multiple"), has("multiple_token")) {
        (false, _) => joined(&value),
        (true, false) => joined(&format!("{value} [{value} ...]")),
        (true, true) => format!("{0} [{0} ...]", joined(&value)),
    };
    if has("optional") { format!("[{whole}]") } else { whole }
}

/// The pairs of a map, which in RESP2 is a list of names and values in turn.
fn pairs(map: &Frame) -> Vec<(&Frame, &Frame)> {
    match map {
        Frame::Map(pairs) => pairs.iter().map(|(name, value)| (name, value)).collect(),
        Frame::Array(items) => items.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect(),
        _ => Vec::new(),
    }
}

fn get<'a>(map: &'a Frame, name: &str) -> Option<&'a Frame> {
    let found = pairs(map).into_iter().find(|(key, _)| key.as_bytes() == Some(name.as_bytes()));
    found.map(|(_, value)| value)
}

fn items(list: &Frame) -> &[Frame] {
    match list {
        Frame::Array(items) | Frame::Set(items) => items,
        _ => &[],
    }
}

fn text(frame: &Frame) -> String {
    String::from_utf8_lossy(frame.as_bytes().unwrap_or_default()).into_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn word(text: &str) -> Frame {
        Frame::Simple(text.into())
    }

    fn flat(fields: &[(&str, Frame)]) -> Frame {
        Frame::Array(fields.iter().flat_map(|(name, value)| [word(name), value.clone()]).collect())
    }

    fn argument(name: &str, kind: &str, token: Option<&str>, flags: &[&str], inner: &[Frame]) -> Frame {
        let mut fields = vec![("name", word(name)), ("type", word(kind))];
        fields.extend(token.map(|token| ("token", word(token))));
        fields.push(("flags", Frame::Set(flags.iter().map(|flag| word(flag)).collect())));
        fields.push(("arguments", Frame::Array(inner.to_vec())));
        flat(&fields)
    }

    /// `SET`, `ZADD` and `CONFIG GET`, roughly.
    pub(in crate::cli) fn some() -> Docs {
        let ex = argument("seconds", "integer", Some("EX"), &[], &[]);
        let px = argument("milliseconds", "integer", Some("PX"), &[], &[]);
        let score =
            [argument("score", "double", None, &[], &[]), argument("member", "string", None, &[], &[])];
        let set = [
            argument("key", "key", None, &[], &[]),
            argument("value", "string", None, &[], &[]),
            argument("get", "pure-token", Some("GET"), &["optional"], &[]),
            argument("expiration", "oneof", None, &["optional"], &[ex, px]),
        ];
        let zadd =
            [argument("key", "key", None, &[], &[]), argument("s", "block", None, &["multiple"], &score)];
        let get = [argument("parameter", "string", None, &["multiple"], &[])];
        let command = |summary: &str, group: &str, arguments: &[Frame]| {
            flat(&[
                ("summary", word(summary)),
                ("since", word("1.0.0")),
                ("group", word(group)),
                ("arguments", Frame::Array(arguments.to_vec())),
            ])
        };
        let config = flat(&[
            ("summary", word("Holds commands")),
            ("subcommands", flat(&[("config|get", command("Reads settings", "server", &get))])),
        ]);
        Docs::read(&Frame::Map(vec![
            (word("set"), command("Sets a key", "string", &set)),
            (word("zadd"), command("Adds members", "sorted-set", &zadd)),
            (word("config"), config),
        ]))
    }

    #[test]
    fn arguments_are_written_as_in_the_manuals() {
        let docs = some();
        let line = |words: &[&str]| docs.find(words).map(|(count, doc)| (count, doc.arguments.join(" ")));
        assert_eq!(line(&["set"]), Some((1, "key value [GET] [EX seconds|PX milliseconds]".into())));
        assert_eq!(line(&["ZAdd", "z"]), Some((1, "key score member [score member ...]".into())));
        assert_eq!(line(&["config", "get", "x"]), Some((2, "parameter [parameter ...]".into())));
        assert_eq!(line(&["config", "nosuch"]), Some((1, String::new())));
        assert_eq!(line(&["nosuch"]), None);
        assert_eq!(line(&[]), None);
    }

    #[test]
    fn nonsense_is_no_commands() {
        for answer in [Frame::Null, Frame::Integer(1), Frame::Array(vec![word("a")]), Frame::Map(vec![])] {
            assert_eq!(Docs::read(&answer), Docs::default());
        }
    }
}
