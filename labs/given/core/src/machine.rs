use std::error::Error;
use std::fmt;

use crate::Millis;

/// A decision as a state machine: events in, effects out, nothing else.
///
/// A driver (the simulator, or the tokio server) owns the sockets, the files and the clock. It feeds
/// one event at a time and carries out the effects in the order in which they were pushed.
pub trait Machine {
    /// What can happen to it.
    type Input;
    /// What it can ask its driver to do.
    type Output;

    /// Feeds one event. `now` is read once by the driver, so that one event sees one time.
    fn step(&mut self, now: Millis, input: Self::Input, out: &mut Vec<Self::Output>);

    /// When the machine wants to be woken if nothing else happens. A tick too many does no harm.
    fn next_deadline(&self) -> Option<Millis>;

    /// What must hold after every step, whatever happened. Checked by the simulator each time.
    fn check_invariants(&self) -> Result<(), Broken>;
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule in plain words, as its chapter states it.
    pub rule: String,
    /// What was seen instead, with the values.
    pub detail: String,
}

impl Broken {
    /// `rule` is what should hold, `detail` what was seen.
    pub fn new(rule: impl Into<String>, detail: impl Into<String>) -> Broken {
        Broken { rule: rule.into(), detail: detail.into() }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

impl Error for Broken {}
