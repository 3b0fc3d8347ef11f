//! Chapter 3: many replicas and trees.
//!
//! **The problem.** One master feeds many replicas, and a replica may feed replicas of its own. Each of them
//! reads at its own pace, joins and leaves when it likes, and outlives the node it reads from. None of that
//! may cost a copy of the data for each replica, and none of it may make two nodes that believe they are
//! at the same point hold different data.
//!
//! **The ideas.** A replica is a *cursor* in one shared log. A node that feeds replicas passes its master's
//! bytes on unchanged, so that an offset means the same in the whole tree. A promoted node goes on under
//! a new name, and remembers up to where the old name holds as well.
//!
//! | file | what is decided there | exercise |
//! |---|---|---|
//! | [`fanout`] | what the log must keep, and who is sent what next | 3.1, 3.2 |
//! | [`snapshot`] | when a snapshot is started, for whom, and who may still join it | 3.3 |
//! | [`limits`] | when a reader that is too slow is let go | 3.4 |
//! | [`relay`] | what a replica passes on to replicas of its own | 3.5 |
//! | [`history`] | the names of a history: promotion, and what a node can offer a new master | 3.6, 3.7 |
//! | [`subtree`] | what becomes of a node's replicas when its own master changes | 3.8 |
//!
//! # Differences from Redis
//!
//! - Redis lets a latecomer join a snapshot only while another replica still waits for that snapshot. We ask
//!   what is behind it: does the log still hold every byte since the snapshot was started?
//! - Redis serves all who wait by one kind of snapshot: one replica that understands no end mark sends it to
//!   disk for all. We stream to those who can take it, and keep it whole for the others, in one go.
//! - Redis measures the patience of the soft limit in whole seconds, we in milliseconds.

pub mod fanout;
pub mod history;
pub mod limits;
pub mod relay;
pub mod snapshot;
pub mod subtree;

pub use fanout::Fanout;
pub use history::{Past, continued, offer, promoted, restarted, resynchronised};
pub use limits::{Exceeded, OutputLimit, OverLimit};
pub use relay::{Own, Relay, may_add};
pub use snapshot::{Running, SnapshotPolicy, Start, Waiter, may_join, start_snapshot};
pub use subtree::{Fate, NoMasterLink, Upstream, accepts, fate};
