//! Elections: whom a voter votes for, and that it keeps its word; when a replica stands, and what it says before and after;
//! the master that hands its place over.

use bus::{Kind, message_flag, node_flag};
use core_types::{Epoch, NodeId};

use crate::lone::{self, Lone, bits, id};

/// The slots of the node itself or of its master, and of two others.
const SHARES: [std::ops::Range<usize>; 3] = [0..5000, 5000..10_000, 10_000..16_384];

const VICTIM: u64 = 1;
const OTHER: u64 = 2;
/// Two replicas of the victim.
const HEIR: u64 = 3;
const SIBLING: u64 = 4;

/// Makes members of two masters and two replicas of the first. The masters' epochs are 11 and 12.
fn with_others(mut lone: Lone, shares: [std::ops::Range<usize>; 2]) -> Lone {
    for number in [VICTIM, OTHER, HEIR, SIBLING] {
        lone.befriend(number, &format!("10.0.0.{number}1"));
    }
    for (number, share) in [VICTIM, OTHER].into_iter().zip(shares.clone()) {
        let link = lone.link(id(number));
        lone.hear(link, &lone::pong(id(number)).owning(share, 10 + number));
    }
    for number in [HEIR, SIBLING] {
        let link = lone.link(id(number));
        lone.hear(link, &lone::pong(id(number)).following(id(VICTIM)).owning(shares[0].clone(), 11));
        lone.said(link);
    }
    lone
}

/// A voter: it owns a share of the slots.
fn voter() -> Lone {
    let mut lone = with_others(Lone::new(), [SHARES[1].clone(), SHARES[2].clone()]);
    lone.ok("CLUSTER ADDSLOTSRANGE 0 4999");
    lone
}

/// The voter hears that the victim is down.
fn with_victim_down(mut lone: Lone) -> Lone {
    let link = lone.link(id(OTHER));
    lone.hear(link, &lone::failure(id(OTHER), id(VICTIM)));
    let victim = id(VICTIM);
    assert!(lone.story()[&victim].contains("fail"), "{:?}", lone.story());
    lone
}

/// What a replica of the victim asks: as it knows its master's configuration.
fn request(from: u64, epoch: u64) -> lone::Word {
    lone::request(id(from), epoch).following(id(VICTIM)).owning(SHARES[1].clone(), 11)
}

/// Somebody asks; is the answer a vote, and for which epoch?
fn asks(lone: &mut Lone, word: &lone::Word, from: u64) -> Option<Epoch> {
    let link = lone.link(id(from));
    lone.said(link);
    lone.hear(link, word);
    let said = lone.said(link);
    let vote = said.packets().into_iter().find(|packet| packet.kind == Kind::AuthAck)?;
    Some(vote.header.current_epoch)
}

#[test]
fn a_vote_is_on_the_disk_before_it_leaves() {
    let mut lone = with_victim_down(voter());
    lone.stop_disk();
    assert_eq!(asks(&mut lone, &request(HEIR, 20), HEIR), None, "it is not on the disk");
    // Whoever is asked meanwhile by somebody else keeps its word, too.
    assert_eq!(asks(&mut lone, &request(SIBLING, 20), SIBLING), None);
    lone.resume_disk();
    let link = lone.link(id(HEIR));
    let said = lone.said(link);
    assert_eq!(said.kinds(), [Kind::AuthAck]);
    assert_eq!(said.packets()[0].header.current_epoch, Epoch(20));
    assert!(lone.written.contains("vars currentEpoch 20 lastVoteEpoch 20"), "{}", lone.written);
    let link = lone.link(id(SIBLING));
    assert!(!lone.said(link).kinds().contains(&Kind::AuthAck));
}

#[test]
fn a_crash_after_a_vote_does_not_vote_again_in_the_same_epoch() {
    let mut lone = with_victim_down(voter());
    assert_eq!(asks(&mut lone, &request(HEIR, 20), HEIR), Some(Epoch(20)));
    let mut again = Lone::restarted(&lone.written);
    again.pass(200);
    for number in [VICTIM, OTHER, HEIR, SIBLING] {
        let link = again.link(id(number));
        let word = lone::pong(id(number));
        let word = match number {
            VICTIM | OTHER => word.owning(SHARES[number as usize].clone(), 10 + number),
            _ => word.following(id(VICTIM)).owning(SHARES[1].clone(), 11),
        };
        again.hear(link, &word);
    }
    let mut again = with_victim_down(again);
    assert_eq!(asks(&mut again, &request(SIBLING, 20), SIBLING), None, "it has promised");
    assert_eq!(
        asks(&mut again, &request(SIBLING, 21), SIBLING),
        Some(Epoch(21)),
        "another epoch is another vote"
    );
}

#[test]
fn no_vote_for_a_replica_of_a_live_master_unless_an_operator_wants_it() {
    let mut lone = voter();
    assert_eq!(asks(&mut lone, &request(HEIR, 20), HEIR), None);
    assert!(!lone.written.contains("lastVoteEpoch 20"), "no promise either");
    assert_eq!(asks(&mut lone, &request(HEIR, 21).forced(), HEIR), Some(Epoch(21)));
}

#[test]
fn no_vote_for_old_epochs_masters_strangers_or_those_who_are_behind() {
    let mut lone = with_victim_down(voter());
    assert_eq!(asks(&mut lone, &request(HEIR, 5), HEIR), None, "an epoch of the past");
    let master = lone::request(id(OTHER), 20).owning(SHARES[2].clone(), 12).forced();
    assert_eq!(asks(&mut lone, &master, OTHER), None, "a master has nobody to replace");
    let behind = lone::request(id(HEIR), 21).following(id(VICTIM)).owning(SHARES[1].clone(), 9);
    assert_eq!(asks(&mut lone, &behind, HEIR), None, "the slots' owner has a newer configuration");
    assert_eq!(asks(&mut lone, &request(9, 22), HEIR), None, "nobody knows it");
    assert_eq!(asks(&mut lone, &request(HEIR, 23), HEIR), Some(Epoch(23)));
    assert_eq!(asks(&mut lone, &request(SIBLING, 24), SIBLING), None, "let the other one do its work");
    lone.pass(4_000);
    assert_eq!(asks(&mut lone, &request(SIBLING, 25), SIBLING), Some(Epoch(25)), "after two node timeouts");
}

/// It has won that epoch: with its vote for a rival, two would have won it.
#[test]
fn no_vote_in_the_epoch_of_its_own_slots() {
    let mut lone = with_victim_down(voter());
    lone.run("CLUSTER BUMPEPOCH");
    let me = lone.me();
    let own = lone.epoch(me).0;
    assert!(own > 12, "greater than the others' epochs: {own}");
    assert_eq!(asks(&mut lone, &request(HEIR, own).forced(), HEIR), None);
    assert_eq!(asks(&mut lone, &request(HEIR, own + 1).forced(), HEIR), Some(Epoch(own + 1)));
}

#[test]
fn who_has_no_slots_has_no_vote() {
    let mut lone = with_victim_down(with_others(Lone::new(), [SHARES[1].clone(), SHARES[2].clone()]));
    assert_eq!(asks(&mut lone, &request(HEIR, 20), HEIR), None);
}

/// A replica of the victim. Its siblings have nothing.
fn replica() -> Lone {
    let mut lone = with_others(Lone::new(), [0..8000, 8000..16_384]);
    lone.ok(&format!("CLUSTER REPLICATE {}", id(VICTIM)));
    // It has never been in step with its master, and stands all the same.
    lone.ok("CONFIG SET cluster-replica-validity-factor 0");
    lone
}

/// What it has asked of this member: the epoch, and with force?
fn asked(lone: &mut Lone, member: u64) -> Option<(Epoch, bool)> {
    let link = lone.link(id(member));
    let said = lone.said(link);
    let request = said.packets().into_iter().find(|packet| packet.kind == Kind::AuthRequest)?;
    Some((request.header.current_epoch, request.header.message_flags & message_flag::FORCE_ACK != 0))
}

/// The last heartbeat of which this is true.
fn claims(lone: &mut Lone, member: u64, share: std::ops::Range<usize>) -> bool {
    let link = lone.link(id(member));
    let said = lone.said(link);
    let beats = said.packets();
    beats.iter().rev().find(|packet| packet.kind == Kind::Pong).is_some_and(|pong| {
        *pong.header.slots == bits(share)
            && pong.header.master.is_none()
            && pong.header.flags & node_flag::MASTER != 0
    })
}

#[test]
fn a_replica_asks_after_a_delay_and_takes_over_with_the_votes_of_most() {
    let mut lone = with_victim_down(replica());
    let me = lone.me();
    lone.pass(400);
    assert_eq!(asked(&mut lone, OTHER), None, "it waits half a second at least");
    lone.stop_disk();
    lone.pass(700);
    assert_eq!(asked(&mut lone, OTHER), None, "the epoch is not on the disk");
    lone.resume_disk();
    let (epoch, forced) = asked(&mut lone, OTHER).expect("it asks");
    assert!(epoch > Epoch(12) && !forced, "{epoch}");
    assert!(lone.written.contains(&format!("currentEpoch {epoch} ")), "{}", lone.written);
    assert_eq!(asked(&mut lone, HEIR), Some((epoch, false)), "everybody is asked");
    lone.pass(300);
    assert_eq!(asked(&mut lone, OTHER), None, "once");
    // One vote of two is no majority. A vote that is heard twice is one, and so is that of a replica none.
    let vote = |from: u64| match from {
        OTHER => lone::vote(id(OTHER), epoch.0).owning(8000..16_384, 12).in_epoch(epoch.0),
        _ => lone::vote(id(from), epoch.0).following(id(VICTIM)).in_epoch(epoch.0),
    };
    for from in [OTHER, OTHER, HEIR] {
        let link = lone.link(id(from));
        lone.hear(link, &vote(from));
    }
    assert!(lone.story()[&me].contains("slave"), "{:?}", lone.story());
    let victim = lone.link(id(VICTIM));
    lone.stop_disk();
    lone.hear(victim, &lone::vote(id(VICTIM), epoch.0).owning(0..8000, 11).in_epoch(epoch.0));
    assert!(lone.story()[&me].ends_with("connected 0-7999"), "{:?}", lone.story());
    assert_eq!(lone.epoch(me), epoch);
    assert!(!claims(&mut lone, OTHER, 0..8000), "its victory is not on the disk");
    lone.resume_disk();
    for member in [OTHER, HEIR, SIBLING] {
        assert!(claims(&mut lone, member, 0..8000), "everybody hears of it at once");
    }
    assert!(lone.run("ROLE").contains("master"));
}

#[test]
fn siblings_with_more_data_go_first() {
    let mut lone = replica();
    let heir = lone.link(id(HEIR));
    let heir_word = lone::pong(id(HEIR)).following(id(VICTIM)).owning(0..8000, 11);
    lone.hear(heir, &heir_word.clone().with_offset(5_000));
    let mut lone = with_victim_down(lone);
    lone.pass(1_400);
    assert_eq!(asked(&mut lone, OTHER), None, "a second later for each that is ahead");
    // Another one comes in front meanwhile.
    let sibling = lone.link(id(SIBLING));
    lone.hear(sibling, &lone::pong(id(SIBLING)).following(id(VICTIM)).owning(0..8000, 11).with_offset(9));
    lone.pass(900);
    assert_eq!(asked(&mut lone, OTHER), None, "two seconds");
    lone.pass(700);
    assert!(asked(&mut lone, OTHER).is_some());
}

#[test]
fn who_shall_not_stand_and_whose_data_are_old_do_not() {
    for setting in ["cluster-replica-no-failover yes", "cluster-replica-validity-factor 10"] {
        let mut lone = replica();
        lone.ok(&format!("CONFIG SET {setting}"));
        let mut lone = with_victim_down(lone);
        lone.pass(5_000);
        assert_eq!(asked(&mut lone, OTHER), None, "{setting}");
        // An operator may want it all the same.
        lone.ok("CLUSTER FAILOVER FORCE");
        assert!(asked(&mut lone, OTHER).is_some_and(|(_, forced)| forced), "{setting}");
    }
}

#[test]
fn a_replica_waits_for_what_its_master_has_and_asks_with_force() {
    let mut lone = replica();
    lone.ok("CLUSTER FAILOVER");
    let victim = lone.link(id(VICTIM));
    assert_eq!(lone.said(victim).kinds().last(), Some(&Kind::FailoverStart));
    let word = lone::ping(id(VICTIM)).owning(0..8000, 11);
    lone.hear(victim, &word);
    lone.pass(500);
    assert_eq!(asked(&mut lone, OTHER), None, "the master has not paused");
    // Others cannot make it believe so.
    let other = lone.link(id(OTHER));
    lone.hear(other, &lone::ping(id(OTHER)).owning(8000..16_384, 12).paused_at(0));
    assert_eq!(asked(&mut lone, OTHER), None);
    lone.hear(victim, &word.clone().paused_at(0));
    assert!(asked(&mut lone, OTHER).is_some_and(|(_, forced)| forced), "it has everything");
    // The first word of the pause is the one that counts.
    lone.ok("CLUSTER FAILOVER");
    lone.hear(victim, &word.clone().paused_at(70));
    lone.hear(victim, &word.paused_at(0));
    lone.pass(500);
    assert_eq!(asked(&mut lone, OTHER), None, "70 bytes are missing");
}

/// A master with a replica, and two others.
fn master() -> Lone {
    let mut lone = with_others(Lone::new(), [SHARES[1].clone(), SHARES[2].clone()]);
    lone.ok("CLUSTER ADDSLOTSRANGE 0 4999");
    let me = lone.me();
    for _ in 0..30 {
        lone.pass(100);
        for number in [VICTIM, OTHER, HEIR, SIBLING] {
            let word = lone::pong(id(number));
            let word = match number {
                VICTIM | OTHER => word.owning(SHARES[number as usize].clone(), 10 + number),
                HEIR => word.following(me).owning(0..5000, 0),
                _ => word.following(id(VICTIM)).owning(SHARES[1].clone(), 11),
            };
            let link = lone.link(id(number));
            lone.hear(link, &word);
            lone.said(link);
        }
    }
    assert!(lone.text("CLUSTER INFO").starts_with("cluster_state:ok"));
    lone
}

/// A key of ours (slot 3300).
const SET: &str = "SET {b}1 x";

#[test]
fn a_master_holds_writes_back_for_its_replica_and_sends_them_after_it() {
    let mut lone = master();
    let me = lone.me();
    let link = lone.link(id(HEIR));
    lone.hear(link, &lone::pause(id(HEIR)).following(me).owning(0..5000, 0));
    let said = lone.said(link);
    assert_eq!(said.kinds(), [Kind::Ping], "it is told at once");
    assert_ne!(said.packets()[0].header.message_flags & message_flag::PAUSED, 0);
    let client = lone.client();
    lone.tell(client, SET);
    assert_eq!(lone.heard(client), "", "writes wait");
    lone.pass(100);
    assert_eq!(lone.said(link).kinds(), [Kind::Ping], "and it hears of it again and again");
    lone.hear(link, &lone::pong(id(HEIR)).owning(0..5000, 30));
    assert_eq!(lone.heard(client), "-MOVED 3300 10.0.0.31:7000\r\n");
    assert!(lone.story()[&me].contains(&format!("slave {}", id(HEIR))), "{:?}", lone.story());
}

#[test]
fn a_master_gives_up_waiting_and_serves_nobody_elses_replica() {
    let mut lone = master();
    let me = lone.me();
    // Not its replica, and nobody at all.
    for (from, by) in [(SIBLING, id(SIBLING)), (HEIR, id(77))] {
        let link = lone.link(id(from));
        lone.hear(link, &lone::pause(by).following(id(VICTIM)).owning(SHARES[1].clone(), 11));
        assert_eq!(lone.run(SET), "+OK\r\n");
    }
    let link = lone.link(id(HEIR));
    lone.hear(link, &lone::pause(id(HEIR)).following(me).owning(0..5000, 0));
    let client = lone.client();
    lone.tell(client, SET);
    lone.ok("CONFIG SET cluster-node-timeout 15000");
    lone.pass(4_900);
    assert_eq!(lone.heard(client), "", "writes wait");
    lone.pass(300);
    assert_eq!(lone.heard(client), "+OK\r\n");
    let other = lone.link(id(OTHER));
    lone.said(other);
    lone.hear(other, &lone::ping(id(OTHER)).owning(SHARES[2].clone(), 12));
    assert_eq!(lone.said(other).packets()[0].header.message_flags & message_flag::PAUSED, 0);
}

#[test]
fn a_reset_ends_what_was_under_way() {
    let mut lone = master();
    let me: NodeId = lone.me();
    let link = lone.link(id(HEIR));
    lone.hear(link, &lone::pause(id(HEIR)).following(me).owning(0..5000, 0));
    let client = lone.client();
    lone.tell(client, SET);
    assert_eq!(lone.heard(client), "");
    lone.ok("CLUSTER RESET");
    lone.settle();
    assert!(lone.heard(client).starts_with("-CLUSTERDOWN"), "it goes on, and there are no slots");
}

#[test]
fn a_replica_that_has_restarted_takes_a_new_epoch_for_a_takeover() {
    let lone = replica();
    // Its file shows its master's epoch as its own.
    let mut again = Lone::restarted(&lone.written);
    let me = again.me();
    assert_eq!(again.epoch(me), Epoch(11), "{}", again.written);
    again.ok("CLUSTER FAILOVER TAKEOVER");
    assert!(again.epoch(me) > Epoch(12));
    assert!(again.story()[&me].ends_with(" 0-7999"), "{:?}", again.story());
}
