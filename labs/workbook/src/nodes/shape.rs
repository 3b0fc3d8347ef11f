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
    /// The labs whose layers in it are the learner's.
    pub(crate) mine: Vec<u32>,
}

impl Node {
    /// What it runs: `redis-server`, `ha-server`, or `ha-server, your 7,9`.
    pub(crate) fn program(&self) -> String {
        match (self.is_redis, &self.mine[..]) {
            (true, _) => "redis-server".to_string(),
            (false, []) => "ha-server".to_string(),
            (false, labs) => format!("ha-server, your {}", listed(labs, ",")),
        }
    }

    /// Its number: the last digits of its port.
    pub(crate) fn number(&self) -> u16 {
        self.port - FIRST_PORT
    }
}

fn listed(numbers: &[impl ToString], between: &str) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
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
    /// Your layers run in these nodes only, for example 1,3; the reference runs in the others
    #[arg(long, value_delimiter = ',', value_name = "NODES", requires = "mine")]
    nodes: Vec<String>,
}

impl Wish {
    /// The same, with another shape if none was wished for.
    pub(crate) fn or_shape(self, shape: Shape) -> Wish {
        Wish { shape: self.shape.or(Some(shape)), ..self }
    }
}

/// The nodes of `cluster up`, as they were asked for.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) shape: Shape,
    pub(crate) with_redis: bool,
    /// Labs whose layers are the learner's.
    pub(crate) mine: Vec<u32>,
    /// The numbers of the nodes in which they are. None: in all of ours.
    #[serde(default)]
    pub(crate) mine_in: Vec<u16>,
    /// The sides of a partition, as the numbers of the nodes on each. None: nobody is cut off.
    #[serde(default)]
    pub(crate) partition: Vec<Vec<u16>>,
}

impl Plan {
    /// What a wish means where nothing runs yet.
    pub(crate) fn of(wish: &Wish) -> Result<Plan, String> {
        let mut mine = wish.mine.clone();
        mine.sort_unstable();
        mine.dedup();
        let mut plan = Plan {
            shape: wish.shape.unwrap_or_default(),
            with_redis: wish.with_redis,
            mine,
            mine_in: Vec::new(),
            partition: Vec::new(),
        };
        let mut chosen = Vec::new();
        for name in &wish.nodes {
            let node = plan.find(name)?;
            if node.is_redis {
                return Err(format!("{} is a real redis-server: your layers cannot run in it", node.name));
            }
            chosen.push(node.number());
        }
        chosen.sort_unstable();
        chosen.dedup();
        plan.mine_in = chosen;
        Ok(plan)
    }

    /// What a wish means beside what runs: without any, more of the same.
    pub(crate) fn beside(wish: &Wish, running: Plan) -> Result<Plan, String> {
        let says_nothing = wish.shape.is_none() && !wish.with_redis && wish.mine.is_empty();
        let same = || {
            let wished = Plan::of(wish)?;
            Ok::<_, String>(Plan { partition: running.partition.clone(), ..wished } == running)
        };
        if says_nothing || same()? {
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
            text += &format!(" with your layers from lab {}", listed(&self.mine, ", "));
        }
        if !self.mine_in.is_empty() {
            text += &format!(" in node {}", listed(&self.mine_in, ", "));
        }
        text
    }

    /// The node of this name or number, or an explanation that names those there are.
    pub(crate) fn find(&self, name: &str) -> Result<Node, String> {
        let nodes = self.nodes();
        let is_it = |node: &&Node| node.name == name || name.parse() == Ok(node.number());
        nodes.iter().find(is_it).cloned().ok_or_else(|| {
            let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
            format!("there is no node \"{name}\". The nodes are: {}", names.join(", "))
        })
    }

    /// The nodes, each behind its master.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let masters = self.shape.masters();
        let name = |number: u16| match number {
            0 => "master".to_string(),
            _ if masters.len() == 1 => "replica".to_string(),
            _ => format!("replica-{number}"),
        };
        let node = |number: u16, name: String, replica_of, watches| {
            let is_redis = self.with_redis && number % 2 == 1;
            let is_mine = !is_redis && (self.mine_in.is_empty() || self.mine_in.contains(&number));
            Node {
                name,
                port: FIRST_PORT + number,
                replica_of,
                watches,
                in_cluster: self.shape == Shape::Cluster,
                is_redis,
                mine: if is_mine { self.mine.clone() } else { Vec::new() },
            }
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
        Wish { shape, with_redis, ..Wish::default() }
    }

    fn plan(shape: Shape, with_redis: bool) -> Plan {
        Plan::of(&wish(Some(shape), with_redis)).expect("it can be had")
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
        let nodes = plan(Shape::Chain, true).nodes();
        let kinds: Vec<bool> = nodes.iter().map(|node| node.is_redis).collect();
        assert_eq!(kinds, [false, true, false, true, false]);
    }

    #[test]
    fn sentinels_come_last_and_watch_the_master() {
        let nodes = plan(Shape::Sentinel, true).nodes();
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["master", "replica-1", "replica-2", "sentinel-1", "sentinel-2", "sentinel-3"]);
        assert!(nodes[3..].iter().all(|node| node.watches == Some(nodes[0].port)));
        assert!(nodes.iter().zip(0..).all(|(node, number)| node.number() == number));
    }

    #[test]
    fn members_of_a_cluster_follow_nobody_at_first() {
        let nodes = plan(Shape::Cluster, true).nodes();
        assert_eq!(nodes.len(), 6);
        assert!(
            nodes.iter().all(|node| node.in_cluster && node.replica_of.is_none() && node.watches.is_none())
        );
        assert_eq!(nodes.iter().filter(|node| node.is_redis).count(), 3);
    }

    #[test]
    fn the_learners_layers_run_where_they_are_wished_for() {
        let wish = |nodes: &[&str], with_redis| Wish {
            mine: vec![9, 7, 9],
            nodes: nodes.iter().map(|name| name.to_string()).collect(),
            ..wish(Some(Shape::Cluster), with_redis)
        };
        let programs = |nodes: &[&str], with_redis| {
            let plan = Plan::of(&wish(nodes, with_redis)).expect("it can be had");
            plan.nodes().iter().map(Node::program).collect::<Vec<_>>()
        };
        let [yours, ours, real] = ["ha-server, your 7,9", "ha-server", "redis-server"];
        assert_eq!(programs(&[], false), [yours; 6]);
        assert_eq!(programs(&["3", "node-1"], false), [ours, yours, ours, yours, ours, ours]);
        assert_eq!(programs(&[], true), [yours, real, yours, real, yours, real]);
        assert_eq!(programs(&["4"], true), [ours, real, ours, real, yours, real]);
        assert!(Plan::of(&wish(&["1"], true)).expect_err("a real one").contains("redis-server"));
        assert!(Plan::of(&wish(&["6"], false)).expect_err("there are six").contains("node-5"));
        // Remembered, and the same again.
        let some = Plan::of(&wish(&["1", "3"], false)).expect("it can be had");
        assert_eq!(toml::from_str(&toml::to_string(&some).expect("text")), Ok(some.clone()));
        assert_eq!(Plan::beside(&wish(&["3", "1"], false), some.clone()), Ok(some.clone()));
        assert!(Plan::beside(&wish(&["1"], false), some).is_err());
    }

    #[test]
    fn another_shape_is_refused_while_one_runs() {
        let tree = plan(Shape::Tree, false);
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
