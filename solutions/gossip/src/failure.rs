//! When a member that was agreed to be down counts as up again.

use core_types::Millis;

/// A master that answers again, and whose slots nobody has taken, is let back after so many node timeouts
/// (`CLUSTER_FAIL_UNDO_TIME_MULT` in Redis's `cluster.h`).
const UNDO_AFTER: u64 = 2;

/// A member that was marked as failed has answered. Is the mark taken from it? At once, if it owns no slots: then
/// nothing depends on everybody's agreeing. A master with slots waits, since its replicas may be electing a successor;
/// if they have not by then, they will not.
pub fn lifted(owns_slots: bool, failed_for: Millis, timeout: Millis) -> bool {
    !owns_slots || failed_for > Millis(timeout.0.saturating_mul(UNDO_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_with_slots_waits_two_timeouts() {
        let timeout = Millis(1000);
        assert!(lifted(false, Millis(0), timeout));
        assert!(!lifted(true, Millis(2000), timeout));
        assert!(lifted(true, Millis(2001), timeout));
    }
}
