//! The remainder decides.

/// Which server owns `hash`, by its remainder: an index into `weights`, or `None` if there is nobody.
///
/// Imagine a list in which each server stands as often as its weight says, in the order given. The hash modulo the
/// length of that list is a place in it, and whoever stands there is the owner. A weight of 0 is a server that gets
/// nothing (one that is ejected, say).
pub fn modulo(hash: u32, weights: &[u32]) -> Option<usize> {
    // <exercise 6.1>
    todo!("lab 6.1: The remainder decides")
    // </exercise>
}
