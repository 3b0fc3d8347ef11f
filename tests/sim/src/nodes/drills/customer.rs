//! A client that remembers what it said and what came of it.

use std::collections::VecDeque;

use core_types::{ArgsBuf, Endpoint, Frame, Millis};

use crate::nodes::Client;
use crate::nodes::console::words;
use crate::nodes::experiments::write_of;
use crate::world::{Boot, Host, Input, Io};

/// A command and its answer. Times are the client's, whose clock nobody sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The command as it was typed.
    pub command: String,
    /// When.
    pub at: Millis,
    /// False if there was no connection to send it on.
    pub sent: bool,
    /// When the answer came, and what it was. `None` if the connection broke before, or it never came.
    pub answer: Option<(Millis, Frame)>,
}

/// How often a load writes. Its commands are as long as its rate makes them.
const LOAD_PACE: Millis = Millis(100);

/// A client of one node that is told what to say, and can write steadily.
pub struct Customer {
    client: Client,
    said: Vec<Said>,
    /// Places in `said` of what waits for an answer; `None`: a write of the load.
    open: VecDeque<Option<usize>>,
    read: u64,
    load: Option<(Millis, usize)>,
    written: u64,
}

impl Customer {
    /// A client of `target` that says nothing by itself.
    pub fn new(target: Endpoint, boot: &Boot) -> Customer {
        let client = Client::new(target, boot);
        Customer { client, said: Vec::new(), open: VecDeque::new(), read: 0, load: None, written: 0 }
    }

    /// All that it was told to say, in order.
    pub fn said(&self) -> &[Said] {
        &self.said
    }

    /// True while it has a connection.
    pub fn is_connected(&self) -> bool {
        self.client.is_connected()
    }

    /// Says it, if there is a connection.
    pub fn say(&mut self, io: &mut Io<'_, '_>, command: &str) {
        let sent = self.client.send_command(io, words(command));
        if sent {
            self.open.push_back(Some(self.said.len()));
        }
        self.said.push(Said { command: command.into(), at: io.now(), sent, answer: None });
    }

    /// Writes a data set of so many bytes, at once.
    pub fn fill(&mut self, io: &mut Io<'_, '_>, bytes: u64) {
        for number in 0..bytes.div_ceil(VALUE) {
            let value = "v".repeat(VALUE.min(bytes - number * VALUE) as usize);
            let command = ArgsBuf::from_parts(["SET", &format!("data:{number}"), &value]);
            if self.client.send_command(io, command) {
                self.open.push_back(None);
            }
        }
    }

    /// Has every command of its an answer?
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Writes so many bytes a second from now on; fewer than a command needs means none.
    pub fn load(&mut self, io: &Io<'_, '_>, rate: u64) {
        let length = usize::try_from(rate.saturating_mul(LOAD_PACE.0) / 1000).unwrap_or(usize::MAX);
        self.load = (length >= SHORTEST).then(|| (io.now() + LOAD_PACE, length));
    }

    fn read_replies(&mut self, now: Millis) {
        let news = (self.client.answered - self.read) as usize;
        self.read = self.client.answered;
        let replies = &self.client.replies;
        let fresh: Vec<Frame> =
            replies.iter().skip(replies.len().saturating_sub(news)).map(|(_, reply)| reply.clone()).collect();
        for reply in fresh {
            if let Some(place) = self.open.pop_front().flatten() {
                self.said[place].answer = Some((now, reply));
            }
        }
        if !self.client.is_connected() {
            self.open.clear();
        }
    }

    fn write(&mut self, io: &mut Io<'_, '_>) {
        let Some((next, length)) = &mut self.load else { return };
        if io.now() < *next {
            return;
        }
        *next = io.now() + LOAD_PACE;
        self.written += 1;
        let command: ArgsBuf = write_of(*length, self.written);
        if self.client.send_command(io, command) {
            self.open.push_back(None);
        }
    }
}

/// Values of a data set are so long.
const VALUE: u64 = 4096;

/// No command of a load is shorter.
const SHORTEST: usize = 64;

impl Host for Customer {
    fn handle(&mut self, input: Input<'_>, io: &mut Io<'_, '_>) {
        self.client.handle(input, io);
        self.read_replies(io.now());
        self.write(io);
    }

    fn next_deadline(&self) -> Option<Millis> {
        self.load.map(|(next, _)| next).into_iter().chain(self.client.next_deadline()).min()
    }

    fn check_invariants(&self) -> Result<(), core_types::Broken> {
        self.client.check_invariants()
    }
}
