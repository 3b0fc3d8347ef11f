//! The recordings under `book/src/traces`, and the measured tables in `measured` below it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::data::Recording;
use crate::problem::Problem;
use crate::workspace::Workspace;

type Recordings = fn() -> Vec<(&'static str, Recording)>;

/// Records again and compares with the files.
pub(super) fn check(workspace: &Workspace, recordings: Recordings) -> Vec<Problem> {
    let folder = workspace.traces();
    let recorded = match std::panic::catch_unwind(recordings) {
        Ok(recorded) => recorded,
        Err(_) => return vec![Problem::new(folder, 0, "recording panics; the message is above")],
    };
    let mut problems = Vec::new();
    let mut fresh = BTreeMap::new();
    for (name, recording) in &recorded {
        let file = folder.join(format!("{name}.json"));
        let text = recording.to_json();
        if let Err(what) = Recording::from_json(&text) {
            problems.push(Problem::new(&file, 0, format!("what is recorded cannot be shown: {what}")));
        }
        match std::fs::read_to_string(&file) {
            Err(_) => problems.push(Problem::new(&file, 0, "not recorded yet: `cargo book record`")),
            Ok(old) if old != text => {
                let same = old.lines().zip(text.lines()).take_while(|(old, new)| old == new).count();
                let what = "a run of today differs: `cargo book record`, and look at the page";
                problems.push(Problem::new(&file, same + 1, what));
            }
            Ok(_) => {}
        }
        if fresh.insert(*name, text).is_some() {
            problems.push(Problem::new(&file, 0, "two recordings have this name"));
        }
    }
    for file in files(&folder) {
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if !fresh.contains_key(name) {
            problems.push(Problem::new(&file, 0, "no recording makes this file"));
        }
    }
    for file in files(&folder.join("measured")) {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let what = match Recording::from_json(&text) {
            Ok(Recording::Table(table)) if table.measured.is_some() => continue,
            Ok(_) => "a measured table says with which command, on what machine and when".into(),
            Err(what) => what,
        };
        problems.push(Problem::new(&file, 0, what));
    }
    problems
}

/// Writes every recording whose file differs, and removes the files that no recording makes. Returns what it
/// did, one line each.
pub fn write(workspace: &Workspace, recordings: Recordings) -> io::Result<Vec<String>> {
    let folder = workspace.traces();
    std::fs::create_dir_all(&folder)?;
    let mut done = Vec::new();
    let recorded = recordings();
    for (name, recording) in &recorded {
        let file = folder.join(format!("{name}.json"));
        let text = recording.to_json();
        if std::fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            std::fs::write(&file, text)?;
            done.push(format!("recorded {name}"));
        }
    }
    for file in files(&folder) {
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if !recorded.iter().any(|(known, _)| *known == name) {
            std::fs::remove_file(&file)?;
            done.push(format!("removed {name}"));
        }
    }
    Ok(done)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}
