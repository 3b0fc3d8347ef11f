//! How large a backlog must be to survive an outage.

use core_types::Millis;

use super::{Fleet, KIB, MIB};

/// Sizes are tried in steps of this: the backlog is made of blocks of it.
const STEP: u64 = 16 * KIB;

/// What came of trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// From the break of the connection until the replica asked to go on: the outage, and the time until the
    /// replica's next attempt got through.
    pub silence: Millis,
    /// Bytes written meanwhile that the replica had not got.
    pub missed: u64,
    /// The smallest backlog, in steps of 16 KiB, with which a run ended in a partial resynchronisation.
    pub smallest: u64,
}

/// The connection between a master and its replica breaks, and for so long nothing gets through, as when a firewall
/// restarts and forgets its connections. All the while the master's stream grows by `rate` bytes a second. Tries one
/// size after the other, each in a run of its own.
pub fn outage(length: Millis, rate: u64) -> Outage {
    let (silence, missed, healed) = run(length, rate, 64 * MIB);
    assert!(healed, "64 MiB are enough");
    let heals = |steps: u64| run(length, rate, steps * STEP).2;
    let mut steps = missed.div_ceil(STEP).max(1);
    while !heals(steps) {
        steps += 1;
    }
    while steps > 1 && heals(steps - 1) {
        steps -= 1;
    }
    Outage { silence, missed, smallest: steps * STEP }
}

/// One outage with one size. Returns the silence, what was missed, and whether a partial resynchronisation ended it.
fn run(length: Millis, rate: u64, size: u64) -> (Millis, u64, bool) {
    let mut fleet =
        Fleet::new(Fleet::profile(), &[None, Some(0)], |_, config| config.repl_backlog_size = size as usize);
    fleet.start_all();
    fleet.write_steadily(rate, Millis(250));
    fleet.wait(2000);
    let begin = fleet.world.now();
    fleet.cut(0, 1);
    fleet.wait(length.0);
    fleet.heal(0, 1);
    let [full, partial, _] = fleet.syncs(0);
    let asked = |fleet: &Fleet| {
        let [now_full, now_partial, _] = fleet.syncs(0);
        now_full + now_partial > full + partial
    };
    fleet.wait_to("the replica asks to go on", asked);
    let silence = fleet.world.now().since(begin);
    let missed = fleet.node(0).replication_offset().0 - fleet.node(1).replication_offset().0;
    let healed = fleet.syncs(0)[1] > partial;
    (silence, missed, healed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_backlog_is_what_was_missed_and_not_what_the_outage_lasted() {
        let outage = outage(Millis::from_secs(5), 64 * KIB);
        // TCP tries again after one second, two more, four more: after five seconds of outage at the seventh.
        assert!((Millis(6900)..Millis(7200)).contains(&outage.silence), "{outage:?}");
        let by_silence = 64 * KIB * outage.silence.0 / 1000;
        assert!(
            outage.smallest + 2 * STEP >= by_silence && outage.smallest <= by_silence + 2 * STEP,
            "{outage:?}"
        );
    }
}
