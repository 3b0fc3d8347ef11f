//! What every chapter shares.
//!
//! A lab never depends on another lab; types that two chapters need live here. That is what lets a
//! running node mix your layers with the reference ones: both sides of every seam speak these types.
//!
//! Nothing in this crate, and nothing that is built on it as a *decision*, does any input or output,
//! reads a clock or draws a random number of its own. Time comes in as [`Millis`], randomness as a
//! seeded [`Rng`]. The same code therefore runs in the simulator and on real sockets.

mod args;
mod cluster;
mod frame;
mod ids;
mod log;
mod machine;
mod replication;
mod reply;
mod rng;
mod sentinel;
mod show;
mod time;

pub use args::{Args, ArgsBuf, Span};
pub use cluster::{Slot, SlotRange, SlotSet};
pub use frame::{Frame, Protocol};
pub use ids::{Endpoint, Epoch, NodeId, Offset, ParseIdError, ReplId, RunId};
pub use log::LogLevel;
pub use machine::{Broken, Machine};
pub use replication::{ExpiredKey, History, Origin, Position, Role, StreamLog, write_command};
pub use reply::{Reply, format_double};
pub use rng::Rng;
pub use sentinel::Periods;
pub use show::{show_bytes, show_command};
pub use time::Millis;
