//! Of the second half, 10.6 to 10.10.

use std::collections::BTreeMap;

use core_types::{Broken, Millis, Slot};
use drill::{
    Map, Move, Probe, REST, Schedule, Settings, Site, Spot, Survey, cut, cut_one_way, fast, mend, mend_all,
    slow, ward,
};
use sim::Trace;
use solution_10::skew::{self, Weight};

use super::{accepted, suite};

const fn at(seconds: u64) -> Millis {
    Millis::from_secs(seconds)
}

#[test]
fn a_read_is_stale_behind_a_cut_in_one_direction() {
    let day = Schedule::new()
        .at(at(3), cut_one_way(&["master"], &["replica-1"]))
        .at(at(15), mend_all())
        .at(at(30), cut_one_way(&["master"], &["replica-1", "reader"]))
        .at(at(31), mend_all());
    accepted(|seed, trace| suite::judge_stale(&day, false, seed, trace));
}

#[test]
fn a_read_is_stale_on_a_slow_link() {
    let day = Schedule::new()
        .at(at(1), slow(&["replica-1"], &["master"], at(12)))
        .at(at(40), fast(&["replica-1"], &["master"]));
    accepted(|seed, trace| suite::judge_stale(&day, false, seed, trace));
    accepted(|seed, trace| suite::judge_stale(&day, true, seed, trace));
}

#[test]
fn a_read_is_stale_on_a_link_that_gets_slower_and_slower() {
    let link = |latency| slow(&["master"], &["replica-1"], at(latency));
    let day = Schedule::new()
        .at(at(2), link(5))
        .at(at(10), link(9))
        .at(at(20), link(14))
        .at(at(45), fast(&["replica-1"], &["master"]));
    accepted(|seed, trace| suite::judge_stale(&day, true, seed, trace));
}

/// All masters are cut off from each other, and one keeps the replicas.
#[test]
fn a_cluster_stops_when_each_master_is_alone() {
    let partition = |map: &Map| {
        let (masters, replicas) = (map.masters(), map.replicas());
        let stay = masters.len() / 2;
        let mut day = Schedule::new();
        for (place, master) in masters.iter().enumerate().skip(stay) {
            day = day.at(Millis(100 * place as u64), cut(&[*master], &masters[..place]));
            day = day.at(at(30), cut(&[*master], &replicas));
        }
        day
    };
    accepted(|seed, trace| suite::judge_stop(&Map::new(&[1, 2, 1]), partition, seed, trace));
    accepted(|seed, trace| suite::judge_stop(&Map::new(&[1, 1, 1, 1, 2]), partition, seed, trace));
}

/// With an even number of masters one cable is enough: no half is a majority.
#[test]
fn a_cluster_stops_in_two_halves() {
    let partition = |map: &Map| {
        let masters = map.masters();
        Schedule::new()
            .at(at(1), cut(&masters, &[REST]))
            .at(at(5), mend(&masters[..masters.len() / 2], &[REST]))
            .at(at(5), cut(&masters[masters.len() / 2..], &[REST]))
    };
    accepted(|seed, trace| suite::judge_stop(&Map::new(&[1, 1, 1, 1]), partition, seed, trace));
}

/// Who hears others and is not heard is no help either.
#[test]
fn a_cluster_stops_when_masters_are_not_heard() {
    let partition = |map: &Map| {
        let masters = map.masters();
        let gone = masters.iter().skip(masters.len() / 2);
        gone.fold(Schedule::new(), |day, master| day.at(at(1), cut_one_way(&[*master], &[REST])))
    };
    accepted(|seed, trace| suite::judge_stop(&Map::new(&[2, 2, 2]), partition, seed, trace));
}

fn most(site: &Site) -> usize {
    site.shards.saturating_sub(1) / 2
}

fn is_possible(site: &Site) -> bool {
    site.replicas > 0 && most(site) * site.racks >= site.shards && site.nodes() <= site.racks * site.room
}

/// Each replica goes to the emptiest rack that has nothing of its shard.
fn emptiest_first(site: &Site) -> Option<Vec<Spot>> {
    if !is_possible(site) {
        return None;
    }
    let mut held = vec![0; site.racks];
    let mut spots: Vec<Spot> = Vec::new();
    for shard in 0..site.shards {
        let master = site.racks - 1 - shard % site.racks;
        held[master] += 1;
        spots.push(Spot { master, replicas: Vec::new() });
    }
    for spot in &mut spots {
        for _ in 0..site.replicas {
            let free = (0..site.racks).filter(|rack| spot.nodes().all(|node| node != *rack));
            let rack = free.min_by_key(|rack| held[*rack])?;
            held[rack] += 1;
            spot.replicas.push(rack);
        }
    }
    Some(spots)
}

/// Replicas go backwards.
fn backwards(site: &Site) -> Option<Vec<Spot>> {
    let rack = |shard: usize, step: usize| (shard + site.racks - step) % site.racks;
    let spot = |shard| Spot {
        master: rack(shard, 0),
        replicas: (1..=site.replicas).map(|step| rack(shard, step)).collect(),
    };
    is_possible(site).then(|| (0..site.shards).map(spot).collect())
}

#[test]
fn other_placements_survive() {
    for place in [emptiest_first, backwards] {
        for (racks, shards, replicas) in [(3, 3, 1), (4, 4, 1), (5, 7, 2), (8, 12, 1), (3, 4, 1)] {
            let site = suite::site(racks, shards, replicas);
            accepted(|seed, trace| suite::judge_placement(&site, place, seed, trace));
        }
    }
}

#[test]
fn other_lines_cure_the_clusters() {
    let cures: [&[(&str, &str)]; 6] = [
        &[("a2", "cluster-replica-no-failover no"), ("a1", "cluster-slave-no-failover no")],
        &[("C", "cluster-node-timeout 5000"), ("B", "cluster-node-timeout 1000")],
        &[("a1", "cluster-replica-validity-factor 30"), ("a1", "cluster-node-timeout 60000")],
        &[("a1", "masterauth \"secret\"")],
        &[("a1", "cluster-announce-bus-port 0")],
        &[("a1", "cluster-node-timeout 15000"), ("a1", "cluster-node-timeout 30000")],
    ];
    for (sick, lines) in ward().iter().zip(cures) {
        for (host, line) in lines {
            let cure = Settings::new().of(host, *line);
            accepted(|seed, trace| suite::judge_cure(sick, &cure, seed, trace));
        }
    }
}

/// The heavy slots are counted by the nodes themselves; the slots of one hash tag are asked for once; and the plan takes the
/// smallest slots first.
fn frugal(probe: &mut dyn Probe) -> Survey {
    let keys = skew::walk(&mut Frugal { probe, known: BTreeMap::new() });
    let mut slots = skew::weights(&keys);
    for (slot, weight) in &mut slots {
        if weight.keys > 10 {
            let count = probe.ask(weight.master, &format!("CLUSTER COUNTKEYSINSLOT {slot}"));
            weight.keys = skew::number(&count) as usize;
        }
    }
    let mut big: Vec<(u64, &str)> = keys.iter().map(|key| (key.bytes, key.name.as_str())).collect();
    big.sort_unstable();
    let hot = keys.iter().max_by_key(|key| key.used).map(|key| key.name.clone());
    Survey {
        heavy: skew::heaviest(&slots).into_iter().rev().collect(),
        big: big.last().map(|(_, name)| (*name).to_string()).unwrap_or_default(),
        hot: hot.unwrap_or_default(),
        moves: smallest_first(probe.masters(), &slots),
    }
}

/// A probe that does not ask twice for the slot of a hash tag.
struct Frugal<'a> {
    probe: &'a mut dyn Probe,
    known: BTreeMap<String, core_types::Frame>,
}

impl Probe for Frugal<'_> {
    fn masters(&self) -> usize {
        self.probe.masters()
    }

    fn ask(&mut self, master: usize, command: &str) -> core_types::Frame {
        let tag = command.strip_prefix("CLUSTER KEYSLOT {").and_then(|key| key.split('}').next());
        let Some(tag) = tag.map(String::from) else { return self.probe.ask(master, command) };
        if let Some(known) = self.known.get(&tag) {
            return known.clone();
        }
        let answer = self.probe.ask(master, command);
        self.known.insert(tag, answer.clone());
        answer
    }

    fn left(&self) -> usize {
        self.probe.left()
    }
}

fn smallest_first(masters: usize, slots: &BTreeMap<Slot, Weight>) -> Vec<Move> {
    let mut loads = vec![0; masters];
    slots.values().for_each(|weight| loads[weight.master] += weight.bytes);
    let even = loads.iter().sum::<u64>() / masters as u64;
    let bound = slots.values().map(|weight| weight.bytes).fold(even, u64::max);
    let mut order: Vec<(&Slot, &Weight)> = slots.iter().collect();
    order.sort_by_key(|(_, weight)| weight.bytes);
    let mut moves = Vec::new();
    for (slot, weight) in order {
        let from = weight.master;
        let to = (0..masters).min_by_key(|master| loads[*master]).unwrap_or(0);
        if loads[from] > bound + bound / 20 && loads[to] + weight.bytes <= bound {
            loads[from] -= weight.bytes;
            loads[to] += weight.bytes;
            moves.push(Move { slot: *slot, from, to });
        }
    }
    moves
}

#[test]
fn another_survey_finds_the_same() {
    accepted(|seed, trace| suite::judge_survey(frugal, seed, seed == 0, trace));
}

/// What a judge says about a wrong answer, by which it is known again.
fn refused(judge: impl Fn(&mut Trace) -> Result<(), Broken>) -> String {
    judge(&mut Trace::default()).expect_err("it is wrong").detail
}

/// Mistakes that look alike are told apart.
#[test]
fn wrong_answers_have_names_of_their_own() {
    let crawling = Schedule::new()
        .at(at(5), slow(&["master"], &["replica-1"], at(29)))
        .at(at(50), fast(&["master"], &["replica-1"]));
    let crawling = refused(|trace| suite::judge_stale(&crawling, true, 0, trace));
    assert_eq!(crawling, "on the second day the replica said master_link_status:down at some time");
    let map = Map::new(&[2, 2, 2]);
    let stop = |day: Schedule| refused(|trace| suite::judge_stop(&map, |_| day.clone(), 0, trace));
    let shard = Schedule::new().at(at(1), cut(&["A", "a1", "a2"], &[REST]));
    assert!(stop(shard).ends_with("it serves its own slots"));
    let one_master = Schedule::new().at(at(1), cut(&["C"], &[REST]));
    assert!(stop(one_master).ends_with("it serves, and replaces those that are gone"));
    let last = |site: &Site| {
        let spot =
            |shard| Spot { master: shard % (site.racks - 1), replicas: vec![site.racks - 1; site.replicas] };
        Some((0..site.shards).map(spot).collect())
    };
    let crowded = refused(|trace| suite::judge_placement(&suite::site(5, 3, 2), last, 0, trace));
    assert_eq!(crowded, "a rack holds more nodes than it has room for");
    let unknown = Settings::new().of("a1", "cluster-vote-timeout 10000");
    let unknown = refused(|trace| suite::judge_cure(&ward()[5], &unknown, 0, trace));
    assert_eq!(
        unknown,
        "a1 does not start:\n>>> 'cluster-vote-timeout 10000'\nBad directive or wrong number of arguments"
    );
    let page = |probe: &mut dyn Probe| {
        (0..probe.masters()).for_each(|master| drop(probe.ask(master, "SCAN 0 COUNT 100")));
        Survey::default()
    };
    let page = refused(|trace| suite::judge_survey(page, 0, false, trace));
    assert_eq!(page, "a walk was given up before its end: not all keys were seen");
}
