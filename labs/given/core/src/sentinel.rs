use crate::Millis;

/// The rhythm of a sentinel. None of it is in the configuration file; `SENTINEL DEBUG` shows and changes it, for
/// tests. The defaults are those at the head of Redis's `sentinel.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// Between two `PING`s to one instance.
    pub ping: Millis,
    /// Between two `INFO`s, while all is well.
    pub info: Millis,
    /// Between two questions to another sentinel about a master that is down for us.
    pub ask: Millis,
    /// Between two hellos.
    pub hello: Millis,
    /// A gap between two ticks beyond which a sentinel does not trust its clock.
    pub tilt_trigger: Millis,
    /// How long it then only watches.
    pub tilt: Millis,
    /// A replica that was told to follow the new master, and does not show it, is told again after this time.
    pub reconf_timeout: Millis,
    /// A connection is left alone for so long, however silent it is.
    pub link_min_age: Millis,
    /// Nobody waits longer than this to be elected.
    pub election_timeout: Millis,
}

impl Default for Periods {
    fn default() -> Periods {
        Periods {
            ping: Millis(1000),
            info: Millis(10_000),
            ask: Millis(1000),
            hello: Millis(2000),
            tilt_trigger: Millis(2000),
            tilt: Millis(30_000),
            reconf_timeout: Millis(10_000),
            link_min_age: Millis(15_000),
            election_timeout: Millis(10_000),
        }
    }
}
