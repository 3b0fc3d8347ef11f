//! Experiments: whole nodes, a network of a given speed, a steady load, and something that is counted.
//!
//! Each is a function that says what it sets up, runs the same code that `ha-server` runs on sockets, and returns
//! what it counted; the book draws the numbers. Time is virtual and the seed fixed, so that they are the same on
//! every machine. What the simulator leaves out is time to compute: a snapshot is made and loaded in none. How long
//! that takes is measured on a machine, with `bench sync`.

mod backlog;
mod buffer;
mod fanout;
mod fleet;
pub mod gossip;
mod group;
mod partition;
mod resync;
mod rules_of_thumb;

pub use backlog::{Outage, outage};
pub use buffer::{SETTING, Sample, Struggle, struggle};
pub use fanout::{Layer, Tree, layers, outgoing, spread};
pub use fleet::{Fleet, WIRE, write_of};
pub use group::{Group, SENTINEL_PORT, run_id};
pub use partition::{Loss, Partition, partition};
pub use resync::{Cost, Parts, full, partial, parts};
pub use rules_of_thumb::{Healing, flapping, heals};

/// A kibibyte.
pub const KIB: u64 = 1024;
/// A mebibyte.
pub const MIB: u64 = 1024 * KIB;
