//! Chapter 4: Sentinel, first half: is the master down?
//!
//! **The problem.** A process that does not answer may be dead, or slow, or cut off from you alone. Who is to
//! say which, and from when on may others act on it?
//!
//! **The idea.** Each sentinel probes everything it knows, and forms an *opinion* from silence alone: down,
//! for me. One opinion moves nothing. Only when as many sentinels as the *quorum* asks for share it is the
//! master down for all of them, and only masters are ever judged that way.
//!
//! | file | what is decided there | exercise |
//! |---|---|---|
//! | [`schedule`] | what is sent when: `PING`, `INFO`, hello | 4.1 |
//! | [`contact`] | which answers prove life | 4.2 |
//! | [`hello`] | what a hello message says, and which are no hello at all | 4.3 |
//! | [`discovery`] | who is behind a hello: known, new, moved, or somebody else at an old address | 4.4 |
//! | [`silence`] | when silence means down, and when a connection is to blame | 4.5, 4.6 |
//! | [`opinions`] | counting others' opinions, whom to ask, what to answer | 4.7, 4.8 |
//! | [`tilt`] | when not to trust one's own clock | 4.9 |
//!
//! # Differences from Redis
//!
//! - [`Hello::parse`] refuses what Redis 7.0 lets pass: an epoch that is no number (read as 0), an id of another length
//!   than 40, and port 0, for the sender and even for the master.
//! - An opinion expires by its age alone ([`Opinions::down`]), and a vote with its epoch. Redis drops both together when
//!   it looks at a sentinel that has not answered for five seconds.
//! - A sentinel that has moved is noted for the master that its hello is about ([`sighting`]). Redis changes the address
//!   for all masters that both watch.
//! - `master-reboot-down-after-period` (a restarted master that loads for too long is down) is an operator's
//!   exception from [`Contact::answered`]; it is judged by the node, beside this layer.

pub mod contact;
pub mod discovery;
pub mod hello;
pub mod opinions;
pub mod schedule;
pub mod silence;
pub mod tilt;

pub use contact::Contact;
pub use discovery::{Peer, Sighting, sighting};
pub use hello::{Hello, HelloError};
pub use opinions::{OPINION_LIFE, Opinions, Question, answer, objectively_down, whom_to_ask};
pub use schedule::{Kind, Probe, due};
pub use silence::{command_link_is_dead, hello_link_is_dead, subjectively_down};
pub use tilt::{Tilt, TiltStep};
