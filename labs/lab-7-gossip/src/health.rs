//! When a node stops serving, and when it resumes.
//!
//! A node that cannot see a majority of the masters must assume that those on the other side elect a successor for it.
//! Every write that it still accepted would be lost. So it stops by itself, without being told: nobody could tell it.
//!
//! When it sees the majority again it waits a little before it resumes. It may have been replaced while it was away, and must
//! have had the time to hear of that.

use core_types::Millis;

/// After its start a master waits so long before it calls the cluster well (`CLUSTER_WRITABLE_DELAY` in Redis's
/// `cluster.c`).
pub const QUIET_START: Millis = Millis(2_000);

/// After it was in a minority a master waits for one node timeout, but not less than this
/// (`CLUSTER_MIN_REJOIN_DELAY`)…
pub const LEAST_REJOIN: Millis = Millis(500);

/// … and not more than this (`CLUSTER_MAX_REJOIN_DELAY`).
pub const MOST_REJOIN: Millis = Millis(5_000);

// ANCHOR: seen
/// What a node sees when it asks itself whether it can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// I am a master. Only masters wait before they resume: nobody writes to a replica.
    pub i_am_master: bool,
    /// How many masters own slots, dead or alive.
    pub voters: usize,
    /// How many of those are neither suspected (`PFAIL`) nor failed (`FAIL`), me included.
    pub reachable: usize,
    /// Every slot has an owner, and none of the owners has failed (`FAIL`).
    pub covered: bool,
    /// The cluster shall serve all slots or none (`cluster-require-full-coverage`).
    pub full_coverage: bool,
}

/// Why a node thinks that the cluster is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A slot has no owner, or its owner has failed, and the cluster is to serve all slots or none.
    Coverage,
    /// No majority of the masters can be reached. Told before [`Why::Coverage`], if both are true.
    Minority,
    /// The node has just started, or has just come back from a minority.
    Rejoining,
}

/// Whether this node serves. (`clusterUpdateState` in Redis's `cluster.c`)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serving {
    /// The cluster is well, as far as this node can tell.
    pub ok: bool,
    /// Why not, if not.
    pub why: Option<Why>,
    /// When the node started.
    pub started: Millis,
    /// When it last found itself in a minority.
    pub minority_at: Option<Millis>,
}
// ANCHOR_END: seen

impl Serving {
    /// A node that starts at `now`. It does not serve before it has looked.
    pub fn starting(now: Millis) -> Serving {
        Serving { ok: false, why: Some(Why::Rejoining), started: now, minority_at: None }
    }

    /// Looks again, at `now`. Has [`ok`](Serving::ok) changed? `timeout` is the node timeout.
    ///
    /// Stopping is immediate. A master that does not serve changes nothing before it has been up for [`QUIET_START`], and
    /// resumes only when its last moment in a minority is as long ago as the node timeout, between [`LEAST_REJOIN`] and
    /// [`MOST_REJOIN`].
    pub fn look(&mut self, now: Millis, timeout: Millis, seen: &Seen) -> bool {
        // <exercise 7.8>
        todo!("lab 7.8: When a node stops, and when it resumes")
        // </exercise>
    }
}
