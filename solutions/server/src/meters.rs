//! What the process knows about itself: allocated memory, processor time, and a stopwatch.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use node::Meters;

/// An allocator that counts what it has handed out, in bytes, as they were asked for.
///
/// Each thread gathers its own sum and adds it to the common one when it has become large. So a count
/// costs next to nothing, and is off by at most [`GATHER`] for each thread.
#[derive(Debug)]
pub struct Counting<A>(pub A);

/// How far a thread's own sum may go before the others learn of it, in bytes.
const GATHER: i64 = 32 * 1024;

static USED: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static MINE: Cell<i64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    // Without a destructor the cell is there as long as its thread, so this never fails.
    let _ = MINE.try_with(|mine| {
        let sum = mine.get() + bytes;
        if sum.abs() < GATHER {
            mine.set(sum);
        } else {
            mine.set(0);
            USED.fetch_add(sum, Ordering::Relaxed);
        }
    });
}

#[expect(unsafe_code, reason = "an allocator can be written in no other way")]
// SAFETY: every call is passed on as it is; only numbers are added besides.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller keeps to what `alloc` asks for.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: the caller keeps to what `dealloc` asks for.
        unsafe { self.0.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller keeps to what `alloc_zeroed` asks for.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as i64 - layout.size() as i64);
        // SAFETY: the caller keeps to what `realloc` asks for.
        unsafe { self.0.realloc(place, layout, size) }
    }
}

/// Bytes that are allocated, as far as this thread knows.
pub(crate) fn used_memory() -> u64 {
    let mine = MINE.with(Cell::get);
    u64::try_from(USED.load(Ordering::Relaxed) + mine).unwrap_or(0)
}

/// The meters of this process.
pub(crate) struct ProcessMeters {
    since: Instant,
}

impl ProcessMeters {
    #[expect(clippy::disallowed_methods, reason = "the edge, where time comes in")]
    pub(crate) fn new() -> ProcessMeters {
        ProcessMeters { since: Instant::now() }
    }
}

impl Meters for ProcessMeters {
    fn micros(&self) -> u64 {
        self.since.elapsed().as_micros() as u64
    }

    fn used_memory(&self) -> u64 {
        used_memory()
    }

    fn resident_memory(&self) -> u64 {
        // Pages: all, resident, … Linux has 4 KiB pages on every machine this is built for.
        const PAGE: u64 = 4096;
        let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).map_or(0, |pages: u64| pages * PAGE)
    }

    fn cpu(&self) -> (u64, u64) {
        // Behind the name, which may hold anything, in parentheses. A tick is 10 ms, whatever the kernel's.
        const TICK: u64 = 10_000;
        let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields = text.rsplit_once(") ").map_or("", |(_, fields)| fields);
        let ticks = |at: usize| fields.split(' ').nth(at).and_then(|ticks| ticks.parse::<u64>().ok());
        (ticks(12).unwrap_or(0) * TICK, ticks(11).unwrap_or(0) * TICK)
    }
}
