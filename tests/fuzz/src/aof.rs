//! The append-only file: its manifest, its base and its increments, as a node reads them at its start.
//!
//! An input is several files, divided by lines `%%`: the manifest and then the parts in the order in which
//! they are asked for. If the manifest is empty, or there is nothing but one file, it names what there is: an
//! increment that is alone, or a base and increments.

use std::collections::BTreeMap;

use core_types::Millis;
use keyspace::Keyspace;
use node::config::Config;
use node::{Effect, FileEffect, FileEvent, FileId, Node};

use crate::{Pieces, bounded, every_way, rdb};

/// Commands that give much for few bytes, and are meant to: they are left out, in any spelling.
const GENEROUS: [&str; 3] = ["setrange", "setbit", "sort"];

/// Reads `data` as the files of an append-only file.
///
/// # Panics
/// If a promise is broken: see the crate's documentation.
pub fn check(data: &[u8]) {
    let lower = data.to_ascii_lowercase();
    if GENEROUS.iter().any(|name| lower.windows(name.len()).any(|window| window == name.as_bytes())) {
        return;
    }
    let mut disk = Disk::new(data);
    let outcome = bounded(data.len(), rdb::FACTOR, || every_way(data, |pieces| disk.start(&pieces)));
    if let (None, Some((name, length))) = (outcome.exit, &outcome.truncated) {
        disk.truncate(name, *length);
        let again = every_way(&[], |pieces| disk.start(&pieces));
        assert_eq!((again.exit, &again.truncated), (None, &None), "it was cut off once: {:?}", again.log);
        assert_eq!(again.keyspace, outcome.keyspace, "loaded again (left), and the first time (right)");
    }
}

/// What became of a start.
#[derive(Debug, PartialEq)]
struct Outcome {
    exit: Option<i32>,
    log: Vec<String>,
    /// The file that is to be cut off, and behind how many bytes.
    truncated: Option<(String, u64)>,
    /// Empty if the process ends.
    keyspace: Keyspace,
}

struct Disk {
    manifest: Vec<u8>,
    parts: Vec<Vec<u8>>,
    /// Which part a name stands for: parts are given out as they are asked for.
    names: BTreeMap<String, usize>,
}

const BORDER: &[u8] = b"\n%%\n";

impl Disk {
    fn new(data: &[u8]) -> Disk {
        let mut parts = Vec::new();
        let mut rest = data;
        while let Some(at) = rest.windows(BORDER.len()).position(|window| window == BORDER) {
            parts.push(rest[..at].to_vec());
            rest = &rest[at + BORDER.len()..];
        }
        parts.push(rest.to_vec());
        let mut manifest = if parts.len() == 1 { Vec::new() } else { parts.remove(0) };
        if manifest.is_empty() {
            let bases = usize::from(parts.len() > 1);
            for number in 1..=parts.len() {
                let kind = if number <= bases { 'b' } else { 'i' };
                manifest
                    .extend_from_slice(format!("file part.{number} seq {number} type {kind}\n").as_bytes());
            }
        }
        Disk { manifest, parts, names: BTreeMap::new() }
    }

    /// The bytes of a file.
    fn read(&mut self, name: &str) -> Option<&[u8]> {
        if name.ends_with(".manifest") {
            return Some(&self.manifest);
        }
        let next = self.names.len();
        let part = *self.names.entry(name.to_owned()).or_insert(next);
        self.parts.get(part).map(Vec::as_slice)
    }

    fn truncate(&mut self, name: &str, length: u64) {
        let part = self.names.get(name).copied();
        self.parts[part.expect("it was read")].truncate(length as usize);
    }

    /// Starts a node on these files, which it gets cut as `pieces` are.
    fn start(&mut self, pieces: &Pieces<'_>) -> Outcome {
        let config = Config::from_text("appendonly yes\ndatabases 4").expect("a good configuration");
        let mut node = Node::with_files(config, 1, NOW);
        let (mut log, mut truncated, mut exit) = (Vec::new(), None, None);
        while let Some(effect) = node.poll_effect() {
            match effect {
                Effect::Log { text, .. } => log.push(text),
                Effect::Exit { code } => exit = exit.or(Some(code)),
                Effect::File(FileEffect::Read { file, name }) => self.give(&mut node, file, &name, pieces),
                Effect::File(FileEffect::Truncate { name, length }) => truncated = Some((name, length)),
                Effect::File(FileEffect::Append { file, bytes, .. } | FileEffect::Record { file, bytes }) => {
                    node.file_event(NOW, file, FileEvent::Written(bytes.len()));
                }
                Effect::File(FileEffect::Sync { file }) => node.file_event(NOW, file, FileEvent::Synced),
                Effect::File(FileEffect::Commit { file, .. }) => {
                    node.file_event(NOW, file, FileEvent::Committed);
                }
                _ => {}
            }
        }
        assert!(exit.is_some() || !node.is_loading(), "it has every file, and neither serves nor ends");
        node.check_invariants().expect("an invariant of the node");
        let keyspace = if exit.is_some() { Keyspace::new(1, 1) } else { node.keyspace().clone() };
        Outcome { exit, log, truncated, keyspace }
    }

    fn give(&mut self, node: &mut Node, file: FileId, name: &str, pieces: &Pieces<'_>) {
        let Some(bytes) = self.read(name) else {
            return node.file_event(NOW, file, FileEvent::Missing);
        };
        for piece in pieces.of(bytes) {
            node.file_event(NOW, file, FileEvent::Piece(piece));
        }
        node.file_event(NOW, file, FileEvent::End);
    }
}

const NOW: Millis = Millis(1_700_000_000_000);
