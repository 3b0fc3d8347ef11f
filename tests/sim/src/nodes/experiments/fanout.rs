//! What many replicas cost: a star, where all follow the master, and a tree, where replicas feed replicas.

use core_types::{ArgsBuf, Millis};

use super::{Fleet, KIB};
use crate::world::Profile;

/// Who follows whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// All follow the master.
    Star,
    /// Every node has at most so many replicas, and the upper layers are full.
    Layers(usize),
}

impl Tree {
    /// Whom each node follows, the master first.
    pub fn upstream(self, replicas: usize) -> Vec<Option<usize>> {
        let above = |place: usize| match self {
            Tree::Star => 0,
            Tree::Layers(each) => (place - 1) / each,
        };
        std::iter::once(None).chain((1..=replicas).map(|place| Some(above(place)))).collect()
    }
}

/// Bytes that leave the master for its replicas while its stream grows by `written` bytes.
pub fn outgoing(tree: Tree, replicas: usize, written: u64) -> u64 {
    let upstream = tree.upstream(replicas);
    let mut fleet = Fleet::new(Fleet::profile(), &upstream, |_, _| {});
    fleet.start_all();
    let direct: Vec<usize> = (1..=replicas).filter(|&place| upstream[place] == Some(0)).collect();
    let so_far = |fleet: &Fleet| direct.iter().map(|&place| fleet.sent(0, place)).sum::<u64>();
    let before = so_far(&fleet);
    fleet.send(writes(written));
    fleet.wait_to("all are in sync", |fleet| (1..=replicas).all(|place| fleet.is_in_sync(place)));
    so_far(&fleet) - before
}

/// How long it takes until the last replica has `written` bytes that the master is sent at once, when every node can
/// send [`WIRE`](super::WIRE).
pub fn spread(tree: Tree, replicas: usize, written: u64) -> Millis {
    let mut fleet = Fleet::new(Fleet::profile(), &tree.upstream(replicas), |_, _| {});
    fleet.start_all();
    let begin = fleet.world.now();
    fleet.send(writes(written));
    fleet.wait_to("all are in sync", |fleet| (1..=replicas).all(|place| fleet.is_in_sync(place)));
    fleet.world.now().since(begin)
}

/// Commands that make about so many bytes of stream.
fn writes(bytes: u64) -> impl Iterator<Item = ArgsBuf> {
    let value = "w".repeat(16 * KIB as usize);
    (0..bytes / (16 * KIB)).map(move |number| ArgsBuf::from_parts(["SET", &format!("key:{number}"), &value]))
}

/// How far behind the master one layer of a chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Half of the writes arrive no later than this.
    pub median: Millis,
    /// 99 of 100 writes do.
    pub slow: Millis,
}

/// How long a small write takes from the master to each layer of a chain, over `writes` writes. Each message takes
/// between one millisecond and five.
pub fn layers(depth: usize, writes: usize) -> Vec<Layer> {
    let profile = Profile { latency: (Millis(1), Millis(5)), split_percent: 0, ..Fleet::profile() };
    let mut fleet = Fleet::new(profile, &Tree::Layers(1).upstream(depth), |_, _| {});
    fleet.start_all();
    let mut delays: Vec<Vec<Millis>> = vec![Vec::new(); depth];
    for number in 0..writes {
        // A gap that is no multiple of anything, so that writes meet the heartbeats in every phase.
        fleet.wait(37 + number as u64 % 11);
        let before = fleet.node(0).replication_offset();
        fleet.send_at_once([ArgsBuf::from_parts(["INCR", "counter"])]);
        fleet.wait_to("the master writes", |fleet| fleet.node(0).replication_offset() > before);
        let (written, goal) = (fleet.world.now(), fleet.node(0).replication_offset());
        for (layer, delays) in delays.iter_mut().enumerate() {
            let arrived = |fleet: &Fleet| fleet.node(layer + 1).replication_offset() >= goal;
            fleet.wait_to("the write arrives", arrived);
            delays.push(fleet.world.now().since(written));
        }
    }
    delays
        .into_iter()
        .map(|mut delays| {
            delays.sort();
            Layer { median: delays[delays.len() / 2], slow: delays[delays.len() * 99 / 100] }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::MIB;
    use super::*;

    #[test]
    fn a_star_costs_the_master_a_copy_for_each_replica_and_a_tree_does_not() {
        let star = outgoing(Tree::Star, 6, MIB);
        let tree = outgoing(Tree::Layers(2), 6, MIB);
        assert!((6 * MIB..6 * MIB + 64 * KIB).contains(&star), "{star}");
        assert!((2 * MIB..2 * MIB + 64 * KIB).contains(&tree), "{tree}");
        assert!(spread(Tree::Star, 6, MIB) > spread(Tree::Layers(2), 6, MIB));
    }

    #[test]
    fn each_layer_adds_its_delay() {
        let layers = layers(4, 100);
        assert!(
            layers.is_sorted_by(|upper, lower| upper.median < lower.median && upper.slow < lower.slow),
            "{layers:?}"
        );
        assert!((Millis(2)..=Millis(4)).contains(&layers[0].median), "{layers:?}");
    }
}
