//! Known-bad nodes: what a node hears and says is changed on its way, as if its program were wrong.
//!
//! The node itself stays as it is, so nothing has to be weakened for this; and the rules look at all nodes in the
//! same way, and must notice.

use std::collections::BTreeMap;

use bytes::BytesMut;
use node::Node;

use crate::world::Conn;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The node is about to hear them.
    In,
    /// The node has said them.
    Out,
}

/// Bytes that pass.
pub struct Passing<'a> {
    /// The node: before it hears what comes in, after it has said what goes out.
    pub node: &'a Node,
    /// The connection.
    pub conn: Conn,
    /// It is the connection with the node's own master.
    pub to_master: bool,
    /// Which way.
    pub way: Way,
    /// What it is; change it as you like.
    pub bytes: &'a mut Vec<u8>,
}

/// Somebody between a node and its connections.
pub(super) struct Tampered {
    tamper: Box<dyn FnMut(Passing<'_>)>,
    /// What the node believes to have sent, and no connection has taken yet.
    pub(super) unsent: BTreeMap<Conn, BytesMut>,
}

impl Tampered {
    pub(super) fn new(tamper: impl FnMut(Passing<'_>) + 'static) -> Tampered {
        Tampered { tamper: Box::new(tamper), unsent: BTreeMap::new() }
    }

    pub(super) fn pass(&mut self, passing: Passing<'_>) {
        (self.tamper)(passing);
    }
}
