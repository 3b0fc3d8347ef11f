//! Transactions, waiting and messages, as clients see them.

use core_types::Millis;
use node::config::Config;
use node::{ConnId, Node, Peer};

struct Bench {
    node: Node,
    now: Millis,
}

impl Bench {
    fn new() -> Bench {
        Bench { node: Node::new(Config::default(), 1, Millis(1_000)), now: Millis(1_000) }
    }

    fn client(&mut self) -> ConnId {
        let peer =
            Peer { addr: "127.0.0.1:50000".into(), local_addr: "127.0.0.1:6379".into(), loopback: true };
        self.node.accept(self.now, peer)
    }

    fn say(&mut self, conn: ConnId, line: &str) -> String {
        self.node.receive(self.now, conn, format!("{line}\r\n").as_bytes());
        self.hear(conn)
    }

    fn hear(&mut self, conn: ConnId) -> String {
        let answer = String::from_utf8_lossy(self.node.pending(conn)).into_owned();
        self.node.sent(self.now, conn, answer.len());
        answer
    }

    fn pass(&mut self, millis: u64) {
        self.now += Millis(millis);
        self.node.tick(self.now);
    }
}

#[test]
fn a_transaction_runs_as_one_or_not_at_all() {
    let mut bench = Bench::new();
    let conn = bench.client();
    assert_eq!(bench.say(conn, "EXEC"), "-ERR EXEC without MULTI\r\n");
    bench.say(conn, "MULTI");
    assert_eq!(bench.say(conn, "SET k 1"), "+QUEUED\r\n");
    assert_eq!(bench.say(conn, "INCR k"), "+QUEUED\r\n");
    assert_eq!(bench.say(conn, "EXEC"), "*2\r\n+OK\r\n:2\r\n");
    bench.say(conn, "MULTI");
    assert!(bench.say(conn, "NOSUCH").starts_with("-ERR unknown command"));
    assert_eq!(bench.say(conn, "EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
}

#[test]
fn a_watched_key_that_is_written_calls_the_transaction_off() {
    let mut bench = Bench::new();
    let (one, other) = (bench.client(), bench.client());
    bench.say(one, "WATCH k");
    bench.say(one, "MULTI");
    bench.say(one, "SET k mine");
    bench.say(other, "SET k theirs");
    assert_eq!(bench.say(one, "EXEC"), "*-1\r\n");
    assert_eq!(bench.say(one, "GET k"), "$6\r\ntheirs\r\n");
    // A key that merely ran out has changed as well.
    bench.say(other, "SET k short PX 100");
    bench.say(one, "WATCH k");
    bench.pass(200);
    bench.say(one, "MULTI");
    assert_eq!(bench.say(one, "EXEC"), "*-1\r\n");
}

#[test]
fn clients_that_wait_are_served_in_the_order_in_which_they_came() {
    let mut bench = Bench::new();
    let (first, second, giver) = (bench.client(), bench.client(), bench.client());
    assert_eq!(bench.say(first, "BLPOP list 0"), "");
    assert_eq!(bench.say(second, "BLPOP list 0"), "");
    assert_eq!(bench.say(giver, "RPUSH list a"), ":1\r\n");
    assert_eq!(bench.hear(first), "*2\r\n$4\r\nlist\r\n$1\r\na\r\n");
    assert_eq!(bench.hear(second), "");
    bench.say(giver, "RPUSH list b");
    assert_eq!(bench.hear(second), "*2\r\n$4\r\nlist\r\n$1\r\nb\r\n");
}

#[test]
fn a_wait_ends_at_its_deadline_and_what_was_sent_meanwhile_goes_on() {
    let mut bench = Bench::new();
    let conn = bench.client();
    assert_eq!(bench.say(conn, "BLPOP list 0.5\r\nPING"), "");
    bench.pass(400);
    assert_eq!(bench.hear(conn), "");
    bench.pass(200);
    assert_eq!(bench.hear(conn), "*-1\r\n+PONG\r\n");
}

#[test]
fn messages_reach_channels_and_patterns() {
    let mut bench = Bench::new();
    let (listener, publisher) = (bench.client(), bench.client());
    assert_eq!(bench.say(listener, "SUBSCRIBE news"), "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    assert_eq!(bench.say(listener, "PSUBSCRIBE n*"), "*3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:2\r\n");
    assert_eq!(bench.say(publisher, "PUBLISH news hi"), ":2\r\n");
    assert_eq!(
        bench.hear(listener),
        "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    );
    assert!(bench.say(listener, "GET k").starts_with("-ERR Can't execute 'get'"));
    assert_eq!(bench.say(publisher, "PUBSUB NUMPAT"), ":1\r\n");
    let now = bench.now;
    bench.node.closed(now, listener);
    assert_eq!(bench.say(publisher, "PUBLISH news hi"), ":0\r\n");
}
