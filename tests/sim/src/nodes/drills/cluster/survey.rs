//! A cluster whose data are uneven, and somebody who looks at it with few commands.

mod town;

use std::collections::BTreeMap;

use core_types::{Broken, Endpoint, Frame, Millis, NodeId, Slot};
use drill::{Move, Probe};
use node::layers::redirection::transfer::Transfer;
use node::layers::sharding::key_slot;
use node::layers::wire::FrameDecoder;

use super::{Cluster, PORT};
use crate::nodes::clusters::Mover;
use crate::nodes::{NodeHost, rules};

pub use town::Town;

/// A node that moves slots to even the memory may end this much above the bound, in percent.
pub const SLACK: u64 = 10;
/// No plan moves more than this much of all memory, in percent.
pub const MOVED: u64 = 50;
/// A walk takes so many keys at a time, and no more: while a node lists them, all its clients wait.
pub const PAGE: u64 = 100;

/// What may be asked. Everything else is not sent.
const HARMLESS: [&str; 21] = [
    "CLUSTER COUNTKEYSINSLOT",
    "CLUSTER GETKEYSINSLOT",
    "CLUSTER INFO",
    "CLUSTER KEYSLOT",
    "CLUSTER MYID",
    "CLUSTER NODES",
    "CLUSTER SHARDS",
    "CLUSTER SLOTS",
    "DBSIZE",
    "HLEN",
    "INFO",
    "LLEN",
    "MEMORY USAGE",
    "OBJECT ENCODING",
    "OBJECT FREQ",
    "PING",
    "RANDOMKEY",
    "SCAN",
    "SCARD",
    "TYPE",
    "ZCARD",
];

/// What there really is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Of each slot that has keys: whose it is, how many keys it has, and their memory in bytes.
    pub slots: BTreeMap<Slot, (usize, usize, u64)>,
    /// The key that takes the most memory, and how many bytes.
    pub big: (String, u64),
    /// The key that is used most, and its counter.
    pub hot: (String, u64),
}

impl Truth {
    /// The memory of each master's keys, in bytes, once these slots have moved.
    pub fn loads(&self, masters: usize, moves: &[Move]) -> Vec<u64> {
        let mut loads = vec![0; masters];
        for (slot, (owner, _, bytes)) in &self.slots {
            let moved = moves.iter().find(|one| one.slot == *slot);
            let place = moved.map_or(*owner, |one| one.to);
            loads[place.min(masters - 1)] += bytes;
        }
        loads
    }

    /// What no master should have more than: an equal part, or the heaviest slot if that is more. A slot cannot be split.
    pub fn bound(&self, masters: usize) -> u64 {
        let total: u64 = self.slots.values().map(|(.., bytes)| bytes).sum();
        let heaviest = self.slots.values().map(|(.., bytes)| *bytes).max().unwrap_or(0);
        (total / masters as u64).max(heaviest)
    }

    /// The slots with the most keys, so many of them.
    pub fn heavy(&self, count: usize) -> Vec<Slot> {
        let mut slots: Vec<(usize, Slot)> =
            self.slots.iter().map(|(slot, (_, keys, _))| (*keys, *slot)).collect();
        slots.sort_unstable_by(|one, other| other.cmp(one));
        slots.into_iter().take(count).map(|(_, slot)| slot).collect()
    }
}

/// Somebody asks, and is counted.
pub struct Asker<'c, 't> {
    cluster: &'c mut Cluster<'t>,
    left: usize,
    asked: usize,
    refused: Vec<String>,
    /// Of each master that was walked through: the last cursor that it gave.
    cursors: BTreeMap<usize, String>,
}

impl<'c, 't> Asker<'c, 't> {
    /// With so many commands to ask.
    pub fn new(cluster: &'c mut Cluster<'t>, budget: usize) -> Asker<'c, 't> {
        Asker { cluster, left: budget, asked: 0, refused: Vec::new(), cursors: BTreeMap::new() }
    }

    /// Commands that were asked for, those included that were not sent.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// Why commands were not sent, the first reason first.
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    /// A master at which a `SCAN` was begun and did not come to its end, if there is one.
    pub fn unfinished(&self) -> Option<usize> {
        self.cursors.iter().find(|(_, cursor)| *cursor != "0").map(|(master, _)| *master)
    }

    fn refuse(&mut self, why: String) -> Frame {
        // Somebody who asks for ever must not fill the memory.
        if self.refused.len() < 100 {
            self.refused.push(why.clone());
        }
        Frame::Error(format!("NOTSENT {why}"))
    }
}

impl Probe for Asker<'_, '_> {
    fn masters(&self) -> usize {
        self.cluster.map.shards.len()
    }

    fn ask(&mut self, master: usize, command: &str) -> Frame {
        self.asked += 1;
        let Some(left) = self.left.checked_sub(1) else {
            return self.refuse("no command is left".into());
        };
        self.left = left;
        if master >= self.masters() {
            return self.refuse(format!("there is no master {master}"));
        }
        if let Some(why) = objection(command) {
            return self.refuse(why);
        }
        let answer = self.cluster.frame(master, command);
        if command.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("SCAN"))
            && let Frame::Array(page) = &answer
            && let Some(cursor) = page.first().and_then(Frame::as_bytes)
        {
            self.cursors.insert(master, String::from_utf8_lossy(cursor).into_owned());
        }
        answer
    }

    fn left(&self) -> usize {
        self.left
    }
}

/// Why a command is not sent, if it is not.
fn objection(command: &str) -> Option<String> {
    let words: Vec<String> = command.split_whitespace().map(str::to_ascii_uppercase).collect();
    let first = words.first().map_or("", String::as_str);
    let two = words.get(..2).map(|words| words.join(" ")).unwrap_or_default();
    if !HARMLESS.contains(&first) && !HARMLESS.contains(&two.as_str()) {
        let shown = if two.starts_with("CLUSTER") || two.starts_with("OBJECT") { &two } else { first };
        return Some(match first {
            "KEYS" => "KEYS holds up all clients until it has seen every key".into(),
            _ => format!("{shown:.40} is none of the commands that only look"),
        });
    }
    // `SCAN 0 COUNT 100`, `CLUSTER GETKEYSINSLOT 1 100`
    let count = match first {
        "SCAN" => words.iter().position(|word| word == "COUNT").and_then(|place| words.get(place + 1)),
        "CLUSTER" if two.ends_with("GETKEYSINSLOT") => words.get(3),
        _ => None,
    };
    let many = count.and_then(|count| count.parse::<u64>().ok()).is_some_and(|count| count > PAGE);
    many.then(|| format!("more than {PAGE} keys at a time hold up other clients"))
}

impl Cluster<'_> {
    /// A master's answer. An error that says so if it gives none.
    fn frame(&mut self, master: usize, command: &str) -> Frame {
        let host = self.hosts[master];
        let said = self.drill.world.act(host, |node: &mut NodeHost, io| node.order(io, command));
        let said = said.ok().flatten().unwrap_or_default();
        let mut bytes = bytes::BytesMut::from(said.as_bytes());
        let nothing = || Frame::Error("ERR no answer".into());
        FrameDecoder::new().decode(&mut bytes).ok().flatten().unwrap_or_else(nothing)
    }

    fn number(&mut self, master: usize, command: &str) -> u64 {
        match self.frame(master, command) {
            Frame::Integer(number) => number.unsigned_abs(),
            _ => 0,
        }
    }

    /// What there really is, from every key of every master.
    pub fn truth(&mut self) -> Truth {
        let mut truth = Truth::default();
        for master in 0..self.map.shards.len() {
            for key in self.keys_of(master) {
                let bytes = self.number(master, &format!("MEMORY USAGE {key}"));
                let used = self.number(master, &format!("OBJECT FREQ {key}"));
                let entry = truth.slots.entry(key_slot(key.as_bytes())).or_insert((master, 0, 0));
                (entry.1, entry.2) = (entry.1 + 1, entry.2 + bytes);
                if bytes > truth.big.1 {
                    truth.big = (key.clone(), bytes);
                }
                if used > truth.hot.1 {
                    truth.hot = (key, used);
                }
            }
        }
        truth
    }

    fn keys_of(&self, master: usize) -> Vec<String> {
        let node = rules::node(&self.drill.world, self.hosts[master]);
        let keys = node.into_iter().flat_map(|node| node.keyspace().db(0).iter());
        keys.map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect()
    }

    /// Moves slots as a plan says, one after the other, and says how much memory each master's keys take then.
    ///
    /// # Errors
    /// If a slot does not arrive.
    pub fn carry_out(&mut self, moves: &[Move]) -> Result<Vec<u64>, Broken> {
        let world = &mut self.drill.world;
        let nodes: Vec<Endpoint> =
            self.hosts.iter().map(|host| Endpoint::new(world.ip(*host), PORT)).collect();
        let ids: Vec<Option<NodeId>> =
            self.hosts.iter().map(|host| Some(rules::node(world, *host)?.cluster_view()?.me())).collect();
        let mover = world.add("operator", &[], move |boot| Mover::new(nodes.clone(), boot));
        world.start(mover)?;
        for one in moves {
            let others =
                (0..self.map.shards.len()).filter(|place| ![one.from, one.to].contains(place)).collect();
            let (Some(from), Some(to)) = (ids[one.from], ids[one.to]) else { continue };
            let transfer = Transfer::new(one.slot, one.from, one.to, others);
            world.act(mover, |mover: &mut Mover, io| mover.give(io.now(), transfer, [from, to]))?;
        }
        const ARRIVE: &str = "slots that are moved arrive (a fault of the workbook)";
        let idle = |world: &crate::World<'_>| world.get::<Mover>(mover).is_some_and(Mover::is_idle);
        world.run_to(Millis::from_secs(600), ARRIVE, idle)?;
        let given_up = world.get::<Mover>(mover).map_or(0, |mover| mover.done().1);
        if given_up > 0 {
            return Err(Broken::new(ARRIVE, format!("{given_up} did not")));
        }
        let truth = self.truth();
        Ok(truth.loads(self.map.shards.len(), &[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_hold_up_others_is_not_sent() {
        for command in [
            "KEYS *",
            "SCAN 0 COUNT 101",
            "cluster getkeysinslot 5 1000",
            "SET a b",
            "CLUSTER RESET",
            "",
            "FLUSHALL",
        ] {
            assert!(objection(command).is_some(), "{command}");
        }
        for command in
            ["SCAN 0", "scan 0 count 100 match *", "CLUSTER GETKEYSINSLOT 5 100", "OBJECT FREQ a", "DBSIZE"]
        {
            assert_eq!(objection(command), None, "{command}");
        }
    }

    #[test]
    fn who_asks_too_much_hears_so() {
        let mut town = Town::build(1).expect("no rule is broken");
        let mut asker = Asker::new(&mut town.cluster, 2);
        assert!(matches!(asker.ask(0, "DBSIZE"), Frame::Integer(_)));
        assert!(matches!(asker.ask(9, "DBSIZE"), Frame::Error(_)));
        assert_eq!(asker.ask(0, "DBSIZE"), Frame::Error("NOTSENT no command is left".into()));
        assert_eq!((asker.left(), asker.asked(), asker.refused().len()), (0, 3, 2));
    }

    /// The town is as its description says: three slots stand out, one key is big, one is hot, one master holds too much.
    #[test]
    fn towns_are_uneven() {
        for seed in 0..10 {
            let mut town = Town::build(seed).expect("no rule is broken");
            let truth = town.cluster.truth();
            let masters = town.cluster.map.shards.len();
            let count = |slot: &Slot| truth.slots[slot].1;
            let heavy = truth.heavy(4);
            assert!(count(&heavy[2]) > 2 * count(&heavy[3]), "seed {seed}: {heavy:?}");
            assert_eq!((&truth.big.0, &truth.hot.0), (&town.big, &town.hot), "seed {seed}: {truth:?}");
            let loads = truth.loads(masters, &[]);
            // Clearly too much: whoever moves nothing does not get by.
            assert!(loads.iter().max() > Some(&(truth.bound(masters) * 11 / 10)), "seed {seed}: {loads:?}");
        }
    }
}
