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
    // Without a rack more than half of the masters must be left.
    let most = site.shards.saturating_sub(1) / 2;
    let possible = site.replicas > 0
        && site.racks.checked_mul(most)? >= site.shards
        && site.nodes() <= site.racks.checked_mul(site.room)?;
    let rack = |shard: usize, step: usize| (shard + step) % site.racks;
    let spot = |shard: usize| Spot {
        master: rack(shard, 0),
        replicas: (1..=site.replicas).map(|step| rack(shard, step)).collect(),
    };
    possible.then(|| (0..site.shards).map(spot).collect())
    // </exercise>
}
