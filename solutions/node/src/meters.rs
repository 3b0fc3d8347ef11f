/// What only the process can know about itself. The driver measures; the node reports it and keeps to
/// `maxmemory`.
///
/// A node has no clock, and its decisions follow from the times it is handed. How long a command *took* is
/// no such input: it decides nothing, and is only told (`SLOWLOG`, `INFO commandstats`). So it may be asked
/// for in the middle of an event, of this trait. The default of every method is "not known": in the
/// simulator no time passes within an event, and no memory limit is in force unless a test brings a meter.
pub trait Meters {
    /// A count of microseconds that only grows, from any start. Read once for each command.
    fn micros(&self) -> u64 {
        0
    }

    /// Bytes that are allocated at the moment; 0 if nobody counts them.
    fn used_memory(&self) -> u64 {
        0
    }

    /// Bytes of the machine's memory that the process occupies (resident set size).
    fn resident_memory(&self) -> u64 {
        0
    }

    /// Microseconds of processor time spent so far: in the system, and in the program.
    fn cpu(&self) -> (u64, u64) {
        (0, 0)
    }
}

/// Knows nothing.
pub(crate) struct NoMeters;

impl Meters for NoMeters {}
