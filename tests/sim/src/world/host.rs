//! What a host in the simulated world is, and what it can do there.

use std::any::Any;
use std::fmt;

use core_types::{Broken, Endpoint, Millis};

use super::disk::Disk;
use super::net::Net;

/// A process in the simulated world: a whole node, a client, or one machine behind an adapter.
///
/// It owns no socket, file or clock. The world calls it with one [`Input`] at a time; what it wants done it
/// asks of [`Io`].
pub trait Host: Any {
    /// Takes one event. Time is [`Io::now`].
    fn handle(&mut self, input: Input<'_>, io: &mut Io<'_, '_>);

    /// When it wants a [`Input::Tick`], in its own clock. A time in the past means at once.
    fn next_deadline(&self) -> Option<Millis>;

    /// Its own invariants; checked after every event it takes.
    ///
    /// # Errors
    /// The first one that does not hold.
    fn check_invariants(&self) -> Result<(), Broken> {
        Ok(())
    }

    /// False while it doesn't want to read from `conn`. Asked before each delivery and after each of its events.
    fn accepts_input(&self, conn: Conn) -> bool {
        let _ = conn;
        true
    }

    /// Its state in a few words, for the trace: a change is shown as `A ⇨ B`. `None` hides it.
    fn state(&self) -> Option<String> {
        None
    }
}

/// One end of a connection, as its host names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conn {
    pub(super) link: u32,
    /// 0 for the end that connected, 1 for the end that accepted.
    pub(super) end: u8,
}

impl Conn {
    /// A number that both ends of the connection share, and no other connection has.
    pub fn number(self) -> u32 {
        self.link
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conn {}.{}", self.link, self.end)
    }
}

/// What happens to a host.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The process starts. Its disk holds what an earlier run left.
    Start,
    /// Somebody has connected to `port`.
    Accepted {
        /// The new connection.
        conn: Conn,
        /// Our port it came in at.
        port: u16,
        /// Address and port of the other side, as a socket shows them.
        peer: &'a str,
    },
    /// A connection that was asked for with [`Io::connect`] is open.
    Connected {
        /// The connection.
        conn: Conn,
    },
    /// A connection that was asked for could not be opened, and is gone.
    Refused {
        /// The connection.
        conn: Conn,
        /// The operating system's words.
        why: &'a str,
    },
    /// Bytes arrive, at least one. Where one write ends and the next begins cannot be told.
    Received {
        /// The connection.
        conn: Conn,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// There is room again, after a write that was taken only in part.
    Writable {
        /// The connection.
        conn: Conn,
    },
    /// The other side has closed or reset the connection, and it is gone.
    Closed {
        /// The connection.
        conn: Conn,
    },
    /// The deadline has come, or perhaps not: a tick too many does no harm.
    Tick,
}

/// What a factory needs to know to start a process.
#[derive(Clone, Debug)]
pub struct Boot {
    /// For the process's own random numbers; different after each restart.
    pub seed: u64,
    /// The host's clock.
    pub now: Millis,
    /// The host's name in the world, which others can connect to.
    pub name: String,
    /// The host's address in the world, which others can connect to as well.
    pub ip: String,
    /// How often it has been started before.
    pub restarts: u32,
    /// What is on its disk, for processes that read their configuration before they do anything else.
    pub disk: Disk,
}

/// A host's access to the world, for as long as it handles one event.
pub struct Io<'a, 't> {
    pub(super) net: &'a mut Net<'t>,
    pub(super) disk: &'a mut Disk,
    pub(super) me: usize,
    pub(super) now: Millis,
    pub(super) exit: bool,
}

impl Io<'_, '_> {
    /// The host's clock: virtual time and this host's error. It jumps when a fault makes it jump.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// The files.
    pub fn disk(&mut self) -> &mut Disk {
        self.disk
    }

    /// Begins to open a connection; [`Input::Connected`] or [`Input::Refused`] will tell how it ended. Hosts are
    /// found by their name or address.
    pub fn connect(&mut self, to: &Endpoint) -> Conn {
        self.net.connect(self.me, to)
    }

    /// Hands bytes to the connection and returns how many it took: when its buffer is full, fewer than all.
    /// Then [`Input::Writable`] follows once there is room. A closed connection takes, and loses, everything.
    pub fn write(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        self.net.write(conn, bytes)
    }

    /// Closes the connection behind what it has already taken. The host will hear no more of it.
    pub fn close(&mut self, conn: Conn) {
        self.net.close(conn);
    }

    /// The address and port of this host's side of the connection, as a socket shows them.
    pub fn local_address(&self, conn: Conn) -> String {
        self.net.address(conn, usize::from(conn.end))
    }

    /// The address and port of the other side.
    pub fn peer_address(&self, conn: Conn) -> String {
        self.net.address(conn, usize::from(1 - conn.end))
    }

    /// A remark beside this host in the trace, if one is recorded.
    pub fn note(&mut self, text: impl Into<String>) {
        let at = self.net.now;
        let name = &self.net.addresses[self.me].name;
        if let Some(trace) = self.net.trace.as_deref_mut() {
            trace.note(at, Some(name), text);
        }
    }

    /// True if somebody records: whether a costly remark is worth making.
    pub fn recording(&self) -> bool {
        self.net.trace.is_some()
    }

    /// The process ends of its own will, when this event is handled. Connections are closed in order.
    pub fn exit(&mut self) {
        self.exit = true;
    }
}
