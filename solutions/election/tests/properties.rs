//! What must hold whatever happens: packets in any order, lost or doubled, crashes between any two steps.

use std::collections::{BTreeMap, BTreeSet};

use core_types::{Epoch, Millis, NodeId, Offset, Rng, Slot, SlotSet};
use proptest::prelude::*;
use solution_9::candidate::{Act, ByHand, Candidate, View};
use solution_9::claims::won;
use solution_9::epochs::{without_vote, yields};
use solution_9::manual::{Manual, Way};
use solution_9::rank::{RANDOM_DELAY, delay, rank};
use solution_9::votes::{Asker, Request, Step, Voter, answer, steps};

/// The ground on which the exercises are tried.
#[expect(dead_code, reason = "of the whole suite only its elections are of use here")]
mod ground {
    use solution_9 as lab;
    include!("../../../tests/lab-9/suite.rs");

    /// An election in which packets get lost and voters crash: has the replica with most data won first? `None`: this
    /// seed is a calm one, or nobody has won.
    pub(super) fn best_has_won(seed: u64) -> Option<bool> {
        let mut election = Election::new(seed, Under::Candidates);
        let mut trace = Trace::new("an election");
        while let Some(((at, _), coming)) = election.queue.pop_first() {
            election.happens(&mut trace, at, coming).expect("no rule is broken");
            if at > Millis(20_000) || !election.winners.is_empty() {
                break;
            }
        }
        let winner = election.winners.values().next().filter(|_| election.rough)?;
        let most = election.heirs.iter().map(|heir| heir.offset).max()?;
        Some(election.heirs.iter().any(|heir| heir.name == *winner && heir.offset == most))
    }
}

#[test]
fn the_best_replica_usually_wins_even_on_a_bad_network() {
    let ends: Vec<bool> = (0..1000).filter_map(ground::best_has_won).collect();
    let best = ends.iter().filter(|best| **best).count();
    assert!(ends.len() > 500, "somebody is elected: {} of them", ends.len());
    assert!(best * 100 >= ends.len() * 90, "the best won {best} of {}", ends.len());
}

/// One thing that happens in an election; the numbers choose among what there is.
#[derive(Clone, Debug)]
enum Event {
    /// Time passes and a candidate looks at its election.
    Look { candidate: usize, after: u64 },
    /// A packet arrives: any of those under way, or one that has arrived before.
    Packet { number: usize, keep: bool, crash_before: Option<usize> },
}

fn event() -> impl Strategy<Value = Event> {
    let gap = prop_oneof![3 => 0..200u64, 2 => 500..1500u64, 1 => 2000..9000u64];
    prop_oneof![
        1 => (0..4usize, gap).prop_map(|(candidate, after)| Event::Look { candidate, after }),
        2 => (any::<usize>(), prop::bool::weighted(0.2), prop::option::weighted(0.3, 0..5usize))
            .prop_map(|(number, keep, crash_before)| Event::Packet { number, keep, crash_before }),
    ]
}

#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    current: Epoch,
    voted: Epoch,
    voted_at: Option<Millis>,
}

#[derive(Clone, Copy, Debug)]
enum Packet {
    Request { candidate: usize, voter: usize, epoch: Epoch },
    Vote { voter: usize, candidate: usize, epoch: Epoch },
}

fn node(number: usize) -> NodeId {
    NodeId::random(&mut Rng::new(number as u64))
}

const NODE_TIMEOUT: Millis = Millis(1000);

proptest! {
    /// I1 and I2 of the chapter. The packets come in any order, also twice; a voter crashes before any of its steps.
    #[test]
    fn an_epoch_has_one_winner(voters in 1..6usize, events in prop::collection::vec(event(), 1..120)) {
        let slots: SlotSet = Slot::all().take(3).collect();
        let mut memory = vec![Memory::default(); voters];
        let mut disk = memory.clone();
        let mut candidates = vec![(Candidate::default(), Epoch(0)); 4];
        let mut under_way: Vec<Packet> = Vec::new();
        let mut votes: BTreeMap<(usize, Epoch), usize> = BTreeMap::new();
        let mut winners: BTreeMap<Epoch, usize> = BTreeMap::new();
        let mut now = Millis(0);
        for event in events {
            match event {
                Event::Look { candidate, after } => {
                    now += Millis(after);
                    let (stands, current) = &mut candidates[candidate];
                    let view = View {
                        has_cause: true, master_failed: true, abstains: false, too_old: false,
                        by_hand: ByHand::No, rank: 0, delay: Millis(500), current_epoch: *current,
                        voters, node_timeout: NODE_TIMEOUT,
                    };
                    match stands.step(now, &view) {
                        Some(Act::Ask { epoch, .. }) => {
                            *current = epoch;
                            under_way.extend((0..voters).map(|voter| Packet::Request { candidate, voter, epoch }));
                        }
                        Some(Act::Win(epoch)) => {
                            let before = winners.insert(epoch, candidate);
                            prop_assert!(before.is_none_or(|other| other == candidate), "two winners in {epoch:?}");
                        }
                        _ => {}
                    }
                }
                Event::Packet { number, keep, crash_before } if !under_way.is_empty() => {
                    let number = number % under_way.len();
                    let packet = if keep { under_way[number] } else { under_way.swap_remove(number) };
                    match packet {
                        Packet::Vote { voter, candidate, epoch } => {
                            let (stands, current) = &mut candidates[candidate];
                            *current = epoch.max(*current);
                            stands.hear_vote(node(voter), true, epoch);
                        }
                        Packet::Request { candidate, voter, epoch } => {
                            let mine = &mut memory[voter];
                            let request = Request { epoch, config_epoch: Epoch(0), slots: &slots, forced: false };
                            let asker = Asker::Replica { master_failed: true, voted_at: mine.voted_at };
                            let rules = Voter {
                                has_voice: true, current_epoch: mine.current.max(epoch),
                                last_vote_epoch: mine.voted, node_timeout: NODE_TIMEOUT,
                            };
                            let verdict = answer(now, &rules, asker, &request, |_| Some(Epoch(0)));
                            for (done, step) in steps(mine.current, epoch, verdict).into_iter().enumerate() {
                                if crash_before == Some(done) {
                                    break;
                                }
                                match step {
                                    Step::Raise(epoch) => memory[voter].current = epoch,
                                    Step::Note(epoch) => {
                                        memory[voter].voted = epoch;
                                        memory[voter].voted_at = Some(now);
                                    }
                                    Step::Save => disk[voter] = memory[voter],
                                    Step::Send(epoch) => {
                                        let before = votes.insert((voter, epoch), candidate);
                                        prop_assert!(before.is_none(), "{voter} votes twice in {epoch:?}");
                                        under_way.push(Packet::Vote { voter, candidate, epoch });
                                    }
                                }
                            }
                            if crash_before.is_some() {
                                memory[voter] = Memory { voted_at: None, ..disk[voter] };
                            }
                        }
                    }
                }
                Event::Packet { .. } => {}
            }
        }
    }

    /// I4: in whatever order claims arrive, and however often, everybody ends with the same owners.
    #[test]
    fn the_same_claims_in_any_order_give_the_same_owners(
        claims in prop::collection::vec((0..5usize, prop::collection::btree_set(0..8u16, 0..8)), 1..6),
        order in prop::collection::vec(any::<usize>(), 0..30),
    ) {
        // Each claim has an epoch of its own; a later one of the same node replaces the earlier in all its slots.
        let tell = |owners: &mut BTreeMap<Slot, (NodeId, Epoch)>, place: usize| {
            let (who, numbers) = &claims[place];
            let epoch = Epoch(place as u64 + 1);
            let set: SlotSet = numbers.iter().filter_map(|number| Slot::new(*number)).collect();
            for slot in won(&set, node(100 + place * 10 + who), epoch, |slot| owners.get(&slot).copied(), |_| false) {
                owners.insert(slot, (node(100 + place * 10 + who), epoch));
            }
        };
        let mut ends = BTreeSet::new();
        let in_order: Vec<usize> = (0..claims.len()).collect();
        let shuffled: Vec<usize> =
            order.iter().map(|place| place % claims.len()).chain(in_order.iter().rev().copied()).collect();
        for run in [in_order, shuffled] {
            let mut owners = BTreeMap::new();
            run.into_iter().for_each(|place| tell(&mut owners, place));
            ends.insert(owners.into_iter().collect::<Vec<_>>());
        }
        prop_assert_eq!(ends.len(), 1);
    }

    /// I3, for two who act at once: one of them moves, and they differ afterwards. And what is taken without a vote is new.
    #[test]
    fn a_collision_ends(one in 0..50usize, other in 50..100usize, epoch in 0..9u64, current in 0..9u64) {
        let current = Epoch(current.max(epoch));
        let epoch = Epoch(epoch);
        let moves = [(one, other), (other, one)].map(|(me, peer)| yields(node(me), epoch, node(peer), epoch));
        prop_assert!(moves[0] != moves[1]);
        let fresh = without_vote(epoch, current, [epoch]);
        prop_assert!(fresh.is_none_or(|fresh| fresh > current));
        prop_assert!(fresh.is_some() || (epoch == current && epoch != Epoch(0)));
    }

    /// Nobody with less data asks before somebody with more, if both see the death at the same time and know each other's offset.
    #[test]
    fn who_has_more_asks_first(
        offsets in prop::collection::vec(0..6u64, 2..6),
        randoms in prop::collection::vec(0..RANDOM_DELAY.0, 6),
    ) {
        let asks: Vec<Millis> = (0..offsets.len()).map(|me| {
            let others = offsets.iter().enumerate().filter(|(place, _)| *place != me);
            let rank = rank(Offset(offsets[me]), others.map(|(_, &offset)| (Offset(offset), false)));
            delay(rank, Millis(randoms[me]))
        }).collect();
        for (one, other) in (0..offsets.len()).flat_map(|one| (0..offsets.len()).map(move |other| (one, other))) {
            prop_assert!(offsets[one] <= offsets[other] || asks[one] + Millis(500) < asks[other]);
        }
    }

    /// A plain failover is ready only with exactly what the master had when it paused, and stays so.
    #[test]
    fn ready_means_nothing_is_missing(
        words in prop::collection::vec((any::<bool>(), 0..5u64), 0..20),
    ) {
        let mut manual = Manual::new(Millis(0), Way::Plain);
        let (mut target, mut ready) = (None, false);
        for (is_pause, offset) in words {
            if is_pause {
                manual.hear_pause(Offset(offset));
                target = target.or(Some(offset));
            } else {
                prop_assert_eq!(manual.catch_up(Offset(offset)), !ready && target == Some(offset));
                ready |= target == Some(offset);
            }
            prop_assert_eq!(manual.ready, ready);
        }
    }
}
