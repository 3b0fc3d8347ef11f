/// What any check may take, however small its input: tables and buffers of a fresh node, and a reply or two.
const ALWAYS: usize = 2 << 20;

/// Runs `work` on an input of `length` bytes, and panics if it takes more than `factor` bytes of memory for
/// each of them at any moment, beside a fixed allowance.
///
/// Memory is counted for the whole process, so only one check may run at a time.
///
/// # Panics
/// If it takes more.
pub fn bounded<R>(length: usize, factor: usize, work: impl FnOnce() -> R) -> R {
    let (result, peak) = score::peak_bytes(work);
    let allowed = ALWAYS + factor * length;
    assert!(peak <= allowed, "{length} bytes of input took {peak} bytes of memory; {allowed} are allowed");
    result
}
