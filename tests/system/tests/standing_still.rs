//! `MIGRATE` and those who come meanwhile: ours serves on where Redis stands still, and nobody can tell by the answers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use core_types::Frame;
use system::{Client, Server, both, wait};

/// Somebody who takes keys, and says so only when told to.
struct Taker {
    listener: TcpListener,
    stream: Option<TcpStream>,
}

impl Taker {
    fn new() -> Taker {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("an option that is always there");
        Taker { listener, stream: None }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().expect("its address").port()
    }

    /// Waits until a key has been sent here.
    fn wait_for_key(&mut self) {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => wait::find("the node to connect", || self.listener.accept().ok()).0,
        };
        stream.set_nonblocking(false).expect("an option that is always there");
        stream.set_read_timeout(Some(wait::PATIENCE)).expect("a timeout");
        let (mut heard, mut piece) = (Vec::new(), [0; 1024]);
        // The value stands behind the key's name, and nothing behind that.
        while !heard.windows(7).any(|window| window == b"RESTORE") || !heard.ends_with(b"\r\n") {
            let count = stream.read(&mut piece).expect("the node sends a key");
            assert!(count > 0, "the node hung up");
            heard.extend_from_slice(&piece[..count]);
        }
        self.stream = Some(stream);
    }

    /// Says yes so many times: to `SELECT`, the first time, and to each key.
    fn take(&mut self, answers: usize) {
        let stream = self.stream.as_mut().expect("somebody has asked");
        stream.write_all("+OK\r\n".repeat(answers).as_bytes()).expect("the node listens");
    }
}

fn ok() -> Frame {
    Frame::Simple("OK".into())
}

fn queued(client: &mut Client, commands: &[&str]) {
    for command in commands {
        assert_eq!(client.run(command), Frame::Simple("QUEUED".into()), "{command}");
    }
}

/// A transaction that sends two keys away, one after the other, is one step to everybody else.
#[test]
fn a_transaction_that_sends_keys_away_is_one_step() {
    for kind in both("a_transaction_that_sends_keys_away_is_one_step") {
        let node = Server::start(kind, &[]);
        let replica = Server::start(kind, &["--replicaof", &format!("127.0.0.1 {}", node.port())]);
        replica.wait_for_link();
        node.run("MSET a 1 b 1 c 1");
        let mut taker = Taker::new();
        let [mut one, mut other] = [node.client(), node.client()];
        let migrate = |key: &str| format!("MIGRATE 127.0.0.1 {} {key} 0 60000", taker.port());
        let commands = ["INCR c", &migrate("a"), "EXISTS a", "INCR c", &migrate("b"), "EXISTS b", "GET c"];
        assert_eq!(one.run("MULTI"), ok());
        queued(&mut one, &commands);
        one.send(b"EXEC\r\n").expect("it is taken");
        taker.wait_for_key();
        other.send(b"GET c\r\n").expect("it is taken");
        assert!(other.is_silent(), "{kind:?}: in the middle of a transaction");
        taker.take(2);
        taker.wait_for_key();
        assert!(other.is_silent(), "{kind:?}: in the middle of a transaction");
        taker.take(1);
        let integer = Frame::Integer;
        let wanted =
            vec![integer(2), ok(), integer(0), integer(3), ok(), integer(0), Frame::Bulk("3".into())];
        assert_eq!(one.next_reply().expect("the end of it"), Frame::Array(wanted), "{kind:?}");
        assert_eq!(other.next_reply().expect("its turn"), Frame::Bulk("3".into()), "{kind:?}");
        replica.wait_for_offset_of(&node);
        assert_eq!(replica.run("MGET a b c"), node.run("MGET a b c"), "{kind:?}");
        assert_eq!(replica.run("DBSIZE"), integer(1), "{kind:?}");
    }
}

/// What changes whose data these are comes after a key that is under way; who sent it away is not sent away himself.
#[test]
fn who_wants_another_master_waits_for_the_keys_under_way() {
    for kind in both("who_wants_another_master_waits_for_the_keys_under_way") {
        let node = Server::start(kind, &[]);
        node.run("MSET a 1 b 1");
        let mut taker = Taker::new();
        let [mut mover, mut other] = [node.client(), node.client()];
        let migrate = format!("MIGRATE 127.0.0.1 {} a 0 60000\r\nPING\r\n", taker.port());
        mover.send(migrate.as_bytes()).expect("it is taken");
        taker.wait_for_key();
        let commands = b"SWAPDB 0 1\r\nREPLICAOF 127.0.0.1 1\r\nDBSIZE\r\nSELECT 1\r\nDBSIZE\r\n";
        other.send(commands).expect("they are taken");
        assert!(other.is_silent(), "{kind:?}");
        taker.take(2);
        for answer in [ok(), Frame::Simple("PONG".into())] {
            assert_eq!(mover.next_reply().expect("an answer"), answer, "{kind:?}");
        }
        for answer in [ok(), ok(), Frame::Integer(0), ok(), Frame::Integer(1)] {
            assert_eq!(other.next_reply().expect("an answer"), answer, "{kind:?}");
        }
        assert_eq!(node.info("role"), "slave", "{kind:?}");
    }
}
