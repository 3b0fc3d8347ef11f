//! Racks, and the cluster that is to stand in them.

// ANCHOR: site
/// A site, and a cluster that is to be put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// How many racks there are. They are counted from 0.
    pub racks: usize,
    /// How many nodes a rack has room for.
    pub room: usize,
    /// How many masters the cluster has. Each owns about as many slots as any other.
    pub shards: usize,
    /// How many replicas each of them has.
    pub replicas: usize,
}

/// Where the nodes of one shard stand: numbers of racks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The master's rack.
    pub master: usize,
    /// The racks of its replicas, one entry for each replica.
    pub replicas: Vec<usize>,
}
// ANCHOR_END: site

impl Spot {
    /// The racks of all its nodes, the master's first.
    pub fn nodes(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.master).chain(self.replicas.iter().copied())
    }
}

impl Site {
    /// How many nodes the cluster has.
    pub fn nodes(&self) -> usize {
        self.shards.saturating_mul(1 + self.replicas)
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Site { racks, room, shards, replicas } = self;
        write!(f, "{racks} racks for {room} nodes each, {shards} shards of {} nodes", 1 + replicas)
    }
}
