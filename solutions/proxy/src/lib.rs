//! A sharding proxy as one machine, without input or output.
//!
//! Clients speak to it as to one Redis server. Behind it stand several, and each key lives at one of them.
//! Where, is decided by chapter 6's layer ([`node::layers::sharding`]); here is what surrounds the decision:
//! connections, the order of answers, servers that fail, a limit on the rate.
//!
//! A driver (`server::proxy` on tokio, a test with bytes in its hands) tells it what happened and carries out
//! what it asks for, as with [`node::Node`]: bytes in by [`Proxy::receive`], bytes out from [`Proxy::pending`],
//! acknowledged by [`Proxy::sent`]; time by [`Proxy::tick`]; everything else as an [`Effect`].
//!
//! # How a command travels
//!
//! All clients of a pool share one link to each server, so that many small commands become few large writes. A
//! command goes on byte for byte as it came. The server answers in order, so a queue of [tickets](server) says whose
//! answer comes next; a client reads its answers in the order of its questions, so an answer that is early waits
//! at the [client](client) until the ones before it are there.
//!
//! # What it does not do
//!
//! Blocking commands, transactions, pub/sub and everything else that ties a client to one server or needs all
//! keys together is refused with an error, and the connection stays usable. (Twemproxy closes it.) RESP3 is not
//! spoken. A command that was sent to a server that then failed may have been executed or not; the error says
//! that the server failed, and nothing is sent twice.

mod asking;
mod client;
pub mod config;
mod frames;
mod links;
mod own;
mod proxy;
mod rate;
pub mod reply;
mod server;
mod serving;

pub use links::LinkId;
pub use proxy::{Effect, Proxy};
