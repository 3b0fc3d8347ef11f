//! What must hold between a master and its replicas.

use core_types::{Broken, Role};
use node::Node;
use node::layers::one_replica::LinkState;

use super::NodeHost;
use crate::world::{HostId, World};

/// The node on a host, if it is up.
pub fn node<'w>(world: &'w World<'_>, id: HostId) -> Option<&'w Node> {
    world.get::<NodeHost>(id).map(NodeHost::node)
}

/// True if the node on `replica` has been told to follow the node on `master`, whatever became of it.
pub fn follows(world: &World<'_>, replica: HostId, master: HostId) -> bool {
    match node(world, replica).map(Node::role) {
        Some(Role::Replica { of }) => of.host == world.name(master),
        _ => false,
    }
}

/// Between any two nodes with the same replication id, one being the other's replica:
///
/// - the replica is never ahead of its master;
/// - while it is online, and has applied as many bytes as its master has written, both hold the same data.
///
/// To be called after every step; looks only at pairs of which the last stepped host is one.
///
/// # Errors
/// The rule that is broken, with both offsets.
pub fn replica_equals_master_at_equal_offset(
    world: &World<'_>,
    master: HostId,
    replica: HostId,
) -> Result<(), Broken> {
    if ![master, replica].contains(&world.last_stepped()) {
        return Ok(());
    }
    let (Some(upper), Some(lower)) = (node(world, master), node(world, replica)) else { return Ok(()) };
    if upper.replication_id() != lower.replication_id() || lower.link_state() != Some(LinkState::Online) {
        return Ok(());
    }
    let (written, applied) = (upper.replication_offset(), lower.replication_offset());
    if applied > written {
        return Err(Broken::new(
            "a replica is never ahead of its master",
            format!("{} is at {applied}, {} only at {written}", world.name(replica), world.name(master)),
        ));
    }
    if applied == written && upper.keyspace() != lower.keyspace() {
        return Err(Broken::new(
            "at equal offsets, master and replica hold the same data",
            format!("both are at {written}; {}", difference(upper, lower)),
        ));
    }
    Ok(())
}

/// True if `replica`, at whatever depth below `master`, follows without lag.
pub fn is_level(world: &World<'_>, master: HostId, replica: HostId) -> bool {
    let (Some(upper), Some(lower)) = (node(world, master), node(world, replica)) else { return false };
    lower.link_state() == Some(LinkState::Online)
        && upper.replication_id() == lower.replication_id()
        && upper.replication_offset() == lower.replication_offset()
}

/// True if it does, and holds the same data.
pub fn in_sync(world: &World<'_>, master: HostId, replica: HostId) -> bool {
    let same = || Some(node(world, master)?.keyspace() == node(world, replica)?.keyspace());
    is_level(world, master, replica) && same() == Some(true)
}

/// The first key that two nodes disagree about, in words.
pub(super) fn difference(upper: &Node, lower: &Node) -> String {
    for (one, other, only) in [(upper, lower, "master"), (lower, upper, "replica")] {
        for (db, key, entry) in one.keyspace().iter() {
            let key_text = core_types::show_bytes(key);
            match other.keyspace().db(db).get(key) {
                None => return format!("only the {only} has the key {key_text} of database {db}"),
                Some(theirs) if theirs.value != entry.value || theirs.expire_at() != entry.expire_at() => {
                    return format!(
                        "the key {key_text} of database {db} is {:?} (expires at {:?}) on the {only}, and {:?} (expires \
                         at {:?}) on the other",
                        entry.value,
                        entry.expire_at(),
                        theirs.value,
                        theirs.expire_at()
                    );
                }
                Some(_) => {}
            }
        }
    }
    "the data sets differ".into()
}
