//! A smart client: it knows where each slot lives, mostly.
//!
//! A table of 16384 places, filled from `CLUSTER SLOTS` or `CLUSTER SHARDS`, is what makes a client smart: nearly every
//! command goes to the right node at once. The table may be wrong at any time, and that is no harm: the nodes
//! say so, and each such answer mends it a little.

use core_types::{Endpoint, Slot};

use crate::topology::Topology;

/// How often one command is sent again before the client gives up. Without a limit two nodes that each believe the
/// other one to be the owner would keep a client going for ever.
pub const MAX_ATTEMPTS: u32 = 16;

// ANCHOR: cache
/// Where the masters of the slots are, as far as a client knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// Every place it has heard of, each once. The first ones are those it was started with.
    pub places: Vec<Endpoint>,
    /// For each slot the place of its master in `places`.
    pub masters: Vec<Option<u16>>,
    /// The table should be asked for again before the next command, or in the background.
    pub stale: bool,
}

/// One command on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The slot of its keys, if it has any.
    pub slot: Option<Slot>,
    /// Where it is sent.
    pub to: Endpoint,
    /// Send `ASKING` in front of it, on the same connection, with nothing between them.
    pub asking: bool,
    /// How often it has been sent again.
    pub again: u32,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A reply, or an error that has nothing to do with the cluster.
    Reply,
    /// `MOVED slot place`
    Moved(Slot, Endpoint),
    /// `ASK slot place`
    Ask(Slot, Endpoint),
    /// `TRYAGAIN`
    TryAgain,
    /// `CLUSTERDOWN`
    Down,
    /// No connection, or it broke before the reply was there.
    Broken,
}

/// What the client does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The caller gets the answer.
    Done,
    /// Send it as the errand now says.
    Send,
    /// The same after a pause: what is wrong needs a moment.
    Wait,
    /// The limit is reached; the caller gets the last answer.
    GiveUp,
}
// ANCHOR_END: cache

impl Cache {
    /// A client that knows a few nodes and no slot yet.
    pub fn new(seeds: impl IntoIterator<Item = Endpoint>) -> Cache {
        let mut cache =
            Cache { places: Vec::new(), masters: vec![None; usize::from(Slot::COUNT)], stale: true };
        for seed in seeds {
            cache.place(&seed);
        }
        cache
    }

    /// Its place in [`places`](Cache::places), where it is added if it is new.
    pub fn place(&mut self, endpoint: &Endpoint) -> u16 {
        let known = self.places.iter().position(|place| place == endpoint);
        let index = known.unwrap_or_else(|| {
            self.places.push(endpoint.clone());
            self.places.len() - 1
        });
        u16::try_from(index).expect("a cluster has far fewer nodes")
    }

    /// The master of a slot, if it is known.
    pub fn master(&self, slot: Slot) -> Option<&Endpoint> {
        self.masters[slot.index()].map(|place| &self.places[usize::from(place)])
    }

    /// Takes in the whole table, as a node told it: what was known before is forgotten.
    pub fn learn(&mut self, topology: &Topology) {
        self.masters.fill(None);
        self.places.clear();
        for shard in &topology.shards {
            let place = self.place(&shard.master);
            for range in &shard.ranges {
                self.masters[range.first.index()..=range.last.index()].fill(Some(place));
            }
            for replica in &shard.replicas {
                self.place(replica);
            }
        }
        self.stale = false;
    }

    /// A command sets out. If its slot's master is not known (or it has no keys), any node will do: it will say
    /// where to go. `None`: no node is known at all.
    pub fn send(&self, slot: Option<Slot>) -> Option<Errand> {
        let to = slot.and_then(|slot| self.master(slot)).or(self.places.first())?;
        Some(Errand { slot, to: to.clone(), asking: false, again: 0 })
    }

    /// What to do after an answer. At most [`MAX_ATTEMPTS`] times a command is sent again, for whatever reason.
    ///
    /// - `MOVED` is news: that one slot is corrected, and since slots seldom move alone, the table is stale. The
    ///   command goes there.
    /// - `ASK` is about this command only: it goes there with `ASKING`, and nothing is learnt. The next command of this
    ///   slot goes to where this one went first.
    /// - `TRYAGAIN` passes: the same again after a pause. So does `CLUSTERDOWN`: the same node is asked again after a pause,
    ///   and the table is stale.
    /// - A broken connection: the table is stale. After a pause another node is tried, the next one in `places` (behind
    ///   the last one, or if this one is not among them, the first); it will send the client on.
    ///
    /// `ASKING` goes along after `ASK`, and once more after `TRYAGAIN` if it did before: the same is sent to the same node. After
    /// every other answer the command sets out without it. What the last answer taught is kept, also when the client
    /// gives up.
    pub fn answered(&mut self, errand: &mut Errand, answer: &Answer) -> Next {
        // <exercise 8.6>
        todo!("lab 8.6: A client that learns")
        // </exercise>
    }
}
