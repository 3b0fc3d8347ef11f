//! The node as its clients see it, without sockets.

use core_types::Millis;
use node::config::Config;
use node::{ConnId, Effect, Node, Peer};

struct Bench {
    node: Node,
    now: Millis,
}

impl Bench {
    fn new(change: impl FnOnce(&mut Config)) -> Bench {
        let mut config = Config::default();
        change(&mut config);
        Bench { node: Node::new(config, 1, Millis(1_000)), now: Millis(1_000) }
    }

    fn client(&mut self) -> ConnId {
        let peer =
            Peer { addr: "127.0.0.1:50000".into(), local_addr: "127.0.0.1:6379".into(), loopback: true };
        self.node.accept(self.now, peer)
    }

    /// What the node answers to `bytes`.
    fn say(&mut self, conn: ConnId, bytes: &[u8]) -> String {
        self.node.receive(self.now, conn, bytes);
        self.answer(conn)
    }

    fn answer(&mut self, conn: ConnId) -> String {
        let answer = String::from_utf8_lossy(self.node.pending(conn)).into_owned();
        self.node.sent(self.now, conn, answer.len());
        answer
    }

    fn closes(&mut self, conn: ConnId) -> bool {
        std::iter::from_fn(|| self.node.poll_effect()).any(|effect| effect == Effect::Close { conn })
    }
}

#[test]
fn commands_cut_anywhere_are_answered_once_and_in_order() {
    let script = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n";
    for cut in 0..script.len() {
        let mut bench = Bench::new(|_| {});
        let conn = bench.client();
        let mut answer = bench.say(conn, &script[..cut]);
        answer += &bench.say(conn, &script[cut..]);
        assert_eq!(answer, "+OK\r\n$5\r\nhello\r\n+PONG\r\n", "cut at {cut}");
    }
}

#[test]
fn nonsense_is_answered_and_the_connection_closed() {
    let mut bench = Bench::new(|_| {});
    let conn = bench.client();
    let answer = bench.say(conn, b"*1\r\n+PING\r\nPING\r\n");
    assert_eq!(answer, "-ERR Protocol error: expected '$', got '+'\r\n");
    assert!(bench.closes(conn));
    assert_eq!(bench.say(conn, b"PING\r\n"), "", "a closing connection executes nothing");
}

#[test]
fn unknown_commands_and_wrong_counts_get_redis_s_words() {
    let mut bench = Bench::new(|_| {});
    let conn = bench.client();
    assert_eq!(
        bench.say(conn, b"NOSUCH a b\r\n"),
        "-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' \r\n"
    );
    assert_eq!(bench.say(conn, b"GET\r\n"), "-ERR wrong number of arguments for 'get' command\r\n");
    assert_eq!(
        bench.say(conn, b"CLIENT NOSUCH\r\n"),
        "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.\r\n"
    );
}

#[test]
fn without_the_password_nothing_but_auth_is_served() {
    let mut bench = Bench::new(|config| config.requirepass = Some("secret".into()));
    let conn = bench.client();
    assert_eq!(bench.say(conn, b"GET k\r\n"), "-NOAUTH Authentication required.\r\n");
    assert!(bench.say(conn, b"AUTH wrong\r\n").starts_with("-WRONGPASS"));
    assert_eq!(bench.say(conn, b"AUTH secret\r\n"), "+OK\r\n");
    assert_eq!(bench.say(conn, b"GET k\r\n"), "$-1\r\n");
}

#[test]
fn one_client_too_many_is_told_so_and_closed() {
    let mut bench = Bench::new(|config| config.maxclients = 1);
    bench.client();
    let second = bench.client();
    assert_eq!(bench.answer(second), "-ERR max number of clients reached\r\n");
    assert!(bench.closes(second));
}

#[test]
fn protected_mode_lets_in_only_this_machine() {
    let mut bench = Bench::new(|_| {});
    let peer = Peer { addr: "192.0.2.7:40000".into(), local_addr: "192.0.2.1:6379".into(), loopback: false };
    let stranger = bench.node.accept(bench.now, peer);
    assert!(bench.answer(stranger).starts_with("-DENIED Redis is running in protected mode"));
    assert!(bench.closes(stranger));
}

#[test]
fn a_client_that_never_reads_is_not_served_for_ever() {
    let mut bench = Bench::new(|_| {});
    let conn = bench.client();
    let value = "x".repeat(1 << 20);
    bench.say(conn, format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n{value}\r\n", value.len()).as_bytes());
    bench.node.receive(bench.now, conn, "GET k\r\n".repeat(100).as_bytes());
    let waiting = bench.node.pending(conn).len();
    assert!(waiting < 10 << 20, "{waiting} bytes wait for a client that reads none");
    assert!(!bench.node.accepts_input(conn));

    // Once it reads, it gets every answer.
    let mut total = 0;
    loop {
        let pending = bench.node.pending(conn).len();
        if pending == 0 {
            break;
        }
        total += pending;
        bench.node.sent(bench.now, conn, pending);
    }
    assert_eq!(total, 100 * (value.len() + "$1048576\r\n\r\n".len()));
}

#[test]
fn hello_changes_the_protocol_of_this_connection_only() {
    let mut bench = Bench::new(|_| {});
    let (first, second) = (bench.client(), bench.client());
    assert!(bench.say(first, b"HELLO 3\r\n").starts_with("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n"));
    assert_eq!(bench.say(first, b"GET k\r\n"), "_\r\n");
    assert_eq!(bench.say(second, b"GET k\r\n"), "$-1\r\n");
    assert_eq!(bench.say(first, b"HELLO 4\r\n"), "-NOPROTO unsupported protocol version\r\n");
}
