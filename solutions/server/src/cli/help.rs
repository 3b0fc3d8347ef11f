use std::collections::BTreeSet;

use super::docs::{Doc, Docs};

const GENERAL: &str = "\
help <command>          what a command does, and its arguments
help @<group>           the commands of a group
<number> <command>      runs the command that often
connect <host> <port>   goes to another server
:set hints | nohints    shows, or does not show, the arguments while you type
clear, quit             (so do Ctrl-L and Ctrl-D)

Tab completes a command's name. Ctrl-C drops the line; while a command waits, it ends the wait.
";

/// What `help` prints about these words.
pub(super) fn about(docs: Option<&Docs>, words: &str) -> String {
    let Some(docs) = docs.filter(|docs| !docs.commands.is_empty()) else {
        return format!("{GENERAL}(This server does not describe its commands.)\n");
    };
    if words.is_empty() {
        let groups: BTreeSet<&str> = docs.commands.values().map(|doc| doc.group.as_str()).collect();
        let groups: Vec<String> =
            groups.into_iter().filter(|group| !group.is_empty()).map(|group| format!("@{group}")).collect();
        return format!("{GENERAL}Groups: {}\n", groups.join(" "));
    }
    let wanted = words.to_ascii_uppercase();
    let group = wanted.strip_prefix('@').map(str::to_ascii_lowercase);
    let fits = |name: &str, doc: &Doc| match &group {
        Some(group) => doc.group == *group && !doc.is_container,
        None => name == wanted || name.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with(' ')),
    };
    let found: Vec<String> = docs
        .commands
        .iter()
        .filter(|(name, doc)| fits(name, doc))
        .map(|(name, doc)| entry(name, doc))
        .collect();
    if found.is_empty() { format!("Nothing is known about {words}.\n") } else { found.join("\n") }
}

fn entry(name: &str, doc: &Doc) -> String {
    let mut text = format!("  {name}");
    for argument in &doc.arguments {
        text += " ";
        text += argument;
    }
    text += &format!("\n  summary: {}\n", doc.summary);
    if !doc.since.is_empty() {
        text += &format!("  since: {}\n", doc.since);
    }
    if !doc.group.is_empty() {
        text += &format!("  group: {}\n", doc.group);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::docs::tests::some;
    use super::*;

    #[test]
    fn commands_and_groups_are_found() {
        let docs = some();
        assert!(
            about(Some(&docs), "config get")
                .starts_with("  CONFIG GET parameter [parameter ...]\n  summary: Reads")
        );
        assert!(about(Some(&docs), "config").contains("CONFIG GET"));
        let strings = about(Some(&docs), "@string");
        assert!(strings.contains("SET key") && !strings.contains("ZADD"), "{strings}");
        assert!(about(Some(&docs), "").contains("@sorted-set"));
        assert!(about(Some(&docs), "nosuch").contains("nosuch"));
        assert!(about(None, "set").contains("does not describe"));
    }
}
