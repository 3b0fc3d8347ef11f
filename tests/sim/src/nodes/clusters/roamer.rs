//! A client of a cluster: it keeps a table of who serves what, follows redirections, and writes numbered keys.
//!
//! What it decides is chapter 8's [`Cache`]; here are its connections and its patience. One command is under way at a
//! time, so that what was acknowledged, by whom and when, is exactly known.

use std::collections::BTreeMap;

use bytes::BytesMut;
use core_types::{ArgsBuf, Broken, Endpoint, Frame, Millis, Rng, Slot, write_command};
use node::layers::redirection::cache::{Answer, Cache, Errand, Next};
use node::layers::redirection::topology::{Topology, read_error};
use node::layers::sharding::key_slot;
use node::layers::wire::FrameDecoder;

use crate::world::{Boot, Conn, Host, Input, Io};

/// A write that a node has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Its number; see [`Roamer::key`].
    pub write: u64,
    /// The slot of its key.
    pub slot: Slot,
    /// When it was sent, by the client's clock, which nobody sets.
    pub sent: Millis,
    /// When the answer came, by the same clock.
    pub at: Millis,
    /// By whom.
    pub by: Endpoint,
}

/// The client. See the module's documentation.
pub struct Roamer {
    name: String,
    seeds: Vec<Endpoint>,
    cache: Cache,
    rng: Rng,
    /// The shortest and the longest time between two commands.
    pace: (Millis, Millis),
    lines: BTreeMap<String, Line>,
    under_way: Option<UnderWay>,
    /// When it gives up what it waits for, or does the next thing.
    next: Option<Millis>,
    writes: u64,
    acknowledged: Vec<Ack>,
    /// Reads of keys whose write was acknowledged, and how many of those had no answer but nothing.
    reads: (u64, u64),
    redirected: u64,
    stopped: bool,
    nonsense: Option<String>,
}

/// A connection to one node.
struct Line {
    conn: Conn,
    open: bool,
    received: BytesMut,
    decoder: FrameDecoder,
}

#[derive(Clone, Debug)]
struct UnderWay {
    errand: Errand,
    what: What,
    /// It is to be sent, once there is a connection or the pause is over.
    unsent: bool,
    /// When it was sent last.
    sent: Millis,
    /// Answers to what was sent in front of it.
    skip: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Table,
    Write(u64),
    Read(u64),
}

/// After so long without an answer it tries elsewhere.
const PATIENCE: Millis = Millis(500);
/// Before it tries again.
const PAUSE: Millis = Millis(50);

impl Roamer {
    /// A client that begins with these nodes and writes at this pace.
    pub fn new(name: &str, seeds: Vec<Endpoint>, pace: (Millis, Millis), boot: &Boot) -> Roamer {
        Roamer {
            name: name.into(),
            cache: Cache::new(seeds.clone()),
            seeds,
            rng: Rng::new(boot.seed),
            pace,
            lines: BTreeMap::new(),
            under_way: None,
            next: Some(boot.now),
            writes: 0,
            acknowledged: Vec::new(),
            reads: (0, 0),
            redirected: 0,
            stopped: false,
            nonsense: None,
        }
    }

    /// The key of a write; its value is the number.
    pub fn key(&self, write: u64) -> String {
        format!("{}:{write}", self.name)
    }

    /// Writes that were acknowledged, in order.
    pub fn acknowledged(&self) -> &[Ack] {
        &self.acknowledged
    }

    /// Reads of keys whose write was acknowledged, and how many of those found nothing.
    pub fn reads(&self) -> (u64, u64) {
        self.reads
    }

    /// How often it was sent elsewhere.
    pub fn redirected(&self) -> u64 {
        self.redirected
    }

    /// No more commands.
    pub fn stop(&mut self) {
        self.stopped = true;
        self.next = None;
    }

    fn tick(&mut self, io: &mut Io<'_, '_>) {
        let Some(under_way) = &self.under_way else { return self.set_out(io) };
        let line = self.lines.get(&under_way.errand.to.to_string());
        // Either it has waited for its turn, or in vain.
        if under_way.unsent && line.is_none_or(|line| line.open) { self.send(io) } else { self.broken(io) }
    }

    /// The next command.
    fn set_out(&mut self, io: &mut Io<'_, '_>) {
        let what = if self.cache.stale {
            What::Table
        } else if self.rng.chance(25) && self.writes > 0 {
            match self.rng.pick(&self.acknowledged) {
                Some(ack) => What::Read(ack.write),
                None => What::Table,
            }
        } else {
            self.writes += 1;
            What::Write(self.writes)
        };
        let slot = match what {
            What::Table => None,
            What::Write(write) | What::Read(write) => Some(key_slot(self.key(write).as_bytes())),
        };
        if self.cache.places.is_empty() {
            // A table without any node is of no use.
            self.cache = Cache::new(self.seeds.clone());
        }
        let Some(mut errand) = self.cache.send(slot) else { return };
        if what == What::Table {
            // A single node may be cut off and not know it: ask this one, then that one.
            errand.to = self.rng.pick(&self.seeds).unwrap_or(&errand.to).clone();
        }
        self.under_way = Some(UnderWay { errand, what, unsent: true, sent: io.now(), skip: 0 });
        self.send(io);
    }

    fn send(&mut self, io: &mut Io<'_, '_>) {
        let Some(under_way) = &mut self.under_way else { return };
        self.next = Some(io.now() + PATIENCE);
        let to = under_way.errand.to.to_string();
        let Some(line) = self.lines.get(&to) else {
            let conn = io.connect(&under_way.errand.to);
            let line = Line { conn, open: false, received: BytesMut::new(), decoder: FrameDecoder::new() };
            self.lines.insert(to, line);
            return;
        };
        if !line.open {
            return;
        }
        (under_way.unsent, under_way.sent) = (false, io.now());
        under_way.skip = usize::from(under_way.errand.asking);
        let (what, asking, conn) = (under_way.what, under_way.errand.asking, line.conn);
        let command = match what {
            What::Table => ArgsBuf::from_parts(["CLUSTER", "SLOTS"]),
            What::Write(write) => ArgsBuf::from_parts(["SET", &self.key(write), &write.to_string()]),
            What::Read(write) => ArgsBuf::from_parts(["GET", &self.key(write)]),
        };
        let mut bytes = BytesMut::new();
        if asking {
            write_command(&mut bytes, ArgsBuf::from_parts(["ASKING"]).as_args().iter());
        }
        write_command(&mut bytes, command.as_args().iter());
        if io.write(conn, &bytes) < bytes.len() {
            self.broken(io);
        }
    }

    /// No answer, or no connection.
    fn broken(&mut self, io: &mut Io<'_, '_>) {
        if let Some(under_way) = &self.under_way
            && let Some(line) = self.lines.remove(&under_way.errand.to.to_string())
        {
            io.close(line.conn);
        }
        self.went(io, &Answer::Broken);
    }

    /// What follows from an answer.
    fn went(&mut self, io: &mut Io<'_, '_>, answer: &Answer) {
        let Some(under_way) = &mut self.under_way else { return };
        if matches!(answer, Answer::Moved(..) | Answer::Ask(..)) {
            self.redirected += 1;
        }
        let next = self.cache.answered(&mut under_way.errand, answer);
        // A write that was sent and had no answer may have been done. It is not sent again: that would be another one.
        let unsure = *answer == Answer::Broken && !under_way.unsent && under_way.what != What::Table;
        match next {
            Next::Send | Next::Wait if !unsure && under_way.what != What::Table => {
                under_way.unsent = true;
                match next {
                    Next::Send => self.send(io),
                    _ => self.next = Some(io.now() + PAUSE),
                }
            }
            _ => self.rest(io),
        }
    }

    fn rest(&mut self, io: &mut Io<'_, '_>) {
        self.under_way = None;
        self.next = Some(io.now() + Millis(self.rng.between(self.pace.0.0, self.pace.1.0)));
    }

    fn answered(&mut self, io: &mut Io<'_, '_>, frame: &Frame) {
        let Some(under_way) = &mut self.under_way else { return };
        if under_way.skip > 0 {
            under_way.skip -= 1;
            return;
        }
        let (at, what, slot) = (under_way.errand.to.clone(), under_way.what, under_way.errand.slot);
        let sent = under_way.sent;
        match (what, frame) {
            (_, Frame::Error(text)) => {
                let answer = read_error(text, &at);
                self.went(io, &answer);
                return;
            }
            (What::Table, frame) => match Topology::from_slots(frame, &at) {
                Some(topology) if !topology.shards.is_empty() => self.cache.learn(&topology),
                Some(_) => {}
                None => self.nonsense = Some(format!("CLUSTER SLOTS says {frame:?}")),
            },
            (What::Write(write), Frame::Simple(_)) => {
                let slot = slot.expect("a write has a key");
                self.acknowledged.push(Ack { write, slot, sent, at: io.now(), by: at });
            }
            (What::Read(_), Frame::Null) => self.reads = (self.reads.0 + 1, self.reads.1 + 1),
            (What::Read(_), Frame::Bulk(_)) => self.reads.0 += 1,
            (_, other) => self.nonsense = Some(format!("{what:?}: {other:?}")),
        }
        self.rest(io);
    }

    fn line_of(&self, conn: Conn) -> Option<String> {
        self.lines.iter().find(|(_, line)| line.conn == conn).map(|(at, _)| at.clone())
    }

    fn is_awaited(&self, at: &str) -> bool {
        self.under_way.as_ref().is_some_and(|under_way| under_way.errand.to.to_string() == at)
    }
}

impl Host for Roamer {
    fn handle(&mut self, input: Input<'_>, io: &mut Io<'_, '_>) {
        if self.stopped {
            return;
        }
        match input {
            Input::Connected { conn } => {
                let Some(at) = self.line_of(conn) else { return };
                if let Some(line) = self.lines.get_mut(&at) {
                    line.open = true;
                }
                if self.is_awaited(&at) && self.under_way.as_ref().is_some_and(|one| one.unsent) {
                    self.send(io);
                }
            }
            Input::Refused { conn, .. } | Input::Closed { conn } => {
                let Some(at) = self.line_of(conn) else { return };
                self.lines.remove(&at);
                if self.is_awaited(&at) {
                    self.went(io, &Answer::Broken);
                }
            }
            Input::Received { conn, bytes } => {
                let Some(at) = self.line_of(conn) else { return };
                let Some(line) = self.lines.get_mut(&at) else { return };
                line.received.extend_from_slice(bytes);
                while let Some(line) = self.lines.get_mut(&at) {
                    match line.decoder.decode(&mut line.received) {
                        Ok(Some(frame)) => self.answered(io, &frame),
                        Ok(None) => break,
                        Err(error) => {
                            self.nonsense = Some(error.to_string());
                            break;
                        }
                    }
                }
            }
            Input::Tick if self.next.is_some_and(|next| io.now() >= next) => self.tick(io),
            _ => {}
        }
    }

    fn next_deadline(&self) -> Option<Millis> {
        self.next
    }

    fn check_invariants(&self) -> Result<(), Broken> {
        match &self.nonsense {
            None => Ok(()),
            Some(what) => Err(Broken::new("a node's answers can be read", what)),
        }
    }
}
