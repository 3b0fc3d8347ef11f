//! `{{#default NAME}}`: what a directive is if nobody sets it, asked of the node itself.

use core_types::ArgsBuf;
use node::config::Config;

/// The default of a directive, as `CONFIG GET` tells it.
pub fn default(name: &str) -> Result<String, String> {
    match matching(name).as_slice() {
        [(_, value)] if value.is_empty() => Err(format!("`{name}` is empty by default: say so in words")),
        [(_, value)] => Ok(format!("`{value}`")),
        _ => Err(format!("the node has no directive `{name}`")),
    }
}

/// Directives whose name fits, with their defaults.
fn matching(pattern: &str) -> Vec<(String, String)> {
    let pattern = ArgsBuf::from_parts([pattern.as_bytes()]);
    Config::default().get_matching(pattern.as_args())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_the_nodes() {
        assert_eq!(default("repl-backlog-size"), Ok("`1048576`".to_string()));
        assert!(default("repl-backlog").is_err() && default("requirepass").is_err());
    }

    #[test]
    fn every_directive_is_in_the_list() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/parameters.md");
        let page = std::fs::read_to_string(page).expect("the page is there");
        let missing: Vec<String> = matching("*")
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| !page.contains(&format!("`{name}`")))
            .collect();
        assert!(missing.is_empty(), "book/src/parameters.md does not list {missing:?}");
    }
}
