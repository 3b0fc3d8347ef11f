//! A client that asks sentinels where the master is, and writes there: what a Sentinel-aware client library does.
//!
//! It goes from sentinel to sentinel until one answers, connects to the address it is told, asks `ROLE` (an old master
//! may not know yet that it is one no more), and then writes, one numbered write at a time. Whatever goes wrong sends it
//! back to the sentinels.

use bytes::BytesMut;
use core_types::{ArgsBuf, Broken, Endpoint, Frame, Millis, Rng, write_command};
use node::layers::wire::FrameDecoder;

use crate::world::{Boot, Conn, Host, Input, Io};

/// The client. See the module's documentation.
pub struct Seeker {
    sentinels: Vec<Endpoint>,
    /// The name under which the sentinels know the master.
    name: String,
    rng: Rng,
    /// The shortest and the longest time between two writes.
    pace: (Millis, Millis),
    /// The sentinel that is asked, by its place.
    asked: usize,
    conn: Option<Conn>,
    stage: Stage,
    /// When it gives up what it waits for, or does the next thing.
    next: Option<Millis>,
    received: BytesMut,
    decoder: FrameDecoder,
    writes: u64,
    acknowledged: Vec<(u64, Endpoint)>,
    stopped: bool,
    nonsense: Option<String>,
}

/// What it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// To begin anew.
    Rest,
    /// A sentinel's answer.
    Where,
    /// The master's word that it is one.
    Role(Endpoint),
    /// The time for the next write.
    Ready(Endpoint),
    /// The answer to a write.
    Written(Endpoint),
}

/// After so long without an answer it tries elsewhere.
const PATIENCE: Millis = Millis(500);
/// Between two tries.
const REST: Millis = Millis(40);

impl Seeker {
    /// Looks for the master `name` and writes there at this pace.
    pub fn new(sentinels: Vec<Endpoint>, name: &str, pace: (Millis, Millis), boot: &Boot) -> Seeker {
        let mut rng = Rng::new(boot.seed);
        let asked = rng.below(sentinels.len().max(1) as u64) as usize;
        Seeker {
            sentinels,
            name: name.into(),
            rng,
            pace,
            asked,
            conn: None,
            stage: Stage::Rest,
            next: Some(boot.now),
            received: BytesMut::new(),
            decoder: FrameDecoder::new(),
            writes: 0,
            acknowledged: Vec::new(),
            stopped: false,
            nonsense: None,
        }
    }

    /// The key of a write; its value is the number.
    pub fn key(write: u64) -> String {
        format!("write:{write}")
    }

    /// Writes that were acknowledged, and by whom, in order.
    pub fn acknowledged(&self) -> &[(u64, Endpoint)] {
        &self.acknowledged
    }

    /// No more writes.
    pub fn stop(&mut self) {
        self.stopped = true;
        self.next = None;
    }

    fn connect(&mut self, io: &mut Io<'_, '_>, to: &Endpoint, stage: Stage) {
        self.received.clear();
        self.decoder = FrameDecoder::new();
        self.conn = Some(io.connect(to));
        self.stage = stage;
        self.next = Some(io.now() + PATIENCE);
    }

    /// Lets go, and turns to the next sentinel a little later.
    fn begin_anew(&mut self, io: &mut Io<'_, '_>) {
        if let Some(conn) = self.conn.take() {
            io.close(conn);
        }
        self.asked = (self.asked + 1) % self.sentinels.len().max(1);
        self.stage = Stage::Rest;
        self.next = Some(io.now() + Millis(self.rng.between(REST.0, 2 * REST.0)));
    }

    fn say(&mut self, io: &mut Io<'_, '_>, words: &[&str]) {
        let mut bytes = BytesMut::new();
        write_command(&mut bytes, ArgsBuf::from_parts(words.iter().copied()).as_args().iter());
        let Some(conn) = self.conn else { return };
        self.next = Some(io.now() + PATIENCE);
        if io.write(conn, &bytes) < bytes.len() {
            self.begin_anew(io);
        }
    }

    fn tick(&mut self, io: &mut Io<'_, '_>) {
        match self.stage.clone() {
            Stage::Rest => {
                let Some(sentinel) = self.sentinels.get(self.asked).cloned() else { return };
                self.connect(io, &sentinel, Stage::Where);
            }
            Stage::Ready(at) => {
                self.writes += 1;
                let (key, value) = (Seeker::key(self.writes), self.writes.to_string());
                self.stage = Stage::Written(at);
                self.say(io, &["SET", &key, &value]);
            }
            Stage::Where | Stage::Role(_) | Stage::Written(_) => self.begin_anew(io),
        }
    }

    fn connected(&mut self, io: &mut Io<'_, '_>) {
        match &self.stage {
            Stage::Where => {
                let name = self.name.clone();
                self.say(io, &["SENTINEL", "get-master-addr-by-name", &name]);
            }
            Stage::Role(_) => self.say(io, &["ROLE"]),
            _ => {}
        }
    }

    fn answered(&mut self, io: &mut Io<'_, '_>, frame: &Frame) {
        match (self.stage.clone(), frame) {
            (Stage::Where, Frame::Array(parts)) => {
                let text =
                    |part: Option<&Frame>| Some(String::from_utf8_lossy(part?.as_bytes()?).into_owned());
                let port = text(parts.get(1)).and_then(|port| port.parse().ok());
                let (Some(host), Some(port)) = (text(parts.first()), port) else {
                    return self.begin_anew(io);
                };
                if let Some(conn) = self.conn.take() {
                    io.close(conn);
                }
                let at = Endpoint::new(host, port);
                self.connect(io, &at.clone(), Stage::Role(at));
            }
            (Stage::Role(at), Frame::Array(parts))
                if parts.first().and_then(Frame::as_bytes) == Some(b"master") =>
            {
                self.rest_before_write(io, at);
            }
            (Stage::Written(at), Frame::Simple(_)) => {
                self.acknowledged.push((self.writes, at.clone()));
                self.rest_before_write(io, at);
            }
            _ => self.begin_anew(io),
        }
    }

    fn rest_before_write(&mut self, io: &mut Io<'_, '_>, at: Endpoint) {
        self.stage = Stage::Ready(at);
        self.next = Some(io.now() + Millis(self.rng.between(self.pace.0.0, self.pace.1.0)));
    }
}

impl Host for Seeker {
    fn handle(&mut self, input: Input<'_>, io: &mut Io<'_, '_>) {
        if self.stopped {
            return;
        }
        match input {
            Input::Connected { conn } if self.conn == Some(conn) => self.connected(io),
            Input::Refused { conn, .. } | Input::Closed { conn } if self.conn == Some(conn) => {
                self.conn = None;
                self.begin_anew(io);
            }
            Input::Received { conn, bytes } if self.conn == Some(conn) => {
                self.received.extend_from_slice(bytes);
                match self.decoder.decode(&mut self.received) {
                    Ok(Some(frame)) => self.answered(io, &frame),
                    Ok(None) => {}
                    Err(error) => self.nonsense = Some(error.to_string()),
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
