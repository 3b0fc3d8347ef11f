//! The settings that bound the loss.
//!
//! The scene: `master` and its replicas, three sentinels (quorum 2, down after 5 seconds) and `client`, which writes to the host
//! `master` four times a second and talks to no other. Master, client and some of the replicas stand in one hall, the sentinels
//! and the other replicas in another; the cable between the halls breaks now and then.

use core_types::Millis;
use drill::Settings;

/// How a shop is built, and what it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shop {
    /// The master's replicas, at least two.
    pub replicas: u64,
    /// So many of them stand in the master's hall, and stay with it when the cable breaks. At least two fewer than all.
    pub beside: u64,
    /// If the replicas of the other hall stand still for so long, that is no reason to refuse a write. Whole seconds.
    pub hiccup: Millis,
    /// No write that is acknowledged later than this after the cable broke may be lost. Whole seconds, at least
    /// five more than `hiccup`.
    pub bound: Millis,
}

/// Lines for the files of the nodes, with `min-replicas-to-write` and `min-replicas-max-lag` only, so that
///
/// - if the cable breaks for long and the sentinels promote a replica of the other hall, what is lost was acknowledged within
///   `bound` of the break;
/// - as long as nothing worse happens than one replica's death, or a hiccup of the other hall, no write is refused.
pub fn bounded_loss(shop: &Shop) -> Settings {
    // <exercise 10.2>
    todo!("lab 10.2: The settings that bound the loss")
    // </exercise>
}
