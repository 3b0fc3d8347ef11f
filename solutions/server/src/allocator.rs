//! What the process does about the memory that it has and does not need.
//!
//! - Huge pages are not used. The system would give two mebibytes where a few kilobytes are wanted: a million
//!   small keys took a fifth more with them. Redis does the same (`disable-thp yes`).
//! - What is left of a data set that was deleted goes back to the system. The allocator keeps free memory for
//!   later, and looks through it only while it has work; a server that has just been emptied may have none.

/// Takes part in no huge pages from now on.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe wrapper knows this call")]
pub(crate) fn no_huge_pages() {
    // SAFETY: the call takes four numbers and sets a flag of this process. If it is not known to the system, it
    // fails, and things stay as they are.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
}

/// Elsewhere the system decides.
#[cfg(not(target_os = "linux"))]
pub(crate) fn no_huge_pages() {}

/// So many bytes less than there were are worth a look at all that is left, and so is this part of them.
const WORTH_IT: u64 = 8 << 20;
const PART: u64 = 8;

/// Notices when much has been freed.
#[derive(Default)]
pub(crate) struct GiveBack {
    /// The most that was in use since memory was last given back.
    most: u64,
}

impl GiveBack {
    /// To be called now and then, with the number of bytes in use. Looking through what is left costs time in
    /// proportion to it, so this happens only after as much has been freed.
    pub(crate) fn look(&mut self, used: u64) {
        if self.is_due(used) {
            give_back();
        }
    }

    fn is_due(&mut self, used: u64) -> bool {
        self.most = self.most.max(used);
        let due = self.most - used >= WORTH_IT.max(self.most / PART);
        if due {
            self.most = used;
        }
        due
    }
}

/// In a debug build, which does not allocate with mimalloc, there is nothing to give.
#[expect(unsafe_code, reason = "the allocator can be asked in no other way")]
fn give_back() {
    // SAFETY: may be called at any time by any thread; it touches only what nobody uses.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_that_was_freed_is_noticed_once() {
        const MIB: u64 = 1 << 20;
        let mut watch = GiveBack::default();
        let mut due = |mebibytes: u64| watch.is_due(mebibytes * MIB);
        assert!(!due(100));
        assert!(!due(88), "less than an eighth");
        assert!(due(87));
        assert!(!due(87), "that was then");
        assert!(!due(80));
        assert!(due(70), "slowly is as good");
        assert!(due(9));
        assert!(!due(2), "not worth it");
    }
}
