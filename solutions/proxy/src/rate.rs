//! A limit on how many commands a second a pool takes.

use core_types::Millis;

/// A bucket of permits. It holds as many as one second gives, and starts full: a burst may use up what a quiet
/// second has saved, and no more.
#[derive(Debug)]
pub(crate) struct Rate {
    /// Permits a second.
    limit: u32,
    /// In thousandths of a permit, so that every millisecond adds a whole number.
    level: u64,
    filled_at: Millis,
}

impl Rate {
    pub(crate) fn new(limit: u32, now: Millis) -> Rate {
        Rate { limit, level: u64::from(limit) * 1000, filled_at: now }
    }

    /// Takes a permit, if there is one.
    pub(crate) fn take(&mut self, now: Millis) -> bool {
        let full = u64::from(self.limit) * 1000;
        let gained = now.since(self.filled_at).0.saturating_mul(u64::from(self.limit));
        self.level = self.level.saturating_add(gained).min(full);
        self.filled_at = self.filled_at.max(now);
        let granted = self.level >= 1000;
        if granted {
            self.level -= 1000;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_gives_as_many_as_the_limit_says() {
        let mut rate = Rate::new(3, Millis(1000));
        let mut taken = |now| (0..10).filter(|_| rate.take(Millis(now))).count();
        assert_eq!(taken(1000), 3);
        assert_eq!(taken(1333), 0);
        assert_eq!(taken(1334), 1);
        assert_eq!(taken(60_000), 3, "a long silence saves no more than one second's worth");
        assert_eq!(taken(59_000), 0, "a clock that goes back gives nothing");
    }
}
