//! Which node stands in which rack.

use drill::{Site, Spot};

/// The rack of each node, one [`Spot`] for each shard, so that the cluster survives the loss of any one rack, whichever that
/// is: whatever stands in it is dead at once, and a minute later all slots are served again. No rack holds more
/// nodes than it has room for. `None` if there is no such placement.
///
/// Where the nodes find room at all, there is at least one place more in each rack than an equal part of them needs. There
/// are up to eight racks, and up to two replicas for each master.
pub fn place(site: &Site) -> Option<Vec<Spot>> {
    // <exercise 10.8>
    todo!("lab 10.8: Which rack holds what")
    // </exercise>
}
