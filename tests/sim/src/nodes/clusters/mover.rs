//! An operator who moves slots between masters, one after the other, while clients go on.
//!
//! The order of things is chapter 8's [`Transfer`]; here are a connection and some patience. A move that does not come to
//! its end is given up, and leaves its marks; whoever finds them begins the same move again.

use std::collections::VecDeque;

use bytes::BytesMut;
use core_types::{ArgsBuf, Broken, Endpoint, Frame, Millis, NodeId, write_command};
use node::layers::redirection::transfer::{Order, Progress, Told, Transfer};
use node::layers::wire::FrameDecoder;

use crate::world::{Boot, Conn, Host, Input, Io};

/// The operator. Nodes are named by their place in `nodes`.
pub struct Mover {
    nodes: Vec<Endpoint>,
    jobs: VecDeque<Job>,
    line: Option<Line>,
    next: Option<Millis>,
    finished: u64,
    given_up: u64,
}

/// A slot on its way.
struct Job {
    transfer: Transfer<usize>,
    /// The ids of source and target.
    ids: [NodeId; 2],
    tries: u32,
}

struct Line {
    to: usize,
    conn: Conn,
    open: bool,
    /// An order is out.
    waiting: bool,
    received: BytesMut,
    decoder: FrameDecoder,
}

/// After so long without an answer it tries again.
const PATIENCE: Millis = Millis(800);
/// Before it does.
const PAUSE: Millis = Millis(100);
/// How often one move may fail.
const TRIES: u32 = 12;

impl Mover {
    /// An operator of these nodes, with nothing to do yet.
    pub fn new(nodes: Vec<Endpoint>, _: &Boot) -> Mover {
        Mover { nodes, jobs: VecDeque::new(), line: None, next: None, finished: 0, given_up: 0 }
    }

    /// One more slot to move. `ids` are the source's and the target's.
    pub fn give(&mut self, now: Millis, transfer: Transfer<usize>, ids: [NodeId; 2]) {
        self.jobs.push_back(Job { transfer, ids, tries: 0 });
        self.next.get_or_insert(now);
    }

    /// Has it anything left to do?
    pub fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Moves that came to their end, and moves that did not.
    pub fn done(&self) -> (u64, u64) {
        (self.finished, self.given_up)
    }

    fn go_on(&mut self, io: &mut Io<'_, '_>) {
        let Some(job) = self.jobs.front() else {
            self.next = None;
            return self.hang_up(io);
        };
        let Some(order) = job.transfer.order() else { return self.judge(io, Progress::Done) };
        let (at, command) = self.command(job, &order);
        self.next = Some(io.now() + PATIENCE);
        if self.line.as_ref().is_none_or(|line| line.to != at) {
            self.hang_up(io);
            let conn = io.connect(&self.nodes[at]);
            let (received, decoder) = (BytesMut::new(), FrameDecoder::new());
            self.line = Some(Line { to: at, conn, open: false, waiting: false, received, decoder });
            return;
        }
        let Some(line) = self.line.as_mut().filter(|line| line.open) else { return };
        let mut bytes = BytesMut::new();
        write_command(&mut bytes, command.as_args().iter());
        line.waiting = true;
        if io.write(line.conn, &bytes) < bytes.len() {
            self.told(io, Told::Lost);
        }
    }

    /// To whom an order goes, and how it is said.
    fn command(&self, job: &Job, order: &Order<usize>) -> (usize, ArgsBuf) {
        let slot = job.transfer.slot.number().to_string();
        let id = |place: usize| job.ids[usize::from(place == job.transfer.target)];
        let set = |what: &str, other: usize| {
            ArgsBuf::from_parts(["CLUSTER", "SETSLOT", &slot, what, id(other).as_str()])
        };
        match order {
            Order::Importing { at, from } => (*at, set("IMPORTING", *from)),
            Order::Migrating { at, to } => (*at, set("MIGRATING", *to)),
            Order::List { at } => (*at, ArgsBuf::from_parts(["CLUSTER", "GETKEYSINSLOT", &slot, "10"])),
            Order::Node { at, owner } => (*at, set("NODE", *owner)),
            Order::Send { at, to, keys, replace } => {
                let (host, port) = (&self.nodes[*to].host, self.nodes[*to].port.to_string());
                let mut parts: Vec<&[u8]> =
                    vec![b"MIGRATE", host.as_bytes(), port.as_bytes(), b"", b"0", b"500"];
                if *replace {
                    parts.push(b"REPLACE");
                }
                parts.push(b"KEYS");
                parts.extend(keys.iter().map(|key| &key[..]));
                (*at, ArgsBuf::from_parts(parts))
            }
        }
    }

    fn told(&mut self, io: &mut Io<'_, '_>, told: Told) {
        if told == Told::Lost {
            self.hang_up(io);
        }
        if let Some(line) = &mut self.line {
            line.waiting = false;
        }
        let Some(job) = self.jobs.front_mut() else { return };
        let progress = job.transfer.answered(told);
        self.judge(io, progress);
    }

    fn judge(&mut self, io: &mut Io<'_, '_>, progress: Progress) {
        let Some(job) = self.jobs.front_mut() else { return };
        let ends = match progress {
            Progress::GoOn => None,
            Progress::Done => Some(true),
            Progress::Stuck => Some(false),
            Progress::Again => {
                job.tries += 1;
                (job.tries > TRIES).then_some(false)
            }
        };
        match ends {
            Some(true) => self.finished += 1,
            Some(false) => self.given_up += 1,
            None if progress == Progress::Again => {
                self.next = Some(io.now() + PAUSE);
                return;
            }
            None => {}
        }
        if ends.is_some() {
            self.jobs.pop_front();
        }
        self.go_on(io);
    }

    fn hang_up(&mut self, io: &mut Io<'_, '_>) {
        if let Some(line) = self.line.take() {
            io.close(line.conn);
        }
    }
}

impl Host for Mover {
    fn handle(&mut self, input: Input<'_>, io: &mut Io<'_, '_>) {
        let mine = |line: &Option<Line>, conn: Conn| line.as_ref().is_some_and(|line| line.conn == conn);
        match input {
            Input::Connected { conn } if mine(&self.line, conn) => {
                if let Some(line) = &mut self.line {
                    line.open = true;
                }
                self.go_on(io);
            }
            Input::Refused { conn, .. } | Input::Closed { conn } if mine(&self.line, conn) => {
                self.line = None;
                self.told(io, Told::Lost);
            }
            Input::Received { conn, bytes } if mine(&self.line, conn) => {
                let Some(line) = &mut self.line else { return };
                line.received.extend_from_slice(bytes);
                let told = match line.decoder.decode(&mut line.received) {
                    Ok(Some(Frame::Error(text))) => Told::error(&text),
                    Ok(Some(Frame::Array(keys))) => Told::Keys(
                        keys.into_iter()
                            .filter_map(|key| key.as_bytes().map(<[u8]>::to_vec))
                            .map(Into::into)
                            .collect(),
                    ),
                    Ok(Some(_)) => Told::Ok,
                    Ok(None) => return,
                    Err(_) => Told::Lost,
                };
                self.told(io, told);
            }
            Input::Tick if self.next.is_some_and(|next| io.now() >= next) => {
                match self.line.as_ref().map(|line| line.open && !line.waiting) {
                    // The pause is over.
                    None | Some(true) => self.go_on(io),
                    Some(false) => self.told(io, Told::Lost),
                }
            }
            _ => {}
        }
    }

    fn next_deadline(&self) -> Option<Millis> {
        self.next
    }

    fn check_invariants(&self) -> Result<(), Broken> {
        Ok(())
    }
}
