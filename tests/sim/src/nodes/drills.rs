//! Drills: chapter 10's schedules and settings, played with whole nodes.
//!
//! A [`Scene`] says who is there and what stands in the files. [`Drill::set`] builds it and waits until everybody knows everybody;
//! [`Drill::play`] lets a [`Schedule`](::drill::Schedule) happen; [`Drill::calm_down`] repairs everything and waits until all agree
//! again. What became of it is asked afterwards: who is the master, what was typed and answered, which keys are still there. Times
//! count from the moment at which the scene is set.
//!
//! [`told`] shortens a recorded run to what a person needs to see why it went as it went.

pub mod cluster;
mod customer;
mod drill;
mod scene;
pub mod stale;
mod timeline;

pub use customer::{Customer, Said};
pub use drill::{Drill, Write};
pub use scene::{Part, SHOP, Scene, WATCH_PORT};
pub use timeline::told;
