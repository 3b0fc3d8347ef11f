//! The configuration: which one is newer, and who does not live up to it.

use core_types::{Endpoint, Epoch, Millis};

// ANCHOR: claim
/// What somebody holds for the configuration of a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Where the master is.
    pub master: Endpoint,
    /// In which epoch it was put there.
    pub epoch: Epoch,
}
// ANCHOR_END: claim

/// A hello brings a claim: is it to be taken over? Only if its epoch is greater than ours. With the same epoch nothing
/// can be newer, since one epoch has one leader and a leader makes one configuration; whoever says otherwise has
/// not heard of it yet, or lies.
pub fn newer(ours: &Claim, theirs: &Claim) -> bool {
    // <exercise 5.7>
    todo!("lab 5.7: The newer configuration")
    // </exercise>
}

// ANCHOR: reported
/// What an instance that we hold for a replica says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    /// "I am a master", since this time.
    Master {
        /// When its `INFO` first said so.
        since: Millis,
    },
    /// "I follow this one", since this time.
    ReplicaOf {
        /// Whom its `INFO` names.
        master: Endpoint,
        /// When its `INFO` first said so.
        since: Millis,
    },
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// Nothing, or not yet.
    Leave,
    /// Tell it to follow our master: it is an old master that came back (`+convert-to-slave`).
    Convert,
    /// Tell it to follow our master: it follows another (`+fix-slave-config`).
    Fix,
}
// ANCHOR_END: reported

// ANCHOR: standing
/// What the decision about an instance depends on besides its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The master of our configuration.
    pub master: Endpoint,
    /// It is up, says that it is a master, and has said so lately.
    pub master_is_sane: bool,
    /// The instance is being promoted right now, by us.
    pub promoted: bool,
    /// When it last went down, if it ever did.
    pub went_down_at: Option<Millis>,
    /// `failover-timeout`
    pub failover_timeout: Millis,
    /// Time between two hellos.
    pub hello_period: Millis,
}
// ANCHOR_END: standing

/// Decides what to do about an instance that is a replica by our configuration.
///
/// It may be *we* who are behind: another sentinel has just promoted it, and its hello is on the way. So nothing is
/// corrected before the contradiction has lasted: for more than four periods of hellos if it calls itself a master,
/// for more than `failover_timeout` if it follows another, who may be the new master of a failover under way.
/// For as long the instance must not have gone down; and our own master must be sane, or there is nothing worth
/// following. What we are promoting ourselves is left alone.
pub fn correction(now: Millis, reported: &Reported, standing: &Standing) -> Correction {
    // <exercise 5.8>
    todo!("lab 5.8: Who does not live up to it")
    // </exercise>
}
