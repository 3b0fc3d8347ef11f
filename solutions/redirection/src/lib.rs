//! Chapter 8: Cluster: redirection and resharding.
//!
//! **The problem.** A slot is to move to another machine, with all its keys, while clients go on reading and writing. There is
//! no moment at which everybody learns of it, and no one in the middle who could pass requests on.
//!
//! **The idea.** Nobody forwards anything. A node that is asked for what it does not have says where it is, and the client
//! goes there. While a slot moves, its keys are at two places, each key at one: the old owner answers for what it still has
//! and sends clients on, one command at a time, for what it has not. Only when it is empty the slot changes hands.
//!
//! | file | what is decided there | exercise |
//! |---|---|---|
//! | [`mod@route`] | serve, redirect or refuse | 8.1, 8.2, 8.3 |
//! | [`asking`] | what a connection has said, and for how long it counts | 8.4 |
//! | [`moving`] | the marks on a slot, and `CLUSTER SETSLOT` | 8.5 |
//! | [`cache`] | a client's table, and what it does after each answer | 8.6 |
//! | [`transfer`] | moving one slot, whatever gets lost on the way | 8.7 |
//! | [`plan`] | which slots move, and how many | 8.8, 8.9 |
//! | [`fix`] | what a slot needs that was left open | 8.10 |
//! | [`topology`] | given: what nodes write, read | |
//!
//! # Differences from Redis
//!
//! - Redis has no director of a transfer: `redis-cli` is one, and every operator's script another. [`Transfer`] is
//!   `clusterManagerMoveSlot` as a machine that can lose answers: `redis-cli` stops at the first error, and `fix` goes on.
//! - After `BUSYKEY`, `redis-cli` compares both values and stops if they differ (unless `--cluster-replace` was given).
//!   [`Transfer`] overwrites: as long as the slot is the source's, the source's copy is the one that clients have read and
//!   written.
//! - [`reshard`] and [`rebalance`] compute with exact numbers where `redis-cli` has single-precision ones. A part that is just
//!   about whole may differ by one slot.
//! - [`close`] ignores a mark `MIGRATING` at a node that does not own the slot, and closes it. `redis-cli` tries a transfer from
//!   there if some node is importing, and fails. It also lets a single node with keys and no claim take the slot at once, where
//!   `redis-cli` leaves that to its second pass over uncovered slots, and it transfers only to the node that the owner
//!   named.

pub mod asking;
pub mod cache;
pub mod fix;
pub mod moving;
pub mod plan;
pub mod route;
pub mod topology;
pub mod transfer;

pub use asking::{Dealt, Says};
pub use cache::{Answer, Cache, Errand, MAX_ATTEMPTS, Next};
pub use fix::{Finding, Mend, Unclear, close, cover};
pub use moving::{Effects, Moving, SetSlot, SetSlotError, SlotState};
pub use plan::{Move, Pick, Portion, Share, moves, rebalance, reshard};
pub use route::{Asked, Held, Route, Serving, View, at_rest, on_the_move, refused, route};
pub use topology::{Shard, Topology, read_error};
pub use transfer::{Order, Progress, Stage, Told, Transfer};
