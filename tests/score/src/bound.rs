//! A cap on memory: an answer that eats it all is stopped and named, and the machine stays usable.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, counting what is in use. Beyond the cap it refuses, and Rust's runtime then
/// ends the process with "memory allocation of N bytes failed", which the parent process understands.
struct Bounded;

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static CAP: AtomicUsize = AtomicUsize::new(usize::MAX);

/// From now on this process may hold `bytes` more than it does at the moment.
pub(crate) fn cap_memory(bytes: usize) {
    CAP.store(IN_USE.load(Relaxed).saturating_add(bytes), Relaxed);
}

/// Runs `work` and also returns by how many bytes the memory in use rose above what it was before, at its peak.
///
/// For rules such as "a claimed length reserves nothing". The number depends on the allocator's caller, not
/// only on the rules: let a suite compare it with a generous bound, and never write it into a trace.
pub fn peak_bytes<R>(work: impl FnOnce() -> R) -> (R, usize) {
    let before = IN_USE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = work();
    (result, PEAK.load(Relaxed).saturating_sub(before))
}

fn take(bytes: usize) -> bool {
    let now = IN_USE.fetch_add(bytes, Relaxed).saturating_add(bytes);
    PEAK.fetch_max(now, Relaxed);
    if now > CAP.load(Relaxed) {
        IN_USE.fetch_sub(bytes, Relaxed);
        return false;
    }
    true
}

// The one place with unsafe code in the workspace: an allocator cannot be written without it, and no
// portable way to bound a process's memory exists in the standard library.
// SAFETY: every call goes to `System` with the arguments it came with, or returns null, which the trait
// allows as "out of memory". The counters do not influence which pointer is returned.
#[expect(unsafe_code, reason = "GlobalAlloc is an unsafe trait; all work is done by System")]
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !take(layout.size()) {
            return std::ptr::null_mut();
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !take(layout.size()) {
            return std::ptr::null_mut();
        }
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // While it moves, both blocks exist; count the new one first.
        if !take(new_size) {
            return std::ptr::null_mut();
        }
        let moved = unsafe { System.realloc(pointer, layout, new_size) };
        IN_USE.fetch_sub(if moved.is_null() { new_size } else { layout.size() }, Relaxed);
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_counts_what_was_freed_again() {
        let (length, peak) = peak_bytes(|| {
            drop(Vec::<u8>::with_capacity(3 << 20));
            Vec::<u8>::with_capacity(1 << 20).len()
        });
        assert_eq!(length, 0);
        assert!(peak >= 3 << 20, "{peak}");
    }
}
