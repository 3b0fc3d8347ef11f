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
    /// It is a sentinel, and watches the master on this port.
    pub(crate) watches: Option<u16>,
    /// It is a member of a cluster.
    pub(crate) in_cluster: bool,
    /// A real `redis-server`.
    pub(crate) is_redis: bool,
}

impl Node {
    /// What it runs.
    pub(crate) fn program(&self) -> &'static str {
        if self.is_redis { "redis-server" } else { "ha-server" }
    }

    /// Its number: the last digits of its port.
    pub(crate) fn number(&self) -> u16 {
        self.port - FIRST_PORT
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
    /// A master and two replicas, watched by three sentinels
    Sentinel,
    /// A cluster of three masters with a replica each
    Cluster,
}

impl Shape {
    /// For each replica, the number of the node that it follows. The master is number 0.
    fn masters(self) -> &'static [u16] {
        match self {
            Shape::Pair => &[0],
            Shape::Star => &[0, 0, 0, 0],
            Shape::Tree => &[0, 0, 1, 1],
            Shape::Chain => &[0, 1, 2, 3],
            Shape::Sentinel => &[0, 0],
            // Nobody follows anybody until the cluster is made.
            Shape::Cluster => &[],
        }
    }

    /// How many sentinels watch the master.
    fn sentinels(self) -> u16 {
        if self == Shape::Sentinel { 3 } else { 0 }
    }

    /// How many members a cluster has.
    fn members(self) -> u16 {
        if self == Shape::Cluster { 6 } else { 0 }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Shape::Pair => "pair",
            Shape::Star => "star",
            Shape::Tree => "tree",
            Shape::Chain => "chain",
            Shape::Sentinel => "sentinel group",
            Shape::Cluster => "cluster of six",
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
    /// The sides of a partition, as the numbers of the nodes on each. None: nobody is cut off.
    #[serde(default)]
    pub(crate) partition: Vec<Vec<u16>>,
}

impl Plan {
    /// What a wish means where nothing runs yet.
    pub(crate) fn of(wish: &Wish) -> Plan {
        let mut mine = wish.mine.clone();
        mine.sort_unstable();
        mine.dedup();
        Plan {
            shape: wish.shape.unwrap_or_default(),
            with_redis: wish.with_redis,
            mine,
            partition: Vec::new(),
        }
    }

    /// What a wish means beside what runs: without any, more of the same.
    pub(crate) fn beside(wish: &Wish, running: Plan) -> Result<Plan, String> {
        let says_nothing = wish.shape.is_none() && !wish.with_redis && wish.mine.is_empty();
        let same = Plan { partition: running.partition.clone(), ..Plan::of(wish) } == running;
        if says_nothing || same {
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
        let node = |number: u16, name: String, replica_of, watches| Node {
            name,
            port: FIRST_PORT + number,
            replica_of,
            watches,
            in_cluster: self.shape == Shape::Cluster,
            is_redis: self.with_redis && number % 2 == 1,
        };
        if self.shape == Shape::Cluster {
            let member = |number| node(number, format!("node-{number}"), None, None);
            return (0..self.shape.members()).map(member).collect();
        }
        let mut nodes = vec![node(0, name(0), None, None)];
        for (master, number) in masters.iter().zip(1..) {
            nodes.push(node(number, name(number), Some(FIRST_PORT + master), None));
        }
        for sentinel in 1..=self.shape.sentinels() {
            nodes.push(node(nodes.len() as u16, format!("sentinel-{sentinel}"), None, Some(FIRST_PORT)));
        }
        nodes
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
            if nodes[0].in_cluster {
                continue;
            }
            for (index, node) in nodes.iter().enumerate().skip(1).filter(|(_, node)| node.watches.is_none()) {
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
    fn sentinels_come_last_and_watch_the_master() {
        let nodes = Plan::of(&wish(Some(Shape::Sentinel), true)).nodes();
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["master", "replica-1", "replica-2", "sentinel-1", "sentinel-2", "sentinel-3"]);
        assert!(nodes[3..].iter().all(|node| node.watches == Some(nodes[0].port)));
        assert!(nodes.iter().zip(0..).all(|(node, number)| node.number() == number));
    }

    #[test]
    fn members_of_a_cluster_follow_nobody_at_first() {
        let nodes = Plan::of(&wish(Some(Shape::Cluster), true)).nodes();
        assert_eq!(nodes.len(), 6);
        assert!(
            nodes.iter().all(|node| node.in_cluster && node.replica_of.is_none() && node.watches.is_none())
        );
        assert_eq!(nodes.iter().filter(|node| node.is_redis).count(), 3);
    }

    #[test]
    fn another_shape_is_refused_while_one_runs() {
        let tree = Plan::of(&wish(Some(Shape::Tree), false));
        assert_eq!(Plan::beside(&wish(None, false), tree.clone()), Ok(tree.clone()));
        assert_eq!(Plan::beside(&wish(Some(Shape::Tree), false), tree.clone()), Ok(tree.clone()));
        let cut = Plan { partition: vec![vec![0], vec![1]], ..tree.clone() };
        assert_eq!(Plan::beside(&wish(Some(Shape::Tree), false), cut.clone()), Ok(cut));
        for other in [wish(Some(Shape::Star), false), wish(Some(Shape::Tree), true)] {
            let refusal = Plan::beside(&other, tree.clone()).expect_err("it is another");
            assert!(refusal.contains("cluster down"), "{refusal}");
        }
    }
}
