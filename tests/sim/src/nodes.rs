//! Whole nodes in the world, unchanged: `node::Node` is driven here as `server` drives it on real sockets.
//!
//! [`NodeHost`] is the driver, [`Client`] is somebody who talks to nodes, [`rules`] are what must hold between
//! a master and its replicas, and [`stories`] are runs to read.

mod client;
mod disk;
pub mod rules;
pub mod stories;

use std::collections::BTreeMap;

use core_types::{Broken, LogLevel, Millis, Role};
use node::config::Config;
use node::{ConnId, Effect, Node, Peer};

use crate::world::{Boot, Conn, Host, Input, Io};

pub use client::{Client, Load};

type Tamper = Box<dyn FnMut(&mut Vec<u8>)>;

/// A node on a host of the simulated world.
pub struct NodeHost {
    node: Node,
    /// Log lines from this level on are shown in the trace; `None` shows none.
    log: Option<LogLevel>,
    tamper: Option<Tamper>,
    /// Files the node has open, by name.
    files: disk::Files,
    to_world: BTreeMap<ConnId, Conn>,
    to_node: BTreeMap<Conn, ConnId>,
}

impl NodeHost {
    /// Starts a node. The configuration's port must be one the host listens on.
    pub fn new(config: Config, boot: &Boot) -> NodeHost {
        let node = Node::new(config, boot.seed, boot.now);
        NodeHost {
            node,
            log: None,
            tamper: None,
            files: disk::Files::new(),
            to_world: BTreeMap::new(),
            to_node: BTreeMap::new(),
        }
    }

    /// Shows log lines of this level and above in the trace.
    #[must_use]
    pub fn with_log(mut self, level: LogLevel) -> NodeHost {
        self.log = Some(level);
        self
    }

    /// Changes or swallows bytes before the node hears them, behind the network's back: makes a known-bad node, to
    /// see that the rules notice.
    #[must_use]
    pub fn with_tampered_input(mut self, tamper: impl FnMut(&mut Vec<u8>) + 'static) -> NodeHost {
        self.tamper = Some(Box::new(tamper));
        self
    }

    /// The node, to look at.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Does what the node asks for, until it asks for nothing more.
    fn serve(&mut self, io: &mut Io<'_, '_>) {
        let now = io.now();
        loop {
            if let Some(effect) = self.node.poll_effect() {
                self.perform(now, effect, io);
            } else if let Some(id) = self.node.wants_write() {
                self.write(now, id, io);
            } else {
                return;
            }
        }
    }

    fn perform(&mut self, now: Millis, effect: Effect, io: &mut Io<'_, '_>) {
        match effect {
            Effect::Connect { conn, to } => {
                let ours = io.connect(&to);
                self.remember(conn, ours);
            }
            Effect::Close { conn } => {
                self.write(now, conn, io);
                if let Some(ours) = self.to_world.remove(&conn) {
                    self.to_node.remove(&ours);
                    io.close(ours);
                }
                self.node.closed(now, conn);
            }
            Effect::Log { level, role, text } => {
                if self.log.is_some_and(|shown| level >= shown) {
                    let _ = role;
                    io.note(text);
                }
            }
            // The world stops processes by itself.
            Effect::Stall { .. } => {}
            Effect::File(effect) => disk::carry_out(&mut self.node, &mut self.files, effect, io),
            Effect::Exit { .. } => io.exit(),
        }
    }

    fn write(&mut self, now: Millis, id: ConnId, io: &mut Io<'_, '_>) {
        let Some(&conn) = self.to_world.get(&id) else { return };
        // Sending can make more to send: a snapshot that is out is followed by the stream.
        loop {
            let pending = self.node.pending(id);
            let (len, taken) = (pending.len(), io.write(conn, pending));
            if taken > 0 {
                self.node.sent(now, id, taken);
            }
            if taken < len || len == 0 {
                return;
            }
        }
    }

    fn remember(&mut self, id: ConnId, conn: Conn) {
        self.to_world.insert(id, conn);
        self.to_node.insert(conn, id);
    }

    fn forget(&mut self, conn: Conn) -> Option<ConnId> {
        let id = self.to_node.remove(&conn)?;
        self.to_world.remove(&id);
        Some(id)
    }
}

impl Host for NodeHost {
    fn handle(&mut self, input: Input<'_>, io: &mut Io<'_, '_>) {
        let now = io.now();
        match input {
            Input::Start => {}
            Input::Accepted { conn, peer, .. } => {
                let peer = Peer { addr: peer.into(), local_addr: io.local_address(conn), loopback: true };
                let id = self.node.accept(now, peer);
                self.remember(id, conn);
            }
            Input::Connected { conn } => {
                if let Some(&id) = self.to_node.get(&conn) {
                    self.node.connected(now, id, &io.local_address(conn));
                }
            }
            Input::Refused { conn, why } => {
                if let Some(id) = self.forget(conn) {
                    self.node.connect_failed(now, id, why);
                }
            }
            Input::Received { conn, bytes } => {
                let Some(&id) = self.to_node.get(&conn) else { return };
                match &mut self.tamper {
                    None => self.node.receive(now, id, bytes),
                    Some(tamper) => {
                        let mut bytes = bytes.to_vec();
                        tamper(&mut bytes);
                        self.node.receive(now, id, &bytes);
                    }
                }
            }
            Input::Writable { conn } => {
                if let Some(&id) = self.to_node.get(&conn) {
                    self.write(now, id, io);
                }
            }
            Input::Closed { conn } => {
                if let Some(id) = self.forget(conn) {
                    self.node.closed(now, id);
                }
            }
            Input::Tick => self.node.tick(now),
        }
        self.serve(io);
    }

    fn next_deadline(&self) -> Option<Millis> {
        self.node.next_deadline()
    }

    fn check_invariants(&self) -> Result<(), Broken> {
        self.node.check_invariants()
    }

    fn accepts_input(&self, conn: Conn) -> bool {
        self.to_node.get(&conn).is_none_or(|&id| self.node.accepts_input(id))
    }

    fn state(&self) -> Option<String> {
        Some(match (self.node.role(), self.node.link_state()) {
            (Role::Master, _) => "Master".into(),
            (Role::Replica { .. }, Some(link)) => link.to_string(),
            (Role::Replica { .. }, None) => "Replica".into(),
        })
    }
}
