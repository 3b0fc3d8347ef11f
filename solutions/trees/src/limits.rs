//! Output-buffer limits: when a reader that is too slow is let go.
//!
//! What waits for a slow reader lies in the writer's memory. A limit ends that, by ending the connection.
//! There are two: a *hard* one, for amounts that no memory should hold, and a *soft* one, for amounts that
//! are all right for a moment and not for a minute.
//!
//! In Redis: `checkClientOutputBufferLimits` in `networking.c`. Tried with 7.0.15 and a backlog of 1 MB: a hard
//! limit of 100 KB let a replica be 0.8 MB behind and closed it at 1 MB; a soft limit of 100 KB for 1 s closed it
//! at 0.8 MB. So only the hard one is raised.

use core_types::Millis;

// ANCHOR: limit
/// `client-output-buffer-limit` for one class of clients, in bytes. 0
/// switches a limit off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// Reached: out, at once.
    pub hard: u64,
    /// Reached, and for longer than `patience` without a break: out.
    pub soft: u64,
    /// How long the soft limit may be reached.
    pub patience: Millis,
}

/// Which limit it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    /// The hard one.
    Hard,
    /// The soft one, for too long.
    Soft,
}

/// What must be remembered of one reader between two looks at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverLimit {
    since: Option<Millis>,
}
// ANCHOR_END: limit

impl OutputLimit {
    /// The default for replicas: `256mb 64mb 60`.
    pub const REPLICA: OutputLimit =
        OutputLimit { hard: 256 << 20, soft: 64 << 20, patience: Millis::from_secs(60) };

    /// The limit that holds for a replica of a master whose backlog has `backlog` bytes.
    ///
    /// A replica that was let go at less than that would come back, be given all of it by a partial
    /// synchronisation, and be let go again. So a hard limit below the backlog's size means the backlog's
    /// size. What is switched off stays off.
    #[must_use]
    pub fn for_replica(self, backlog: u64) -> OutputLimit {
        // <exercise 3.4 for_replica>
        if self.hard == 0 { self } else { OutputLimit { hard: self.hard.max(backlog), ..self } }
        // </exercise>
    }
}

impl OverLimit {
    /// A look at the reader: `waiting` bytes wait for it now.
    #[inline]
    pub fn check(&mut self, now: Millis, waiting: u64, limit: &OutputLimit) -> Option<Exceeded> {
        // <exercise 3.4 check>
        let over_soft = limit.soft > 0 && waiting >= limit.soft;
        self.since = if over_soft { self.since.or(Some(now)) } else { None };
        if limit.hard > 0 && waiting >= limit.hard {
            return Some(Exceeded::Hard);
        }
        let since = self.since?;
        (now.since(since) > limit.patience).then_some(Exceeded::Soft)
        // </exercise>
    }
}
