//! The replica's side of the link, as one machine: connect, ask, receive, follow; and begin again
//! whenever that breaks.
//!
//! ```text
//!            Connect        Connected           last reply          payload complete      loaded
//! Waiting ───────▶ Connecting ─────▶ Handshake ──────────▶ Transfer ───────▶ Loading ─────▶ Online
//!    ▲                  │                │                    │                 │             │
//!    └──────────────────┴── refused, closed, silent for `timeout`, nonsense ────┴─────────────┘
//! ```
//!
//! This file is given: it calls what the exercises decide, keeps the clock and finds the words for the
//! log. The texts are the ones Redis logs, because operators search for them.

use std::fmt;

use bytes::{Bytes, BytesMut};
use core_types::{ArgsBuf, Broken, Endpoint, LogLevel, Machine, Millis, Offset, ReplId, show_bytes};

use crate::handshake::{LinkConfig, Next, PsyncReply, Step, command, on_reply, parse_psync_reply};
use crate::transfer::{Chunk, Framing, Transfer};

/// The longest reply to a line of the handshake, in bytes, its line end included. A master that never
/// ends a line must not grow our memory. Redis's own replies are below 300 bytes.
pub const MAX_REPLY: usize = 1024;

const SILENT: &str = "MASTER timeout: no data nor PING received...";

// ANCHOR: state
/// How far the link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Not connected; the next attempt is made at this time.
    Waiting(Millis),
    /// A connection has been asked for.
    Connecting,
    /// Connected; the reply to this step's command is awaited.
    Handshake(Step),
    /// The snapshot is arriving, or awaited.
    Transfer,
    /// The snapshot is here, and the node replaces its data set by it.
    Loading,
    /// The replica follows the stream.
    Online,
}
// ANCHOR_END: state

impl LinkState {
    /// The word for it in `ROLE` (`roleCommand` in Redis's `replication.c`).
    pub fn role_word(&self) -> &'static str {
        match self {
            LinkState::Waiting(_) => "connect",
            LinkState::Connecting => "connecting",
            LinkState::Handshake(_) => "handshake",
            LinkState::Transfer | LinkState::Loading => "sync",
            LinkState::Online => "connected",
        }
    }
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkState::Waiting(_) => f.write_str("Waiting"),
            other => write!(f, "{other:?}"),
        }
    }
}

// ANCHOR: events
/// What can happen to the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkInput {
    /// Time has passed.
    Tick,
    /// The connection that was asked for is there.
    Connected,
    /// It could not be made, for this reason.
    ConnectFailed(String),
    /// Bytes from the master.
    Received(Bytes),
    /// The connection is gone.
    Closed,
}

/// What the link asks of its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkOutput {
    /// Open a connection.
    Connect(Endpoint),
    /// Send this command.
    Send(ArgsBuf),
    /// Close the connection. Nothing that still arrives on it may be passed on.
    Disconnect,
    /// The stream goes on from where [`Link::ask_with`] said. The history
    /// may have a new name from here on (chapter 3).
    Continue {
        /// Its name, if the master told one.
        id: Option<ReplId>,
    },
    /// A snapshot will follow: the master's history `id`, as it was at `offset`.
    BeginSync {
        /// The replication id to take over once the snapshot is loaded.
        id: ReplId,
        /// The offset to count from.
        offset: Offset,
    },
    /// The next bytes of the snapshot.
    Snapshot(Bytes),
    /// The snapshot is complete: replace the data set, then call [`Link::loaded`].
    Load,
    /// The next bytes of the stream of commands.
    Stream(Bytes),
    /// Write this to the log.
    Log(LogLevel, String),
}
// ANCHOR_END: events

/// The replica's side of the link to one master.
#[derive(Clone, Debug)]
pub struct Link {
    master: Endpoint,
    config: LinkConfig,
    state: LinkState,
    /// When the master last showed life, or the present state began.
    last_io: Millis,
    /// What has arrived and is not decided about.
    buffer: BytesMut,
    transfer: Transfer,
    /// Where the snapshot on its way was made.
    offset: Offset,
    /// How many bytes it has, if the master said.
    length: Option<u64>,
    /// The `PSYNC` to send, if the node has something to continue from.
    request: Option<ArgsBuf>,
    /// While the link is online, the node watches over the silence of the master.
    node_watches: bool,
}

impl Link {
    /// A link that connects to `master` at its first [`LinkInput::Tick`].
    pub fn new(master: Endpoint, config: LinkConfig) -> Link {
        Link {
            master,
            config,
            state: LinkState::Waiting(Millis::ZERO),
            last_io: Millis::ZERO,
            buffer: BytesMut::new(),
            transfer: Transfer::new(),
            offset: Offset(0),
            length: None,
            request: None,
            node_watches: false,
        }
    }

    /// From now on this is asked for in place of `PSYNC ? -1`: a node that holds a part of a history asks for
    /// the rest of it (chapter 2). Only then is `+CONTINUE` an answer.
    pub fn ask_with(&mut self, request: ArgsBuf) {
        self.request = Some(request);
    }

    /// From now on, while the link is online, the node decides when the master has been silent for too long,
    /// and says so by [`Link::give_up`] (chapter 2).
    pub fn let_node_watch(&mut self) {
        self.node_watches = true;
    }

    /// The node has found that the master of a link that is online has been silent for too long.
    pub fn give_up(&mut self, now: Millis, out: &mut Vec<LinkOutput>) {
        if self.state == LinkState::Online {
            warning(out, SILENT.into());
            self.start_over(now, out);
        }
    }

    /// How far the link is.
    pub fn state(&self) -> LinkState {
        self.state
    }

    /// Whom it follows, or tries to.
    pub fn master(&self) -> &Endpoint {
        &self.master
    }

    /// When the master last showed life (`master_last_io_seconds_ago` in `INFO`).
    pub fn last_io(&self) -> Millis {
        self.last_io
    }

    /// How many bytes the snapshot on its way has, if the master told its length (`master_sync_total_bytes`).
    pub fn snapshot_length(&self) -> Option<u64> {
        self.length
    }

    /// How many bytes are kept until more arrive: never more than a line of the handshake or a mark, but
    /// for what arrives while the node is loading.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Takes changed passwords, addresses and times; they count from the next attempt or tick on.
    pub fn set_config(&mut self, config: LinkConfig) {
        self.config = config;
    }

    /// The node has done what [`LinkOutput::Load`] asked. With the new data set in place the replica
    /// says so to its master, and the stream begins; otherwise it starts over.
    pub fn loaded(&mut self, now: Millis, result: Result<(), String>, out: &mut Vec<LinkOutput>) {
        if self.state != LinkState::Loading {
            return;
        }
        self.last_io = now;
        if let Err(why) = result {
            warning(out, format!("Failed trying to load the MASTER synchronization DB from socket: {why}"));
            return self.start_over(now, out);
        }
        self.state = LinkState::Online;
        notice(out, "MASTER <-> REPLICA sync: Swapping active DB with loaded DB".into());
        notice(out, "MASTER <-> REPLICA sync: Finished with success".into());
        out.push(LinkOutput::Send(ArgsBuf::from_parts(["REPLCONF", "ACK", &self.offset.to_string()])));
        if !self.buffer.is_empty() {
            out.push(LinkOutput::Stream(self.buffer.split().freeze()));
        }
    }

    /// The master showed life while the link is online: for a node that reads the stream itself and
    /// spares the detour over [`LinkInput::Received`].
    pub fn touch(&mut self, now: Millis) {
        self.last_io = now;
    }

    /// Time has passed: is an attempt due, or has the master been silent for too long?
    fn tick(&mut self, now: Millis, out: &mut Vec<LinkOutput>) {
        if let LinkState::Waiting(at) = self.state {
            if now >= at {
                self.connect(now, "Connecting to MASTER", out);
            }
            return;
        }
        let watched = self.node_watches && self.state == LinkState::Online;
        if watched || self.state == LinkState::Loading || now.since(self.last_io) <= self.config.timeout {
            return;
        }
        let text = match self.state {
            LinkState::Transfer => {
                "Timeout receiving bulk data from MASTER... If the problem persists try to set the \
                 'repl-timeout' parameter in redis.conf to a larger value."
            }
            LinkState::Online => SILENT,
            _ => "Timeout connecting to the MASTER...",
        };
        warning(out, text.into());
        self.start_over(now, out);
    }

    fn connect(&mut self, now: Millis, verb: &str, out: &mut Vec<LinkOutput>) {
        notice(out, format!("{verb} {}", self.master));
        notice(out, "MASTER <-> REPLICA sync started".into());
        self.buffer.clear();
        self.transfer = Transfer::new();
        self.last_io = now;
        self.state = LinkState::Connecting;
        out.push(LinkOutput::Connect(self.master.clone()));
    }

    fn connected(&mut self, now: Millis, out: &mut Vec<LinkOutput>) {
        if self.state == LinkState::Connecting {
            notice(out, "Non blocking connect for SYNC fired the event.".into());
            self.last_io = now;
            self.ask(Step::Ping, out);
        }
    }

    fn connect_failed(&mut self, now: Millis, why: &str, out: &mut Vec<LinkOutput>) {
        if self.state == LinkState::Connecting {
            warning(out, format!("Error condition on socket for SYNC: {why}"));
            self.wait(now);
        }
    }

    fn received(&mut self, now: Millis, bytes: Bytes, out: &mut Vec<LinkOutput>) {
        match self.state {
            LinkState::Waiting(_) | LinkState::Connecting => return,
            LinkState::Online => {
                self.last_io = now;
                return out.push(LinkOutput::Stream(bytes));
            }
            _ => {}
        }
        self.last_io = now;
        self.buffer.extend_from_slice(&bytes);
        while let LinkState::Handshake(step) = self.state {
            match take_reply(&mut self.buffer) {
                Ok(Some(reply)) => self.replied(now, step, &reply, out),
                Ok(None) => return,
                Err(()) => {
                    let what =
                        String::from_utf8_lossy(command(step, &self.config).as_args().name()).into_owned();
                    warning(
                        out,
                        format!("Reply to {what} from master has no line end within {MAX_REPLY} bytes"),
                    );
                    return self.start_over(now, out);
                }
            }
        }
        while self.state == LinkState::Transfer {
            match self.transfer.next(&mut self.buffer) {
                Ok(Some(chunk)) => self.transferred(chunk, out),
                Ok(None) => return,
                Err(why) => {
                    warning(out, why.to_string());
                    return self.start_over(now, out);
                }
            }
        }
    }

    /// A line of the handshake has been answered.
    fn replied(&mut self, now: Millis, step: Step, reply: &[u8], out: &mut Vec<LinkOutput>) {
        let next = on_reply(step, reply, &self.config);
        let shown = show_bytes(reply);
        let (level, text) = match (step, next) {
            (Step::Ping, Next::GiveUp) => {
                (LogLevel::Warning, format!("Error reply to PING from master: '{shown}'"))
            }
            (_, Next::GiveUp) => (LogLevel::Warning, format!("Unable to AUTH to MASTER: {shown}")),
            (Step::Ping, _) => {
                (LogLevel::Notice, "Master replied to PING, replication can continue...".into())
            }
            (Step::Port | Step::Ip | Step::Capa, _) if reply.starts_with(b"-") => {
                let option = command(step, &self.config);
                let option = show_bytes(&option.as_args()[1]);
                let text = format!("(Non critical) Master does not understand REPLCONF {option}: {shown}");
                (LogLevel::Notice, text)
            }
            _ => (LogLevel::Debug, String::new()),
        };
        if !text.is_empty() {
            out.push(LinkOutput::Log(level, text));
        }
        match next {
            Next::Send(step) => self.ask(step, out),
            Next::Synchronise => self.synchronise(now, reply, out),
            Next::GiveUp => self.start_over(now, out),
        }
    }

    /// `PSYNC` has been answered.
    fn synchronise(&mut self, now: Millis, reply: &[u8], out: &mut Vec<LinkOutput>) {
        let shown = show_bytes(reply);
        let asked_to_continue = self.request.as_ref().is_some_and(|request| !request.as_args().is(1, "?"));
        let complaint = match parse_psync_reply(reply) {
            PsyncReply::FullResync { id, offset } => {
                notice(out, format!("Full resync from master: {id}:{offset}"));
                (self.offset, self.length) = (offset, None);
                self.state = LinkState::Transfer;
                return out.push(LinkOutput::BeginSync { id, offset });
            }
            PsyncReply::KeepAlive => return,
            PsyncReply::TryLater => {
                notice(
                    out,
                    format!("Master is currently unable to PSYNC but should be in the future: {shown}"),
                );
                return self.start_over(now, out);
            }
            PsyncReply::Continue { id } if asked_to_continue => {
                notice(out, "Successful partial resynchronization with master.".into());
                notice(out, "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.".into());
                self.state = LinkState::Online;
                out.push(LinkOutput::Continue { id });
                if !self.buffer.is_empty() {
                    out.push(LinkOutput::Stream(self.buffer.split().freeze()));
                }
                return;
            }
            PsyncReply::Continue { .. } => {
                "Master wants to continue a stream of which this replica has nothing".into()
            }
            PsyncReply::Refused if reply.starts_with(b"+FULLRESYNC") => {
                "Master replied with wrong +FULLRESYNC syntax.".into()
            }
            PsyncReply::Refused if reply.starts_with(b"-ERR") => {
                format!("Master does not support PSYNC or is in error state (reply: {shown})")
            }
            PsyncReply::Refused => format!("Unexpected reply to PSYNC from master: {shown}"),
        };
        warning(out, complaint);
        self.start_over(now, out);
    }

    /// A part of the snapshot is here.
    fn transferred(&mut self, chunk: Chunk, out: &mut Vec<LinkOutput>) {
        match chunk {
            Chunk::Begin(Framing::Length(bytes)) => {
                self.length = Some(bytes);
                notice(
                    out,
                    format!("MASTER <-> REPLICA sync: receiving {bytes} bytes from master to parser"),
                );
            }
            Chunk::Begin(Framing::Mark(_)) => {
                notice(
                    out,
                    "MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to parser".into(),
                );
            }
            Chunk::Payload(bytes) => out.push(LinkOutput::Snapshot(bytes)),
            Chunk::Done => {
                notice(out, "MASTER <-> REPLICA sync: Loading DB in memory".into());
                self.state = LinkState::Loading;
                out.push(LinkOutput::Load);
            }
        }
    }

    /// The master has closed the connection, or the network has.
    fn closed(&mut self, now: Millis, out: &mut Vec<LinkOutput>) {
        match self.state {
            LinkState::Waiting(_) => {}
            LinkState::Online => {
                warning(out, "Connection with master lost.".into());
                self.connect(now, "Reconnecting to MASTER", out);
            }
            LinkState::Connecting => self.connect_failed(now, "Connection reset by peer", out),
            LinkState::Handshake(Step::Psync) => {
                warning(out, "Master did not reply to PSYNC, will try later".into());
                self.wait(now);
            }
            LinkState::Handshake(_) => {
                warning(out, "Master did not respond to command during SYNC handshake".into());
                self.wait(now);
            }
            LinkState::Transfer | LinkState::Loading => {
                warning(out, "I/O error trying to sync with MASTER: connection lost".into());
                self.wait(now);
            }
        }
    }

    fn ask(&mut self, step: Step, out: &mut Vec<LinkOutput>) {
        let mut question = command(step, &self.config);
        if step == Step::Psync {
            question = self.request.clone().unwrap_or(question);
            let args = question.as_args();
            let text = if args.is(1, "?") {
                "Partial resynchronization not possible (no cached master)".into()
            } else {
                let (id, first) = (show_bytes(&args[1]), show_bytes(&args[2]));
                format!("Trying a partial resynchronization (request {id}:{first}).")
            };
            notice(out, text);
        }
        self.state = LinkState::Handshake(step);
        out.push(LinkOutput::Send(question));
    }

    fn start_over(&mut self, now: Millis, out: &mut Vec<LinkOutput>) {
        out.push(LinkOutput::Disconnect);
        self.wait(now);
    }

    fn wait(&mut self, now: Millis) {
        self.buffer.clear();
        self.state = LinkState::Waiting(now + self.config.retry);
    }
}

impl Machine for Link {
    type Input = LinkInput;
    type Output = LinkOutput;

    fn step(&mut self, now: Millis, input: LinkInput, out: &mut Vec<LinkOutput>) {
        match input {
            LinkInput::Tick => self.tick(now, out),
            LinkInput::Connected => self.connected(now, out),
            LinkInput::ConnectFailed(why) => self.connect_failed(now, &why, out),
            LinkInput::Received(bytes) => self.received(now, bytes, out),
            LinkInput::Closed => self.closed(now, out),
        }
    }

    fn next_deadline(&self) -> Option<Millis> {
        match self.state {
            LinkState::Waiting(at) => Some(at),
            LinkState::Loading => None,
            LinkState::Online if self.node_watches => None,
            _ => Some(self.last_io + self.config.timeout + Millis(1)),
        }
    }

    fn check_invariants(&self) -> Result<(), Broken> {
        let kept = self.buffer.len();
        let most = match self.state {
            LinkState::Waiting(_) | LinkState::Connecting | LinkState::Online => 0,
            LinkState::Handshake(_) | LinkState::Transfer => MAX_REPLY,
            LinkState::Loading => usize::MAX,
        };
        if kept > most {
            return Err(Broken::new(
                "A link keeps no more than one unfinished line or mark",
                format!("{kept} bytes in state {}", self.state),
            ));
        }
        Ok(())
    }
}

/// Takes one line from `buffer`, without its line end. `Err`: there is none, in more bytes than a reply
/// can have.
fn take_reply(buffer: &mut BytesMut) -> Result<Option<Bytes>, ()> {
    let Some(end) = buffer.iter().take(MAX_REPLY).position(|&byte| byte == b'\n') else {
        return if buffer.len() < MAX_REPLY { Ok(None) } else { Err(()) };
    };
    let mut line = buffer.split_to(end + 1).freeze();
    line.truncate(end);
    if line.ends_with(b"\r") {
        line.truncate(end - 1);
    }
    Ok(Some(line))
}

fn notice(out: &mut Vec<LinkOutput>, text: String) {
    out.push(LinkOutput::Log(LogLevel::Notice, text));
}

fn warning(out: &mut Vec<LinkOutput>, text: String) {
    out.push(LinkOutput::Log(LogLevel::Warning, text));
}
