//! The three timers: who is sent what, and how often.

use core_types::{Millis, Periods};

use crate::contact::Contact;

// ANCHOR: kind
/// What a sentinel watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A master that the configuration names.
    Master,
    /// One of its replicas, found in its `INFO`.
    Replica,
    /// Another sentinel that watches the same master, found by its hello.
    Sentinel,
}

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// `INFO`: the role, the replicas, the offsets.
    Info,
    /// `PING`: alive?
    Ping,
    /// A hello, published on the instance's `__sentinel__:hello`: I am here, and this is the
    /// configuration I know.
    Hello,
}
// ANCHOR_END: kind

/// Time between two `INFO`s to a replica whose master is in trouble: its offset and its link now matter
/// (`sentinelSendPeriodicCommands` in Redis's `sentinel.c`).
pub const INFO_PERIOD_IN_TROUBLE: Millis = Millis(1000);

/// Decides what an instance that is connected shall be sent now. The order is `Info`, `Ping`, `Hello`.
///
/// - `INFO` goes to masters and replicas: the first at once, then when the last *answer* is older than
///   [`Periods::info`]. `in_trouble` (a replica whose master is objectively down or being failed over, or whose own
///   link to its master is down) shortens the period to [`INFO_PERIOD_IN_TROUBLE`]; for a master it
///   changes nothing.
/// - `PING` goes to all, when the last answer is older than the period and the last `PING` older than half
///   of it: an instance that does not answer is not flooded, and a late answer delays nothing by more than
///   half a period. The period is [`Periods::ping`], or `down_after` if that is shorter.
/// - A hello goes to all, when the last one that was taken is older than [`Periods::hello`].
pub fn due(
    now: Millis,
    kind: Kind,
    contact: &Contact,
    in_trouble: bool,
    down_after: Millis,
    periods: &Periods,
) -> Vec<Probe> {
    // <exercise 4.1>
    todo!("lab 4.1: The three timers")
    // </exercise>
}
