//! What all connections share: the proxy, the read buffer, and the carrying out of what the proxy asks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use core_types::{LogLevel, Millis};
use proxy::{Effect, LinkId, Proxy};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use super::connection::{Connection, open};
use crate::lines::{Bell, Lines, Timer, Writers, scratch};
use crate::log::Log;
use crate::{clock, reason};

pub(crate) struct Driver {
    pub(super) proxy: RefCell<Proxy>,
    pub(super) scratch: RefCell<Box<[u8]>>,
    log: Log,
    lines: Lines<LinkId, Line>,
    writers: Writers<LinkId>,
    timer: Timer,
}

/// What the driver keeps for one connection, and its task looks at.
#[derive(Default)]
pub(super) struct Line {
    /// The proxy wants it closed.
    pub(super) closing: Cell<bool>,
    /// The socket took less than there was: the connection's own task writes the rest.
    pub(super) blocked: Cell<bool>,
    /// Where to write. `None` while we are still connecting.
    pub(super) socket: RefCell<Option<OwnedWriteHalf>>,
    /// Its task.
    pub(super) bell: Bell,
}

impl Driver {
    pub(super) fn new(proxy: Proxy, log: Log) -> Rc<Driver> {
        Rc::new(Driver {
            proxy: RefCell::new(proxy),
            scratch: scratch(),
            log,
            lines: Lines::default(),
            writers: Writers::default(),
            timer: Timer::default(),
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
                    let line = self.lines.add(link);
                    spawn_local(open(Rc::clone(self), link, line, to));
                }
                Some(Effect::Close { link }) => {
                    if let Some(line) = self.lines.get(link) {
                        line.closing.set(true);
                        line.bell.ring();
                    }
                }
                Some(Effect::Log { level, text }) => self.log.line('P', level, &text),
                None => break,
            }
        }
        let mut proxy = self.proxy.borrow_mut();
        while let Some(link) = proxy.wants_write() {
            self.writers.push(link);
        }
        while let Some(link) = proxy.poll_resumed() {
            if let Some(line) = self.lines.get(link) {
                line.bell.ring();
            }
        }
        self.timer.want(proxy.next_deadline());
    }

    /// The connection is over, whoever ended it.
    pub(super) fn forget(self: &Rc<Self>, link: LinkId) {
        self.lines.remove(link);
        self.event(|proxy, now| proxy.closed(now, link));
    }

    /// Takes clients of one pool, for ever.
    pub(super) async fn accept_all(self: Rc<Self>, listener: TcpListener, pool: usize) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    prepare(&stream);
                    let link = self.proxy.borrow_mut().accept(clock::now(), pool);
                    let line = self.lines.add(link);
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
            self.writers.wait().await;
            let write = |link| {
                if let Some(line) = self.lines.get(link) {
                    self.write(link, &line);
                }
            };
            self.writers.serve(write).await;
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
            line.bell.ring();
        }
        self.settle();
    }

    /// Lets time pass for the proxy, for ever.
    pub(super) async fn keep_time(self: Rc<Self>) {
        loop {
            let deadline = self.proxy.borrow().next_deadline();
            if self.timer.wait(deadline).await {
                self.event(|proxy, now| proxy.tick(now));
            }
        }
    }
}

/// Small commands must not wait for others to share a packet with.
pub(super) fn prepare(stream: &TcpStream) {
    // A failure costs speed, not correctness.
    let _ = stream.set_nodelay(true);
}
