//! The one place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use core_types::Millis;

/// The wall clock: expiry times are wall-clock times and travel to the replicas.
#[expect(clippy::disallowed_methods, reason = "the edge, where time comes in")]
pub(crate) fn now() -> Millis {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(since_epoch.as_millis() as u64)
}
