//! A deterministic simulator: virtual time, byte streams, faults, traces.
//!
//! - [`trace`] records what happened, and shows it as text, as a space-time diagram or as JSON.
//! - [`stage`] plays scripted inputs to a single machine.
//! - [`world`] runs whole hosts with connections between them, and breaks things.
//! - [`resp`] names the messages in a byte stream, for the trace.

pub mod resp;
pub mod stage;
pub mod trace;
pub mod world;

pub use stage::{Narrator, Shown, Stage};
pub use trace::Trace;
pub use world::{Boot, Conn, Disk, Fault, FaultMix, FaultPlan, Host, HostId, Input, Io, Profile, World};
