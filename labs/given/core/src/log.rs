use std::fmt;

/// How much a log line matters. `loglevel` in the configuration names the least that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Every detail, for a developer.
    Debug,
    /// Often of no interest: a client connected.
    Verbose,
    /// What an operator of a running node wants to know. The default.
    Notice,
    /// Something is wrong, or about to be.
    Warning,
}

impl LogLevel {
    /// The character that stands for the level in a log line (`serverLogRaw` in Redis's `server.c`).
    pub const fn mark(self) -> char {
        match self {
            LogLevel::Debug => '.',
            LogLevel::Verbose => '-',
            LogLevel::Notice => '*',
            LogLevel::Warning => '#',
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            LogLevel::Debug => "debug",
            LogLevel::Verbose => "verbose",
            LogLevel::Notice => "notice",
            LogLevel::Warning => "warning",
        })
    }
}
