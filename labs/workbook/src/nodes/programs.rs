//! The programs that nodes run: `ha-server` as the reference or with the learner's layers, and real `redis-server`.

use std::fs;
use std::path::{Path, PathBuf};

use super::building::{Wanted, build};
use super::room;
use super::shape::Node;
use crate::repo::Repo;

/// Where each of them is, as far as it is needed.
#[derive(Default)]
pub(super) struct Programs {
    redis: Option<PathBuf>,
    reference: Option<PathBuf>,
    /// With the learner's layers.
    mine: Option<PathBuf>,
    /// `ha-cli`, where any of our nodes is among them.
    client: Option<PathBuf>,
}

impl Programs {
    /// Finds or builds what these nodes need.
    pub(super) fn make(repo: &Repo, nodes: &[&Node]) -> Result<Programs, String> {
        let mut programs = Programs::default();
        if nodes.iter().any(|node| node.is_redis) {
            programs.redis = Some(find_redis()?);
        }
        if nodes.iter().any(|node| !node.is_redis && node.mine.is_empty()) {
            let (server, client) = build_server(repo, &[])?;
            (programs.reference, programs.client) = (Some(server), Some(client));
        }
        if let Some(node) = nodes.iter().find(|node| !node.mine.is_empty()) {
            // Cargo puts both in the same place.
            if let Some(reference) = &mut programs.reference {
                *reference = keep_aside(repo, reference)?;
            }
            let (server, client) = build_server(repo, &node.mine)?;
            (programs.mine, programs.client) = (Some(server), Some(client));
        }
        Ok(programs)
    }

    /// The client that makes a cluster of them.
    pub(super) fn client(&self) -> Result<&Path, String> {
        self.client.as_deref().ok_or_else(|| "no client was made".to_string())
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

/// Builds `ha-server`, with the learner's layers of these labs, and the client that makes a cluster.
fn build_server(repo: &Repo, mine: &[u32]) -> Result<(PathBuf, PathBuf), String> {
    let features: Vec<String> = mine.iter().map(|lab| feature(*lab)).collect();
    let wanted = Wanted {
        what: if mine.is_empty() { "the nodes" } else { "the nodes with your layers" },
        package: "server",
        binaries: &["ha-server", "ha-cli"],
        options: &["--features", &features.join(",")],
    };
    let [server, client] = build(repo, &wanted)?.try_into().map_err(|_| "two programs were asked for")?;
    Ok((server, client))
}

fn feature(lab: u32) -> String {
    format!("lab-{lab}")
}

/// Complains if a lab has no layer that a node could run: of some, the answers are no part of a node.
pub(super) fn require_layers(repo: &Repo, mine: &[u32]) -> Result<(), String> {
    for &id in mine {
        if !repo.lab(id)?.layer {
            let layers: Vec<_> =
                repo.labs.iter().filter(|lab| lab.layer).map(|lab| lab.id.to_string()).collect();
            return Err(format!(
                "lab {id} is no layer of a node, so no node can run it: cargo test -p lab-{id} plays your answers. \
                 --mine takes {}",
                layers.join(", ")
            ));
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo;

    #[test]
    fn only_a_lab_with_a_layer_runs_in_a_node() {
        let root = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in [
            ("labs/lab-3-trees/Cargo.toml", ""),
            ("labs/lab-10-running-it/Cargo.toml", ""),
            (
                "solutions/trees/Cargo.toml",
                "[package]\ndescription = \"Chapter 3, trees: reference answers\"\n",
            ),
            (
                "solutions/running-it/Cargo.toml",
                "[package]\ndescription = \"Chapter 10, running it: answers\"\n",
            ),
            ("solutions/server/Cargo.toml", "[features]\nlab-3 = [\"node/lab-3\"]\n"),
        ] {
            repo::write(&root.path().join(path), text).expect("a file");
        }
        let repo = Repo::open(root.path()).expect("a repository");
        assert_eq!(require_layers(&repo, &[]), Ok(()));
        assert_eq!(require_layers(&repo, &[3]), Ok(()));
        let refusal = require_layers(&repo, &[3, 10]).expect_err("no layer");
        assert!(
            refusal.starts_with("lab 10 is no layer of a node") && refusal.ends_with("--mine takes 3"),
            "{refusal}"
        );
        assert!(require_layers(&repo, &[4]).is_err_and(|refusal| refusal.contains("there is no lab 4")));
    }
}
