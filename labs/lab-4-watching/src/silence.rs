//! Silence: from when on it means *down*, and when the connection is to blame.

use core_types::{Millis, Periods};

use crate::contact::Contact;
use crate::schedule::Kind;

/// One sentinel's opinion: is this instance down, *subjectively*?
///
/// - Silence is the time since the oldest `PING` that has had no answer which proves life; if all are
///   answered and there is no connection, the time since the last such answer. More than `down_after`
///   of it: down.
/// - A master that calls itself a replica is down, too, if it has done so (`claims_replica_since`) for more than
///   `down_after` and two periods of `INFO`: it answers, but it will not take writes.
///
/// Whatever proves life ends the opinion at once; it holds for masters, replicas and sentinels alike.
pub fn subjectively_down(
    now: Millis,
    kind: Kind,
    contact: &Contact,
    claims_replica_since: Option<Millis>,
    down_after: Millis,
    periods: &Periods,
) -> bool {
    // <exercise 4.5>
    todo!("lab 4.5: Subjectively down")
    // </exercise>
}

/// Is it time to close the connection for commands and open a new one?
///
/// A connection can be dead without either end knowing (a firewall that forgot it, a host that was cut from
/// the power). To wait for `down_after` on such a connection would accuse an instance that is well. So when half
/// of `down_after` has passed in silence, a new connection gets its chance: if the connection is older than
/// [`Periods::link_min_age`], a `PING` has been without an answer that proves life for more than half of `down_after`, and no
/// answer of any kind has come for as long.
pub fn command_link_is_dead(now: Millis, contact: &Contact, down_after: Millis, periods: &Periods) -> bool {
    // <exercise 4.6 commands>
    todo!("lab 4.6: Is the connection to blame?")
    // </exercise>
}

/// Is it time to replace the connection on which hellos are heard?
///
/// This sentinel's own hellos come back on it every [`Periods::hello`]. Nothing heard for more than three of them, on
/// a connection older than [`Periods::link_min_age`]: it is dead.
pub fn hello_link_is_dead(now: Millis, connected_at: Millis, heard_at: Millis, periods: &Periods) -> bool {
    // <exercise 4.6 hellos>
    todo!("lab 4.6: Is the connection to blame?")
    // </exercise>
}
