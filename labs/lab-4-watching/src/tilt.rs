//! TILT: when a sentinel does not trust its own clock.
//!
//! Everything here is decided from spans of time. If the clock jumped, or the process was stopped for a while, all
//! those spans are wrong together, and every instance looks dead at once. So a sentinel looks at its own rhythm
//! first.

use core_types::{Millis, Periods};

/// What a tick has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TiltStep {
    /// Nothing.
    Same,
    /// TILT begins (`+tilt`), or begins anew.
    Enter,
    /// TILT ends (`-tilt`).
    Leave,
}

/// Watches the rhythm of the timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tilt {
    last_tick: Millis,
    since: Option<Millis>,
}

impl Tilt {
    /// The timer starts at `now`.
    pub fn new(now: Millis) -> Tilt {
        Tilt { last_tick: now, since: None }
    }

    /// Since when TILT has been on.
    pub fn since(&self) -> Option<Millis> {
        self.since
    }

    /// True while nothing may be concluded from time. A sentinel in TILT goes on probing and listening; it judges
    /// nobody, starts nothing, and gives no opinion.
    pub fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// The timer has run. A gap of more than [`Periods::tilt_trigger`] since the last time, or a clock that went back,
    /// begins TILT, also where it is on already: its time then counts from now. It ends when it has lasted for
    /// [`Periods::tilt`].
    pub fn tick(&mut self, now: Millis, periods: &Periods) -> TiltStep {
        // <exercise 4.9>
        todo!("lab 4.9: TILT")
        // </exercise>
    }
}
