//! Waiting for a condition. Nothing here waits for a fixed time and hopes.

use std::time::{Duration, Instant};

/// How long a condition may take to come true before the test fails. Generous: it is only ever used up by
/// a failing test.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long to pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until `look` finds something.
///
/// # Panics
/// After [`PATIENCE`], with `what`.
pub fn find<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    find_within(PATIENCE, look).unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain for: {what}"))
}

/// Looks until `look` finds something or the time is up.
#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
pub fn find_within<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let give_up = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= give_up {
            return None;
        }
        std::thread::park_timeout(PAUSE);
    }
}

/// How much longer something may take that is made of many steps, each of which is bounded.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now on.
    #[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
    pub fn after(patience: Duration) -> Deadline {
        Deadline(Instant::now() + patience)
    }

    /// # Panics
    /// If the time is up, with `what` was to happen.
    #[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
    pub fn check(self, what: &str) {
        assert!(Instant::now() < self.0, "this goes on and on: {what}");
    }
}

/// Waits until `holds` does.
///
/// # Panics
/// After [`PATIENCE`], with `what`.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    find(what, || holds().then_some(()));
}
