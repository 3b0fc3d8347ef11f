//! What a synchronisation costs: everything again, or only what was missed.

use core_types::Millis;
use node::layers::one_replica::LinkState;

use super::{Fleet, KIB};

/// What went over the wire, and how long it took, from the replica's first word to the moment it has everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// From master to replica.
    pub bytes: u64,
    /// Virtual time. Making and loading a snapshot takes none.
    pub time: Millis,
}

/// A replica without data meets a master that holds `data` bytes, while nobody writes.
pub fn full(data: u64) -> Cost {
    let mut fleet = Fleet::new(Fleet::profile(), &[None, Some(0)], |_, _| {});
    fleet.fill(data);
    fleet.start(1);
    fleet.wait_to("the handshake begins", is_talking);
    let time = fleet.wait_to("the replica is in sync", |fleet| fleet.is_in_sync(1));
    Cost { bytes: fleet.sent(0, 1), time }
}

/// A replica in sync loses its connection to a master that holds `data` bytes, and finds it again a second later.
/// Meanwhile about 64 KiB are written.
pub fn partial(data: u64) -> Cost {
    let mut fleet = Fleet::new(Fleet::profile(), &[None, Some(0)], |_, _| {});
    fleet.fill(data);
    fleet.start_all();
    fleet.write_steadily(64 * KIB, Millis(125));
    fleet.wait(1000);
    fleet.cut(0, 1);
    fleet.wait(900);
    fleet.heal(0, 1);
    fleet.wait_to("the handshake begins", is_talking);
    // What the master has meanwhile written into the dead connection never went over the wire.
    let before = fleet.sent(0, 1);
    fleet.stop_writing();
    let time = fleet.wait_to("the replica is in sync", |fleet| fleet.is_in_sync(1));
    assert_eq!(fleet.syncs(0), [1, 1, 0], "one synchronisation at first, and a partial one");
    Cost { bytes: fleet.sent(0, 1) - before, time }
}

/// The parts of a full synchronisation that cross the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Bytes of the snapshot, with its frame.
    pub snapshot: u64,
    /// Bytes of the stream that were written meanwhile, and wait behind it.
    pub stream: u64,
    /// From the replica's first word to the end of the snapshot.
    pub transfer: Millis,
    /// From there until the replica has caught up.
    pub catching_up: Millis,
}

/// A replica without data meets a master that holds `data` bytes, and whose stream grows by `rate` bytes a second all
/// the while.
pub fn parts(data: u64, rate: u64) -> Parts {
    let mut fleet = Fleet::new(Fleet::profile(), &[None, Some(0)], |_, _| {});
    fleet.fill(data);
    fleet.write_steadily(rate, Millis(10));
    fleet.wait(500);
    fleet.start(1);
    fleet.wait_to("the handshake begins", is_talking);
    let transfer = fleet.wait_to("the replica is online", |fleet| fleet.is_online(1));
    // All that the master has written by now must still be fetched; what comes later is ordinary replication.
    let (goal, begin) = (fleet.node(0).replication_offset(), fleet.node(1).replication_offset());
    let reached = |fleet: &Fleet| fleet.node(1).replication_offset() >= goal;
    let catching_up = fleet.wait_to("the replica has caught up", reached);
    let stream = goal.0 - begin.0;
    let applied = fleet.node(1).replication_offset().0 - begin.0;
    Parts { snapshot: fleet.sent(0, 1).saturating_sub(applied), stream, transfer, catching_up }
}

/// True once the replica has said its first word.
fn is_talking(fleet: &Fleet) -> bool {
    matches!(
        fleet.node(1).link_state(),
        Some(LinkState::Handshake(_) | LinkState::Transfer | LinkState::Online)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::experiments::MIB;

    #[test]
    fn a_full_sync_grows_with_the_data_and_a_partial_one_does_not() {
        let (small, large) = (full(256 * KIB), full(MIB));
        assert!(small.bytes > 256 * KIB && large.bytes > MIB, "{small:?} {large:?}");
        assert!(small.bytes < 300 * KIB && large.bytes < MIB + 50 * KIB, "{small:?} {large:?}");
        assert!(large.time > small.time);
        let (small, large) = (partial(256 * KIB), partial(MIB));
        assert_eq!(small, large);
        assert!((48 * KIB..96 * KIB).contains(&small.bytes), "{small:?}");
    }

    #[test]
    fn the_longer_the_transfer_the_more_waits_behind_it() {
        let (small, large) = (parts(MIB, 256 * KIB), parts(4 * MIB, 256 * KIB));
        assert!(large.stream > 2 * small.stream && large.transfer > small.transfer, "{small:?} {large:?}");
        assert!((4 * MIB..4 * MIB + 200 * KIB).contains(&large.snapshot), "{large:?}");
    }
}
