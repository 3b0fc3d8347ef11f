//! The programs that nodes run: `ha-server` as the reference or with the learner's layers, and real `redis-server`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::room;
use super::shape::Node;
use crate::repo::Repo;
use crate::scoring::cargo;

/// Where each of them is, as far as it is needed.
#[derive(Default)]
pub(super) struct Programs {
    redis: Option<PathBuf>,
    reference: Option<PathBuf>,
    /// With the learner's layers.
    mine: Option<PathBuf>,
}

impl Programs {
    /// Finds or builds what these nodes need.
    pub(super) fn make(repo: &Repo, nodes: &[&Node]) -> Result<Programs, String> {
        let mut programs = Programs::default();
        if nodes.iter().any(|node| node.is_redis) {
            programs.redis = Some(find_redis()?);
        }
        if nodes.iter().any(|node| !node.is_redis && node.mine.is_empty()) {
            programs.reference = Some(build_server(repo, &[])?);
        }
        if let Some(node) = nodes.iter().find(|node| !node.mine.is_empty()) {
            // Cargo puts both in the same place.
            if let Some(reference) = &mut programs.reference {
                *reference = keep_aside(repo, reference)?;
            }
            programs.mine = Some(build_server(repo, &node.mine)?);
        }
        Ok(programs)
    }

    /// The program of a node that was among those named to [`Programs::make`].
    pub(super) fn of(&self, node: &Node) -> Result<&Path, String> {
        let program = match (node.is_redis, node.mine.is_empty()) {
            (true, _) => &self.redis,
            (false, true) => &self.reference,
            (false, false) => &self.mine,
        };
        program.as_deref().ok_or_else(|| format!("no program was made for {}", node.name))
    }
}

/// Another name for a program, which the next build leaves alone.
fn keep_aside(repo: &Repo, program: &Path) -> Result<PathBuf, String> {
    let name = program.file_name().ok_or("a program has a name")?;
    let directory = room(repo).join("reference");
    let kept = directory.join(name);
    let complain = |error: std::io::Error| format!("cannot keep {}: {error}", kept.display());
    fs::create_dir_all(&directory).map_err(complain)?;
    // Gone first, and not written over: a node may be running it.
    let _ = fs::remove_file(&kept);
    // A second name costs no space; on another disk it must be a copy.
    if fs::hard_link(program, &kept).is_err() {
        fs::copy(program, &kept).map_err(complain)?;
    }
    Ok(kept)
}

/// Builds a program and returns where it is.
///
/// The `dev` profile: measured, its first build takes half as long as that of the release profile, and a change of the
/// node is built in seconds where the other optimises the whole program anew. A reader's commands do not come at a
/// rate at which the difference in speed matters.
pub(super) fn build(repo: &Repo, package: &str, binary: &str, options: &[&str]) -> Result<PathBuf, String> {
    let mut command = cargo();
    command.current_dir(&repo.root).args(["build", "--package", package, "--bin", binary]);
    command
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    command.args(options);
    let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("{binary} does not build"));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let program = messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    program.ok_or_else(|| format!("cargo did not say where {binary} is"))
}

/// Builds `ha-server`, with the learner's layers of these labs.
fn build_server(repo: &Repo, mine: &[u32]) -> Result<PathBuf, String> {
    let mut features = Vec::new();
    for lab in mine {
        features.push(repo.lab(*lab)?.package());
    }
    build(repo, "server", "ha-server", &["--features", &features.join(",")])
}

/// Where the real `redis-server` is.
fn find_redis() -> Result<PathBuf, String> {
    let name = format!("redis-server{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|directory| directory.join(&name)).find(|path| path.is_file());
    found.ok_or_else(|| {
        "--with-redis needs a real redis-server, and there is none in PATH. Install Redis 7 \
         (`apt install redis-server`, `brew install redis`), or leave the flag out: then all nodes are ha-server"
            .to_string()
    })
}
