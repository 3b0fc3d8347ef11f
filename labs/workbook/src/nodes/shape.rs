//! Which nodes there are and who follows whom: what `cluster up` was told, and remembers until `cluster down`.

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::room;
use crate::repo::{self, Repo};

/// A node and how it is started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) port: u16,
    /// The port of its master.
    pub(crate) replica_of: Option<u16>,
    /// A real `redis-server`.
    pub(crate) is_redis: bool,
}

impl Node {
    /// What it runs.
    pub(crate) fn program(&self) -> &'static str {
        if self.is_redis { "redis-server" } else { "ha-server" }
    }
}

/// Where the first node listens; the others follow.
pub(crate) const FIRST_PORT: u16 = 7000;

/// Who follows whom at the start.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    /// A master and a replica
    #[default]
    Pair,
    /// A master and four replicas
    Star,
    /// A master with two replicas, the first of which has two of its own
    Tree,
    /// A master, its replica, the replica's replica, and so on: five in a row
    Chain,
}

impl Shape {
    /// For each replica, the number of the node that it follows. The master is number 0.
    fn masters(self) -> &'static [u16] {
        match self {
            Shape::Pair => &[0],
            Shape::Star => &[0, 0, 0, 0],
            Shape::Tree => &[0, 0, 1, 1],
            Shape::Chain => &[0, 1, 2, 3],
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Shape::Pair => "pair",
            Shape::Star => "star",
            Shape::Tree => "tree",
            Shape::Chain => "chain",
        }
    }
}

/// What can be said to `up`.
#[derive(Args, Clone, Default, Debug)]
pub(crate) struct Wish {
    /// Who follows whom
    #[arg(long, value_enum)]
    shape: Option<Shape>,
    /// Make every other node a real redis-server, beginning with the first replica
    #[arg(long)]
    with_redis: bool,
    /// Build ha-server with your layers from these labs, for example 1,2; the reference has the others
    #[arg(long, value_delimiter = ',', value_name = "LABS")]
    mine: Vec<u32>,
}

/// The nodes of `cluster up`, as they were asked for.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) shape: Shape,
    pub(crate) with_redis: bool,
    /// Labs whose layers are the learner's.
    pub(crate) mine: Vec<u32>,
}

impl Plan {
    /// What a wish means where nothing runs yet.
    pub(crate) fn of(wish: &Wish) -> Plan {
        let mut mine = wish.mine.clone();
        mine.sort_unstable();
        mine.dedup();
        Plan { shape: wish.shape.unwrap_or_default(), with_redis: wish.with_redis, mine }
    }

    /// What a wish means beside what runs: without any, more of the same.
    pub(crate) fn beside(wish: &Wish, running: Plan) -> Result<Plan, String> {
        let says_nothing = wish.shape.is_none() && !wish.with_redis && wish.mine.is_empty();
        if says_nothing || Plan::of(wish) == running {
            return Ok(running);
        }
        Err(format!(
            "{} is running. Stop it first: cargo workbook cluster down\n       \
             (`cargo workbook cluster up` without more starts those of its nodes that are down)",
            running.describe()
        ))
    }

    /// "a tree with redis-server".
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("a {}", self.shape.word());
        if self.with_redis {
            text += " with redis-server";
        }
        if !self.mine.is_empty() {
            let labs: Vec<String> = self.mine.iter().map(u32::to_string).collect();
            text += &format!(" with your layers from lab {}", labs.join(", "));
        }
        text
    }

    /// The nodes, each behind its master.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let masters = self.shape.masters();
        let name = |number: u16| match number {
            0 => "master".to_string(),
            _ if masters.len() == 1 => "replica".to_string(),
            _ => format!("replica-{number}"),
        };
        let replicas = masters.iter().zip(1..).map(|(master, number)| (number, Some(FIRST_PORT + master)));
        std::iter::once((0, None))
            .chain(replicas)
            .map(|(number, replica_of)| Node {
                name: name(number),
                port: FIRST_PORT + number,
                replica_of,
                is_redis: self.with_redis && number % 2 == 1,
            })
            .collect()
    }

    /// What `up` was told last, unless `down` came after it.
    pub(crate) fn load(repo: &Repo) -> Option<Plan> {
        toml::from_str(&fs::read_to_string(path(repo)).ok()?).ok()
    }

    pub(crate) fn save(&self, repo: &Repo) -> Result<(), String> {
        let text = toml::to_string(self).map_err(|error| format!("cannot write down the shape: {error}"))?;
        repo::write(&path(repo), &text)
    }

    pub(crate) fn forget(repo: &Repo) {
        let _ = fs::remove_file(path(repo));
    }
}

fn path(repo: &Repo) -> PathBuf {
    room(repo).join("shape.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(shape: Option<Shape>, with_redis: bool) -> Wish {
        Wish { shape, with_redis, mine: Vec::new() }
    }

    #[test]
    fn every_replica_follows_a_node_before_it() {
        for shape in Shape::value_variants() {
            let nodes = Plan { shape: *shape, ..Plan::default() }.nodes();
            assert_eq!(nodes[0].replica_of, None);
            for (index, node) in nodes.iter().enumerate().skip(1) {
                let master = node.replica_of.expect("a replica");
                assert!(nodes[..index].iter().any(|other| other.port == master), "{node:?}");
            }
        }
    }

    #[test]
    fn real_redis_and_ours_take_turns() {
        let nodes = Plan::of(&wish(Some(Shape::Chain), true)).nodes();
        let kinds: Vec<bool> = nodes.iter().map(|node| node.is_redis).collect();
        assert_eq!(kinds, [false, true, false, true, false]);
    }

    #[test]
    fn another_shape_is_refused_while_one_runs() {
        let tree = Plan::of(&wish(Some(Shape::Tree), false));
        assert_eq!(Plan::beside(&wish(None, false), tree.clone()), Ok(tree.clone()));
        assert_eq!(Plan::beside(&wish(Some(Shape::Tree), false), tree.clone()), Ok(tree.clone()));
        for other in [wish(Some(Shape::Star), false), wish(Some(Shape::Tree), true)] {
            let refusal = Plan::beside(&other, tree.clone()).expect_err("it is another");
            assert!(refusal.contains("cluster down"), "{refusal}");
        }
    }
}
