//! Runs for chapter 0.

use sim::Trace;

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Trace)> {
    Vec::new()
}
