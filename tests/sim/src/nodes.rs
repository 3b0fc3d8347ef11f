//! Whole nodes in the world, unchanged: `node::Node` is driven here as `server` drives it on real sockets.
//!
//! - [`NodeHost`] is the driver; [`Client`] is somebody who talks to nodes, [`Witness`] somebody who writes and
//!   waits for replicas, [`load`] what a busy client says.
//! - [`rules`] are what must hold between a master and its replicas; [`Ledger`] is what must hold in a whole
//!   tree, [`resync`] when a partial resynchronisation is due.
//! - [`sentinels`] are what must hold among sentinels and what they watch; a [`Seeker`] is a client that asks
//!   sentinels where the master is.
//! - [`clusters`] are what must hold among the nodes of a cluster; a [`Roamer`](clusters::Roamer) is its client.
//! - [`tamper`] makes known-bad nodes, to see that the rules notice.
//! - [`stories`] are runs to read; [`drills`] are played from a schedule that somebody wrote.

mod client;
pub mod clusters;
mod console;
mod digest;
mod disk;
pub mod drills;
pub mod experiments;
pub mod ledger;
pub mod load;
pub mod resync;
pub mod rules;
mod seeker;
pub mod sentinels;
pub mod stories;
pub mod tamper;
mod witness;

use std::collections::{BTreeMap, BTreeSet};

use core_types::{Broken, LogLevel, Millis, Rng, Role};
use node::config::Config;
use node::{ConnId, Effect, Node, Peer};

use crate::world::{Boot, Conn, Host, Input, Io};

pub use client::{Client, Load};
pub use digest::digest;
pub use ledger::Ledger;
pub use seeker::Seeker;
pub use sentinels::Scrutiny;
pub use witness::Witness;

use clusters::Wiretap;
use resync::{Grounds, Sync};
use sentinels::Overheard;
use tamper::{Passing, Tampered, Way};

/// A node on a host of the simulated world.
pub struct NodeHost {
    node: Node,
    /// Log lines from this level on are shown in the trace; `None` shows none.
    log: Option<LogLevel>,
    tampered: Option<Tampered>,
    /// Files the node has open, by name.
    files: disk::Files,
    /// A file that is on the disk before the process starts, and its content.
    installed: Option<(String, String)>,
    slow_disk: Option<disk::Slow>,
    lying_disk: Option<disk::Liar>,
    sick_disk: Option<disk::Sick>,
    /// Orders that an operator gives at each start.
    orders: Vec<String>,
    /// The node's own invariants are not looked at.
    unchecked: bool,
    /// What a sentinel has told.
    overheard: Option<Overheard>,
    /// What a node of a cluster has told the others, if somebody listens.
    wiretap: Option<Wiretap>,
    to_world: BTreeMap<ConnId, Conn>,
    to_node: BTreeMap<Conn, ConnId>,
    /// Connections that the node has opened itself, to its master. Those to other nodes of its cluster don't count.
    links: BTreeSet<ConnId>,
    /// Requests for synchronisation that it made, and answers that it gave, in order.
    syncs: Vec<Sync>,
    /// What it had when it decided about a request; a snapshot is announced only when it begins.
    decided: BTreeMap<Conn, Grounds>,
}

impl NodeHost {
    /// Starts a node that does not look at its files. The configuration's port must be one the host listens on.
    pub fn new(config: Config, boot: &Boot) -> NodeHost {
        NodeHost::around(Node::new(config, boot.seed, boot.now))
    }

    /// As [`new`](NodeHost::new), but first it loads the files that an earlier run has left on the host's disk.
    pub fn with_files(config: Config, boot: &Boot) -> NodeHost {
        NodeHost::around(Node::with_files(config, boot.seed, boot.now))
    }

    /// As [`with_files`](NodeHost::with_files), with the configuration that is in `file` on the host's disk; if there
    /// is no such file yet, `first` is put there. The node keeps its configuration in it. `sentinel`: it was started with
    /// `--sentinel`.
    ///
    /// # Panics
    /// If it is no sound configuration: then a node has written something that it cannot read.
    pub fn configured(boot: &Boot, file: &str, first: &str, sentinel: bool) -> NodeHost {
        let kept = boot.disk.read(file).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let text = kept.unwrap_or_else(|| first.to_string());
        let args = if sentinel { vec![file, "--sentinel"] } else { vec![file] };
        let config = Config::from_args(&args, &mut |_| Ok(text.clone()));
        let config = config.unwrap_or_else(|error| panic!("{}: {error} in:\n{text}", boot.name));
        let mut host = NodeHost::with_files(config, boot);
        host.installed = Some((file.into(), text));
        host
    }

    fn around(node: Node) -> NodeHost {
        let overheard = node.sentinel_id().map(|_| Overheard::default());
        NodeHost {
            node,
            installed: None,
            slow_disk: None,
            lying_disk: None,
            sick_disk: None,
            orders: Vec::new(),
            unchecked: false,
            overheard,
            wiretap: None,
            log: None,
            tampered: None,
            files: disk::Files::new(),
            to_world: BTreeMap::new(),
            to_node: BTreeMap::new(),
            links: BTreeSet::new(),
            syncs: Vec::new(),
            decided: BTreeMap::new(),
        }
    }

    /// Shows log lines of this level and above in the trace.
    #[must_use]
    pub fn with_log(mut self, level: LogLevel) -> NodeHost {
        self.log = Some(level);
        self
    }

    /// Gives the host a disk that takes so long for each thing it is asked for, at least and at most. Without this
    /// everything is done at once, and a crash never finds anything half done.
    #[must_use]
    pub fn with_slow_disk(mut self, pace: (Millis, Millis), seed: u64) -> NodeHost {
        let (rng, asked) = (Rng::new(seed), std::collections::VecDeque::new());
        self.slow_disk = Some(disk::Slow { pace, rng, asked, next: None });
        self
    }

    /// As [`with_slow_disk`](NodeHost::with_slow_disk), but the disk says at once that all is done: a known-bad one.
    #[must_use]
    pub fn with_lying_disk(mut self, delay: (Millis, Millis), seed: u64) -> NodeHost {
        self.lying_disk = Some(disk::Liar { delay, rng: Rng::new(seed), unsynced: Vec::new(), count: 0 });
        self
    }

    /// From now on the disk takes so long to have on itself what the system has (`fsync`), each time. What is only written goes
    /// into the system's memory at once. A process that is started again has a good disk.
    pub fn slow_syncs(&mut self, each: Millis) {
        self.sick_disk.get_or_insert_default().sync = each;
    }

    /// From now on there is no room on the disk; or there is again. What is written over needs none.
    pub fn fill_disk(&mut self, full: bool) {
        self.sick_disk.get_or_insert_default().full = full;
    }

    /// This file is on the host's disk before the process starts, whatever was there.
    #[must_use]
    pub fn with_file(mut self, name: &str, text: &str) -> NodeHost {
        self.installed = Some((name.into(), text.into()));
        self
    }

    /// Leaves the node's own invariants out, for runs that measure: in a large cluster they take longer than all else.
    #[must_use]
    pub fn without_checks(mut self) -> NodeHost {
        self.unchecked = true;
        self
    }

    /// An operator gives this order whenever the process has started: for what is in no file.
    #[must_use]
    pub fn with_order(mut self, command: &str) -> NodeHost {
        self.orders.push(command.into());
        self
    }

    /// Changes or swallows bytes before the node hears them, behind the network's back: makes a known-bad node, to
    /// see that the rules notice.
    #[must_use]
    pub fn with_tampered_input(self, mut tamper: impl FnMut(&mut Vec<u8>) + 'static) -> NodeHost {
        self.with_tampering(move |passing| {
            if passing.way == Way::In {
                tamper(passing.bytes);
            }
        })
    }

    /// Changes, swallows or adds bytes on their way in and out of the node. See [`tamper`].
    #[must_use]
    pub fn with_tampering(mut self, tamper: impl FnMut(Passing<'_>) + 'static) -> NodeHost {
        self.tampered = Some(Tampered::new(tamper));
        self
    }

    /// The node, to look at.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The connection with the node's master, if it has one.
    pub fn link(&self) -> Option<Conn> {
        self.links.first().and_then(|id| self.to_world.get(id)).copied()
    }

    /// What this process has told, if it is a sentinel.
    pub fn overheard(&self) -> Option<&Overheard> {
        self.overheard.as_ref()
    }

    /// Listens to what it tells the other nodes of its cluster.
    #[must_use]
    pub fn with_wiretap(mut self) -> NodeHost {
        self.wiretap = Some(Wiretap::default());
        self
    }

    /// What this process has told the other nodes of its cluster, if somebody listens.
    pub fn wiretap(&self) -> Option<&Wiretap> {
        self.wiretap.as_ref()
    }

    /// Requests for synchronisation that this process has made, and answers that it has given, in order.
    pub fn syncs(&self) -> &[Sync] {
        &self.syncs
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
                if !self.node.is_bus(conn) {
                    self.links.insert(conn);
                }
            }
            Effect::Close { conn } => {
                self.write(now, conn, io);
                if let Some(ours) = self.to_world.get(&conn).copied() {
                    self.forget(ours);
                    io.close(ours);
                }
                self.node.closed(now, conn);
            }
            Effect::Log { level, role, text } => {
                if let Some(overheard) = &mut self.overheard {
                    overheard.logged(&text);
                }
                if self.log.is_some_and(|shown| level >= shown) {
                    let _ = role;
                    io.note(text);
                }
            }
            // The world stops processes by itself.
            Effect::Stall { .. } => {}
            Effect::File(effect) => match (&mut self.slow_disk, &mut self.lying_disk, &mut self.sick_disk) {
                (_, Some(liar), _) => liar.carry_out(&mut self.node, &mut self.files, effect, io),
                (Some(slow), ..) => slow.ask(now, effect),
                (None, None, Some(sick)) => {
                    if let Some(effect) = sick.ask(now, effect) {
                        sick.carry_out(&mut self.node, &mut self.files, effect, io);
                    }
                    self.hear_of_the_disk(now, io);
                }
                (None, None, None) => disk::carry_out(&mut self.node, &mut self.files, effect, io),
            },
            // There are no programs here; whatever it was, it went well.
            Effect::Run { id, .. } => self.node.run_ended(now, id, Some(0)),
            // The simulator has partitions of its own.
            Effect::EndRun { .. } | Effect::Partition => {}
            Effect::Exit { .. } => io.exit(),
        }
    }

    /// Carries out what a sick disk has got to.
    fn hear_of_the_disk(&mut self, now: Millis, io: &mut Io<'_, '_>) {
        let Some(sick) = &mut self.sick_disk else { return };
        while let Some(done) = sick.due(now) {
            sick.carry_out(&mut self.node, &mut self.files, done, io);
        }
    }

    fn write(&mut self, now: Millis, id: ConnId, io: &mut Io<'_, '_>) {
        let Some(&conn) = self.to_world.get(&id) else { return };
        if self.tampered.is_some() {
            return self.write_tampered(now, id, conn, io);
        }
        // Sending can make more to send: a snapshot that is out is followed by the stream.
        loop {
            let pending = self.node.pending(id);
            let (len, taken) = (pending.len(), io.write(conn, pending));
            if taken > 0 {
                if let Some(wiretap) = self.wiretap.as_mut().filter(|_| self.node.is_bus(id)) {
                    wiretap.said(conn, &pending[..taken]);
                }
                let decided = &mut self.decided;
                match &mut self.overheard {
                    Some(overheard) => overheard.said(pending),
                    None => {
                        let to_master = self.links.contains(&id);
                        self.syncs.extend(Sync::spoken(&self.node, decided, conn, to_master, pending));
                    }
                }
                self.node.sent(now, id, taken);
            }
            if taken < len || len == 0 {
                return;
            }
        }
    }

    /// The same past somebody who changes what is said. The node believes that all of it has left.
    fn write_tampered(&mut self, now: Millis, id: ConnId, conn: Conn, io: &mut Io<'_, '_>) {
        let Some(tampered) = &mut self.tampered else { return };
        let to_master = self.links.contains(&id);
        loop {
            let mut bytes = self.node.pending(id).to_vec();
            if bytes.is_empty() {
                break;
            }
            self.node.sent(now, id, bytes.len());
            let way = Way::Out;
            tampered.pass(Passing { node: &self.node, conn, to_master, way, bytes: &mut bytes });
            if let Some(overheard) = &mut self.overheard {
                overheard.said(&bytes);
            }
            self.syncs.extend(Sync::spoken(&self.node, &mut self.decided, conn, to_master, &bytes));
            tampered.unsent.entry(conn).or_default().extend_from_slice(&bytes);
        }
        let unsent = tampered.unsent.entry(conn).or_default();
        let taken = io.write(conn, unsent);
        let sent = unsent.split_to(taken);
        if let Some(wiretap) = self.wiretap.as_mut().filter(|_| self.node.is_bus(id)) {
            wiretap.said(conn, &sent);
        }
    }

    fn remember(&mut self, id: ConnId, conn: Conn) {
        self.to_world.insert(id, conn);
        self.to_node.insert(conn, id);
    }

    fn forget(&mut self, conn: Conn) -> Option<ConnId> {
        if let Some(tampered) = &mut self.tampered {
            tampered.unsent.remove(&conn);
        }
        if let Some(wiretap) = &mut self.wiretap {
            wiretap.closed(conn);
        }
        self.decided.remove(&conn);
        let id = self.to_node.remove(&conn)?;
        self.to_world.remove(&id);
        self.links.remove(&id);
        Some(id)
    }
}

impl Host for NodeHost {
    fn handle(&mut self, input: Input<'_>, io: &mut Io<'_, '_>) {
        let now = io.now();
        match input {
            Input::Start => {
                if let Some((name, text)) = self.installed.take() {
                    io.disk().write(&name, text.as_bytes());
                    io.disk().sync(&name);
                }
                for order in std::mem::take(&mut self.orders) {
                    self.order(io, &order);
                }
            }
            Input::Accepted { conn, port, peer } => {
                let peer = Peer { addr: peer.into(), local_addr: io.local_address(conn), loopback: true };
                // A host of a cluster has a second port, for the other nodes.
                let id = match port == self.node.config().port {
                    true => self.node.accept(now, peer),
                    false => self.node.accept_bus(now, peer),
                };
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
                let (grounds, counts) = (Grounds::of(&self.node), self.node.sync_counts());
                let mut altered = None;
                if let Some(tampered) = &mut self.tampered {
                    let (node, to_master) = (&self.node, self.links.contains(&id));
                    let bytes = altered.insert(bytes.to_vec());
                    tampered.pass(Passing { node, conn, to_master, way: Way::In, bytes });
                }
                let bytes = altered.as_deref().unwrap_or(bytes);
                match self.wiretap.as_mut().filter(|_| self.node.is_bus(id)) {
                    Some(wiretap) => wiretap.hears(&mut self.node, now, id, conn, bytes),
                    None => self.node.receive(now, id, bytes),
                }
                if self.node.sync_counts() != counts {
                    self.decided.insert(conn, grounds);
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
            Input::Tick => {
                if let Some(liar) = &mut self.lying_disk {
                    liar.sync_what_is_due(now, io);
                }
                while let Some(done) = self.slow_disk.as_mut().and_then(|slow| slow.due(now)) {
                    disk::carry_out(&mut self.node, &mut self.files, done, io);
                }
                self.hear_of_the_disk(now, io);
                self.node.tick(now);
            }
        }
        self.serve(io);
    }

    fn next_deadline(&self) -> Option<Millis> {
        let slow = self.slow_disk.as_ref().and_then(|slow| slow.next);
        let disk = slow.into_iter().chain(self.sick_disk.as_ref().and_then(|sick| sick.next));
        self.node.next_deadline().into_iter().chain(disk).min()
    }

    fn check_invariants(&self) -> Result<(), Broken> {
        if self.unchecked { Ok(()) } else { self.node.check_invariants() }
    }

    fn accepts_input(&self, conn: Conn) -> bool {
        self.to_node.get(&conn).is_none_or(|&id| self.node.accepts_input(id))
    }

    fn state(&self) -> Option<String> {
        Some(match (self.node.role(), self.node.link_state()) {
            _ if self.overheard.is_some() => sentinels::mood(&self.node),
            _ if self.node.is_loading() => "Loading files".into(),
            _ if self.wiretap.is_some() => clusters::mood(&self.node).unwrap_or_else(|| "Waking".into()),
            (Role::Master, _) => "Master".into(),
            (Role::Replica { .. }, Some(link)) => link.to_string(),
            (Role::Replica { .. }, None) => "Replica".into(),
        })
    }
}
