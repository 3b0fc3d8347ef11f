//! A [`Link`] against masters that misbehave. The log lines were compared with those of redis-server
//! 7.0.15, which was sent the same bytes by a scripted master.

use bytes::Bytes;
use core_types::{Endpoint, LogLevel, Machine, Millis};
use solution_1::{Link, LinkConfig, LinkInput, LinkOutput, LinkState};

const HELLO: &str = "+PONG\r\n+OK\r\n+OK\r\n";
const FULL: &str = "+FULLRESYNC aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 100\r\n";

/// A link that has been connected, and all that it has put out.
struct Run {
    link: Link,
    out: Vec<LinkOutput>,
    now: Millis,
}

impl Run {
    fn connected(config: LinkConfig) -> Run {
        let link = Link::new(Endpoint::new("127.0.0.1", 7000), config);
        let mut run = Run { link, out: Vec::new(), now: Millis(1000) };
        run.feed(LinkInput::Tick);
        run.feed(LinkInput::Connected);
        run
    }

    fn feed(&mut self, input: LinkInput) {
        self.link.step(self.now, input, &mut self.out);
        self.link.check_invariants().unwrap();
    }

    fn say(&mut self, text: &str) {
        self.feed(LinkInput::Received(Bytes::copy_from_slice(text.as_bytes())));
    }

    /// The last line of the log at warning level or, without one, the last line.
    fn complaint(&self) -> &str {
        let lines = || {
            self.out.iter().rev().filter_map(|output| match output {
                LinkOutput::Log(level, text) => Some((*level, text.as_str())),
                _ => None,
            })
        };
        let warning = lines().find(|(level, _)| *level == LogLevel::Warning);
        warning.or_else(|| lines().next()).map_or("", |(_, text)| text)
    }

    fn gave_up(&self) -> bool {
        self.out.last() == Some(&LinkOutput::Disconnect)
            && self.link.state() == LinkState::Waiting(self.now + Millis::from_secs(1))
    }
}

#[test]
fn nonsense_ends_the_attempt_with_the_line_that_redis_logs() {
    let reply_to_psync = |line: &str| format!("{HELLO}{line}\r\n");
    let in_place_of_a_snapshot = |line: &str| format!("{HELLO}{FULL}{line}\r\n");
    for (said, complaint) in [
        ("-ERR foo\r\n".to_string(), "Error reply to PING from master: '-ERR foo'"),
        (reply_to_psync("+OK"), "Unexpected reply to PSYNC from master: +OK"),
        (
            reply_to_psync("-NOAUTH Authentication required."),
            "Unexpected reply to PSYNC from master: -NOAUTH Authentication required.",
        ),
        (
            reply_to_psync("-ERR unknown command"),
            "Master does not support PSYNC or is in error state (reply: -ERR unknown command)",
        ),
        (
            reply_to_psync("-LOADING x"),
            "Master is currently unable to PSYNC but should be in the future: -LOADING x",
        ),
        (reply_to_psync("+FULLRESYNC abc"), "Master replied with wrong +FULLRESYNC syntax."),
        (reply_to_psync("+CONTINUE"), "Master wants to continue a stream of which this replica has nothing"),
        (in_place_of_a_snapshot("-ERR oops"), "MASTER aborted replication with an error: ERR oops"),
        (
            in_place_of_a_snapshot("hello"),
            "Bad protocol from MASTER, the first byte is not '$' (we received 'hello'), \
             are you sure the host and port are right?",
        ),
        (in_place_of_a_snapshot("$abc"), "Bad protocol from MASTER, no length and no end mark in '$abc'"),
    ] {
        let mut run = Run::connected(LinkConfig::default());
        run.say(&said);
        assert_eq!(run.complaint(), complaint);
        assert!(run.gave_up(), "after {said:?}");
    }
}

#[test]
fn wrong_password_is_named_and_tried_again() {
    let config = LinkConfig { password: Some("wrong".into()), ..LinkConfig::default() };
    let mut run = Run::connected(config);
    run.say("-NOAUTH Authentication required.\r\n");
    run.say("-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    assert_eq!(
        run.complaint(),
        "Unable to AUTH to MASTER: -WRONGPASS invalid username-password pair or user is disabled."
    );
    assert!(run.gave_up());
    run.now += Millis(999);
    run.feed(LinkInput::Tick);
    assert!(matches!(run.link.state(), LinkState::Waiting(_)), "not before a second has passed");
    run.now += Millis(1);
    run.feed(LinkInput::Tick);
    assert_eq!(run.link.state(), LinkState::Connecting);
}

#[test]
fn line_without_an_end_is_not_kept() {
    let mut run = Run::connected(LinkConfig::default());
    for _ in 0..10_000 {
        run.say(&"x".repeat(100));
    }
    assert_eq!(run.complaint(), "Reply to PING from master has no line end within 1024 bytes");
    let mut run = Run::connected(LinkConfig::default());
    run.say(&format!("{HELLO}{FULL}"));
    run.say(&"x".repeat(1024));
    assert_eq!(run.complaint(), "Bad protocol from MASTER, no line end within 1024 bytes");
    assert!(run.gave_up());
}

#[test]
fn half_an_answer_and_then_silence_ends_after_the_timeout() {
    for (said, complaint) in [
        ("+PO".to_string(), "Timeout connecting to the MASTER..."),
        (format!("{HELLO}{FULL}$10"), "Timeout receiving bulk data from MASTER..."),
        (format!("{HELLO}{FULL}$10\r\nabc"), "Timeout receiving bulk data from MASTER..."),
    ] {
        let mut run = Run::connected(LinkConfig::default());
        run.say(&said);
        run.now += Millis::from_secs(60);
        run.feed(LinkInput::Tick);
        assert!(!matches!(run.link.state(), LinkState::Waiting(_)), "60 seconds of silence are allowed");
        run.now = run.link.next_deadline().unwrap();
        run.feed(LinkInput::Tick);
        assert!(run.complaint().starts_with(complaint), "{}", run.complaint());
        assert!(run.gave_up());
    }
}

#[test]
fn signs_of_life_keep_a_busy_master_alive() {
    let mut run = Run::connected(LinkConfig::default());
    run.say(HELLO);
    for _ in 0..100 {
        run.now += Millis::from_secs(50);
        run.feed(LinkInput::Tick);
        run.say("\n");
    }
    run.say(FULL);
    for _ in 0..100 {
        run.now += Millis::from_secs(50);
        run.feed(LinkInput::Tick);
        run.say("\n");
    }
    assert_eq!(run.link.state(), LinkState::Transfer);
}

#[test]
fn stream_that_arrives_with_the_snapshot_waits_until_it_is_loaded() {
    let mut run = Run::connected(LinkConfig::default());
    run.say(&format!("{HELLO}{FULL}$3\r\nabcstream"));
    assert_eq!(run.link.state(), LinkState::Loading);
    run.say(" goes on");
    assert!(!run.out.iter().any(|output| matches!(output, LinkOutput::Stream(_))));
    let mut out = Vec::new();
    run.link.loaded(run.now, Ok(()), &mut out);
    assert_eq!(run.link.state(), LinkState::Online);
    assert_eq!(out.last(), Some(&LinkOutput::Stream(Bytes::from_static(b"stream goes on"))));
}

#[test]
fn snapshot_that_cannot_be_loaded_starts_over() {
    let mut run = Run::connected(LinkConfig::default());
    run.say(&format!("{HELLO}{FULL}$3\r\nabc"));
    let mut out = Vec::new();
    run.link.loaded(run.now, Err("Wrong signature".into()), &mut out);
    run.out = out;
    assert_eq!(
        run.complaint(),
        "Failed trying to load the MASTER synchronization DB from socket: Wrong signature"
    );
    assert!(run.gave_up());
}

#[test]
fn lost_link_is_made_again_at_once_and_failed_attempts_wait() {
    let mut run = Run::connected(LinkConfig::default());
    run.say(&format!("{HELLO}{FULL}$0\r\n"));
    let mut out = Vec::new();
    run.link.loaded(run.now, Ok(()), &mut out);
    run.feed(LinkInput::Closed);
    assert_eq!(run.complaint(), "Connection with master lost.");
    assert_eq!(run.link.state(), LinkState::Connecting);
    run.feed(LinkInput::ConnectFailed("Connection refused".into()));
    assert_eq!(run.complaint(), "Error condition on socket for SYNC: Connection refused");
    assert_eq!(run.link.state(), LinkState::Waiting(run.now + Millis::from_secs(1)));
}
