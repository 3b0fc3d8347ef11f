//! What every directive is if nobody sets it, beside real Redis.
//!
//! # Differences that stay
//!
//! - `bind`: ours listens on this machine's own addresses only, unless it is told otherwise.
//! - `save`: ours makes no snapshots by itself unless it is told to.

use std::collections::BTreeMap;

use core_types::Frame;
use system::{Kind, Server, redis_or_skip};

/// Set by the harness or by the place where a server runs.
const OWN: [&str; 7] = ["bind", "port", "dir", "save", "logfile", "pidfile", "enable-debug-command"];

fn directives(server: &Server) -> BTreeMap<String, String> {
    let Frame::Array(words) = server.run("CONFIG GET *") else { panic!("a list") };
    let text = |frame: &Frame| String::from_utf8_lossy(frame.as_bytes().expect("a text")).into_owned();
    words.chunks(2).map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

#[test]
fn defaults_are_those_of_redis() {
    let Some(real) = redis_or_skip("defaults_are_those_of_redis", &[]) else { return };
    let theirs = directives(&real);
    let ours = directives(&Server::start(Kind::Ours, &[]));
    let different: Vec<_> = ours
        .iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
        .filter(|(name, value)| theirs.get(*name) != Some(value))
        .map(|(name, value)| format!("{name}: ours {value:?}, Redis {:?}", theirs.get(name)))
        .collect();
    assert!(different.is_empty(), "{different:#?}");
    assert!(ours.len() > 90, "{}", ours.len());
}
