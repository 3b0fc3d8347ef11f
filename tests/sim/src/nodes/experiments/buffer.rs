//! A replica that cannot keep up with a full synchronisation, and the limit that cuts it off.

use core_types::Millis;
use node::config::OutputLimit;

use super::{Fleet, KIB, MIB};

/// A moment in a replica's first synchronisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Since the replica was started.
    pub at: Millis,
    /// Bytes of the stream that wait at the master for the replica.
    pub waiting: u64,
    /// Bytes that the master has sent to it since the beginning.
    pub sent: u64,
}

/// A replica's first synchronisation, over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struggle {
    /// From the start to the end, at equal distances.
    pub samples: Vec<Sample>,
    /// Full synchronisations that the master has begun.
    pub full_syncs: u64,
    /// When the replica was in sync; `None` if it never was.
    pub in_sync: Option<Millis>,
}

/// Data set of the master, what it can send in a second, and what is written to it in a second: the transfer takes
/// eight seconds, and half a mebibyte is written meanwhile.
pub const SETTING: [u64; 3] = [8 * MIB, MIB, 64 * KIB];

/// A replica without data meets such a master, which cuts off any replica for which more than `limit` bytes wait.
/// Watched for so long, every so often.
pub fn struggle(limit: u64, length: Millis, every: Millis) -> Struggle {
    let [data, wire, rate] = SETTING;
    let mut fleet = Fleet::new(Fleet::profile(), &[None, Some(0)], |_, config| {
        // The limit is never below the backlog's size: a small one, so that the limit counts.
        config.repl_backlog_size = 64 * KIB as usize;
        config.client_output_buffer_limit[1] = OutputLimit { hard: limit, soft: 0, patience: Millis::ZERO };
    });
    fleet.fill(data);
    fleet.world.set_bandwidth(fleet.nodes[0], Some(wire));
    fleet.write_steadily(rate, Millis(100));
    fleet.wait(500);
    fleet.start(1);
    let begin = fleet.world.now();
    let (mut samples, mut in_sync) = (Vec::new(), None);
    loop {
        let at = fleet.world.now().since(begin);
        samples.push(Sample { at, waiting: fleet.waiting(), sent: fleet.sent(0, 1) });
        if in_sync.is_none() && fleet.is_online(1) && fleet.waiting() == 0 {
            in_sync = Some(at);
        }
        if at >= length {
            break;
        }
        fleet.wait(every.0);
    }
    Struggle { samples, full_syncs: fleet.syncs(0)[0], in_sync }
}

impl Fleet {
    /// Bytes of the stream that the first node keeps for its first replica.
    fn waiting(&self) -> u64 {
        let master = self.node(0);
        let cursor = master.replicas().first().and_then(|&id| master.replica_cursor(id));
        cursor.map_or(0, |at| master.replication_offset().0 - at.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_below_what_is_written_meanwhile_loops_and_one_above_does_not() {
        let (length, every) = (Millis::from_secs(20), Millis(500));
        let small = struggle(256 * KIB, length, every);
        assert!(small.full_syncs >= 3 && small.in_sync.is_none(), "{small:?}");
        assert!(small.samples.iter().all(|sample| sample.waiting <= 320 * KIB), "{small:?}");
        let large = struggle(MIB, length, every);
        assert_eq!(large.full_syncs, 1, "{large:?}");
        assert!(large.in_sync.is_some_and(|at| at < Millis::from_secs(12)), "{large:?}");
    }
}
