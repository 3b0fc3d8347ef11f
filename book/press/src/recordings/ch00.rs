//! Runs for the foundations and for chapter 0: a client and a server with five milliseconds of wire between them.
//!
//! The server is a toy with a handful of commands, but its decoder and encoder are the ones of the chapter.

mod registry;
mod script;

use std::collections::BTreeMap;

use bytes::BytesMut;
use core_types::{Args, Protocol, Reply, show_command, write_command};
use sim::Trace;
use solution_0::{CommandDecoder, Encoder, Limits};

use script::{Script, show};

/// From one end of the wire to the other, in milliseconds.
const WIRE: u64 = 5;

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Trace)> {
    vec![
        ("foundations-registry", registry::registry()),
        ("ch00-torn", torn()),
        ("ch00-pieces", pieces()),
        (
            "ch00-one-by-one",
            exchange("Three commands, one by one", &[&THREE[..1], &THREE[1..2], &THREE[2..]]),
        ),
        ("ch00-pipelined", exchange("Three commands, pipelined", &[&THREE])),
        ("ch00-claims", claims()),
        ("ch00-inline", inline()),
    ]
}

/// A server that takes each read for one command, which nearly always works.
fn torn() -> Trace {
    let mut script = Script::default();
    let mut store = BTreeMap::new();
    let set = command(&["SET", "name", &"Ada ".repeat(500)]);
    // What a packet of an Ethernet holds.
    let (first, second) = set.split_at(1448);
    for (at, read) in [(5, command(&["SET", "name", "Ada"])), (20, first.to_vec()), (21, second.to_vec())] {
        let mut decoder = CommandDecoder::new();
        let mut out = BytesMut::new();
        script.message(at - WIRE, at, "client", "server", show(&read));
        match decoder.decode(&read, &Limits::DEFAULT) {
            Ok(Some(_)) => answer(decoder.args(&read), &mut store, &mut out),
            _ => Encoder::new(&mut out, Protocol::Resp2).error("ERR that is no command"),
        }
        script.message(at, at + WIRE, "server", "client", show(&out));
    }
    script.play("One read, one command")
}

/// Three commands sent at once, which the network delivers in pieces of its own choosing.
fn pieces() -> Trace {
    let commands =
        [command(&["SET", "name", "Ada"]), command(&["INCR", "visits"]), command(&["GET", "name"])];
    let bytes = commands.concat();
    let mut script = Script::default();
    let mut server = Server::new(Limits::DEFAULT);
    let mut start = 0;
    for (index, end) in [9, 40, 61, bytes.len()].into_iter().enumerate() {
        let sent = 4 * index as u64;
        server.receive(&mut script, sent, sent + WIRE, &bytes[start..end]);
        start = end;
    }
    script.play("Three commands in four pieces")
}

/// What the runs about pipelining do.
const THREE: [&[&str]; 3] = [&["SET", "name", "Ada"], &["INCR", "visits"], &["GET", "name"]];

/// Commands in groups: those of a group are sent together, and answered before the next group is sent.
fn exchange(title: &str, groups: &[&[&[&str]]]) -> Trace {
    let mut script = Script::default();
    let mut store = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        let at = 2 * WIRE * index as u64;
        let mut out = BytesMut::new();
        for words in *group {
            let (bytes, mut decoder) = (command(words), CommandDecoder::new());
            if let Ok(Some(_)) = decoder.decode(&bytes, &Limits::DEFAULT) {
                answer(decoder.args(&bytes), &mut store, &mut out);
            }
        }
        let shown: Vec<String> = group.iter().map(|words| words.join(" ")).collect();
        script.message(at, at + WIRE, "client", "server", shown.join(" · "));
        script.message(at + WIRE, at + 2 * WIRE, "server", "client", show(&out));
    }
    script.play(title)
}

/// A few bytes that announce half an exabyte, and what the decoder keeps for them.
fn claims() -> Trace {
    let mut script = Script::default();
    let mut server = Server::new(Limits::DEFAULT);
    for (at, piece) in [(5, &b"*1000000000\r\n"[..]), (15, b"$500000000\r\n"), (25, b"hello?")] {
        server.receive(&mut script, at - WIRE, at, piece);
        server.say_what_it_holds(&mut script, at);
    }
    script.note(50, None, "another connection, to a server that wants a password first");
    Server::new(Limits::UNAUTHENTICATED).receive(&mut script, 60, 65, b"*1000000000\r\n");
    script.play("Claims")
}

/// What a person types into `telnet`.
fn inline() -> Trace {
    let mut script = Script::default();
    let mut server = Server::new(Limits::DEFAULT);
    let lines = ["PING", "", "SET greeting \"hello world\"", "GET greeting", "GET \"greeting"];
    for (index, line) in lines.iter().enumerate() {
        let at = 20 * index as u64;
        server.receive(&mut script, at, at + WIRE, format!("{line}\r\n").as_bytes());
    }
    script.play("Typed by hand")
}

fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    write_command(&mut bytes, words.iter().map(|word| word.as_bytes()));
    bytes.to_vec()
}

/// One connection to a server that does it right: whatever the pieces are, the bytes decide.
struct Server {
    limits: Limits,
    decoder: CommandDecoder,
    buffer: Vec<u8>,
    store: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Server {
    fn new(limits: Limits) -> Server {
        Server { limits, decoder: CommandDecoder::new(), buffer: Vec::new(), store: BTreeMap::new() }
    }

    fn receive(&mut self, script: &mut Script, sent: u64, at: u64, piece: &[u8]) {
        script.message(sent, at, "client", "server", show(piece));
        self.buffer.extend_from_slice(piece);
        let mut out = BytesMut::new();
        let error = loop {
            match self.decoder.decode(&self.buffer, &self.limits) {
                Ok(Some(taken)) => {
                    let args = self.decoder.args(&self.buffer);
                    answer(args, &mut self.store, &mut out);
                    let shown = show_command(args.iter());
                    let shown =
                        if args.is_empty() { "nothing to do".into() } else { format!("runs {shown}") };
                    script.note(at, Some("server"), shown);
                    self.buffer.drain(..taken);
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        if let Some(error) = error {
            Encoder::new(&mut out, Protocol::Resp2).error(&format!("ERR Protocol error: {error}"));
            script.note(at, Some("server"), "closes the connection");
        }
        if !out.is_empty() {
            script.message(at, at + WIRE, "server", "client", show(&out));
        }
    }

    fn say_what_it_holds(&self, script: &mut Script, at: u64) {
        let (held, kept) = (self.buffer.len(), self.decoder.memory());
        script.note(at, Some("server"), format!("holds {held} bytes received, {kept} bytes set aside"));
    }
}

fn answer(args: Args<'_>, store: &mut BTreeMap<Vec<u8>, Vec<u8>>, out: &mut BytesMut) {
    let mut reply = Encoder::new(out, Protocol::Resp2);
    match (args.name().to_ascii_uppercase().as_slice(), args.get(1), args.get(2)) {
        (b"", ..) => {}
        (b"PING", ..) => reply.simple("PONG"),
        (b"SET", Some(key), Some(value)) => {
            store.insert(key.to_vec(), value.to_vec());
            reply.simple("OK");
        }
        (b"GET", Some(key), _) => match store.get(key) {
            Some(value) => reply.bulk(value),
            None => reply.null(),
        },
        (b"INCR", Some(key), _) => {
            let old = store.get(key).and_then(|value| solution_0::parse_integer(value)).unwrap_or(0);
            store.insert(key.to_vec(), (old + 1).to_string().into_bytes());
            reply.integer(old + 1);
        }
        _ => reply.error("ERR unknown command"),
    }
}
