//! What the nodes of a cluster decide, each for itself: pure functions of what one node knows.
//!
//! Nothing here has a connection, a clock or a member in hand. Callers pass in what the rule needs, and apply what
//! comes out. `heartbeat`, `gossip` and `handshake` are how news travels (chapter 7); `claims` and `epochs` are whose
//! word counts when two nodes disagree about slots (chapter 9).

pub(crate) mod claims;
pub(crate) mod epochs;
pub(crate) mod failure;
pub(crate) mod gossip;
pub(crate) mod handshake;
pub(crate) mod heartbeat;
