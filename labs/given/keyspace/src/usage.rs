//! What is kept about the use of a key: when it was last used, or how often. Eviction and `OBJECT` want to know.
//!
//! Both fit into the same four bytes of an entry. Which of the two they hold follows from the eviction policy. After a
//! change of policy the old bytes are read in the new way until the key is used again, as in Redis.

use core_types::{Millis, Rng};

/// What is kept about the use of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Usage {
    /// When a key was last used, in seconds.
    #[default]
    Time,
    /// How often it is used: a counter that grows by chance, ever more seldom, and falls with time.
    Frequency {
        /// How seldom the counter grows; with 10 it is full after about a million uses (`lfu-log-factor`).
        log_factor: u32,
        /// After so many minutes without a use the counter falls by one; 0: it never falls (`lfu-decay-time`).
        decay: u32,
    },
}

/// A new key begins with this count, so that it is not the first to go (`LFU_INIT_VAL` in Redis's `server.h`).
const FIRST: u8 = 5;

impl Usage {
    /// What a new key begins with.
    pub(crate) fn first(self, now: Millis) -> u32 {
        match self {
            Usage::Time => now.as_secs() as u32,
            Usage::Frequency { .. } => pack(minutes(now), FIRST),
        }
    }

    /// What is kept after a use; `before` was kept until now.
    #[inline]
    pub(crate) fn used(self, before: u32, now: Millis, rng: &mut Rng) -> u32 {
        match self {
            Usage::Time => now.as_secs() as u32,
            Usage::Frequency { log_factor, decay } => {
                pack(minutes(now), grown(counted(before, now, decay), log_factor, rng))
            }
        }
    }

    /// The counter as it is now, `kept` being what was kept at the last use. `None` if none is kept.
    pub fn frequency(self, kept: u32, now: Millis) -> Option<u8> {
        match self {
            Usage::Time => None,
            Usage::Frequency { decay, .. } => Some(counted(kept, now, decay)),
        }
    }

    /// What is kept of a key whose counter is told (`RESTORE … FREQ`).
    pub(crate) fn told(self, frequency: u8, now: Millis) -> Option<u32> {
        matches!(self, Usage::Frequency { .. }).then(|| pack(minutes(now), frequency))
    }
}

/// Minutes since 1970; only the lower 16 bits, as Redis keeps them.
fn minutes(now: Millis) -> u16 {
    (now.as_secs() / 60) as u16
}

fn pack(minutes: u16, counter: u8) -> u32 {
    u32::from(minutes) << 8 | u32::from(counter)
}

/// The counter, less what it has lost since (`LFUDecrAndReturn` in Redis's `evict.c`).
fn counted(kept: u32, now: Millis, decay: u32) -> u8 {
    let (then, counter) = ((kept >> 8) as u16, kept as u8);
    // Without a decay nothing is lost.
    let lost = u32::from(minutes(now).wrapping_sub(then)).checked_div(decay).unwrap_or(0);
    counter.saturating_sub(u8::try_from(lost).unwrap_or(u8::MAX))
}

/// One use more. The chance that it counts is one in `1 + log_factor * (counter - FIRST)` (`LFULogIncr`).
fn grown(counter: u8, log_factor: u32, rng: &mut Rng) -> u8 {
    let above = u64::from(counter.saturating_sub(FIRST));
    match rng.below(1 + above * u64::from(log_factor)) {
        0 => counter.saturating_add(1),
        _ => counter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: Usage = Usage::Frequency { log_factor: 10, decay: 1 };

    #[test]
    fn a_counter_grows_with_the_logarithm_of_use() {
        let mut rng = Rng::new(1);
        let now = Millis::from_secs(600);
        let mut kept = COUNTS.first(now);
        let mut counters = Vec::new();
        for use_ in 1..=1_000_000 {
            kept = COUNTS.used(kept, now, &mut rng);
            if [100, 1000, 100_000, 1_000_000].contains(&use_) {
                counters.push(COUNTS.frequency(kept, now).unwrap());
            }
        }
        // Redis's own figures for a factor of 10 (in its redis.conf): 10, 18, 142 and 255.
        let near = |at: usize, expected: u8| counters[at].abs_diff(expected) <= 8;
        assert!(near(0, 10) && near(1, 18) && near(2, 142) && near(3, 255), "{counters:?}");
    }

    #[test]
    fn a_counter_falls_with_the_minutes() {
        let kept = pack(minutes(Millis::from_secs(600)), 20);
        let after = |minutes: u64| COUNTS.frequency(kept, Millis::from_secs(600 + 60 * minutes));
        assert_eq!([after(0), after(1), after(19), after(500)], [Some(20), Some(19), Some(1), Some(0)]);
        let forever = Usage::Frequency { log_factor: 10, decay: 0 };
        assert_eq!(forever.frequency(kept, Millis::from_secs(1 << 20)), Some(20));
        // The clock of minutes turns over every 45 days.
        let late = Millis::from_secs(60 * 65_535);
        assert_eq!(COUNTS.frequency(pack(minutes(late), 20), Millis::from_secs(60 * 65_537)), Some(18));
    }

    #[test]
    fn only_a_policy_that_counts_has_a_frequency() {
        assert_eq!(Usage::Time.frequency(7, Millis(0)), None);
        assert_eq!(Usage::Time.told(7, Millis(0)), None);
        assert_eq!(COUNTS.frequency(COUNTS.told(7, Millis(0)).unwrap(), Millis(0)), Some(7));
    }
}
