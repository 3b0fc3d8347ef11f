//! One tree of five, ours and real Redis in turn at every level, through everything that goes wrong with trees.
//!
//! ```text
//!            top                 left is at the end of the second step:
//!           /   \                   top
//!       middle   side              /   \
//!       /    \                  left   side
//!    left    right               |
//!                              right
//! ```
//!
//! The same steps are done with five real Redis at the same time. After each, who counts how many full and
//! partial synchronisations must be the same, and at rest all data and offsets must be equal.

use std::collections::BTreeMap;

use system::load::{Load, grow};
use system::topology::{QUIET, Syncs, all_online, cut_off, follow, follow_by_cable, settle, together};
use system::{Cable, Kind, Server, redis_tool_or_skip, wait};

use Kind::{Ours, Redis};

/// Whose the nodes are: top, middle, side, left, right. Between them the edges have every combination.
const OURS_ON_TOP: [Kind; 5] = [Ours, Redis, Ours, Ours, Redis];
const REDIS_ON_TOP: [Kind; 5] = [Redis, Ours, Redis, Redis, Ours];
const ALL_REDIS: [Kind; 5] = [Redis; 5];

/// Large enough for anything that is written while a cable is cut for a short time.
const BACKLOG: [&str; 2] = ["--repl-backlog-size", "64mb"];

/// After each step: its name, and who counted what.
type History = Vec<(&'static str, BTreeMap<&'static str, Syncs>)>;

struct Tree {
    servers: BTreeMap<&'static str, Server>,
    cables: BTreeMap<&'static str, Cable>,
    history: History,
}

impl Tree {
    fn plant(kinds: [Kind; 5]) -> Tree {
        let flags = [&QUIET[..], &BACKLOG].concat();
        let names = ["top", "middle", "side", "left", "right"];
        let servers = names.into_iter().zip(kinds).map(|(name, kind)| (name, Server::start(kind, &flags)));
        Tree { servers: servers.collect(), cables: BTreeMap::new(), history: History::new() }
    }

    fn attach(&mut self, child: &'static str, parent: &str) {
        let cable = follow_by_cable(&self.servers[child], &self.servers[parent]);
        self.cables.insert(child, cable);
    }

    /// Cuts a node off for as long as the load needs for some more writes.
    fn interrupt(&self, name: &str, load: &Load) {
        let (server, cable) = (&self.servers[name], &self.cables[name]);
        cut_off(server, cable);
        load.wait_for_more();
        cable.mend();
        server.wait_for_link();
    }

    /// Writes down what everybody has counted, once it is what it is going to be: a node that learned of a new
    /// history sends its replicas to ask again, and they come when they come.
    fn note(&mut self, step: &'static str) {
        for (name, server) in &self.servers {
            let mut client = server.client();
            wait::until(&format!("the replicas of {name} to be online"), || all_online(&mut client));
        }
        let counts = self.servers.iter().map(|(name, server)| (*name, Syncs::of(server))).collect();
        self.history.push((step, counts));
    }

    fn rest(&self) {
        settle(&self.servers.values().collect::<Vec<_>>());
    }
}

fn live_through_it(kinds: &[Kind; 5]) -> History {
    let mut tree = Tree::plant(*kinds);
    let load = Load::start(&tree.servers["top"], 1);
    for (child, parent) in [("middle", "top"), ("side", "top"), ("left", "middle"), ("right", "middle")] {
        tree.attach(child, parent);
    }
    tree.note("planted");

    // The subtree below does not notice.
    tree.interrupt("middle", &load);
    tree.note("the middle was cut off");
    tree.interrupt("right", &load);
    tree.note("a leaf was cut off");
    // What is under way when a cable is first pinched and then cut never arrives.
    tree.cables["side"].pinch();
    load.wait_for_more();
    tree.interrupt("side", &load);
    tree.note("a node lost what was under way");

    let mut middle = tree.servers.remove("middle").expect("it is there");
    middle.kill();
    load.wait_for_more();
    tree.attach("left", "top");
    // Or else right, which may have got more from the middle than left, would ask for what left does not have.
    catch_up(&tree.servers["left"], &tree.servers["right"]);
    tree.attach("right", "left");
    tree.note("the middle was killed, its subtree has new parents");

    load.stop();
    tree.rest();
    let right = &tree.servers["right"];
    assert_eq!(right.run("REPLICAOF NO ONE"), core_types::Frame::Simple("OK".into()));
    tree.attach("left", "right");
    tree.attach("top", "right");
    // The new history has reached everybody, down to the node that still follows the old top.
    tree.rest();
    tree.note("a leaf was promoted");

    let load = Load::start(&tree.servers["right"], 2);
    tree.interrupt("top", &load);
    tree.note("the old top was cut off");
    load.stop();
    tree.rest();

    // Longer than the backlog lasts.
    let right = &tree.servers["right"];
    cut_off(&tree.servers["top"], &tree.cables["top"]);
    right.run("CONFIG SET repl-backlog-size 16384");
    grow(right, 4 << 20);
    tree.cables["top"].mend();
    tree.rest();
    tree.note("the old top was cut off for too long");

    let keys = tree.servers["right"].run("DBSIZE");
    assert!(matches!(keys, core_types::Frame::Integer(10..)), "there are data to compare: {keys:?}");
    tree.history
}

/// Waits until `left` has all that `right` has, whose link is down.
fn catch_up(left: &Server, right: &Server) {
    let offset = |server: &Server| server.info("slave_repl_offset").parse::<u64>().expect("an offset");
    let there = offset(right);
    wait::until("left to be as far as right", || offset(left) >= there);
}

#[test]
fn a_mixed_tree_goes_the_way_of_a_tree_of_redis() {
    let test = "a_mixed_tree_goes_the_way_of_a_tree_of_redis";
    if redis_tool_or_skip(test, "redis-server").is_none() {
        return;
    }
    let trees = [ALL_REDIS, OURS_ON_TOP, REDIS_ON_TOP];
    let histories = together(trees, live_through_it);
    let [redis, mixed @ ..] = histories.as_slice() else { unreachable!("three trees") };
    for (kinds, history) in trees[1..].iter().zip(mixed) {
        for (theirs, ours) in redis.iter().zip(history) {
            assert_eq!(theirs, ours, "all Redis on the left, on the right {kinds:?}");
        }
    }
}

#[test]
fn a_chain_passes_the_bytes_on_unchanged() {
    let test = "a_chain_passes_the_bytes_on_unchanged";
    if redis_tool_or_skip(test, "redis-server").is_none() {
        return;
    }
    together([[Ours, Redis, Ours, Redis], [Redis, Ours, Redis, Ours]], |kinds| {
        let chain: Vec<Server> = kinds.iter().map(|kind| Server::start(*kind, &QUIET)).collect();
        for pair in chain.windows(2) {
            follow(&pair[1], pair[0].port());
            pair[1].wait_for_link();
        }
        let load = Load::start(&chain[0], 3);
        load.wait_for_more();
        load.stop();
        settle(&chain.iter().collect::<Vec<_>>());
        // An acknowledgement is asked for by a command in the stream, which goes down the whole chain, too.
        let mut client = chain[0].client();
        client.run("SET last word");
        assert_eq!(client.run("WAIT 1 0"), core_types::Frame::Integer(1));
        settle(&chain.iter().collect::<Vec<_>>());
    });
}
