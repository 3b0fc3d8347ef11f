//! `REPLICAOF`: from master to replica, from one master to another, and back.
//!
//! What never happens here: dropping data. A node keeps what it has until the new master's snapshot has
//! arrived whole. `REPLICAOF NO ONE` keeps it for good, which is what makes it a manual failover.

use core_types::{Endpoint, Role};

/// What `REPLICAOF` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaOf {
    /// `REPLICAOF NO ONE`
    NoOne,
    /// `REPLICAOF host port`
    Of(Endpoint),
}

// ANCHOR: step
/// One step of a change of role. The node carries them out in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleStep {
    /// Close the connection to the present master, and forget what was
    /// half transferred.
    CloseLink,
    /// Close the connections of this node's own replicas: what they
    /// follow is about to be another history. They come back by
    /// themselves.
    CloseReplicas,
    /// Begin a history of its own: writes from now on are under a new
    /// replication id.
    NewReplicationId,
    /// Be this from now on.
    Become(Role),
    /// Connect to this master and synchronise.
    Connect(Endpoint),
    /// Answer the client with this status.
    Reply(&'static str),
}
// ANCHOR_END: step

/// Decides what `REPLICAOF` changes at a node that is `role` now.
///
/// - A master that is asked to be one: nothing, `OK`.
/// - A replica that is told to follow whom it follows already (host names compare without regard to
///   case): nothing, `OK Already connected to specified master`.
/// - Otherwise the old link is closed, if there is one, and so are the links of its own replicas. A node
///   that becomes a master begins a new history. A node that becomes a replica connects. `OK`.
pub fn replicaof(role: &Role, request: &ReplicaOf) -> Vec<RoleStep> {
    // <exercise 1.9>
    todo!("lab 1.9: Changing sides")
    // </exercise>
}
