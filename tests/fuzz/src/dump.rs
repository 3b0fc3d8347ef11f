//! Payloads of `RESTORE`, as a client or a migration sends them.

use bytes::BytesMut;
use core_types::{Frame, Millis, write_command};
use keyspace::rdb::crc64;
use node::config::Config;
use node::{ConnId, Node, Peer};
use solution_0::FrameDecoder;

use crate::{bounded, rdb};

/// Commands that read a value or change it, each for a type; the others answer that it is the wrong one.
const COMMANDS: &[&str] = &[
    "TYPE key",
    "OBJECT ENCODING key",
    "MEMORY USAGE key SAMPLES 0",
    "GETRANGE key 0 -1",
    "BITCOUNT key",
    "LRANGE key 0 -1",
    "LPOS key a RANK -1",
    "HGETALL key",
    "HSCAN key 0 COUNT 1000",
    "SMEMBERS key",
    "SSCAN key 0 COUNT 1000",
    "SRANDMEMBER key 5",
    "ZRANGE key 0 -1 WITHSCORES",
    "ZRANGEBYSCORE key -inf +inf",
    "ZREVRANGEBYLEX key + -",
    "ZSCAN key 0 COUNT 1000",
    "SORT key ALPHA",
    "APPEND key tail",
    "SETRANGE key 3 middle",
    "INCR key",
    "LINSERT key BEFORE a b",
    "LSET key 0 first",
    "LREM key 0 a",
    "LPOP key 2",
    "RPUSH key 1 two",
    "HSET key field value 1 2",
    "HINCRBY key 1 1",
    "HDEL key a b",
    "SADD key 1 two",
    "SMOVE key other a",
    "SPOP key 2",
    "ZADD key 1 one +inf two",
    "ZINCRBY key -1 a",
    "ZPOPMIN key",
    "ZREMRANGEBYRANK key -1 -1",
];

/// Reads `data` as a payload, and as one whose version and checksum are still to be put behind it.
///
/// # Panics
/// If a promise is broken: see the crate's documentation.
pub fn check(data: &[u8]) {
    check_payload(data);
    let mut payload = [data, &10_u16.to_le_bytes()].concat();
    payload.extend_from_slice(&crc64(&payload).to_le_bytes());
    check_payload(&payload);
}

fn check_payload(payload: &[u8]) {
    bounded(payload.len(), rdb::FACTOR, || {
        let mut session = Session::start();
        let restored = session.call(&[b"RESTORE", b"key", b"0", payload]);
        if restored == ok() {
            session.restore_copy();
            for command in COMMANDS {
                session.run(command);
            }
            session.node.check_invariants().expect("an invariant of the node");
            session.restore_copy();
        } else {
            assert!(matches!(restored, Frame::Error(_)), "{restored:?}");
        }
    });
}

fn ok() -> Frame {
    Frame::Simple("OK".into())
}

/// A node with a client.
struct Session {
    node: Node,
    client: ConnId,
}

impl Session {
    const NOW: Millis = Millis(1_700_000_000_000);

    fn start() -> Session {
        let config = Config::from_text("enable-debug-command yes").expect("a good configuration");
        let mut node = Node::new(config, 1, Session::NOW);
        let peer = Peer { addr: "127.0.0.1:2".into(), local_addr: "127.0.0.1:1".into(), loopback: true };
        let client = node.accept(Session::NOW, peer);
        Session { node, client }
    }

    fn run(&mut self, command: &str) -> Frame {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        self.call(&words)
    }

    /// The one reply to a command.
    fn call(&mut self, words: &[&[u8]]) -> Frame {
        let mut bytes = BytesMut::new();
        write_command(&mut bytes, words.iter().copied());
        self.node.receive(Session::NOW, self.client, &bytes);
        let mut reply = BytesMut::from(self.node.pending(self.client));
        self.node.sent(Session::NOW, self.client, reply.len());
        let frame = FrameDecoder::new().decode(&mut reply).expect("a reply is well formed");
        assert!(reply.is_empty(), "one command, one reply");
        frame.expect("a command is answered")
    }

    /// What `DUMP` gives of the value, if it is still there, is taken by `RESTORE`, and is the same value.
    fn restore_copy(&mut self) {
        let dumped = self.run("DUMP key");
        let Some(payload) = dumped.as_bytes() else { return };
        assert_eq!(self.call(&[b"RESTORE", b"copy", b"0", payload, b"REPLACE"]), ok());
        let Frame::Array(digests) = self.run("DEBUG DIGEST-VALUE key copy") else {
            panic!("DEBUG DIGEST-VALUE answers with an array");
        };
        assert_eq!(digests[0], digests[1], "the value, and what its dump restores");
        self.run("DEL copy");
    }
}
