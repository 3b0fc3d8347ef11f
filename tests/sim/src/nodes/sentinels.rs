//! What must hold among sentinels, whatever happens to them; written down once more, beside the program.
//!
//! [`Scrutiny`] looks at all sentinels and at all nodes that they watch, after every step. It judges by what was *told*
//! ([`Overheard`]: events in a log, votes on the wire) and by what the nodes really are, and takes a sentinel's own
//! view only for what a sentinel cannot know better:
//!
//! - [`ONE_VOTE`], also across a crash: whatever a sentinel has told of its vote, it never tells otherwise;
//! - [`ONE_LEADER`], and [`MAJORITY`] has voted for it, counted over all sentinels there are;
//! - [`ONE_CLAIM`]: two sentinels with the same configuration epoch name the same master;
//! - [`EPOCHS_GROW`];
//! - [`QUORUM`]: so many sentinels have really held *that master* for down; [`ONLY_MASTERS`];
//! - [`LEGAL`] and [`BEST`]: the replica that is chosen had a right to be, and there was no better one.
//!
//! What holds only after everything is repaired ([`settled`]) is asked for by the scenario. Times are collected on
//! the way: see [`Takeover`].

mod choice;
mod overheard;
mod scrutiny;
mod takeover;

use core_types::{Endpoint, Role};
use node::Node;
use node::layers::failover::Stage;
use node::layers::one_replica::LinkState;

use super::{NodeHost, rules};
use crate::world::{HostId, World};

pub use overheard::Overheard;
pub use scrutiny::{Cast, Elections, Scrutiny};
pub use takeover::Takeover;

/// The name under which all sentinels of a scenario watch their master.
pub const NAME: &str = "watched";

/// See the [module](self).
pub const ONE_VOTE: &str = "a sentinel votes once an epoch, also across a crash";
/// See the [module](self).
pub const ONE_LEADER: &str = "an epoch has at most one leader";
/// See the [module](self).
pub const MAJORITY: &str = "a leader has the votes of the majority of all sentinels, and of the quorum";
/// See the [module](self).
pub const ONE_CLAIM: &str = "a configuration epoch names one master";
/// See the [module](self).
pub const EPOCHS_GROW: &str = "a sentinel's epochs never go back";
/// See the [module](self).
pub const QUORUM: &str = "a master is objectively down only if as many as the quorum hold it for down";
/// See the [module](self).
pub const ONLY_MASTERS: &str = "only masters are objectively down";
/// See the [module](self).
pub const LEGAL: &str = "a replica that is promoted has a right to be";
/// See the [module](self).
pub const BEST: &str = "of all replicas that could be promoted, the best is";

/// The master that all sentinels agree on, if there is nothing left to do: everybody is up and hears everybody, no
/// sentinel holds the master for down or is in a failover, all name the same address with the same epoch; the node there is a master, and
/// all others follow it and are online.
pub fn settled(world: &World<'_>, cast: &Cast) -> Option<HostId> {
    let mut agreed: Option<(Endpoint, core_types::Epoch)> = None;
    for id in &cast.sentinels {
        let watched = rules::node(world, *id)?.watched(NAME)?;
        let at_peace = !watched.is_down() && watched.failover().is_none() && watched.hears_all();
        if !at_peace || watched.sentinels() != cast.sentinels.len() {
            return None;
        }
        let claim = (watched.address(), watched.config_epoch());
        if agreed.as_ref().is_some_and(|agreed| *agreed != claim) {
            return None;
        }
        agreed = Some(claim);
    }
    let (at, _) = agreed?;
    let master = *cast.nodes.iter().find(|id| world.ip(**id) == at.host)?;
    let follows = |id: &HostId| {
        let node = rules::node(world, *id);
        node.is_some_and(|node| match node.role() {
            Role::Master => *id == master,
            Role::Replica { of } => *of == at && node.link_state() == Some(LinkState::Online),
        })
    };
    cast.nodes.iter().all(follows).then_some(master)
}

/// All nodes that call themselves masters.
pub fn masters(world: &World<'_>, cast: &Cast) -> Vec<HostId> {
    let is_master = |id: &&HostId| rules::node(world, **id).is_some_and(|node| *node.role() == Role::Master);
    cast.nodes.iter().filter(is_master).copied().collect()
}

/// What a sentinel is about, in a few words, for the trace.
pub(super) fn mood(node: &Node) -> String {
    let Some(watched) = node.watched(NAME) else { return "Watching".into() };
    let stage = watched.failover().map(|(epoch, stage)| match stage {
        Stage::WaitElection => format!("Candidate of epoch {epoch}"),
        _ => format!("Leader of epoch {epoch}"),
    });
    let base = stage.unwrap_or_else(|| match (watched.is_objectively_down(), watched.is_down()) {
        (true, _) => "Objectively down".into(),
        (false, true) => "Subjectively down".into(),
        (false, false) => "Watching".into(),
    });
    if node.is_tilted() { format!("{base} (TILT)") } else { base }
}

fn host<'w>(world: &'w World<'_>, id: HostId) -> Option<&'w NodeHost> {
    world.get::<NodeHost>(id)
}
