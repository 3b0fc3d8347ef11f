//! Chapter 1: one master, one replica.
//!
//! **The problem.** Two nodes shall hold the same data, although one of them starts late, the network
//! between them breaks, and clients write all the while.
//!
//! **The idea.** A master's writes form one *stream* of commands. A replica takes a *snapshot* of the
//! master's data and then the stream from exactly the point at which the snapshot was made. Both sides
//! count the stream in bytes; that number is the *replication offset*.
//!
//! | file | what is decided there | exercise |
//! |---|---|---|
//! | [`handshake`] | what the replica says first, and which answers it can live with | 1.1, 1.2 |
//! | [`transfer`] | where the snapshot ends and the stream begins | 1.3 |
//! | [`attachment`] | what the master sends to one replica, and when | 1.4 |
//! | [`stream`] | how commands become the stream, and the stream becomes commands | 1.5, 1.6 |
//! | [`gate`] | which commands a replica refuses, and what becomes of expired keys | 1.7, 1.8 |
//! | [`role`] | what `REPLICAOF` changes | 1.9 |
//! | [`link`] | the replica's side as one machine, made of the parts above | given |
//!
//! # Differences from Redis
//!
//! - Redis 7 sends `AUTH` and the `REPLCONF`s in one go and reads the replies afterwards, to save round
//!   trips. We ask one question at a time, so that each answer is seen to decide what comes next.
//! - Redis falls back to the old `SYNC` command when a master does not know `PSYNC`. Masters that old
//!   (before 2.8, 2013) are gone; we end the attempt and try again.
//! - Redis accepts a `+FULLRESYNC` whose id or offset it cannot read, and goes on with an empty id. We
//!   end the attempt: an offset that nobody knows is no place to start counting from.
//! - Redis compares the last 40 bytes it happened to read with the end mark. We look for the mark itself,
//!   so that it does not matter how the network cut the bytes.
//! - After a failed transfer Redis connects again at once. We wait [`LinkConfig::retry`], so that a master
//!   whose snapshot cannot be loaded is not made to produce one after the other.
//! - Redis sends the first `REPLCONF ACK` at once only after a snapshot with an end mark. We always do, as soon as the data
//!   are in place. A Redis master that has not noticed yet that its child is done (it looks ten times a second) passes
//!   that ACK over, and begins the stream with the next one, a second later. Redis's own replica takes a little longer to
//!   load, and is mostly not met by this.
//! - By itself the link asks for everything each time. What it can ask for instead, and who decides that, is
//!   chapter 2 ([`Link::ask_with`]).
//! - Redis takes whatever stands behind `+CONTINUE` for "no new name" unless it has 40 bytes, and dies of a
//!   `+CONTINUE` that it did not ask for. We end the attempt in both cases.

pub mod attachment;
pub mod gate;
pub mod handshake;
pub mod link;
pub mod role;
pub mod stream;
pub mod transfer;

pub use attachment::{Attachment, Phase};
pub use gate::{CommandTraits, Gate, Refusal, expired_key, may_run};
pub use handshake::{LinkConfig, Next, PsyncReply, Step, command, on_reply, parse_psync_reply};
pub use link::{Link, LinkInput, LinkOutput, LinkState};
pub use role::{ReplicaOf, RoleStep, replicaof};
pub use stream::{Apply, StreamReader, StreamWriter};
pub use transfer::{Chunk, Framing, Transfer, TransferError};
