//! A hook for whoever runs an answer that may never come back: its trace dies with it, the count does not.

use std::sync::OnceLock;

static WATCHER: OnceLock<fn()> = OnceLock::new();

/// Calls `watcher` at each event that any trace of this process gets from now on. Only the first call counts.
pub fn watch(watcher: fn()) {
    let _ = WATCHER.set(watcher);
}

pub(super) fn happened() {
    if let Some(watcher) = WATCHER.get() {
        watcher();
    }
}
