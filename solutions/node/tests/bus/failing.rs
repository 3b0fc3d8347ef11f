//! Who is down: a doubt, reports that fade, the word of a majority, and how it is taken back.

use bus::{Body, Kind, node_flag};
use core_types::NodeId;

use crate::lone::{self, Lone, id};

const DOUBT: u16 = node_flag::MASTER | node_flag::MAYBE_FAIL;

/// Slots of the members, and of the node itself, so that all of them together are all slots.
const SHARES: [std::ops::Range<usize>; 4] = [0..4000, 4000..8000, 8000..12000, 12000..16384];

/// A node that owns the first share, three other masters with slots, and one without.
struct Table {
    lone: Lone,
    one: NodeId,
    other: NodeId,
    victim: NodeId,
    idle: NodeId,
}

impl Table {
    fn new() -> Table {
        let mut lone = Lone::new();
        let names = [1, 2, 3, 4].map(|number| lone.befriend(number, &format!("10.0.0.{number}1")));
        lone.ok("CLUSTER ADDSLOTSRANGE 0 3999");
        let mut table = Table { lone, one: names[0], other: names[1], victim: names[2], idle: names[3] };
        table.pass(3_000, &names);
        assert!(table.lone.text("CLUSTER INFO").starts_with("cluster_state:ok"));
        table
    }

    fn share(&self, member: NodeId) -> Option<std::ops::Range<usize>> {
        let place = [self.one, self.other, self.victim].iter().position(|name| *name == member)?;
        Some(SHARES[place + 1].clone())
    }

    /// What a member says when it answers.
    fn word(&self, member: NodeId) -> lone::Word {
        let epoch = 10 + [self.one, self.other, self.victim].iter().filter(|name| **name < member).count();
        match self.share(member) {
            Some(share) => lone::pong(member).owning(share, epoch as u64),
            None => lone::pong(member),
        }
    }

    /// Lets time pass; these members answer, the others do not.
    fn pass(&mut self, millis: u64, alive: &[NodeId]) {
        for _ in 0..millis / 100 {
            self.lone.pass(100);
            for member in alive {
                let link = self.lone.link(*member);
                let word = self.word(*member);
                self.lone.hear(link, &word);
            }
        }
    }

    /// A member says what it thinks of the victim.
    fn report(&mut self, teller: NodeId, flags: u16) {
        let link = self.lone.link(teller);
        let word = self.word(teller).telling_flags(self.victim, "10.0.0.31", flags);
        self.lone.hear(link, &word);
    }

    /// The victim is silent for longer than the node timeout.
    fn doubt(&mut self) {
        let alive = [self.one, self.other, self.idle];
        self.pass(4_000, &alive);
        assert!(self.is("master,fail?"), "{:?}", self.lone.story());
    }

    fn is(&mut self, flags: &str) -> bool {
        let victim = self.victim;
        self.lone.story()[&victim].contains(&format!(" {flags} "))
    }

    fn reports(&mut self) -> String {
        let victim = self.victim;
        self.lone.run(&format!("CLUSTER COUNT-FAILURE-REPORTS {victim}"))
    }

    fn state(&mut self) -> String {
        self.lone.text("CLUSTER INFO").lines().next().unwrap_or_default().to_string()
    }

    /// Who has been told of a failure since the last time.
    fn told_of_failure(&mut self) -> Vec<NodeId> {
        let mut told = Vec::new();
        for member in [self.one, self.other, self.victim, self.idle] {
            let link = self.lone.link(member);
            let said = self.lone.said(link);
            for packet in said.packets() {
                if let Body::Fail(about) = packet.body {
                    assert_eq!((packet.kind, about), (Kind::Fail, self.victim));
                    told.push(member);
                }
            }
        }
        told
    }
}

#[test]
fn the_word_of_a_majority_of_the_masters_with_slots_makes_it_so_and_everybody_is_told() {
    let mut table = Table::new();
    let (one, other, idle) = (table.one, table.other, table.idle);
    table.doubt();
    assert_eq!(table.state(), "cluster_state:ok", "a doubt stops nobody");
    table.told_of_failure();
    // Who has no slots has no say, and one of four is not enough with us.
    table.report(idle, DOUBT);
    assert_eq!(table.reports(), ":0\r\n");
    table.report(one, DOUBT);
    assert_eq!(table.reports(), ":1\r\n");
    assert!(table.is("master,fail?") && table.told_of_failure().is_empty());
    table.report(other, DOUBT);
    assert!(table.is("master,fail"), "{:?}", table.lone.story());
    let everybody = [one, other, table.victim, idle];
    assert_eq!(table.told_of_failure(), everybody, "also the one that is down: it may be back");
    assert_eq!(table.state(), "cluster_state:fail", "nobody serves its slots");
    // Told once.
    table.report(one, DOUBT);
    assert!(table.told_of_failure().is_empty());
}

#[test]
fn reports_of_others_without_a_doubt_of_our_own_do_nothing() {
    let mut table = Table::new();
    let everybody = [table.one, table.other, table.victim, table.idle];
    table.report(everybody[0], DOUBT);
    table.report(everybody[1], node_flag::MASTER | node_flag::FAIL);
    assert_eq!(table.reports(), ":2\r\n");
    table.pass(1_000, &everybody);
    assert!(table.is("master"), "we have its answer");
}

#[test]
fn a_report_that_is_not_repeated_fades_away() {
    let mut table = Table::new();
    let alive = [table.one, table.other, table.idle];
    table.doubt();
    table.report(alive[0], DOUBT);
    // Twice the node timeout, and a little.
    table.pass(4_100, &alive);
    assert_eq!(table.reports(), ":0\r\n");
    table.report(alive[1], DOUBT);
    assert!(table.is("master,fail?"), "two masters have said so, but not at the same time");
    table.report(alive[0], DOUBT);
    assert!(table.is("master,fail"));
}

#[test]
fn a_report_is_withdrawn_and_goes_with_its_teller() {
    let mut table = Table::new();
    let (one, other) = (table.one, table.other);
    table.doubt();
    table.report(one, DOUBT);
    table.report(one, node_flag::MASTER);
    assert_eq!(table.reports(), ":0\r\n");
    table.report(one, DOUBT);
    table.lone.ok(&format!("CLUSTER FORGET {one}"));
    assert_eq!(table.reports(), ":0\r\n");
    // Three voters are left, the victim included: we and the other are two.
    table.report(other, DOUBT);
    assert!(table.is("master,fail"));
}

#[test]
fn a_replica_has_no_vote_and_still_passes_on_what_masters_have_said() {
    let mut table = Table::new();
    let (one, other, idle) = (table.one, table.other, table.idle);
    table.lone.ok("CLUSTER FLUSHSLOTS");
    table.lone.ok(&format!("CLUSTER REPLICATE {one}"));
    table.doubt();
    table.told_of_failure();
    table.report(one, DOUBT);
    assert!(table.is("master,fail?"), "one of three masters");
    table.report(other, DOUBT);
    assert!(table.is("master,fail"), "{:?}", table.lone.story());
    assert_eq!(table.told_of_failure(), [one, other, table.victim, idle]);
}

#[test]
fn the_last_voters_word_is_a_majority_of_one() {
    let mut lone = Lone::new();
    let (idle, gone) = (lone.befriend(1, "10.0.0.11"), lone.befriend(2, "10.0.0.21"));
    lone.ok("CLUSTER ADDSLOTSRANGE 0 16383");
    lone.pass(4_000);
    // Nobody with a vote can tell us, and so nothing is ever agreed: as in Redis 7.0, a report starts the counting.
    let link = lone.link(idle);
    lone.hear(link, &lone::pong(idle).telling_flags(gone, "10.0.0.21", DOUBT));
    assert!(lone.story()[&gone].contains(" master,fail? "), "{:?}", lone.story());
}

#[test]
fn a_master_that_answers_is_let_back_when_nobody_has_taken_its_slots_for_two_timeouts() {
    let mut table = Table::new();
    let everybody = [table.one, table.other, table.victim, table.idle];
    table.doubt();
    let link = table.lone.link(everybody[0]);
    table.lone.hear(link, &lone::failure(everybody[0], table.victim));
    assert!(table.is("master,fail"));
    table.pass(4_000, &everybody);
    assert!(table.is("master,fail"), "its replicas may be electing a successor");
    assert_eq!(table.state(), "cluster_state:fail");
    table.pass(200, &everybody);
    assert!(table.is("master"), "{:?}", table.lone.story());
    assert_eq!(table.state(), "cluster_state:ok");
}

#[test]
fn whoever_has_no_slots_is_let_back_at_once() {
    let mut table = Table::new();
    let (one, other, idle) = (table.one, table.other, table.idle);
    for word in [lone::pong(idle), lone::pong(idle).following(other)] {
        let link = table.lone.link(one);
        table.lone.hear(link, &lone::failure(one, idle));
        assert!(table.lone.story()[&idle].contains(",fail "));
        let link = table.lone.link(idle);
        table.lone.hear(link, &word);
        assert!(!table.lone.story()[&idle].contains("fail"), "{:?}", table.lone.story());
    }
}

#[test]
fn nobody_can_tell_us_that_we_are_down_and_strangers_tell_nothing() {
    let mut table = Table::new();
    let (one, other, me) = (table.one, table.other, table.lone.me());
    let link = table.lone.link(one);
    let before = table.lone.story();
    table.lone.hear(link, &lone::failure(one, me));
    table.lone.hear(link, &lone::failure(id(99), other));
    table.lone.hear(link, &lone::failure(one, id(99)));
    let about_us = table.word(one).telling_flags(me, "10.0.0.1", DOUBT);
    table.lone.hear(link, &about_us);
    let about_us = table.word(other).telling_flags(me, "10.0.0.1", DOUBT);
    let link = table.lone.link(other);
    table.lone.hear(link, &about_us);
    assert_eq!(table.lone.story(), before);
    assert_eq!(table.lone.run(&format!("CLUSTER COUNT-FAILURE-REPORTS {me}")), ":0\r\n");
}

#[test]
fn a_minority_stops_and_a_master_that_comes_back_waits_before_it_serves() {
    let mut table = Table::new();
    let everybody = [table.one, table.other, table.victim, table.idle];
    table.pass(4_000, &[table.one]);
    assert_eq!(table.state(), "cluster_state:fail", "two of four are no majority");
    assert_eq!(table.lone.run("SET {a}1 v"), "-CLUSTERDOWN The cluster is down\r\n");
    table.lone.ok("CONFIG SET cluster-allow-reads-when-down yes");
    // `{06S}` is in slot 0, which is ours.
    assert_eq!(table.lone.run("GET {06S}"), "$-1\r\n");
    assert_eq!(
        table.lone.run("SET {06S} v"),
        "-CLUSTERDOWN The cluster is down and only accepts read commands\r\n"
    );
    table.pass(100, &everybody);
    table.pass(1_800, &everybody);
    assert_eq!(table.state(), "cluster_state:fail", "it may have been replaced meanwhile");
    table.pass(300, &everybody);
    assert_eq!(table.state(), "cluster_state:ok", "after one node timeout");
}

#[test]
fn without_full_coverage_the_rest_is_served() {
    let mut table = Table::new();
    table.doubt();
    let (one, other) = (table.one, table.other);
    table.report(one, DOUBT);
    table.report(other, DOUBT);
    assert_eq!(table.state(), "cluster_state:fail");
    table.lone.ok("CONFIG SET cluster-require-full-coverage no");
    table.pass(100, &[one, other]);
    assert_eq!(table.state(), "cluster_state:ok");
    table.lone.ok("SET {06S} v");
}

#[test]
fn a_node_timeout_that_is_changed_holds_at_once() {
    let mut table = Table::new();
    let alive = [table.one, table.other, table.idle];
    table.lone.ok("CONFIG SET cluster-node-timeout 60000");
    table.pass(5_000, &alive);
    assert!(table.is("master"), "{:?}", table.lone.story());
    // Half of the time is for a ping that is overdue by now, the other for its answer.
    table.lone.ok("CONFIG SET cluster-node-timeout 1000");
    table.pass(2_000, &alive);
    assert!(table.is("master,fail?"), "{:?}", table.lone.story());
}
