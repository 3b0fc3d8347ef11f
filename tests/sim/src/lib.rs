//! A deterministic simulator: virtual time, byte streams, faults, traces.
//!
//! - [`trace`] records what happened, and shows it as text, as a space-time diagram or as JSON.
//! - [`stage`] plays scripted inputs to a single machine.
//! - [`world`] runs whole hosts with connections between them, and breaks things.
//! - [`family`] runs a scenario with many seeds and replays the one that fails.
//! - [`resp`] names the messages in a byte stream, for the trace.
//! - `nodes` (behind the feature of that name) puts whole nodes into the world.

pub mod family;
#[cfg(feature = "nodes")]
pub mod nodes;
pub mod resp;
pub mod stage;
pub mod trace;
pub mod world;

pub use family::Failure;
pub use stage::{Narrator, Shown, Stage};
pub use trace::Trace;
pub use world::{Boot, Conn, Disk, Fault, FaultMix, FaultPlan, Host, HostId, Input, Io, Profile, World};
