//! Whom a node pings, and when it begins to doubt.
//!
//! Ten times a second a node looks at everybody it knows. Once a second it pings one more, the one of five drawn at
//! random that it has not heard for longest: that alone would reach everybody sooner or later, and costs the same in a
//! cluster of any size. So that *later* has a bound, whoever has been silent for half the node timeout is pinged at once.
//!
//! The other half of the timeout is for the answer. If half of it passes without a byte, the connection may be at
//! fault and not the node: it is made anew, once, and the ping is sent again. If the whole of it passes, the node may
//! have failed (`PFAIL`). That is one node's opinion, and nothing follows from it yet.

use core_types::{Millis, Rng};

/// How often a node looks around (`clusterCron` in Redis's `cluster.c`).
pub const LOOK_AROUND: Millis = Millis(100);

/// Every so many looks, one more is pinged: once a second.
pub const LOOKS_PER_EXTRA_PING: u64 = 10;

/// Of so many drawn at random, the one that was heard least recently is pinged.
pub const DRAWN: usize = 5;

// ANCHOR: contact
/// What a node knows of its contact with one other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Since when there is a connection to it, standing or being made.
    pub linked: Option<Millis>,
    /// When the ping was sent that it has not answered; zero if it owes nothing.
    pub ping_sent: Millis,
    /// When it answered last.
    pub pong_received: Millis,
    /// When it last said anything.
    pub data_received: Millis,
}

/// What is due for one other node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Due {
    /// Close the connection; it will be made anew.
    pub reconnect: bool,
    /// Ping it now.
    pub ping: bool,
    /// It has been silent for too long.
    pub suspect: bool,
}
// ANCHOR_END: contact

/// What is due for a node, `timeout` being the node timeout.
pub fn due(now: Millis, contact: &Contact, timeout: Millis) -> Due {
    // <exercise 7.2>
    let half = Millis(timeout.0 / 2);
    let waiting = contact.ping_sent != Millis::ZERO;
    let (asked, silent) = (now.since(contact.ping_sent), now.since(contact.data_received));
    // A connection that was made anew a moment ago gets its chance.
    let old = contact.linked.is_some_and(|since| now.since(since) > timeout);
    let reconnect = old && waiting && asked > half && silent > half;
    let linked = contact.linked.is_some() && !reconnect;
    Due {
        reconnect,
        ping: linked && !waiting && now.since(contact.pong_received) > half,
        // Any byte is a sign of life: an answer may stand behind a large message.
        suspect: waiting && asked.min(silent) > timeout,
    }
    // </exercise>
}

/// Which of these candidates gets the extra ping: draws [`DRAWN`] places of `known` members with repetition, as Redis
/// does, and takes the one whose last answer is oldest. `candidate` tells that time for those who can be pinged now. With no
/// member at all nothing is drawn.
pub fn extra_ping(
    rng: &mut Rng,
    known: usize,
    mut candidate: impl FnMut(usize) -> Option<Millis>,
) -> Option<usize> {
    // <exercise 7.3>
    let mut oldest: Option<(Millis, usize)> = None;
    for _ in 0..DRAWN {
        let place = rng.below(known.max(1) as u64) as usize;
        if let Some(heard) = candidate(place)
            && oldest.is_none_or(|(least, _)| heard < least)
        {
            oldest = Some((heard, place));
        }
    }
    oldest.map(|(_, place)| place)
    // </exercise>
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Millis = Millis(1000);

    fn contact() -> Contact {
        let heard = Millis(10_000);
        Contact {
            linked: Some(Millis(1)),
            ping_sent: Millis::ZERO,
            pong_received: heard,
            data_received: heard,
        }
    }

    #[test]
    fn half_a_timeout_of_silence_is_a_ping_and_only_with_a_connection() {
        assert_eq!(due(Millis(10_500), &contact(), TIMEOUT), Due::default());
        let ping = Due { ping: true, ..Due::default() };
        assert_eq!(due(Millis(10_501), &contact(), TIMEOUT), ping);
        let waiting = Contact { ping_sent: Millis(10_400), ..contact() };
        assert_eq!(due(Millis(10_501), &waiting, TIMEOUT), Due::default());
        assert_eq!(due(Millis(10_501), &Contact { linked: None, ..contact() }, TIMEOUT), Due::default());
    }

    #[test]
    fn a_connection_without_an_answer_is_made_anew_once_and_then_the_node_is_suspected() {
        let asked = Contact { ping_sent: Millis(10_100), ..contact() };
        assert!(!due(Millis(10_600), &asked, TIMEOUT).reconnect);
        let due_then = due(Millis(10_601), &asked, TIMEOUT);
        assert!(due_then.reconnect && !due_then.suspect);
        // The new connection is not given up again, and the ping keeps its time.
        let fresh = Contact { linked: Some(Millis(10_601)), ..asked };
        assert!(!due(Millis(11_100), &fresh, TIMEOUT).reconnect);
        assert!(!due(Millis(11_100), &fresh, TIMEOUT).suspect);
        assert!(due(Millis(11_101), &fresh, TIMEOUT).suspect);
        // Without any connection at all, too.
        assert!(due(Millis(11_101), &Contact { linked: None, ..asked }, TIMEOUT).suspect);
        // A byte in between is a sign of life.
        let alive = Contact { data_received: Millis(10_900), ..fresh };
        assert!(!due(Millis(11_101), &alive, TIMEOUT).suspect);
    }

    #[test]
    fn the_extra_ping_goes_to_the_one_heard_least_recently_of_those_drawn() {
        let mut rng = Rng::new(4);
        let mut counts = [0; 20];
        for _ in 0..2000 {
            let chosen = extra_ping(&mut rng, 20, |place| (place != 3).then_some(Millis(place as u64)));
            counts[chosen.expect("somebody can be pinged")] += 1;
        }
        assert_eq!(counts[3], 0, "who cannot be pinged is not");
        assert!(counts[0] > 300 && counts[19] < 20, "{counts:?}");
        assert_eq!(extra_ping(&mut rng, 0, |_| None), None);
    }
}
