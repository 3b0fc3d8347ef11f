//! What all connections share: the node, the read buffer, and the carrying out of what the node asks.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use core_types::{Endpoint, LogLevel, Millis};
use node::{ConnId, Effect, Node, Peer};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::spawn_local;

use crate::allocator::GiveBack;
use crate::connection::{Connection, open};
use crate::disk::Disk;
use crate::lines::{Bell, Lines, Timer, Writers, scratch};
use crate::log::Log;
use crate::meters::used_memory;
use crate::programs::{self, Programs};
use crate::{clock, reason};

pub(crate) struct Driver {
    pub(crate) node: RefCell<Node>,
    /// Every task reads into this one. Its bytes are the node's before the task gives way.
    pub(crate) scratch: RefCell<Box<[u8]>>,
    log: Log,
    pub(crate) disk: Disk,
    pub(crate) programs: Programs,
    lines: Lines<ConnId, Line>,
    /// Connections that are over for the node, and that the peer, who is cut off, must not hear of yet.
    held: RefCell<Vec<Rc<Line>>>,
    /// Somebody is cut off.
    pub(crate) partitioned: Cell<bool>,
    /// The node reads from almost nobody: those who wait for that must be told of its end.
    stood_still: Cell<bool>,
    writers: Writers<ConnId>,
    timer: Timer,
    /// The append-only file has grown.
    flush: Notify,
    exit: Cell<Option<i32>>,
    pub(crate) exited: Notify,
}

/// Who connects to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Clients, replicas, sentinels.
    Clients,
    /// Other nodes of the cluster.
    Nodes,
}

/// What the driver keeps for one connection, and its task looks at.
#[derive(Default)]
pub(crate) struct Line {
    /// The node wants it closed.
    pub(crate) closing: Cell<bool>,
    /// The socket took less than there was: the connection's own task writes the rest.
    pub(crate) blocked: Cell<bool>,
    /// The node takes no more input until output has left: the task must be told when it has.
    pub(crate) paused: Cell<bool>,
    /// Its peer is cut off, in a test: the socket is left alone, and new ones are not opened.
    pub(crate) cut: Cell<bool>,
    /// Where to write. `None` while we are still connecting.
    pub(crate) socket: RefCell<Option<OwnedWriteHalf>>,
    /// Its task.
    pub(crate) bell: Bell,
}

impl Line {
    /// Afterwards its task sees what has piled up.
    fn cut_or_heal(&self, cut: bool) {
        if self.cut.replace(cut) && !cut {
            self.blocked.set(true);
            self.bell.ring();
        }
    }
}

impl Driver {
    pub(crate) fn new(node: Node, log: Log, disk: Disk) -> Rc<Driver> {
        Rc::new(Driver {
            node: RefCell::new(node),
            scratch: scratch(),
            log,
            disk,
            programs: Programs::default(),
            lines: Lines::default(),
            held: RefCell::default(),
            partitioned: Cell::new(false),
            stood_still: Cell::new(false),
            writers: Writers::default(),
            timer: Timer::default(),
            flush: Notify::new(),
            exit: Cell::new(None),
            exited: Notify::new(),
        })
    }

    /// Tells the node of one event and does what it then asks for.
    pub(crate) fn event<R>(self: &Rc<Self>, tell: impl FnOnce(&mut Node, Millis) -> R) -> R {
        let result = tell(&mut self.node.borrow_mut(), clock::now());
        self.settle();
        result
    }

    /// Carries out the node's effects, and puts the connections that have something to write on the list.
    pub(crate) fn settle(self: &Rc<Self>) {
        loop {
            let effect = self.node.borrow_mut().poll_effect();
            match effect {
                Some(effect) => self.carry_out(effect),
                None => break,
            }
        }
        let mut node = self.node.borrow_mut();
        while let Some(id) = node.wants_write() {
            self.writers.push(id);
        }
        if node.wants_flush() {
            self.flush.notify_one();
        }
        if node.wants_turn() {
            self.writers.wake();
        }
        if self.stood_still.replace(node.stands_still()) && !node.stands_still() {
            self.lines.each(|_, line| {
                if line.paused.take() {
                    line.bell.ring();
                }
            });
        }
        self.timer.want(node.next_deadline());
    }

    fn carry_out(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Log { level, role, text } => self.log.line(role, level, &text),
            Effect::Connect { conn, to } => {
                let line = self.lines.add(conn);
                line.cut.set(self.node.borrow().is_cut(conn));
                spawn_local(open(Rc::clone(self), conn, line, to));
            }
            Effect::Close { conn } => {
                if let Some(line) = self.lines.get(conn) {
                    line.closing.set(true);
                    line.bell.ring();
                }
            }
            Effect::File(effect) => {
                if let Some((file, answer)) = self.disk.ask(effect) {
                    self.node.borrow_mut().file_event(clock::now(), file, answer.event());
                }
            }
            Effect::Stall { time } => stand_still(time),
            Effect::Run { id, path, args } => {
                drop(spawn_local(programs::run(Rc::clone(self), id, path, args)));
            }
            Effect::EndRun { id } => self.programs.end(id),
            Effect::Partition => self.partition(),
            Effect::Exit { code } => {
                self.exit.set(Some(code));
                self.exited.notify_one();
            }
        }
    }

    /// The exit code, once the node has asked for the end.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.exit.get()
    }

    pub(crate) fn log(&self, level: LogLevel, text: &str) {
        let role = if matches!(self.node.borrow().role(), core_types::Role::Master) { 'M' } else { 'S' };
        self.log.line(role, level, text);
    }

    /// Who is cut off has changed.
    fn partition(&self) {
        let node = self.node.borrow();
        self.partitioned.set(node.is_partitioned());
        self.lines.each(|id, line| line.cut_or_heal(node.is_cut(id)));
        // Which of those that are over were behind this cut or that does not matter any more.
        if !node.is_partitioned() {
            self.held.borrow_mut().drain(..).for_each(|line| line.cut_or_heal(false));
        }
    }

    /// What a peer has said of itself may have shown that it is cut off.
    pub(crate) fn look_for_cut(&self, id: ConnId, line: &Line) {
        if self.partitioned.get() {
            line.cut_or_heal(self.node.borrow().is_cut(id));
        }
    }

    /// Keeps a connection open that the node has closed, until the cut is healed.
    pub(crate) fn hold(&self, line: &Rc<Line>) {
        self.held.borrow_mut().push(Rc::clone(line));
    }

    /// The connection is over, whoever ended it.
    pub(crate) fn forget(self: &Rc<Self>, id: ConnId) {
        self.lines.remove(id);
        self.event(|node, now| node.closed(now, id));
    }

    /// Takes clients, or other nodes of the cluster, from one listener, for ever.
    pub(crate) async fn accept_all(self: Rc<Self>, listener: TcpListener, whom: Whom) {
        loop {
            match listener.accept().await {
                Ok((stream, addr)) => self.accept(stream, addr, whom),
                Err(error) => {
                    let why = reason(&error);
                    let (level, what) = match whom {
                        Whom::Clients => (LogLevel::Warning, "Accepting client connection: accept"),
                        Whom::Nodes => (LogLevel::Verbose, "Error accepting cluster node: accept"),
                    };
                    self.log(level, &format!("{what}: {why}"));
                    // Most likely we are out of file descriptors: without a pause this would spin.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn accept(self: &Rc<Self>, stream: TcpStream, addr: SocketAddr, whom: Whom) {
        self.prepare(&stream);
        let peer = Peer {
            addr: addr.to_string(),
            local_addr: stream.local_addr().map(|addr| addr.to_string()).unwrap_or_default(),
            loopback: addr.ip().to_canonical().is_loopback(),
        };
        // The line must be there before the node's first effect for it is carried out.
        let id = match whom {
            Whom::Clients => self.node.borrow_mut().accept(clock::now(), peer),
            Whom::Nodes => self.node.borrow_mut().accept_bus(clock::now(), peer),
        };
        let line = self.lines.add(id);
        self.settle();
        spawn_local(Connection::new(Rc::clone(self), stream, id, line));
    }

    /// Writes what the connections have to say, for ever.
    pub(crate) async fn write_all(self: Rc<Self>) {
        loop {
            self.writers.wait().await;
            // The replicas get what all of these commands wrote in one piece.
            if self.node.borrow().wants_turn() {
                self.event(|node, now| node.end_turn(now));
            }
            let now = clock::now();
            let write = |id| {
                if let Some(line) = self.lines.get(id) {
                    self.write(now, id, &line);
                }
            };
            self.writers.serve(write).await;
        }
    }

    /// Writes for one connection what its socket takes at once. The rest is for its own task, which can
    /// wait for the socket.
    fn write(self: &Rc<Self>, now: Millis, id: ConnId, line: &Line) {
        if line.blocked.get() || line.closing.get() || line.cut.get() {
            return;
        }
        let socket = line.socket.borrow();
        let Some(socket) = &*socket else { return };
        let mut node = self.node.borrow_mut();
        let pending = node.pending(id);
        let length = pending.len();
        if length == 0 {
            return;
        }
        // An error is found again, and handled, by the task.
        let written = socket.try_write(pending).unwrap_or_default();
        if written > 0 {
            node.sent(now, id, written);
        }
        drop(node);
        if written < length {
            line.blocked.set(true);
        }
        if written < length || line.paused.take() {
            line.bell.ring();
        }
        self.settle();
    }

    /// Socket options, the same for clients and for the link to our master.
    pub(crate) fn prepare(&self, stream: &TcpStream) {
        // A failure costs speed or a late discovery of a dead peer, not correctness.
        let _ = stream.set_nodelay(true);
        let seconds = self.node.borrow().config().tcp_keepalive.as_secs();
        if seconds > 0 {
            let time = TcpKeepalive::new().with_time(Duration::from_secs(seconds));
            // Three questions within one period more, as in Redis's anet.c.
            let keepalive = time.with_interval(Duration::from_secs((seconds / 3).max(1)));
            let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
        }
    }

    /// Waits for the files of an earlier run, but not long. Clients can connect already, and are served when
    /// this returns: only if there is much to load do they hear of it.
    pub(crate) async fn load_for_a_moment(&self) {
        const MOMENT: Duration = Duration::from_millis(100);
        let loaded = async {
            while self.node.borrow().is_loading() {
                tokio::task::yield_now().await;
            }
        };
        let _ = tokio::time::timeout(MOMENT, loaded).await;
    }

    /// Lets the node write its append-only file, for ever: whenever it has grown, and everybody whose bytes
    /// had arrived by then has had a turn. If clients wait for the disk, those who came meanwhile have theirs too.
    pub(crate) async fn flush_files(self: Rc<Self>) {
        loop {
            self.flush.notified().await;
            if self.node.borrow().flush_waits_for_disk() {
                tokio::task::yield_now().await;
            }
            self.event(|node, now| node.flush_files(now));
        }
    }

    /// Lets time pass for the node, for ever.
    pub(crate) async fn keep_time(self: Rc<Self>) {
        let mut give_back = GiveBack::default();
        loop {
            let deadline = self.node.borrow().next_deadline();
            if !self.timer.wait(deadline).await {
                continue;
            }
            self.event(|node, now| node.tick(now));
            give_back.look(used_memory());
        }
    }
}

/// Nothing else happens in this thread meanwhile, and all of the node is in this thread.
#[expect(clippy::disallowed_methods, reason = "standing still is what was asked for")]
fn stand_still(time: Millis) {
    std::thread::sleep(Duration::from_millis(time.0));
}

/// Where `to` is. Addresses need no resolver, and no thread for it. Of several addresses the first one of IPv4 is taken:
/// nodes listen there, and not always on both.
pub(crate) async fn resolve(to: &Endpoint) -> std::io::Result<SocketAddr> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((to.host.as_str(), to.port)).await?.collect();
    let found = found.iter().find(|addr| addr.is_ipv4()).or(found.first()).copied();
    found.ok_or_else(|| std::io::Error::new(std::io::ErrorKind::NotFound, "Name or service not known"))
}
