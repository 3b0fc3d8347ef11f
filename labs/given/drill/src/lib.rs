//! The language of chapter 10: what breaks and when ([`Schedule`]), and what stands in the configuration files
//! ([`Settings`]).
//!
//! Nothing here does anything. The simulator plays a schedule with whole nodes, and judges by what happened.
//!
//! ```
//! use core_types::Millis;
//! use drill::{REST, Schedule, Settings, cut, mend_all, say};
//!
//! let day = Schedule::new()
//!     .at(Millis(1_000), cut(&["master", "client"], &[REST]))
//!     .at(Millis(2_000), say("client", "SET order:1 lamp"))
//!     .at(Millis(40_000), mend_all());
//! assert_eq!(day.len(), 3);
//!
//! let files = Settings::new().nodes("min-replicas-to-write 1").of("replica-2", "replica-priority 0");
//! assert_eq!(files.lines_of("replica-2").count(), 2);
//! ```

mod event;
mod limits;
mod map;
mod racks;
mod schedule;
mod settings;
mod survey;
mod ward;

pub use event::{
    Event, REST, Sort, cut, cut_one_way, fast, jump, kill, load, mend, mend_all, pause, restart, resume, say,
    slow,
};
pub use limits::Limits;
pub use map::{Map, Shard};
pub use racks::{Site, Spot};
pub use schedule::{Moment, Schedule};
pub use settings::{Settings, Whose};
pub use survey::{Move, Probe, Survey};
pub use ward::{NODE_TIMEOUT, Sick, ward};
