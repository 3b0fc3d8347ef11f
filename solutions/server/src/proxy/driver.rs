//! What all connections share: the proxy, the read buffer, and the carrying out of what the proxy asks.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use core_types::{LogLevel, Millis};
use proxy::{Effect, LinkId, Proxy};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::spawn_local;

use super::connection::{Connection, open};
use crate::log::Log;
use crate::{clock, reason};

/// Size of the shared read buffer, in bytes.
const SCRATCH: usize = 64 * 1024;

pub(crate) struct Driver {
    pub(super) proxy: RefCell<Proxy>,
    pub(super) scratch: RefCell<Box<[u8]>>,
    log: Log,
    /// By `LinkId::slot`.
    lines: RefCell<Vec<Slot>>,
    to_write: RefCell<VecDeque<LinkId>>,
    writer: Notify,
    timer_at: Cell<Millis>,
    timer: Notify,
}

/// A line and the connection it is for. Slots are used again, ids never.
type Slot = Option<(LinkId, Rc<Line>)>;

/// What the driver keeps for one connection, and its task looks at.
#[derive(Default)]
pub(super) struct Line {
    /// The proxy wants it closed.
    pub(super) closing: Cell<bool>,
    /// The socket took less than there was: the connection's own task writes the rest.
    pub(super) blocked: Cell<bool>,
    /// Where to write. `None` while we are still connecting.
    pub(super) socket: RefCell<Option<OwnedWriteHalf>>,
    waker: RefCell<Option<Waker>>,
}

impl Line {
    /// Makes later calls of `wake` poll the task of this waker.
    pub(super) fn register(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

impl Driver {
    pub(super) fn new(proxy: Proxy, log: Log) -> Rc<Driver> {
        Rc::new(Driver {
            proxy: RefCell::new(proxy),
            scratch: RefCell::new(vec![0; SCRATCH].into_boxed_slice()),
            log,
            lines: RefCell::default(),
            to_write: RefCell::default(),
            writer: Notify::new(),
            timer_at: Cell::new(Millis(u64::MAX)),
            timer: Notify::new(),
        })
    }

    /// Tells the proxy of one event and does what it then asks for.
    pub(super) fn event<R>(self: &Rc<Self>, tell: impl FnOnce(&mut Proxy, Millis) -> R) -> R {
        let result = tell(&mut self.proxy.borrow_mut(), clock::now());
        self.settle();
        result
    }

    /// Carries out the proxy's effects, and notes who has something to write and who may go on.
    pub(super) fn settle(self: &Rc<Self>) {
        loop {
            let effect = self.proxy.borrow_mut().poll_effect();
            match effect {
                Some(Effect::Connect { link, to }) => {
                    let line = self.add_line(link);
                    spawn_local(open(Rc::clone(self), link, line, to));
                }
                Some(Effect::Close { link }) => self.with_line(link, |line| {
                    line.closing.set(true);
                    line.wake();
                }),
                Some(Effect::Log { level, text }) => self.log.line('P', level, &text),
                None => break,
            }
        }
        let mut proxy = self.proxy.borrow_mut();
        let mut to_write = self.to_write.borrow_mut();
        while let Some(link) = proxy.wants_write() {
            if to_write.is_empty() {
                self.writer.notify_one();
            }
            to_write.push_back(link);
        }
        while let Some(link) = proxy.poll_resumed() {
            self.with_line(link, Line::wake);
        }
        if proxy.next_deadline().is_some_and(|deadline| deadline < self.timer_at.get()) {
            self.timer.notify_one();
        }
    }

    fn add_line(&self, link: LinkId) -> Rc<Line> {
        let mut lines = self.lines.borrow_mut();
        if lines.len() <= link.slot() {
            lines.resize_with(link.slot() + 1, || None);
        }
        let line = Rc::new(Line::default());
        lines[link.slot()] = Some((link, Rc::clone(&line)));
        line
    }

    fn with_line(&self, link: LinkId, act: impl FnOnce(&Line)) {
        // The slot may belong to a successor already.
        let line = match self.lines.borrow().get(link.slot()) {
            Some(Some((known, line))) if *known == link => Rc::clone(line),
            _ => return,
        };
        act(&line);
    }

    /// The connection is over, whoever ended it.
    pub(super) fn forget(self: &Rc<Self>, link: LinkId) {
        if let Some(slot) = self.lines.borrow_mut().get_mut(link.slot())
            && slot.as_ref().is_some_and(|(known, _)| *known == link)
        {
            *slot = None;
        }
        self.event(|proxy, now| proxy.closed(now, link));
    }

    /// Takes clients of one pool, for ever.
    pub(super) async fn accept_all(self: Rc<Self>, listener: TcpListener, pool: usize) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    prepare(&stream);
                    let link = self.proxy.borrow_mut().accept(clock::now(), pool);
                    let line = self.add_line(link);
                    spawn_local(Connection::new(Rc::clone(&self), stream, link, line));
                }
                Err(error) => {
                    self.log.line('P', LogLevel::Warning, &format!("cannot accept: {}", reason(&error)));
                    // Most likely we are out of file descriptors: without a pause this would spin.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Writes what the connections have to say, for ever: to the servers many commands in one piece, to the
    /// clients many replies.
    pub(super) async fn write_all(self: Rc<Self>) {
        loop {
            self.writer.notified().await;
            let mut count = self.to_write.borrow().len();
            while count > 0 {
                count -= 1;
                let Some(link) = self.to_write.borrow_mut().pop_front() else { break };
                self.with_line(link, |line| self.write(link, line));
            }
            if !self.to_write.borrow().is_empty() {
                self.writer.notify_one();
                tokio::task::yield_now().await;
            }
        }
    }

    /// Writes what the socket takes at once. The rest is for the connection's own task.
    fn write(self: &Rc<Self>, link: LinkId, line: &Line) {
        if line.blocked.get() || line.closing.get() {
            return;
        }
        let socket = line.socket.borrow();
        let Some(socket) = &*socket else { return };
        let mut proxy = self.proxy.borrow_mut();
        let pending = proxy.pending(link);
        let length = pending.len();
        if length == 0 {
            return;
        }
        // An error is found again, and handled, by the task.
        let written = socket.try_write(pending).unwrap_or_default();
        if written > 0 {
            proxy.sent(clock::now(), link, written);
        }
        drop(proxy);
        if written < length {
            line.blocked.set(true);
            line.wake();
        }
        self.settle();
    }

    /// Lets time pass for the proxy, for ever.
    pub(super) async fn keep_time(self: Rc<Self>) {
        /// How long to sleep when nothing wants waking: a clock may jump.
        const LONGEST: Millis = Millis(1000);
        loop {
            let deadline = self.proxy.borrow().next_deadline();
            let wait = deadline.map_or(LONGEST, |deadline| deadline.since(clock::now()).min(LONGEST));
            self.timer_at.set(deadline.unwrap_or(Millis(u64::MAX)));
            if wait > Millis::ZERO {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(wait.0)) => {}
                    () = self.timer.notified() => continue,
                }
            } else {
                tokio::task::yield_now().await;
            }
            self.event(|proxy, now| proxy.tick(now));
        }
    }
}

/// Small commands must not wait for others to share a packet with.
pub(super) fn prepare(stream: &TcpStream) {
    // A failure costs speed, not correctness.
    let _ = stream.set_nodelay(true);
}
