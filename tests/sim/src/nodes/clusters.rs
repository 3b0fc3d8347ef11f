//! What must hold among the nodes of a cluster, whatever happens to them; written down once more, beside the program.
//!
//! An [`Audit`] looks at all nodes, after every step. It judges by what was *told* on the bus ([`Wiretap`]) and by what the
//! nodes really are, and takes a node's own view only for what a node cannot know better.
//!
//! # What is guaranteed
//!
//! - [`ONE_VOTE`], also across a crash: what a voter has told of its vote it never tells otherwise. [`KEEPS_PROMISES`]: an
//!   epoch in which a node has voted, asked for votes or owned slots is on its disk before anybody hears of it.
//! - [`ONE_WINNER`]: an epoch that is won by votes is won by one node, and [`MAJORITY`] says how many votes that takes: of the
//!   masters with slots that it knows. Who knows fewer than there are is the exception; see `Audit::check_winner`.
//! - [`RIGHT_TO_ASK`] and [`RIGHT_TO_VOTE`]: only the replica of a failed master stands, if no operator says otherwise.
//! - [`ONE_FOR_EACH_MASTER`]: a voter helps one replica of a master, and gives it time to win.
//! - [`RANK`] and [`BEST`]: a replica waits for those that have more of the data.
//! - [`FAIL_BY_MAJORITY`]: nobody is called dead by fewer masters than a majority of those that own slots.
//! - [`ONE_OWNER`]: of two masters that have ever claimed slots in one epoch, one has taken that epoch without votes. There
//!   are four ways to do so: `TAKEOVER`, `BUMPEPOCH`, the end of a slot's move, and the resolution of such a collision.
//!   Where none of this was done, no two masters share an epoch, not even for a moment. [`COLLISIONS_END`] by
//!   themselves, and with them the second owner of a slot.
//! - [`NEW_EPOCH`]: whoever becomes the owner of another's slots does so in an epoch greater than any it has told of before.
//! - [`EPOCHS_GROW`] in a process, on each of its connections, and on its disk. Across a crash an epoch that was only
//!   *heard of* may be forgotten, in Redis as here; one that was used may not (see above).
//!
//! # What is not
//!
//! A write that was acknowledged may be lost, and where is said here: a master that dies, or that is cut off and replaced,
//! takes with it what its heir had not received; a process that begins without its data has lost them; and so has an owner
//! that was overruled by `FORCE` or `TAKEOVER`. [`EXPLAINED`] says that there is no other way, and each lost write is traced
//! to the event that lost it. [`HEIR`]: an heir lacks only what lies behind the offset at which it took over.
//!
//! A slot may be nobody's once the machine of its new owner has died soon after a move: the end of a move is written and not
//! synced, in Redis as here. The old owner has given it away, the new one has forgotten that it has it, and only an operator
//! can give it to somebody again, as `redis-cli --cluster fix` does. Until then nodes disagree about it.
//!
//! What holds only after everything is repaired ([`settled`]) is asked for by the scenario.

mod audit;
mod ballots;
mod ear;
mod losses;
mod mind;
mod mover;
mod peace;
mod roamer;
mod stopwatch;
mod wiretap;

use node::Node;

pub use audit::{Audit, Cast, Stage};
pub use ballots::Elections;
pub use ear::Ballot;
pub use losses::Losses;
pub use mover::Mover;
pub use peace::{Shard, settled, unequal};
pub use roamer::{Ack, Roamer};
pub use stopwatch::Takeover;
pub use wiretap::{Told, What, Wiretap};

/// See the [module](self).
pub const ONE_VOTE: &str = "a voter votes once an epoch, also across a crash";
/// See the [module](self).
pub const KEEPS_PROMISES: &str = "an epoch that a node has used is on its disk before anybody hears of it";
/// See the [module](self).
pub const ONE_WINNER: &str = "an epoch is won by one node";
/// See the [module](self).
pub const MAJORITY: &str = "whoever wins has the votes of a majority of the masters with slots";
/// See the [module](self).
pub const RIGHT_TO_ASK: &str = "only a replica whose master has failed asks for votes, once an epoch";
/// See the [module](self).
pub const RIGHT_TO_VOTE: &str = "a master with slots votes, and for a replica whose master has failed";
/// See the [module](self).
pub const ONE_FOR_EACH_MASTER: &str = "a voter votes for one replica of a master within two node timeouts";
/// See the [module](self).
pub const RANK: &str = "a replica waits half a second, and a second more for each that has more of the data";
/// See the [module](self).
pub const BEST: &str =
    "with nothing else broken, the replica that has the most is the first to ask for votes";
/// See the [module](self).
pub const FAIL_BY_MAJORITY: &str = "a node has failed when a majority of the masters with slots say so";
/// See the [module](self).
pub const ONE_OWNER: &str = "of two masters with one epoch, one has taken it without votes";
/// See the [module](self).
pub const COLLISIONS_END: &str = "masters with one epoch take different ones in the end";
/// See the [module](self).
pub const NEW_EPOCH: &str = "whoever takes over slots does so in an epoch greater than all it knew";
/// See the [module](self).
pub const EPOCHS_GROW: &str = "a node's epochs never go back";
/// See the [module](self).
pub const HEIR: &str = "whoever takes over holds all that it had received of what was acknowledged";
/// See the [module](self).
pub const EXPLAINED: &str =
    "an acknowledged write is lost in one event: a takeover, a new beginning, a slot's move";

/// What a node is about, in a few words, for the trace.
pub(super) fn mood(node: &Node) -> Option<String> {
    let view = node.cluster_view()?;
    let myself = view.myself();
    let down = if view.serves() { "" } else { ", cluster down" };
    Some(match myself.master() {
        None if myself.is_master() => {
            format!("Master of {} slots, epoch {}{down}", myself.slots().len(), myself.config_epoch())
        }
        master => {
            let link = node.link_state().map_or(String::new(), |link| format!(", {link}"));
            format!("Replica of {}{link}{down}", master.as_ref().map_or("nobody", |id| id.short()))
        }
    })
}
