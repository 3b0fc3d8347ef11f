// The scored suite of chapter 1. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers. A scenario calls the functions of its own exercise
// and nothing else that is to be written, so that one wrong answer turns one exercise red.

use bytes::{Bytes, BytesMut};
use core_types::{
    Args, ArgsBuf, Broken, Endpoint, ExpiredKey, Millis, Offset, Origin, ReplId, Rng, Role, show_bytes,
    show_command, write_command,
};
use lab::{
    Apply, Attachment, Chunk, CommandTraits, Framing, Gate, LinkConfig, Next, Phase, PsyncReply, ReplicaOf,
    RoleStep, Step, StreamReader, StreamWriter, Transfer,
};
use score::{Check, Family};
use sim::trace::Trace;

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("1.1", six_steps, Some((six_steps_from_seed, 500))),
        check("1.2", psync_replies, Some((psync_replies_from_seed, 200))),
        check("1.3", transfers, Some((transfer_from_seed, 500))),
        check("1.4", attachments, Some((attachment_from_seed, 500))),
        check("1.5", stream_is_written, Some((stream_is_written_from_seed, 200))),
        check("1.6", stream_is_read, Some((stream_is_read_from_seed, 200))),
        check("1.7", gate, Some((gate_from_seed, 512))),
        check("1.8", expired_keys, None),
        check("1.9", changes_of_role, Some((change_of_role_from_seed, 200))),
    ]
}

type Scenario = fn(&mut Trace) -> Result<(), Broken>;
type SeededRun = fn(u64, &mut Trace) -> Result<(), Broken>;

fn check(id: &'static str, scenario: Scenario, family: Option<(SeededRun, u64)>) -> Check {
    Check { id, scenario, family: family.map(|(run, seeds)| Family { seeds, run, agree: true }) }
}

/// A millisecond later.
fn later(trace: &Trace) -> Millis {
    trace.now() + Millis(1)
}

fn heading(trace: &mut Trace, text: &str) {
    let at = later(trace);
    trace.note(at, None, text);
}

// 1.1 -----------------------------------------------------------------------------------------------

/// Plays the handshake with a master that gives `replies` in turn, until the answer decides to
/// synchronise or to give up, or the replies run out.
fn converse(
    trace: &mut Trace,
    config: &LinkConfig,
    mut reply: impl FnMut(Step) -> &'static str,
) -> Result<(), Broken> {
    const LONGEST: usize = 6;
    let mut step = Step::Ping;
    for _ in 0..LONGEST {
        let command = lab::command(step, config);
        let at = later(trace);
        trace.message(at, "replica", "master", show_command(command.as_args().iter()));
        let line = reply(step);
        let at = later(trace);
        trace.message(at, "master", "replica", line);
        let next = lab::on_reply(step, line.as_bytes(), config);
        let state = match next {
            Next::Send(to) => format!("Handshake({to:?})"),
            Next::Synchronise => "Transfer".into(),
            Next::GiveUp => "Waiting".into(),
        };
        trace.state(at, "replica", format!("Handshake({step:?}) ⇨ {state}"));
        match next {
            Next::Send(to) => step = to,
            Next::Synchronise | Next::GiveUp => return Ok(()),
        }
    }
    Err(Broken::new(
        "The handshake has six steps at the most, each of them once.",
        format!("after {LONGEST} replies it still goes on, with {step:?}"),
    ))
}

fn with_password() -> LinkConfig {
    LinkConfig { password: Some("sesame".into()), ..LinkConfig::default() }
}

fn six_steps(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "six steps".into();
    trace.host("replica");
    heading(trace, "a master that agrees to everything");
    converse(trace, &LinkConfig { listening_port: 7001, ..LinkConfig::default() }, |step| match step {
        Step::Ping => "+PONG",
        Step::Psync => "+FULLRESYNC 8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb 0",
        _ => "+OK",
    })?;
    heading(trace, "a master with a password; the replica has an address to announce");
    let config = LinkConfig {
        user: Some("replica".into()),
        announce_ip: Some("10.0.0.7".into()),
        listening_port: 7001,
        ..with_password()
    };
    converse(trace, &config, |step| match step {
        Step::Ping => "-NOAUTH Authentication required.",
        Step::Psync => "+FULLRESYNC 8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb 0",
        _ => "+OK",
    })?;
    heading(trace, "an old master, which knows no REPLCONF");
    converse(trace, &LinkConfig { announce_ip: Some("10.0.0.7".into()), ..LinkConfig::default() }, |step| {
        match step {
            Step::Ping => "+PONG",
            Step::Psync => "-LOADING Redis is loading the dataset in memory",
            _ => "-ERR unknown command 'REPLCONF'",
        }
    })?;
    heading(trace, "this user may not PING");
    converse(trace, &with_password(), |step| match step {
        Step::Ping => "-NOPERM this user has no permissions to run the 'ping' command",
        Step::Psync => "-ERR unknown command 'PSYNC'",
        _ => "+OK",
    })?;
    heading(trace, "the wrong password");
    converse(trace, &with_password(), |step| match step {
        Step::Ping => "-NOAUTH Authentication required.",
        _ => "-WRONGPASS invalid username-password pair or user is disabled.",
    })?;
    heading(trace, "a master that may not be spoken to now");
    converse(trace, &LinkConfig::default(), |_| "-MASTERDOWN Link with MASTER is down")?;
    heading(trace, "something else listens on that port");
    converse(trace, &LinkConfig::default(), |_| "HTTP/1.1 400 Bad Request")
}

fn six_steps_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.host("replica");
    let config = LinkConfig {
        user: rng.chance(30).then(|| "replica".into()),
        password: rng.chance(50).then(|| "sesame".into()),
        announce_ip: rng.chance(50).then(|| "10.0.0.7".into()),
        ..LinkConfig::default()
    };
    const PINGED: [&str; 9] = [
        "+PONG",
        "+PONG",
        "-NOAUTH Authentication required.",
        "-NOPERM no permissions",
        "-ERR operation not permitted",
        "-ERR unknown command 'PING'",
        "-LOADING Redis is loading the dataset in memory",
        "$4",
        "",
    ];
    const ANSWERS: [&str; 6] =
        ["+OK", "+OK", "+OK", ":1", "-ERR unknown command", "-NOAUTH Authentication required."];
    converse(trace, &config, |step| match step {
        Step::Ping => rng.pick(&PINGED).expect("it has elements"),
        _ => rng.pick(&ANSWERS).expect("it has elements"),
    })
}

// 1.2 -----------------------------------------------------------------------------------------------

const ID: &str = "8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb";

fn read_psync_reply(trace: &mut Trace, line: &str) {
    let read = match lab::parse_psync_reply(line.as_bytes()) {
        PsyncReply::FullResync { id, offset } => format!("a full synchronisation: {id} at {offset}"),
        PsyncReply::Continue { id: Some(id) } => format!("the stream goes on, under the name {id}"),
        PsyncReply::Continue { id: None } => "the stream goes on".into(),
        PsyncReply::TryLater => "try later".into(),
        PsyncReply::KeepAlive => "still there".into(),
        PsyncReply::Refused => "refused".into(),
    };
    trace.call(format!("\"{}\"", line.replace(ID, "<id>")), read.replace(ID, "<id>"));
}

fn psync_replies(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "answers to PSYNC".into();
    trace.timeless = true;
    for line in [
        &format!("+FULLRESYNC {ID} 0"),
        &format!("+FULLRESYNC {ID} 1234"),
        &format!("+FULLRESYNC {ID} 18446744073709551615"),
        &format!("+FULLRESYNC {ID} 18446744073709551616"),
        &format!("+FULLRESYNC {ID} -1"),
        &format!("+FULLRESYNC {ID} +7"),
        &format!("+FULLRESYNC {ID} 12ab"),
        &format!("+FULLRESYNC {ID}"),
        "+FULLRESYNC abc 1234",
        "+FULLRESYNC",
        "+CONTINUE",
        &format!("+CONTINUE {ID}"),
        "-NOMASTERLINK Can't SYNC while not connected with my master",
        "-LOADING Redis is loading the dataset in memory",
        "",
        "-ERR unknown command 'PSYNC'",
        "-NOAUTH Authentication required.",
        "+OK",
        "$99",
    ] {
        read_psync_reply(trace, line);
    }
    Ok(())
}

fn psync_replies_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let id = ReplId::random(&mut rng).to_string();
    let cut = rng.below(41) as usize;
    let offset = rng.next_u64() >> rng.below(64);
    let mut line = match rng.below(6) {
        0 | 1 => format!("+FULLRESYNC {id} {offset}"),
        2 => format!("+FULLRESYNC {} {offset}", &id[..cut]),
        3 => format!("+CONTINUE {id}"),
        4 => format!("-LOADING {id}"),
        _ => format!("-NOMASTERLINK {id}"),
    };
    if rng.chance(10) {
        line.insert(0, '-');
    }
    read_psync_reply(trace, &line);
    Ok(())
}

// 1.3 -----------------------------------------------------------------------------------------------

/// Feeds `chunks` to a transfer. What counts is where the snapshot begins and ends; into how many parts
/// an answer cuts the payload does not.
fn receive(trace: &mut Trace, chunks: &[&[u8]]) -> Result<(), Broken> {
    let (mut transfer, mut buffer, mut snapshot) = (Transfer::new(), BytesMut::new(), Vec::new());
    for chunk in chunks {
        let at = later(trace);
        trace.message(at, "master", "replica", show_bytes(chunk));
        buffer.extend_from_slice(chunk);
        loop {
            match transfer.next(&mut buffer) {
                Ok(Some(Chunk::Payload(bytes))) if bytes.is_empty() => {
                    return Err(Broken::new("A part of the snapshot is never empty.", "Payload(\"\")"));
                }
                Ok(Some(Chunk::Payload(bytes))) => snapshot.extend_from_slice(&bytes),
                Ok(Some(Chunk::Begin(Framing::Length(length)))) => {
                    trace.note(at, Some("replica"), format!("a snapshot of {length} bytes begins"));
                }
                Ok(Some(Chunk::Begin(Framing::Mark(mark)))) => {
                    trace.note(
                        at,
                        Some("replica"),
                        format!("a snapshot begins that ends with {}", show_bytes(&mark)),
                    );
                }
                Ok(Some(Chunk::Done)) => {
                    trace.note(at, Some("replica"), format!("the snapshot is \"{}\"", show_bytes(&snapshot)));
                    trace.note(
                        at,
                        Some("replica"),
                        format!("the stream begins with \"{}\"", show_bytes(&buffer)),
                    );
                    let left = buffer.len();
                    return match transfer.next(&mut buffer) {
                        Ok(None) if buffer.len() == left => Ok(()),
                        other => Err(Broken::new(
                            "After Done a transfer has nothing more to say.",
                            format!("{other:?}, and {} bytes of the stream are gone", left - buffer.len()),
                        )),
                    };
                }
                Ok(None) => break,
                Err(why) => {
                    trace.note(at, Some("replica"), why.to_string());
                    return Ok(());
                }
            }
        }
        let most = lab::transfer::MAX_HEADER - 1;
        if buffer.len() > most {
            return Err(Broken::new(
                "What can be decided about is taken from the buffer: memory does not grow with the snapshot.",
                format!("more than {most} bytes are left in it"),
            ));
        }
    }
    let at = trace.now();
    trace.note(at, Some("replica"), "waits for more");
    Ok(())
}

const MARK: &[u8; 40] = b"0123456789abcdef0123456789abcdef01234567";

fn transfers(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "where the snapshot ends".into();
    trace.host("master");
    trace.host("replica");
    heading(trace, "by length, after a while; the stream follows in the same packet");
    receive(trace, &[b"\n", b"\n\n$1", b"1\r\nREDIS", b"-abcdefrest"])?;
    heading(trace, "a length of nothing");
    receive(trace, &[b"$0\r\n", b"rest"])?;
    heading(trace, "by mark; the stream follows in the same packet");
    receive(trace, &[b"$EOF:", MARK, b"\r\n", b"REDIS-abc", &[&MARK[..], b"rest"].concat()])?;
    heading(trace, "the mark comes in two pieces");
    receive(trace, &[&[b"$EOF:", &MARK[..], b"\r\nREDIS", &MARK[..15]].concat(), &MARK[15..]])?;
    heading(trace, "it only looks like the mark");
    receive(
        trace,
        &[
            &[b"$EOF:", &MARK[..], b"\r\nREDIS", &MARK[..39]].concat(),
            &[b"!", &MARK[..20]].concat(),
            &[b"?", &MARK[..], b"rest"].concat(),
        ],
    )?;
    heading(trace, "the master could not make a snapshot");
    receive(trace, &[b"\n-ERR no fork\r\n"])?;
    heading(trace, "this is no snapshot");
    receive(trace, &[b"+OK\r\n"])?;
    heading(trace, "a length that is none");
    receive(trace, &[b"$-1\r\n"])?;
    heading(trace, "cut off in the middle");
    receive(trace, &[b"$100\r\nREDIS", b"-abc"])
}

fn transfer_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let mut mark = rng.hex40();
    if rng.chance(50) {
        mark[1..39].fill(b'0');
    }
    let mut payload = Vec::new();
    for _ in 0..rng.below(6) {
        match rng.below(4) {
            0 => payload.extend_from_slice(&mark[..rng.between(1, 39) as usize]),
            1 => payload.extend_from_slice(b"\r\n$5\r\n"),
            2 => payload.extend(std::iter::repeat_n(b'x', rng.below(3000) as usize)),
            _ => payload.push(rng.below(256) as u8),
        }
    }
    // By chance the pieces could make up the mark, in the payload or across its end.
    let whole = [&payload[..], &mark[..]].concat();
    if whole.windows(mark.len()).position(|window| window == mark) != Some(payload.len()) {
        payload.clear();
    }
    let mut sent = b"\n".repeat(rng.below(3) as usize);
    let eof = rng.chance(60);
    if eof {
        sent.extend_from_slice(&[b"$EOF:", &mark[..], b"\r\n", &payload, &mark[..]].concat());
    } else {
        sent.extend_from_slice(&[format!("${}\r\n", payload.len()).as_bytes(), &payload].concat());
    }
    if rng.chance(70) {
        sent.extend_from_slice(b"*1\r\n$4\r\nPING\r\n");
    }
    let mut chunks = Vec::new();
    let mut rest = &sent[..];
    while !rest.is_empty() {
        let most = if rng.chance(50) { 50 } else { rest.len() as u64 };
        let (chunk, left) = rest.split_at(1 + rng.below(most.min(rest.len() as u64)) as usize);
        chunks.push(chunk);
        rest = left;
    }
    receive(trace, &chunks)
}

// 1.4 -----------------------------------------------------------------------------------------------

/// A master with one replica. `stream` is everything it has written, `sent` what went to the replica.
struct Feeding<'t> {
    trace: &'t mut Trace,
    replica: Attachment,
    stream: Vec<u8>,
    /// Where the stream stood when the snapshot was started.
    start: usize,
    sent: Vec<u8>,
}

impl<'t> Feeding<'t> {
    fn new(trace: &'t mut Trace, eof: bool) -> Feeding<'t> {
        trace.host("replica");
        trace.host("master");
        Feeding { trace, replica: Attachment::new(eof), stream: Vec::new(), start: 0, sent: Vec::new() }
    }

    /// One call, and what it changed and sent. Into how many pieces an answer cuts what it sends does not
    /// matter.
    fn act(&mut self, call: impl FnOnce(&mut Attachment, &mut Vec<Bytes>)) {
        let (before, at) = (self.replica.phase(), self.trace.now());
        let mut out = Vec::new();
        call(&mut self.replica, &mut out);
        let after = self.replica.phase();
        if before != after {
            self.trace.state(at, "master", format!("{before:?} ⇨ {after:?}"));
        }
        let bytes = out.concat();
        if !bytes.is_empty() {
            self.trace.message(at, "master", "replica", show_bytes(&bytes));
            self.sent.extend_from_slice(&bytes);
        }
    }

    fn note(&mut self, text: &str) {
        let at = later(self.trace);
        self.trace.note(at, Some("master"), text);
    }

    fn write(&mut self, text: &str) {
        self.note(&format!("the stream grows: {text}"));
        self.stream.extend_from_slice(text.as_bytes());
        self.act(|replica, out| replica.written(&Bytes::copy_from_slice(text.as_bytes()), out));
    }

    fn start_snapshot(&mut self) {
        self.note("a snapshot is started");
        self.start = self.stream.len();
        let offset = Offset(self.start as u64);
        self.act(|replica, out| {
            replica.snapshot_started(ID.parse().expect("it has 40 characters"), offset, out)
        });
    }

    fn complete_snapshot(&mut self, payload: &str) {
        self.note("the snapshot is complete");
        let payload = Bytes::copy_from_slice(payload.as_bytes());
        self.act(|replica, out| replica.snapshot_ready(MARK, payload, out));
    }

    fn payload_sent(&mut self) {
        self.note("the last byte of the snapshot has left");
        self.act(Attachment::payload_sent);
    }

    fn ack(&mut self, offset: u64) -> Result<(), Broken> {
        let at = later(self.trace);
        self.trace.message(at, "replica", "master", format!("REPLCONF ACK {offset}"));
        let before = self.replica.acked();
        self.act(|replica, out| replica.ack(Offset(offset), out));
        let (wanted, got) = (before.max(Offset(offset)), self.replica.acked());
        if got != wanted {
            return Err(Broken::new(
                "The master remembers the highest offset that the replica has acknowledged.",
                format!(
                    "an ACK {} the remembered one moved it {}",
                    if offset < before.0 { "below" } else { "above" },
                    if got < before {
                        "back"
                    } else if got == before {
                        "nowhere"
                    } else {
                        "too far"
                    },
                ),
            ));
        }
        Ok(())
    }

    /// An online replica has been sent exactly what was written since its snapshot was started.
    fn check(&self) -> Result<(), Broken> {
        let missed = &self.stream[self.start..];
        if self.replica.phase() == Phase::Online && !self.sent.ends_with(missed) {
            return Err(Broken::new(
                "Snapshot and stream meet at one offset: what is written after the snapshot was started reaches \
                 the replica through the stream, all of it and in order.",
                "an online replica was not sent all that was written since",
            ));
        }
        Ok(())
    }
}

fn attachments(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "one replica, seen by its master".into();
    for eof in [false, true] {
        heading(trace, if eof { "a snapshot with an end mark" } else { "a snapshot with a length" });
        let mut feeding = Feeding::new(trace, eof);
        feeding.write("[SET a 1]");
        feeding.start_snapshot();
        feeding.write("[SET b 2]");
        feeding.complete_snapshot("a=1");
        feeding.write("[SET c 3]");
        feeding.payload_sent();
        feeding.write("[SET d 4]");
        feeding.ack(9)?;
        feeding.write("[SET e 5]");
        feeding.ack(45)?;
        feeding.ack(36)?;
        feeding.check()?;
    }
    heading(trace, "a quiet master, an empty data set");
    let mut feeding = Feeding::new(trace, false);
    feeding.start_snapshot();
    feeding.complete_snapshot("");
    feeding.payload_sent();
    feeding.write("[SET a 1]");
    feeding.check()
}

fn attachment_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let mut feeding = Feeding::new(trace, rng.chance(50));
    let mut sent = false;
    for number in 0..rng.between(5, 25) {
        match rng.below(3) {
            0 | 1 => feeding.write(&format!("[{number}]")),
            _ => match feeding.replica.phase() {
                Phase::WaitSnapshot => feeding.start_snapshot(),
                Phase::Snapshotting => feeding.complete_snapshot("snapshot"),
                Phase::Sending if !sent => {
                    sent = true;
                    feeding.payload_sent();
                }
                _ => feeding.ack(rng.below(1 + feeding.stream.len() as u64))?,
            },
        }
        // A replica that has not got its snapshot has no business to acknowledge anything; a confused or
        // hostile one may, and must not be taken for one that has it.
        if !sent && rng.chance(5) {
            feeding.ack(0)?;
        }
        feeding.check()?;
    }
    Ok(())
}

// 1.5 and 1.6 ---------------------------------------------------------------------------------------

/// Bytes of the stream as commands, `SELECT 0 · SET a 1`; as they are if they are none.
fn show_stream(bytes: &[u8]) -> String {
    let mut rest = bytes;
    let mut shown = Vec::new();
    while !rest.is_empty() {
        let Some(command) = take_command(&mut rest) else { return format!("\"{}\"", show_bytes(bytes)) };
        shown.push(show_command(command.iter().copied()));
    }
    if shown.is_empty() { "nothing".into() } else { shown.join(" · ") }
}

fn take_command<'a>(rest: &mut &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let count = take_length(rest, b'*').filter(|&count| (1..=64).contains(&count))?;
    (0..count)
        .map(|_| {
            let length = take_length(rest, b'$')?;
            let part = rest.get(..length)?;
            *rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
            Some(part)
        })
        .collect()
}

fn take_length(rest: &mut &[u8], kind: u8) -> Option<usize> {
    let line = rest.strip_prefix(&[kind])?;
    let end = line.windows(2).position(|pair| pair == b"\r\n")?;
    *rest = &line[end + 2..];
    std::str::from_utf8(&line[..end]).ok()?.parse().ok()
}

fn append(
    trace: &mut Trace,
    writer: &mut StreamWriter,
    out: &mut BytesMut,
    db: Option<usize>,
    command: &[&str],
) {
    let before = out.len();
    writer.append(db, ArgsBuf::from_parts(command).as_args(), out);
    let place = db.map_or("anywhere".to_string(), |db| format!("in db {db}"));
    let added = out.get(before..).unwrap_or_default();
    trace.call(
        format!("append {place}: {}", command.join(" ")),
        format!("{}; offset {}", show_stream(added), writer.offset()),
    );
}

fn stream_is_written(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "commands become the stream".into();
    trace.timeless = true;
    let mut writer = StreamWriter::new(Offset(1000));
    let mut out = BytesMut::new();
    append(trace, &mut writer, &mut out, Some(0), &["SET", "a", "1"]);
    append(trace, &mut writer, &mut out, Some(0), &["INCR", "a"]);
    append(trace, &mut writer, &mut out, None, &["PING"]);
    append(trace, &mut writer, &mut out, Some(0), &["DEL", "a"]);
    append(trace, &mut writer, &mut out, Some(12), &["SET", "b", "two words"]);
    append(trace, &mut writer, &mut out, None, &["REPLCONF", "GETACK", "*"]);
    append(trace, &mut writer, &mut out, Some(12), &["INCR", "c"]);
    writer.forget_db();
    trace.call("forget_db", format!("offset {}", writer.offset()));
    append(trace, &mut writer, &mut out, None, &["PING"]);
    append(trace, &mut writer, &mut out, Some(12), &["INCR", "c"]);
    append(trace, &mut writer, &mut out, Some(0), &["INCR", "a"]);
    Ok(())
}

fn stream_is_written_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let mut writer = StreamWriter::new(Offset(rng.below(5000)));
    let mut out = BytesMut::new();
    for _ in 0..20 {
        match rng.below(10) {
            0 => {
                writer.forget_db();
                trace.call("forget_db", format!("offset {}", writer.offset()));
            }
            1 => append(trace, &mut writer, &mut out, None, &["PING"]),
            2 => out.clear(),
            _ => {
                let value = "v".repeat(rng.below(120) as usize);
                append(trace, &mut writer, &mut out, Some(rng.below(3) as usize), &["SET", "key", &value]);
            }
        }
    }
    Ok(())
}

fn apply(trace: &mut Trace, reader: &mut StreamReader, command: &[&str]) {
    let mut bytes = BytesMut::new();
    let command = ArgsBuf::from_parts(command);
    write_command(&mut bytes, command.as_args().iter());
    apply_args(trace, reader, command.as_args(), bytes.len());
}

fn apply_args(trace: &mut Trace, reader: &mut StreamReader, command: Args<'_>, bytes: usize) {
    let at = later(trace);
    trace.message(at, "master", "replica", show_command(command.iter()));
    let before = reader.offset();
    let does = match reader.apply(command, bytes) {
        Apply::Run { db } => format!("runs it in db {db}"),
        Apply::Nothing => "nothing to run".into(),
        Apply::Ack(offset) => {
            trace.message(at, "replica", "master", format!("REPLCONF ACK {offset}"));
            "answers".into()
        }
    };
    trace.state(at, "replica", format!("offset {before} ⇨ {}: {does}", reader.offset()));
}

fn stream_is_read(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "the stream becomes commands".into();
    trace.host("master");
    trace.host("replica");
    let mut reader = StreamReader::new(Offset(100));
    for command in [
        &["REPLCONF", "GETACK", "*"][..],
        &["SELECT", "0"],
        &["SET", "a", "1"],
        &["PING"],
        &["REPLCONF", "GETACK", "*"],
        &["REPLCONF", "GETACK", "*"],
        &["select", "12"],
        &["set", "b", "2"],
        &["ping"],
        &["DEL", "select"],
        &["replconf", "getack", "*"],
        &["SELECT", "0"],
        &["INCR", "a"],
        &["SELECT", "none"],
        &["INCR", "a"],
    ] {
        apply(trace, &mut reader, command);
    }
    Ok(())
}

fn stream_is_read_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let mut reader = StreamReader::new(Offset(rng.below(5000)));
    for _ in 0..15 {
        let db = rng.below(16).to_string();
        let value = "v".repeat(rng.below(50) as usize);
        match rng.below(6) {
            0 => apply(trace, &mut reader, &["SELECT", &db]),
            1 => apply(trace, &mut reader, &["PING"]),
            2 => apply(trace, &mut reader, &["REPLCONF", "GETACK", "*"]),
            _ => apply(trace, &mut reader, &["SET", "key", &value]),
        }
    }
    Ok(())
}

// 1.7 and 1.8 ---------------------------------------------------------------------------------------

const MASTER: Gate =
    Gate { role_is_replica: false, read_only: true, link_up: false, serve_stale: true, loading: false };
const REPLICA: Gate = Gate { role_is_replica: true, link_up: true, ..MASTER };
const GET: CommandTraits = CommandTraits { write: false, while_stale: false, while_loading: false };
const SET: CommandTraits = CommandTraits { write: true, ..GET };
const INFO: CommandTraits = CommandTraits { while_stale: true, while_loading: true, ..GET };

fn knock(trace: &mut Trace, text: String, gate: &Gate, origin: Origin, command: CommandTraits) {
    let answer =
        lab::may_run(gate, origin, command).map_or_else(|refusal| refusal.to_string(), |()| "runs".into());
    trace.call(text, answer);
}

fn gate(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "what a node refuses".into();
    trace.timeless = true;
    let cut_off = Gate { link_up: false, ..REPLICA };
    let careful = Gate { serve_stale: false, ..cut_off };
    for (node, gate) in [
        ("a master", MASTER),
        ("a master, loading", Gate { loading: true, ..MASTER }),
        ("a master, serve-stale off", Gate { serve_stale: false, ..MASTER }),
        ("a replica", REPLICA),
        ("a replica, loading", Gate { loading: true, ..REPLICA }),
        ("a replica, writable", Gate { read_only: false, ..REPLICA }),
        ("a replica, link down", cut_off),
        ("a replica, link down, serve-stale off", careful),
        ("the same, writable", Gate { read_only: false, ..careful }),
        ("the same, loading", Gate { read_only: false, loading: true, ..careful }),
    ] {
        for (name, command) in [("GET", GET), ("SET", SET), ("INFO", INFO)] {
            knock(trace, format!("{node}: a client's {name}"), &gate, Origin::Client, command);
        }
    }
    knock(trace, "a replica: its master's SET".into(), &REPLICA, Origin::MasterLink, SET);
    Ok(())
}

/// The seed's bits are the case: all 512 are tried.
fn gate_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    trace.timeless = true;
    let bit = |index: u32| seed >> index & 1 == 1;
    let gate = Gate {
        role_is_replica: bit(0),
        read_only: bit(1),
        link_up: bit(2),
        serve_stale: bit(3),
        loading: bit(4),
    };
    let command = CommandTraits { write: bit(5), while_stale: bit(6), while_loading: bit(7) };
    let origin = if bit(8) { Origin::MasterLink } else { Origin::Client };
    if origin == Origin::MasterLink && (!gate.role_is_replica || !gate.link_up) {
        // Nothing comes from a master that there is no link to.
        return Ok(());
    }
    knock(trace, format!("{gate:?}, {command:?}, {origin:?}"), &gate, origin, command);
    Ok(())
}

fn expired_keys(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a key whose time is up".into();
    trace.timeless = true;
    let replica = Role::Replica { of: Endpoint::new("10.0.0.1", 7000) };
    for (text, role, origin) in [
        ("at the master, touched by a client", &Role::Master, Origin::Client),
        ("at a replica, touched by a client", &replica, Origin::Client),
        ("at a replica, touched by its master's stream", &replica, Origin::MasterLink),
    ] {
        let fate = match lab::expired_key(role, origin) {
            ExpiredKey::Delete => "delete it, and tell the replicas",
            ExpiredKey::Hide => "answer as if it were gone",
            ExpiredKey::Keep => "treat it as any other key",
        };
        trace.call(text, fate);
    }
    Ok(())
}

// 1.9 -----------------------------------------------------------------------------------------------

/// Carries out the steps on a model of a node. Their order matters only where the model says so.
fn change_role(trace: &mut Trace, role: &Role, request: &ReplicaOf) -> Result<(), Broken> {
    let show = |role: &Role| match role {
        Role::Master => "a master".to_string(),
        Role::Replica { of } => format!("a replica of {of}"),
    };
    let asked = match request {
        ReplicaOf::NoOne => "NO ONE".to_string(),
        ReplicaOf::Of(to) => format!("{} {}", to.host, to.port),
    };
    let linked_to = |role: &Role| match role {
        Role::Master => None,
        Role::Replica { of } => Some(of.clone()),
    };
    let (mut now, mut link) = (role.clone(), linked_to(role));
    let (mut replicas_left, mut new_history, mut same_link) = (true, false, true);
    let mut replies = Vec::new();
    for step in lab::replicaof(role, request) {
        match step {
            RoleStep::CloseLink => {
                same_link &= link.is_none();
                link = None;
            }
            RoleStep::CloseReplicas => replicas_left = false,
            RoleStep::NewReplicationId => new_history = true,
            RoleStep::Become(role) => now = role,
            RoleStep::Connect(_) if link.is_some() => {
                return Err(Broken::new(
                    "A replica has one master: the old link is closed before another one is opened.",
                    "a second link is opened while there is one",
                ));
            }
            RoleStep::Connect(to) => {
                same_link = false;
                link = Some(to);
            }
            RoleStep::Reply(text) => replies.push(text),
        }
    }
    let link = match link {
        _ if same_link => "link untouched".to_string(),
        None => "no link".into(),
        Some(to) => format!("a new link to {to}"),
    };
    let replicas = if replicas_left { "its replicas stay" } else { "its replicas are sent away" };
    let history = if new_history { "a new history" } else { "no history of its own begins" };
    trace.call(
        format!("{}, REPLICAOF {asked}", show(role)),
        format!("{}; {link}; {replicas}; {history}; +{}", show(&now), replies.join(" +")),
    );
    Ok(())
}

fn changes_of_role(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "REPLICAOF".into();
    trace.timeless = true;
    let here = Endpoint::new("alpha", 7000);
    let replica = Role::Replica { of: here.clone() };
    for (role, request) in [
        (&Role::Master, ReplicaOf::NoOne),
        (&Role::Master, ReplicaOf::Of(here.clone())),
        (&replica, ReplicaOf::NoOne),
        (&replica, ReplicaOf::Of(here.clone())),
        (&replica, ReplicaOf::Of(Endpoint::new("ALPHA", 7000))),
        (&replica, ReplicaOf::Of(Endpoint::new("alpha", 7001))),
        (&replica, ReplicaOf::Of(Endpoint::new("beta", 7000))),
    ] {
        change_role(trace, role, &request)?;
    }
    Ok(())
}

fn change_of_role_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let mut endpoint = || {
        let host = ["alpha", "Alpha", "beta", "10.0.0.1"][rng.below(4) as usize];
        Endpoint::new(host, 7000 + rng.below(2) as u16)
    };
    let (of, to) = (endpoint(), endpoint());
    let role = if rng.chance(30) { Role::Master } else { Role::Replica { of } };
    let request = if rng.chance(30) { ReplicaOf::NoOne } else { ReplicaOf::Of(to) };
    change_role(trace, &role, &request)
}
