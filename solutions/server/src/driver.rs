//! What all connections share: the node, the read buffer, and the carrying out of what the node asks.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Waker;
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
use crate::log::Log;
use crate::meters::used_memory;
use crate::programs::{self, Programs};
use crate::{clock, reason};

/// Size of the shared read buffer, in bytes: as much as one read takes from a socket.
const SCRATCH: usize = 64 * 1024;

pub(crate) struct Driver {
    pub(crate) node: RefCell<Node>,
    /// Every task reads into this one. Its bytes are the node's before the task gives way.
    pub(crate) scratch: RefCell<Box<[u8]>>,
    log: Log,
    pub(crate) disk: Disk,
    pub(crate) programs: Programs,
    /// By `ConnId::slot`.
    lines: RefCell<Vec<Slot>>,
    /// Connections that are over for the node, and that the peer, who is cut off, must not hear of yet.
    held: RefCell<Vec<Rc<Line>>>,
    /// Somebody is cut off.
    pub(crate) partitioned: Cell<bool>,
    /// Connections with something to write, and how to wake the task that writes.
    to_write: RefCell<VecDeque<ConnId>>,
    writer: Notify,
    /// When the timer's task will wake, and how to make it look again.
    timer_at: Cell<Millis>,
    timer: Notify,
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

/// A line and the connection it is for. Slots are used again, ids never.
type Slot = Option<(ConnId, Rc<Line>)>;

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
    waker: RefCell<Option<Waker>>,
}

impl Line {
    /// Makes later calls of `wake` poll the task of this waker.
    pub(crate) fn register(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    /// Afterwards its task sees what has piled up.
    fn cut_or_heal(&self, cut: bool) {
        if self.cut.replace(cut) && !cut {
            self.blocked.set(true);
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

impl Driver {
    pub(crate) fn new(node: Node, log: Log, disk: Disk) -> Rc<Driver> {
        Rc::new(Driver {
            node: RefCell::new(node),
            scratch: RefCell::new(vec![0; SCRATCH].into_boxed_slice()),
            log,
            disk,
            programs: Programs::default(),
            lines: RefCell::default(),
            held: RefCell::default(),
            partitioned: Cell::new(false),
            to_write: RefCell::default(),
            writer: Notify::new(),
            timer_at: Cell::new(Millis(u64::MAX)),
            timer: Notify::new(),
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
        let mut to_write = self.to_write.borrow_mut();
        while let Some(id) = node.wants_write() {
            if to_write.is_empty() {
                self.writer.notify_one();
            }
            to_write.push_back(id);
        }
        if node.wants_flush() {
            self.flush.notify_one();
        }
        if node.wants_turn() {
            self.writer.notify_one();
        }
        if node.next_deadline().is_some_and(|deadline| deadline < self.timer_at.get()) {
            self.timer.notify_one();
        }
    }

    fn carry_out(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Log { level, role, text } => self.log.line(role, level, &text),
            Effect::Connect { conn, to } => {
                let line = self.add_line(conn);
                line.cut.set(self.node.borrow().is_cut(conn));
                spawn_local(open(Rc::clone(self), conn, line, to));
            }
            Effect::Close { conn } => self.with_line(conn, |line| {
                line.closing.set(true);
                line.wake();
            }),
            Effect::File(effect) => self.disk.ask(effect),
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

    fn add_line(&self, id: ConnId) -> Rc<Line> {
        let mut lines = self.lines.borrow_mut();
        if lines.len() <= id.slot() {
            lines.resize_with(id.slot() + 1, || None);
        }
        let line = Rc::new(Line::default());
        lines[id.slot()] = Some((id, Rc::clone(&line)));
        line
    }

    fn with_line(&self, id: ConnId, act: impl FnOnce(&Line)) {
        // The slot may belong to a successor already.
        let line = match self.lines.borrow().get(id.slot()) {
            Some(Some((known, line))) if *known == id => Rc::clone(line),
            _ => return,
        };
        act(&line);
    }

    /// Who is cut off has changed.
    fn partition(&self) {
        let node = self.node.borrow();
        self.partitioned.set(node.is_partitioned());
        for (id, line) in self.lines.borrow().iter().flatten() {
            line.cut_or_heal(node.is_cut(*id));
        }
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
        if let Some(slot) = self.lines.borrow_mut().get_mut(id.slot())
            && slot.as_ref().is_some_and(|(known, _)| *known == id)
        {
            *slot = None;
        }
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
        let line = self.add_line(id);
        self.settle();
        spawn_local(Connection::new(Rc::clone(self), stream, id, line));
    }

    /// Writes what the connections have to say, for ever.
    ///
    /// This task was woken by the first of the connections that are readable right now, so it runs after
    /// all of them: every command that has arrived is executed before the first reply leaves. The peers
    /// then wake once for many replies, not once for each. (Redis does the same in `beforeSleep`.)
    pub(crate) async fn write_all(self: Rc<Self>) {
        loop {
            self.writer.notified().await;
            // The replicas get what all of these commands wrote in one piece.
            if self.node.borrow().wants_turn() {
                self.event(|node, now| node.end_turn(now));
            }
            let mut count = self.to_write.borrow().len();
            let now = clock::now();
            while count > 0 {
                count -= 1;
                let Some(id) = self.to_write.borrow_mut().pop_front() else { break };
                self.with_line(id, |line| self.write(now, id, line));
            }
            // What came while we wrote has its turn after the connections that can be read by now.
            if !self.to_write.borrow().is_empty() {
                self.writer.notify_one();
                tokio::task::yield_now().await;
            }
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
            line.wake();
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
    /// had arrived by then has had a turn.
    pub(crate) async fn flush_files(self: Rc<Self>) {
        loop {
            self.flush.notified().await;
            tokio::task::yield_now().await;
            self.event(|node, now| node.flush_files(now));
        }
    }

    /// Lets time pass for the node, for ever.
    pub(crate) async fn keep_time(self: Rc<Self>) {
        /// How long to sleep when the node wants no waking: a clock may jump.
        const LONGEST: Millis = Millis(1000);
        let mut give_back = GiveBack::default();
        loop {
            let deadline = self.node.borrow().next_deadline();
            let wait = deadline.map_or(LONGEST, |deadline| deadline.since(clock::now()).min(LONGEST));
            self.timer_at.set(deadline.unwrap_or(Millis(u64::MAX)));
            if wait > Millis::ZERO {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(wait.0)) => {}
                    () = self.timer.notified() => continue,
                }
            } else {
                // Never the whole thread, even if the node wanted a tick at every moment.
                tokio::task::yield_now().await;
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
