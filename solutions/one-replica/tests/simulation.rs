//! A replica's [`Link`] against a master's [`Attachment`], over many seeds: bytes cut anywhere,
//! connections that break anywhere, writes at any time. Safety first: what the replica holds is always a
//! prefix of the master's history. Then everything is healed, and it must hold all of it.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use core_types::{ArgsBuf, Endpoint, Machine, Millis, Offset, ReplId, Rng};
use solution_1::{Attachment, Link, LinkConfig, LinkInput, LinkOutput, LinkState, Phase, StreamWriter};

const SEEDS: u64 = 10_000;

/// A master whose data set is its own history: the bytes of the stream so far. A snapshot is a copy of
/// them, so a replica that loads one and follows the stream must end up with exactly these bytes.
struct Master {
    id: ReplId,
    writer: StreamWriter,
    history: BytesMut,
    replica: Option<Attachment>,
    snapshot: Bytes,
}

impl Master {
    fn new(rng: &mut Rng) -> Master {
        Master {
            id: ReplId::random(rng),
            writer: StreamWriter::new(Offset(0)),
            history: BytesMut::new(),
            replica: None,
            snapshot: Bytes::new(),
        }
    }

    fn write(&mut self, rng: &mut Rng, out: &mut Vec<Bytes>) {
        let command = ArgsBuf::from_parts(["SET", &rng.below(100).to_string(), &rng.next_u64().to_string()]);
        let before = self.history.len();
        self.writer.append(Some(rng.below(3) as usize), command.as_args(), &mut self.history);
        let bytes = Bytes::copy_from_slice(&self.history[before..]);
        if let Some(replica) = &mut self.replica {
            replica.written(&bytes, out);
        }
    }

    /// A snapshot is started, completed or sent, whichever is next; or the replica has to wait.
    fn advance(&mut self, rng: &mut Rng, out: &mut Vec<Bytes>) {
        let Some(replica) = &mut self.replica else { return };
        match replica.phase() {
            Phase::WaitSnapshot | Phase::Snapshotting if rng.chance(20) => replica.keep_alive(out),
            Phase::WaitSnapshot => {
                self.writer.forget_db();
                replica.snapshot_started(self.id, self.writer.offset(), out);
                self.snapshot = self.history.clone().freeze();
            }
            Phase::Snapshotting => replica.snapshot_ready(&rng.hex40(), self.snapshot.clone(), out),
            Phase::Sending => replica.payload_sent(out),
            Phase::AwaitAck | Phase::Online => {}
        }
    }

    fn received(&mut self, rng: &mut Rng, command: &ArgsBuf, out: &mut Vec<Bytes>) {
        let args = command.as_args();
        let answer = |text: &'static str| Bytes::from_static(text.as_bytes());
        if args.is(0, "PING") {
            out.push(answer(if rng.chance(20) {
                "-NOAUTH Authentication required.\r\n"
            } else {
                "+PONG\r\n"
            }));
        } else if args.is(0, "PSYNC") && rng.chance(10) {
            out.push(answer("-LOADING Redis is loading the dataset in memory\r\n"));
        } else if args.is(0, "PSYNC") {
            self.replica = Some(Attachment::new(rng.chance(50)));
        } else if args.is(0, "REPLCONF") && args.is(1, "ACK") {
            let offset = std::str::from_utf8(&args[2]).unwrap().parse().unwrap();
            self.replica.as_mut().expect("an ACK comes after PSYNC").ack(Offset(offset), out);
        } else {
            out.push(answer(if rng.chance(20) { "-ERR unknown command\r\n" } else { "+OK\r\n" }));
        }
    }
}

/// Both nodes and the connection between them.
struct World {
    rng: Rng,
    now: Millis,
    master: Master,
    link: Link,
    /// `None`: no connection. Else whether it is established.
    connection: Option<bool>,
    to_master: VecDeque<ArgsBuf>,
    to_replica: BytesMut,
    /// What the replica has loaded and applied.
    data: Vec<u8>,
    snapshot: Vec<u8>,
    begun: Offset,
    loading: bool,
    syncs: u32,
}

impl World {
    fn new(seed: u64) -> World {
        let mut rng = Rng::new(seed);
        let config = LinkConfig {
            password: rng.chance(50).then(|| "secret".into()),
            announce_ip: rng.chance(50).then(|| "10.0.0.7".into()),
            ..LinkConfig::default()
        };
        World {
            now: Millis::ZERO,
            master: Master::new(&mut rng),
            link: Link::new(Endpoint::new("127.0.0.1", 7000), config),
            connection: None,
            to_master: VecDeque::new(),
            to_replica: BytesMut::new(),
            data: Vec::new(),
            snapshot: Vec::new(),
            begun: Offset(0),
            loading: false,
            syncs: 0,
            rng,
        }
    }

    fn step(&mut self, faults: bool) {
        self.now += Millis(self.rng.below(if faults { 2000 } else { 200 }));
        let mut sent = Vec::new();
        match self.rng.below(100) {
            0..25 if faults => self.master.write(&mut self.rng, &mut sent),
            25..26 if faults => self.disconnect(),
            26..27 if faults && self.rng.chance(30) => self.now += Millis::from_secs(61),
            0..35 => self.feed(LinkInput::Tick),
            35..45 if self.connection == Some(false) => {
                self.connection = Some(!faults || self.rng.chance(80));
                match self.connection {
                    Some(true) => self.feed(LinkInput::Connected),
                    _ => {
                        self.connection = None;
                        self.feed(LinkInput::ConnectFailed("Connection refused".into()));
                    }
                }
            }
            45..60 if self.connection == Some(true) => self.master.advance(&mut self.rng, &mut sent),
            60..75 => {
                if let Some(command) = self.to_master.pop_front() {
                    self.master.received(&mut self.rng, &command, &mut sent);
                }
            }
            75..80 if self.loading => {
                self.loading = false;
                let result = if faults && self.rng.chance(10) { Err("corrupt".into()) } else { Ok(()) };
                if result.is_ok() {
                    self.data = std::mem::take(&mut self.snapshot);
                    assert_eq!(self.begun, Offset(self.data.len() as u64), "announced offset and snapshot");
                    self.syncs += 1;
                }
                let mut out = Vec::new();
                self.link.loaded(self.now, result, &mut out);
                self.carry_out(out);
            }
            _ if !self.to_replica.is_empty() => {
                let most = if self.rng.chance(50) { 8 } else { self.to_replica.len() as u64 };
                let cut = 1 + self.rng.below(most.min(self.to_replica.len() as u64)) as usize;
                let chunk = self.to_replica.split_to(cut).freeze();
                self.feed(LinkInput::Received(chunk));
            }
            _ => {}
        }
        if self.connection == Some(true) {
            sent.iter().for_each(|bytes| self.to_replica.extend_from_slice(bytes));
        }
        self.check();
    }

    /// The network breaks the connection; both sides learn of it.
    fn disconnect(&mut self) {
        if self.connection.is_some() {
            self.forget_connection();
            self.feed(LinkInput::Closed);
        }
    }

    fn forget_connection(&mut self) {
        self.connection = None;
        self.to_master.clear();
        self.to_replica.clear();
        self.master.replica = None;
        self.loading = false;
        self.snapshot.clear();
    }

    fn feed(&mut self, input: LinkInput) {
        let mut out = Vec::new();
        self.link.step(self.now, input, &mut out);
        self.carry_out(out);
    }

    fn carry_out(&mut self, outputs: Vec<LinkOutput>) {
        for output in outputs {
            match output {
                LinkOutput::Connect(_) => {
                    assert_eq!(self.connection, None, "one connection at a time");
                    self.connection = Some(false);
                }
                LinkOutput::Disconnect => self.forget_connection(),
                LinkOutput::Send(command) => {
                    assert_eq!(self.connection, Some(true), "sends only when connected");
                    self.to_master.push_back(command);
                }
                LinkOutput::Continue { .. } => panic!("it never asks to continue"),
                LinkOutput::BeginSync { id, offset } => {
                    assert_eq!(id, self.master.id);
                    self.begun = offset;
                    self.snapshot.clear();
                }
                LinkOutput::Snapshot(bytes) => self.snapshot.extend_from_slice(&bytes),
                LinkOutput::Load => self.loading = true,
                LinkOutput::Stream(bytes) => self.data.extend_from_slice(&bytes),
                LinkOutput::Log(..) => {}
            }
        }
    }

    fn check(&self) {
        self.link.check_invariants().unwrap();
        let held = self.data.len();
        assert!(held <= self.master.history.len(), "the replica holds what was never written");
        let tail = held.saturating_sub(64);
        assert_eq!(self.data[tail..], self.master.history[tail..held], "a prefix of the master's history");
    }

    fn quiet(&self) -> bool {
        let online = self.master.replica.as_ref().is_some_and(|replica| replica.phase() == Phase::Online);
        online && self.link.state() == LinkState::Online && self.to_replica.is_empty()
    }
}

/// Returns how many synchronisations the run took.
fn run(seed: u64) -> u32 {
    let mut world = World::new(seed);
    for _ in 0..400 {
        world.step(true);
    }
    for _ in 0..5000 {
        if world.quiet() {
            assert_eq!(world.data[..], world.master.history[..], "equal once quiet");
            return world.syncs;
        }
        world.step(false);
    }
    panic!("not in sync after everything was healed: link {}", world.link.state());
}

#[test]
fn connections_break_anywhere_and_the_replica_holds_exactly_the_masters_history() {
    let first = std::env::var("SEED").ok().map(|seed| seed.parse().expect("SEED is a number"));
    let seeds = first.map_or(0..SEEDS, |seed| seed..seed + 1);
    let mut resynchronised = 0;
    for seed in seeds.clone() {
        let outcome = std::panic::catch_unwind(|| run(seed));
        resynchronised += u32::from(outcome.unwrap_or_else(|_| panic!("replay with SEED={seed}")) > 1);
    }
    assert!(first.is_some() || resynchronised > 1000, "too few runs lost a link: {resynchronised}");
}
