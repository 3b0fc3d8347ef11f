//! What a heartbeat tells of others, and what its receiver makes of it.
//!
//! A heartbeat carries news of a few members drawn at random, a tenth of all, so that what one knows everybody knows
//! after a few rounds, at a cost that grows with the cluster only slowly. Whoever may have failed is always told of:
//! bad news must not wait for a lucky draw.
//!
//! What is heard in this way is believed carefully. A rumour can make us look again (a later answer, a new address for
//! somebody we cannot reach ourselves, an opinion to be counted), but never takes a slot from anybody nor gives one.

use core_types::{Millis, Rng};

/// The least number of members that are told of, if there are that many.
const LEAST: usize = 3;

/// How far into the future an answer that others tell of may lie: clocks differ (`clusterProcessGossipSection` in
/// Redis's `cluster.c`).
const AHEAD: Millis = Millis(500);

/// Of how many members one heartbeat tells, those aside that may have failed: a tenth of `known`, at least three, and
/// neither the teller nor the one who is told.
pub fn wanted(known: usize) -> usize {
    // <exercise 7.4 wanted>
    (known / 10).max(LEAST).min(known.saturating_sub(2))
    // </exercise>
}

/// Draws `wanted` of the members that can be told of, each at most once. The order is part of the draw.
pub fn draw<T: Copy>(rng: &mut Rng, mut eligible: Vec<T>, wanted: usize) -> Vec<T> {
    let wanted = wanted.min(eligible.len());
    for place in 0..wanted {
        let other = rng.between(place as u64, eligible.len() as u64 - 1) as usize;
        eligible.swap(place, other);
    }
    eligible.truncate(wanted);
    eligible
}

// ANCHOR: candidate
/// What matters of a member when a heartbeat is to be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Candidate {
    /// It is ourselves: the header tells of us.
    pub myself: bool,
    /// Its name is not known yet.
    pub handshake: bool,
    /// We do not know where it is.
    pub no_address: bool,
    /// We do not reach it (`PFAIL`).
    pub suspected: bool,
    /// There is a connection to it, standing or being made.
    pub linked: bool,
    /// It owns slots.
    pub owns_slots: bool,
}
// ANCHOR_END: candidate

/// Of whom a heartbeat tells. `members` is everybody we know, ourselves included, in an order that stays the same.
///
/// [`wanted`] of them are [drawn](draw) from those that are not suspected, and then come all that are, in their order. Of
/// ourselves, of somebody in a handshake and of somebody whose address we do not know nothing is told, suspected or not.
/// Somebody to whom we have no connection and who owns no slots is not drawn.
pub fn choose<N: Copy>(rng: &mut Rng, members: impl IntoIterator<Item = (N, Candidate)>) -> Vec<N> {
    // <exercise 7.4 choose>
    let (mut known, mut eligible, mut suspected) = (0, Vec::new(), Vec::new());
    for (name, member) in members {
        known += 1;
        if member.myself || member.handshake || member.no_address {
            continue;
        }
        if member.suspected {
            suspected.push(name);
        } else if member.linked || member.owns_slots {
            eligible.push(name);
        }
    }
    let mut told = draw(rng, eligible, wanted(known));
    told.extend(suspected);
    told
    // </exercise>
}

// ANCHOR: rumour
/// What the teller says of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rumour {
    /// The teller does not reach it, or it is agreed to be down.
    pub failing: bool,
    /// The teller does not know where it is.
    pub no_address: bool,
    /// The address is the one we have.
    pub same_address: bool,
    /// When it answered the teller last.
    pub pong_received: Millis,
}

/// What we know of the same member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// It is ourselves.
    pub myself: bool,
    /// We do not reach it, or it is agreed to be down.
    pub failing: bool,
    /// It owes us an answer.
    pub waiting: bool,
    /// Somebody has reported it, and the report still holds.
    pub reported: bool,
    /// When it answered us last.
    pub pong_received: Millis,
}

/// What follows from a rumour about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Belief {
    /// The teller's opinion, to be noted: does it fail? `None`: the teller has no say.
    pub report: Option<bool>,
    /// It was heard as late as this; no need to ping it ourselves.
    pub heard: Option<Millis>,
    /// It is elsewhere now.
    pub take_address: bool,
}
// ANCHOR_END: rumour

/// What to make of a rumour about a member. `teller_votes`: the teller is a member, a master, and owns slots; the opinions
/// of others do not count. Whether *we* hold it for failing matters for the address only: if it owes us nothing, it has
/// answered, and only the mark is left.
pub fn merge(now: Millis, rumour: &Rumour, known: &Known, teller_votes: bool) -> Belief {
    // <exercise 7.5>
    let report = (teller_votes && !known.myself).then_some(rumour.failing);
    let heard = rumour.pong_received;
    let plausible = heard <= now + AHEAD && heard > known.pong_received;
    Belief {
        report,
        // While we have doubts of our own, or others have, only its own answer counts.
        heard: (!rumour.failing && !known.waiting && !known.reported && plausible).then_some(heard),
        take_address: known.failing && !rumour.failing && !rumour.no_address && !rumour.same_address,
    }
    // </exercise>
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_told_of_and_never_the_two_who_talk() {
        let sizes = [(0, 0), (1, 0), (2, 0), (3, 1), (4, 2), (5, 3), (30, 3), (49, 4), (1000, 100)];
        for (known, expected) in sizes {
            assert_eq!(wanted(known), expected, "{known}");
        }
    }

    #[test]
    fn everybody_is_drawn_equally_often_and_nobody_twice() {
        let mut rng = Rng::new(9);
        let mut counts = [0; 10];
        for _ in 0..3000 {
            let mut drawn = draw(&mut rng, (0..10).collect(), 3);
            drawn.iter().for_each(|&place: &usize| counts[place] += 1);
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), 3);
        }
        assert!(counts.iter().all(|count| (750..1050).contains(count)), "{counts:?}");
        assert_eq!(draw(&mut rng, vec![1, 2], 5).len(), 2);
    }

    fn rumour() -> Rumour {
        Rumour { failing: false, no_address: false, same_address: true, pong_received: Millis(5000) }
    }

    fn known() -> Known {
        let pong_received = Millis(4000);
        Known { myself: false, failing: false, waiting: false, reported: false, pong_received }
    }

    #[test]
    fn a_later_answer_is_believed_unless_there_is_any_doubt() {
        let heard = |rumour: &Rumour, known: &Known| merge(Millis(4800), rumour, known, false).heard;
        assert_eq!(heard(&rumour(), &known()), Some(Millis(5000)));
        assert_eq!(heard(&Rumour { pong_received: Millis(5301), ..rumour() }, &known()), None);
        assert_eq!(heard(&Rumour { pong_received: Millis(4000), ..rumour() }, &known()), None);
        assert_eq!(heard(&Rumour { failing: true, ..rumour() }, &known()), None);
        assert_eq!(heard(&rumour(), &Known { waiting: true, ..known() }), None);
        assert_eq!(heard(&rumour(), &Known { reported: true, ..known() }), None);
    }

    #[test]
    fn only_a_master_has_a_say_and_never_about_ourselves() {
        let bad = Rumour { failing: true, ..rumour() };
        assert_eq!(merge(Millis(0), &bad, &known(), true).report, Some(true));
        assert_eq!(merge(Millis(0), &rumour(), &known(), true).report, Some(false));
        assert_eq!(merge(Millis(0), &bad, &known(), false).report, None);
        assert_eq!(merge(Millis(0), &bad, &Known { myself: true, ..known() }, true).report, None);
    }

    #[test]
    fn a_new_address_is_taken_only_for_somebody_we_do_not_reach() {
        let moved = Rumour { same_address: false, ..rumour() };
        let lost = Known { failing: true, ..known() };
        assert!(merge(Millis(0), &moved, &lost, false).take_address);
        assert!(!merge(Millis(0), &moved, &known(), false).take_address);
        assert!(!merge(Millis(0), &Rumour { failing: true, ..moved }, &lost, false).take_address);
        assert!(!merge(Millis(0), &Rumour { no_address: true, ..moved }, &lost, false).take_address);
        assert!(!merge(Millis(0), &rumour(), &lost, false).take_address);
    }
}
