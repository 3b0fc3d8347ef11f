//! A partition is played, and somebody sits on every node's machine and writes.

use core_types::{Broken, Millis, Rng};
use drill::{Map, Schedule, Settings};

use super::{Cluster, Plan, Said};
use crate::world::HostId;

/// `cluster-node-timeout` of all nodes.
pub const TIMEOUT: Millis = Millis(5000);
/// What a cluster does is settled so long after the last event.
pub const SETTLED: Millis = Millis::from_secs(30);
/// And then it is watched for so long.
pub const WATCHED: Millis = Millis::from_secs(20);

/// What became of a cluster while it was in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The largest group of nodes that all hear each other, both ways, at the end.
    pub crowd: Vec<String>,
    /// The largest such group of masters alone.
    pub voters: Vec<String>,
    /// Who took writes at the end, in order of the names: the node, and the master whose slots they were for.
    pub takers: Vec<(String, String)>,
    /// The first of those writes: when after the last event.
    pub first: Option<Millis>,
    /// Once all was mended, all slots were served after so long. `None`: not within two minutes.
    pub healed: Option<Millis>,
}

/// Plays a schedule with a cluster in which every node serves its own slots whatever becomes of the others
/// (`cluster-require-full-coverage no`), watches, and repairs everything.
///
/// # Errors
/// A fault of the workbook.
pub fn play(map: &Map, schedule: &Schedule, seed: u64) -> Result<Outcome, Broken> {
    let mut rng = Rng::new(seed);
    let plan = Plan {
        timeout: TIMEOUT,
        settings: Settings::new().nodes("cluster-require-full-coverage no"),
        latency: (Millis(1), Millis(rng.between(2, 20))),
        ..Plan::new(map.clone())
    };
    let mut cluster = Cluster::new(&plan, rng.next_u64(), None)?;
    cluster.form()?;
    cluster.drill.wait(Millis(rng.below(3000)))?;
    cluster.drill.begin_now();
    cluster.drill.play(schedule)?;
    let last = cluster.drill.world.now();
    cluster.drill.wait(SETTLED)?;
    let (crowd, voters) = (cluster.crowd(&map.nodes()), cluster.crowd(&map.masters()));
    let mut outcome = Outcome { crowd, voters, ..Outcome::default() };
    let names: Vec<String> = map.nodes().iter().map(|name| (*name).to_string()).collect();
    let end = cluster.drill.world.now() + WATCHED;
    while cluster.drill.world.now() < end {
        for name in &names {
            for (shard, of) in map.shards.iter().enumerate() {
                if cluster.write(name, shard) == Said::Ok {
                    outcome.first.get_or_insert(cluster.drill.world.now().since(last));
                    let taker = (name.clone(), of.master.clone());
                    if !outcome.takers.contains(&taker) {
                        outcome.takers.push(taker);
                    }
                }
            }
        }
        cluster.drill.wait(Millis(1000))?;
    }
    outcome.takers.sort();
    cluster.drill.world.heal_all()?;
    outcome.healed = cluster.wait_to(Millis::from_secs(120), |cluster| cluster.unserved().is_empty())?;
    Ok(outcome)
}

impl Cluster<'_> {
    /// The largest group of these nodes that all hear each other, both ways. There are fewer than 32 of them.
    fn crowd(&self, names: &[&str]) -> Vec<String> {
        let hosts: Vec<HostId> = names.iter().map(|name| self.host(name)).collect();
        let hears = |one: HostId, other: HostId| {
            let world = &self.drill.world;
            one != other && !world.is_blocked(one, other) && !world.is_blocked(other, one)
        };
        // For each node those that it can be in one group with, as bits.
        let friends: Vec<u32> = hosts
            .iter()
            .map(|one| {
                let places = hosts.iter().enumerate().filter(|(_, other)| hears(*one, **other));
                places.map(|(place, _)| 1_u32 << place).sum()
            })
            .collect();
        let everybody = (1_u32 << hosts.len()) - 1;
        let group = largest(&friends, 0, everybody);
        let inside = names.iter().enumerate().filter(|(place, _)| group & (1 << place) != 0);
        inside.map(|(_, name)| (*name).into()).collect()
    }
}

/// The largest set in which all are friends: `group`, and more of `open`, each a friend of all in `group`.
fn largest(friends: &[u32], group: u32, open: u32) -> u32 {
    if open == 0 {
        return group;
    }
    let first = open.trailing_zeros() as usize;
    let with = largest(friends, group | 1 << first, open & friends[first]);
    let rest = open & !(1 << first);
    // Who is a friend of all others may always be taken.
    if open & !friends[first] == 1 << first || with.count_ones() >= (group | rest).count_ones() {
        return with;
    }
    let without = largest(friends, group, rest);
    if without.count_ones() > with.count_ones() { without } else { with }
}

#[cfg(test)]
mod tests {
    use drill::{REST, cut};

    use super::*;

    #[test]
    fn the_largest_group_is_found() {
        // 0-1-2 all hear each other, and so do 2-3.
        assert_eq!(largest(&[0b0110, 0b0101, 0b1011, 0b0100], 0, 0b1111), 0b0111);
        assert_eq!(largest(&[0, 0], 0, 0b11).count_ones(), 1);
    }

    #[test]
    fn a_majority_of_masters_goes_on() {
        let schedule = Schedule::new().at(Millis(1000), cut(&["A", "a1"], &[REST]));
        let outcome = play(&Map::new(&[1, 1, 1]), &schedule, 1).expect("no rule is broken");
        assert_eq!(outcome.crowd, ["B", "C", "b1", "c1"]);
        assert_eq!(outcome.takers, [("B".into(), "B".into()), ("C".into(), "C".into())]);
        assert!(outcome.healed.is_some());
    }
}
