//! The subtree: what becomes of a node's replicas when the node's own master changes.
//!
//! A replica of a replica knows nothing of the master at the top. All it can see is its connection to the node
//! above it. So that connection has to say what matters: as long as it stands, the stream on it is one
//! unbroken history under one name. When that is no longer true, the node above breaks it.
//!
//! In Redis: the callers of `disconnectSlaves` in `replication.c`, and the first refusals of `syncCommand`. Each
//! row of [`fate`] was tried with 7.0.15.
//!
//! Nobody looks for rings. If a master is told to follow its own replica, both offer the same point of the same
//! history, both are accepted, and there is no master any more.

use std::fmt;

use core_types::Role;

// ANCHOR: upstream
/// Something happened between a node that feeds replicas and the master
/// that it follows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// The link broke.
    Lost,
    /// The link is back, `+CONTINUE`, and the history has its old name.
    ContinuedSame,
    /// The link is back, `+CONTINUE`, and the history has a new name.
    ContinuedUnderNewId,
    /// `+FULLRESYNC`: a whole new data set is on its way. The node still
    /// has its old one.
    Resynchronising,
    /// The new data set has arrived whole and takes the place of the old.
    Replaced,
    /// The node became a master itself.
    Promoted,
    /// The node, replica or master, was told to follow another master,
    /// which has not answered yet.
    Repointed,
}

/// What becomes of the node's own replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They stay connected, and hear nothing of it.
    Keep,
    /// They are disconnected, and will come back and ask again.
    Disconnect,
}
// ANCHOR_END: upstream

/// Decides what becomes of a node's replicas.
pub fn fate(upstream: Upstream) -> Fate {
    // <exercise 3.8 fate>
    todo!("lab 3.8: The subtree")
    // </exercise>
}

/// A node that cannot take new replicas now. Displays as the error that they get, code first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMasterLink {
    /// It is a replica, and not in step with its own master.
    LinkDown,
    /// It is a master that is about to hand its place to a replica (`FAILOVER`).
    FailingOver,
}

impl fmt::Display for NoMasterLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoMasterLink::LinkDown => "NOMASTERLINK Can't SYNC while not connected with my master",
            NoMasterLink::FailingOver => "NOMASTERLINK Can't SYNC while failing over",
        })
    }
}

/// Does a node answer `PSYNC` now? `link_online`: it is in step with its own master, if it has one. If both reasons
/// apply, it is told that the node is failing over.
pub fn accepts(role: &Role, link_online: bool, failing_over: bool) -> Result<(), NoMasterLink> {
    // <exercise 3.8 accepts>
    todo!("lab 3.8: The subtree")
    // </exercise>
}
