//! Rules of thumb in circulation, put to the test.

use core_types::Millis;

use super::{Fleet, Outage, outage};
use crate::world::Profile;

/// A backlog of a given size, and what one outage would have taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Healing {
    /// The size that was tried.
    pub size: u64,
    /// The smallest that heals.
    pub smallest: u64,
    /// Whether the size was enough.
    pub healed: bool,
}

/// A backlog of `percent` hundredths of the data set, against an outage with so many bytes written in a second.
pub fn heals(data: u64, percent: u64, length: Millis, rate: u64) -> Healing {
    let Outage { smallest, .. } = outage(length, rate);
    let size = data * percent / 100;
    Healing { size, smallest, healed: size >= smallest }
}

/// How often in a minute a replica gives its link up although nothing is broken: nobody writes, a message takes
/// `delay`, and `repl-timeout` is `timeout`. The master's pings come every ten seconds, as by default.
pub fn flapping(delay: Millis, timeout: Millis) -> u64 {
    let profile = Profile { latency: (delay, delay), ..Fleet::profile() };
    let mut fleet = Fleet::new(profile, &[None, Some(0)], |place, config| {
        if place == 1 {
            config.repl_timeout = timeout;
        }
    });
    fleet.start(1);
    fleet.wait(60_000);
    let [full, partial, refused] = fleet.syncs(0);
    (full + partial + refused).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::experiments::{KIB, MIB};

    #[test]
    fn hundredths_of_memory_say_nothing_about_an_outage() {
        let busy = heals(MIB, 10, Millis::from_secs(3), 64 * KIB);
        assert!(!busy.healed, "{busy:?}");
        let quiet = heals(64 * MIB, 10, Millis::from_secs(3), KIB);
        assert!(quiet.healed && quiet.size > 100 * quiet.smallest, "{quiet:?}");
    }

    #[test]
    fn a_timeout_below_the_ping_period_cuts_a_healthy_link() {
        assert!(flapping(Millis(50), Millis(1000)) > 10);
        assert_eq!(flapping(Millis(50), Millis(60_000)), 0);
    }
}
