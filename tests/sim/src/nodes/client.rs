//! Somebody who talks to a node: commands by hand, or a random load at a pace.

use std::collections::VecDeque;

use bytes::BytesMut;
use core_types::{ArgsBuf, Endpoint, Frame, Millis, Rng, write_command};
use node::layers::wire::FrameDecoder;

use crate::world::{Boot, Conn, Host, Input, Io};

/// Commands that a client makes up.
pub struct Load {
    /// The shortest and the longest time between two commands.
    pub pace: (Millis, Millis),
    /// Makes the next command.
    pub next: Box<dyn FnMut(&mut Rng) -> ArgsBuf>,
}

/// A client of one node. It connects when it starts, and again a little later whenever it is cut off. Commands that
/// are not answered by then are lost to it, as they are to a real client that does not know what became of them.
pub struct Client {
    target: Endpoint,
    rng: Rng,
    conn: Option<Conn>,
    connected: bool,
    /// When to connect again.
    retry: Option<Millis>,
    load: Option<Load>,
    next_load: Option<Millis>,
    password: Option<String>,
    /// Bytes the connection did not take yet.
    unsent: BytesMut,
    received: BytesMut,
    decoder: FrameDecoder,
    waiting: VecDeque<ArgsBuf>,
    /// Every command that was answered, with its reply, in order; only the newest are kept.
    pub replies: VecDeque<(ArgsBuf, Frame)>,
    /// Commands that were sent.
    pub sent: u64,
    /// Commands that were answered.
    pub answered: u64,
    /// Set when the node said something that is no reply.
    pub nonsense: Option<String>,
}

const RETRY: Millis = Millis(500);
const KEPT: usize = 64;
/// With so many commands unanswered a client waits.
const IN_FLIGHT: usize = 32;

impl Client {
    /// A client of `target` that does nothing by itself.
    pub fn new(target: Endpoint, boot: &Boot) -> Client {
        Client {
            target,
            rng: Rng::new(boot.seed),
            conn: None,
            connected: false,
            retry: None,
            load: None,
            next_load: None,
            password: None,
            unsent: BytesMut::new(),
            received: BytesMut::new(),
            decoder: FrameDecoder::new(),
            waiting: VecDeque::new(),
            replies: VecDeque::new(),
            sent: 0,
            answered: 0,
            nonsense: None,
        }
    }

    /// Gives this password on each new connection, before anything else. A node that has none refuses it, and no
    /// harm is done.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Client {
        self.password = Some(password.into());
        self
    }

    /// Makes commands up, from the start on.
    #[must_use]
    pub fn with_load(mut self, load: Load) -> Client {
        self.load = Some(load);
        self
    }

    /// Turns to another node; what it waited for is lost to it.
    pub fn retarget(&mut self, io: &mut Io<'_, '_>, target: Endpoint) {
        if let Some(conn) = self.conn.take() {
            io.close(conn);
        }
        self.cut_off(io.now());
        self.target = target;
    }

    /// No more commands of its own.
    pub fn stop_load(&mut self) {
        self.load = None;
        self.next_load = None;
    }

    /// True while it has a connection.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Sends one command, its words separated by spaces. False if there is no connection.
    pub fn send(&mut self, io: &mut Io<'_, '_>, command: &str) -> bool {
        self.send_command(io, ArgsBuf::from_parts(command.split(' ')))
    }

    /// Sends one command. False if there is no connection.
    pub fn send_command(&mut self, io: &mut Io<'_, '_>, command: ArgsBuf) -> bool {
        if !self.connected {
            return false;
        }
        write_command(&mut self.unsent, command.as_args().iter());
        self.waiting.push_back(command);
        self.sent += 1;
        self.flush(io);
        true
    }

    fn flush(&mut self, io: &mut Io<'_, '_>) {
        if let Some(conn) = self.conn.filter(|_| self.connected) {
            let taken = io.write(conn, &self.unsent);
            let _ = self.unsent.split_to(taken);
        }
    }

    fn cut_off(&mut self, now: Millis) {
        self.conn = None;
        self.connected = false;
        self.retry = Some(now + RETRY);
        self.next_load = None;
        self.unsent.clear();
        self.received.clear();
        self.decoder = FrameDecoder::new();
        self.waiting.clear();
    }

    fn schedule_load(&mut self, now: Millis) {
        let Some(load) = &self.load else { return };
        let (low, high) = load.pace;
        self.next_load = Some(now + Millis(self.rng.between(low.0, high.0.max(low.0))));
    }

    fn read_replies(&mut self, io: &mut Io<'_, '_>) {
        loop {
            match self.decoder.decode(&mut self.received) {
                Ok(None) => return,
                Ok(Some(frame)) => {
                    let Some(command) = self.waiting.pop_front() else {
                        self.nonsense = Some(format!("a reply to nothing: {frame:?}"));
                        return;
                    };
                    self.answered += 1;
                    if self.replies.len() == KEPT {
                        self.replies.pop_front();
                    }
                    self.replies.push_back((command, frame));
                }
                Err(error) => {
                    self.nonsense = Some(error.to_string());
                    if let Some(conn) = self.conn {
                        io.close(conn);
                    }
                    self.cut_off(io.now());
                    return;
                }
            }
        }
    }
}

impl Host for Client {
    fn handle(&mut self, input: Input<'_>, io: &mut Io<'_, '_>) {
        let now = io.now();
        match input {
            Input::Start => self.conn = Some(io.connect(&self.target)),
            Input::Connected { .. } => {
                self.connected = true;
                if let Some(password) = &self.password {
                    self.send_command(io, ArgsBuf::from_parts(["AUTH", password]));
                }
                self.schedule_load(now);
            }
            Input::Refused { .. } | Input::Closed { .. } => self.cut_off(now),
            Input::Received { bytes, .. } => {
                self.received.extend_from_slice(bytes);
                self.read_replies(io);
            }
            Input::Writable { .. } => self.flush(io),
            Input::Accepted { .. } => {}
            Input::Tick => {
                if self.retry.is_some_and(|retry| now >= retry) {
                    self.retry = None;
                    self.conn = Some(io.connect(&self.target));
                }
                if self.next_load.is_some_and(|next| now >= next) {
                    if self.waiting.len() < IN_FLIGHT
                        && let Some(load) = &mut self.load
                    {
                        let command = (load.next)(&mut self.rng);
                        self.send_command(io, command);
                    }
                    self.schedule_load(now);
                }
            }
        }
    }

    fn next_deadline(&self) -> Option<Millis> {
        self.retry.into_iter().chain(self.next_load).min()
    }

    fn check_invariants(&self) -> Result<(), core_types::Broken> {
        match &self.nonsense {
            None => Ok(()),
            Some(what) => Err(core_types::Broken::new("a node answers each command once, in order", what)),
        }
    }
}
