//! Chapter 2: offsets, the backlog and partial resynchronisation.
//!
//! **The problem.** A network that fails for a second costs a replica all of its data, and a master all
//! the work of sending them again. And a client that is told `OK` does not know who else has its write.
//!
//! **The idea.** Both sides have counted the same stream. So a replica can say how much of it it has, and
//! a master that keeps the last part of the stream can go on from there. The same numbers, said once a
//! second, tell the master who is alive and who has what.
//!
//! | file | what is decided there | exercise |
//! |---|---|---|
//! | [`backlog`] | how much of the stream is kept, and how it is read again | 2.1, 2.2 |
//! | [`mod@psync`] | whether a replica can go on where it was; what it asks for | 2.3, 2.4 |
//! | [`heartbeat`] | how each side shows that it is there, and notices that the other is not | 2.5, 2.6 |
//! | [`acks`] | who has what; `WAIT`; when a master refuses to write | 2.7, 2.8 |
//! | [`life`] | when there is a backlog at all | 2.9 |
//!
//! # Differences from Redis
//!
//! - Redis trims only when a new block begins, keeps at least one byte more than `repl-backlog-size`, and
//!   gives a long command a block of its own length. Our blocks are equal, which turns the search for an
//!   offset into a division.
//! - Redis recounts the good replicas once a second and when one comes or goes, and decides by that count
//!   for the second that follows. We count at the moment of the write.
//! - Redis gives up a replica that stops taking its snapshot only if the snapshot is streamed to it,
//!   since then a child process waits for it. Ours are all streamed from memory, so we always do.
//! - Redis's `PING`s follow a counter that runs from the start of the server. Ours are due a period after
//!   the last one, the first as soon as there is a replica.

pub mod acks;
pub mod backlog;
pub mod heartbeat;
pub mod life;
pub mod psync;

pub use acks::{Acks, Moment, NoReplicas, Wait, WaitStep, WriteGate, may_write, wait_step};
pub use backlog::{BLOCK, Backlog};
pub use heartbeat::{ACK_PERIOD, MasterBeat, Peer, PeerState, Pulse, ReplicaBeat, Timers, master_beat};
pub use life::{Holder, Life, backlog_life};
pub use psync::{Held, Verdict, Why, Window, psync, psync_request};
