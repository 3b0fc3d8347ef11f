//! Connections: two byte streams each, with latency, segments, a bounded buffer, and an end.
//!
//! The rules are TCP's as far as a program can see them. Bytes arrive in order, or not at all; where a write
//! ended cannot be seen; a full buffer takes no more; a partition holds everything back until it heals, and
//! neither side is told. What a partition holds also counts against the buffer, and so does what has arrived
//! while the way back is cut: the sender's kernel keeps it until it is acknowledged.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

use bytes::Bytes;
use core_types::{Endpoint, Millis, Rng};

use super::host::Conn;
use super::wires::Wires;
use super::{Fault, Profile};
use crate::Trace;
use crate::resp::RespLabeler;

/// What waits in the event queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The head of a stream should arrive. At most one of these per stream is queued.
    Deliver { link: u32, from: u8 },
    /// A connection attempt reaches its target.
    Syn { link: u32, attempt: u32 },
    /// A connection attempt has failed.
    Refuse { link: u32, why: &'static str },
    /// A new connection is to be told to the host that accepts it.
    Accept { link: u32 },
    /// There is room again for one end's writes.
    Writable { link: u32, end: u8 },
    /// A planned fault, by its index in the plan.
    Fault { index: u32 },
    /// A process wakes from a sleep that began before its clock was set back.
    Wake { host: u32 },
}

/// Something on its way in a stream.
#[derive(Debug)]
pub(super) enum Item {
    /// The connection is open: the first thing the end that connected hears.
    Open,
    Bytes(Bytes),
    /// An orderly end (`reset: false`), or not.
    End {
        reset: bool,
    },
}

/// One direction of a connection.
#[derive(Default)]
pub(super) struct Stream {
    pub(super) items: VecDeque<(Millis, Item)>,
    last_arrival: Millis,
    /// An [`Event::Deliver`] for the head is in the queue.
    pub(super) scheduled: bool,
    /// Bytes in `items`.
    in_flight: usize,
    /// Bytes that have arrived, but whose acknowledgement cannot come back.
    unacknowledged: usize,
    /// The writer was told "no room".
    writer_waits: bool,
    written: u64,
    delivered: u64,
    labeler: RespLabeler,
    /// Messages on their way: the position of the last byte, and the id in the trace.
    messages: VecDeque<(u64, u64)>,
}

/// A connection.
pub(super) struct Link {
    /// The hosts at both ends: the one that connected, the one that accepted.
    pub(super) hosts: [usize; 2],
    /// True while the host at that end regards it as its own.
    pub(super) open: [bool; 2],
    /// The host that connected still waits for an answer.
    pub(super) connecting: bool,
    /// The host that accepted has been told of it; before that it hears nothing on it.
    pub(super) accepted: bool,
    /// `streams[end]` is written by that end.
    pub(super) streams: [Stream; 2],
    pub(super) port: u16,
    local_port: u16,
    started: Millis,
    /// The connection attempt, in the trace.
    message: Option<u64>,
}

/// Where a host can be found.
pub(super) struct Address {
    pub(super) name: String,
    pub(super) ip: String,
    pub(super) ports: Vec<u16>,
}

/// Everything between the hosts.
pub(super) struct Net<'t> {
    pub(super) now: Millis,
    pub(super) rng: Rng,
    pub(super) profile: Profile,
    pub(super) trace: Option<&'t mut Trace>,
    pub(super) addresses: Vec<Address>,
    pub(super) links: Vec<Link>,
    /// Ordered pairs of hosts between which nothing gets through.
    pub(super) blocked: BTreeSet<(usize, usize)>,
    pub(super) faults: Vec<Fault>,
    pub(super) wires: Wires,
    queue: BinaryHeap<Reverse<(Millis, u64, Event)>>,
    sequence: u64,
}

impl<'t> Net<'t> {
    pub(super) fn new(rng: Rng, profile: Profile, trace: Option<&'t mut Trace>) -> Net<'t> {
        let wires = Wires::new(&profile);
        Net {
            now: Millis::ZERO,
            rng,
            profile,
            trace,
            addresses: Vec::new(),
            links: Vec::new(),
            blocked: BTreeSet::new(),
            faults: Vec::new(),
            wires,
            queue: BinaryHeap::new(),
            sequence: 0,
        }
    }

    /// Queues an event. Events at the same time keep the order in which they were queued.
    pub(super) fn at(&mut self, time: Millis, event: Event) {
        self.sequence += 1;
        self.queue.push(Reverse((time.max(self.now), self.sequence, event)));
    }

    pub(super) fn next_time(&self) -> Option<Millis> {
        self.queue.peek().map(|Reverse((time, _, _))| *time)
    }

    pub(super) fn pop(&mut self) -> Option<(Millis, Event)> {
        self.queue.pop().map(|Reverse((time, _, event))| (time, event))
    }

    fn latency(&mut self, from: usize, to: usize) -> Millis {
        self.wires.latency(&mut self.rng, from, to)
    }

    pub(super) fn connect(&mut self, from: usize, to: &Endpoint) -> Conn {
        let found =
            self.addresses.iter().position(|address| address.name == to.host || address.ip == to.host);
        let link = self.links.len() as u32;
        self.links.push(Link {
            hosts: [from, found.unwrap_or(from)],
            open: [true, false],
            connecting: true,
            accepted: false,
            streams: [Stream::default(), Stream::default()],
            port: to.port,
            local_port: 40_000 + (link % 20_000) as u16,
            started: self.now,
            message: None,
        });
        let latency = self.latency(from, found.unwrap_or(from));
        if let Some(target) = found {
            let (now, text) = (self.now, format!("(connect to port {})", to.port));
            self.links[link as usize].message = self
                .trace
                .as_deref_mut()
                .map(|trace| trace.send(now, &self.addresses[from].name, &self.addresses[target].name, text));
            self.at(self.now + latency, Event::Syn { link, attempt: 0 });
        } else {
            self.at(self.now + latency, Event::Refuse { link, why: "Name or service not known" });
        }
        Conn { link, end: 0 }
    }

    /// A connection attempt arrives. `alive` tells whether the target's process runs.
    pub(super) fn syn(&mut self, link: u32, attempt: u32, alive: bool) {
        let Link { hosts: [from, to], open: [open, _], port, started, .. } = self.links[link as usize];
        if !open {
            self.refuse_message(link, "given up");
            return;
        }
        let latency = self.latency(to, from);
        if self.blocked.contains(&(from, to)) || self.blocked.contains(&(to, from)) {
            // Nobody answers. TCP tries again after 1, 2, 4, … seconds until it gives up.
            let again = self.now + Millis(1000 << attempt.min(8));
            let give_up = started + self.profile.connect_timeout;
            if again < give_up {
                self.at(again, Event::Syn { link, attempt: attempt + 1 });
            } else {
                self.at(give_up, Event::Refuse { link, why: "Connection timed out" });
            }
            return;
        }
        if !alive || !self.addresses[to].ports.contains(&port) {
            self.at(self.now + latency, Event::Refuse { link, why: "Connection refused" });
            return;
        }
        let now = self.now;
        let opened = &mut self.links[link as usize];
        opened.open[1] = true;
        let message = opened.message.take();
        if let (Some(trace), Some(message)) = (self.trace.as_deref_mut(), message) {
            trace.receive(now, message);
        }
        self.push(link, 1, Item::Open);
        self.at(self.now, Event::Accept { link });
    }

    /// The end of an attempt that failed. True if its host is to be told.
    pub(super) fn refuse(&mut self, link: u32, why: &str) -> bool {
        self.refuse_message(link, why);
        let refused = &mut self.links[link as usize];
        refused.connecting = false;
        std::mem::take(&mut refused.open[0])
    }

    fn refuse_message(&mut self, link: u32, why: &str) {
        let (now, message) = (self.now, self.links[link as usize].message.take());
        if let (Some(trace), Some(message)) = (self.trace.as_deref_mut(), message) {
            trace.lose(now, message, why);
        }
    }

    /// Takes as many bytes as there is room for, cuts them into segments and sends them on their way.
    pub(super) fn write(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        let (link, end) = (conn.link, usize::from(conn.end));
        if !self.links[link as usize].open[end] {
            return bytes.len();
        }
        let stream = &mut self.links[link as usize].streams[end];
        let room = self.profile.buffer.saturating_sub(stream.in_flight + stream.unacknowledged);
        let taken = bytes.len().min(room);
        stream.writer_waits = taken < bytes.len();
        if taken == 0 {
            return 0;
        }
        let start = stream.written;
        stream.written += taken as u64;
        stream.in_flight += taken;
        self.record_write(conn, start, &bytes[..taken]);
        let hosts = self.links[link as usize].hosts;
        self.wires.count(hosts[end], hosts[1 - end], taken);
        let mut rest = Bytes::copy_from_slice(&bytes[..taken]);
        while !rest.is_empty() {
            let size = self.segment_size(rest.len()).min(self.wires.longest(hosts[end]));
            let segment = rest.split_to(size);
            self.push(link, end, Item::Bytes(segment));
        }
        taken
    }

    fn segment_size(&mut self, len: usize) -> usize {
        if self.rng.chance(self.profile.split_percent) {
            self.rng.between(1, len as u64) as usize
        } else {
            len
        }
    }

    fn push(&mut self, link: u32, end: usize, item: Item) {
        let hosts = self.links[link as usize].hosts;
        let latency = self.latency(hosts[end], hosts[1 - end]);
        let size = if let Item::Bytes(bytes) = &item { bytes.len() } else { 0 };
        let departure = self.wires.departure(self.now, hosts[end], size);
        let stream = &mut self.links[link as usize].streams[end];
        let arrival = stream.last_arrival.max(departure + latency);
        stream.last_arrival = arrival;
        stream.items.push_back((arrival, item));
        self.schedule(link, end);
    }

    /// Makes sure that the head of a stream will be delivered.
    pub(super) fn schedule(&mut self, link: u32, end: usize) {
        let stream = &mut self.links[link as usize].streams[end];
        if let (Some((arrival, _)), false) = (stream.items.front(), stream.scheduled) {
            let arrival = *arrival;
            stream.scheduled = true;
            self.at(arrival, Event::Deliver { link, from: end as u8 });
        }
    }

    /// Takes what arrives now off a stream: one item, or several runs of bytes as one.
    pub(super) fn take_arrived(&mut self, link: u32, end: usize) -> Option<Item> {
        let now = self.now;
        let merge = self.rng.chance(50);
        let Link { hosts, streams, .. } = &mut self.links[link as usize];
        let [from, to] = if end == 0 { *hosts } else { [hosts[1], hosts[0]] };
        let stream = &mut streams[end];
        let (_, mut item) = stream.items.pop_front()?;
        if let Item::Bytes(first) = &mut item {
            if merge {
                let mut joined = None;
                while let Some((_, Item::Bytes(next))) =
                    stream.items.front().filter(|(arrival, _)| *arrival <= now)
                {
                    joined.get_or_insert_with(|| first.to_vec()).extend_from_slice(next);
                    stream.items.pop_front();
                }
                if let Some(joined) = joined {
                    *first = joined.into();
                }
            }
            let len = first.len();
            stream.in_flight -= len;
            stream.delivered += len as u64;
            if self.blocked.contains(&(to, from)) {
                stream.unacknowledged += len;
            }
            while let Some(&(_, id)) = stream.messages.front().filter(|(at, _)| *at <= stream.delivered) {
                stream.messages.pop_front();
                if let Some(trace) = self.trace.as_deref_mut() {
                    trace.receive(now, id);
                }
            }
        }
        self.wake_writer(link, end);
        self.schedule(link, end);
        Some(item)
    }

    fn wake_writer(&mut self, link: u32, end: usize) {
        let stream = &mut self.links[link as usize].streams[end];
        if stream.writer_waits && stream.in_flight + stream.unacknowledged < self.profile.buffer {
            stream.writer_waits = false;
            self.at(self.now, Event::Writable { link, end: end as u8 });
        }
    }

    /// Throws away what one end has written and the other has not got.
    pub(super) fn discard(&mut self, link: u32, end: usize, why: &str) {
        let now = self.now;
        let stream = &mut self.links[link as usize].streams[end];
        stream.items.clear();
        stream.in_flight = 0;
        for (_, id) in stream.messages.drain(..) {
            if let Some(trace) = self.trace.as_deref_mut() {
                trace.lose(now, id, why);
            }
        }
    }

    /// The host at this end lets go. What it has written is still delivered.
    pub(super) fn close(&mut self, conn: Conn) {
        let closed = &mut self.links[conn.link as usize];
        let end = usize::from(conn.end);
        if !std::mem::take(&mut closed.open[end]) {
            return;
        }
        closed.connecting = false;
        if closed.open[1 - end] {
            self.record_end(conn, "(close)");
            self.push(conn.link, end, Item::End { reset: false });
        }
    }

    /// The process at this end has died. Some of what it has written may be lost as well.
    pub(super) fn abort(&mut self, conn: Conn) {
        let (link, end) = (conn.link as usize, usize::from(conn.end));
        if !std::mem::take(&mut self.links[link].open[end]) {
            return;
        }
        self.links[link].connecting = false;
        if !self.links[link].open[1 - end] {
            return;
        }
        if self.rng.chance(50) {
            let opening = matches!(self.links[link].streams[end].items.front(), Some((_, Item::Open)));
            self.discard(conn.link, end, "lost in the crash");
            if opening {
                self.push(conn.link, end, Item::Open);
            }
        }
        self.record_end(conn, "(reset)");
        self.push(conn.link, end, Item::End { reset: true });
    }

    /// The connections between two hosts break, with what was on its way.
    pub(super) fn reset_between(&mut self, a: usize, b: usize) {
        for link in 0..self.links.len() as u32 {
            let Link { hosts, open, accepted, connecting, .. } = &self.links[link as usize];
            let between = *hosts == [a, b] || *hosts == [b, a];
            // One that is not quite open yet is left alone: its first word would be lost on somebody who waits for it.
            if !between || *open != [true, true] || !*accepted || *connecting {
                continue;
            }
            for end in 0..2 {
                self.discard(link, end, "lost in the reset");
                self.record_end(Conn { link, end: end as u8 }, "(reset)");
                self.push(link, end, Item::End { reset: true });
            }
        }
    }

    /// Traffic from one host to another is cut, or flows again.
    pub(super) fn set_blocked(&mut self, from: usize, to: usize, blocked: bool) {
        if blocked {
            self.blocked.insert((from, to));
            return;
        }
        if !self.blocked.remove(&(from, to)) {
            return;
        }
        for link in 0..self.links.len() {
            for end in 0..2 {
                let hosts = self.links[link].hosts;
                if (hosts[end], hosts[1 - end]) == (from, to) {
                    self.schedule(link as u32, end);
                } else if (hosts[end], hosts[1 - end]) == (to, from) {
                    self.links[link].streams[end].unacknowledged = 0;
                    self.wake_writer(link as u32, end);
                }
            }
        }
    }

    pub(super) fn address(&self, conn: Conn, end: usize) -> String {
        let link = &self.links[conn.link as usize];
        let port = if end == 0 { link.local_port } else { link.port };
        format!("{}:{port}", self.addresses[link.hosts[end]].ip)
    }

    fn record_write(&mut self, conn: Conn, start: u64, bytes: &[u8]) {
        let Some(trace) = self.trace.as_deref_mut() else { return };
        let end = usize::from(conn.end);
        let Link { hosts, streams, .. } = &mut self.links[conn.link as usize];
        let (from, to) = (&self.addresses[hosts[end]].name, &self.addresses[hosts[1 - end]].name);
        let stream = &mut streams[end];
        for (behind, label) in stream.labeler.feed(bytes) {
            let id = trace.send(self.now, from, to, label);
            stream.messages.push_back((start + behind as u64, id));
        }
    }

    /// The end of a stream looks like a message that comes behind all others.
    fn record_end(&mut self, conn: Conn, label: &str) {
        let Some(trace) = self.trace.as_deref_mut() else { return };
        let end = usize::from(conn.end);
        let Link { hosts, streams, .. } = &mut self.links[conn.link as usize];
        let (from, to) = (&self.addresses[hosts[end]].name, &self.addresses[hosts[1 - end]].name);
        let id = trace.send(self.now, from, to, label);
        streams[end].messages.push_back((u64::MAX, id));
    }

    /// The end of a stream has arrived.
    pub(super) fn record_end_arrived(&mut self, link: u32, end: usize) {
        let now = self.now;
        let Some(trace) = self.trace.as_deref_mut() else { return };
        for (position, id) in self.links[link as usize].streams[end].messages.drain(..) {
            if position == u64::MAX {
                trace.receive(now, id);
            } else {
                trace.lose(now, id, "cut off");
            }
        }
    }
}
