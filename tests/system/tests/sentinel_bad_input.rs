//! What a sentinel makes of wrong hellos and of masters that answer oddly: the same as a real Redis 7.0, which hears and
//! asks the same beside it.
//!
//! # Known differences, and why
//!
//! - A hello with a port that is none (0, 99999), an id that has not 40 digits or an epoch that is no number is no hello
//!   here. Redis believes what it can read of it: such a port makes a known sentinel forgotten until its next good hello.
//! - A sentinel's own id in a `PUBLISH` to itself is passed over. Redis knows itself only on the channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use core_types::Frame;
use system::scripted::ScriptedMaster;
use system::{Client, Kind, Sentinel, Server, WATCHED, pair_value, redis_tool_or_skip, wait, watching};

const FIRST: &str = "1111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222";

/// A sentinel of either kind with a master that nobody else watches.
struct Side {
    master: Server,
    sentinel: Sentinel,
}

impl Side {
    fn start(kind: Kind) -> Side {
        let master = Server::start(Kind::Ours, &[]);
        let sentinel = Sentinel::start(kind, master.port(), 2);
        wait::until("the first INFO", || sentinel.master_field("runid").len() == 40);
        Side { master, sentinel }
    }

    /// Says a hello to it, as another sentinel does.
    fn hello(&self, hello: &str) {
        let hello = hello
            .replace("{master}", &self.master.port_text())
            .replace("{me}", &self.sentinel.port().to_string());
        let mut client = Client::connect(self.sentinel.port()).expect("the sentinel takes connections");
        assert_eq!(client.call(&["PUBLISH", "__sentinel__:hello", &hello]), Frame::Integer(1));
    }

    /// Everything that a hello can change.
    fn state(&self) -> Vec<String> {
        let own = self.master.port_text();
        let shown = |name: &str| self.sentinel.master_field(name).replace(&own, "<master>");
        let mut state: Vec<String> = ["ip", "port", "config-epoch", "num-slaves", "num-other-sentinels"]
            .map(|name| format!("{name} {}", shown(name)))
            .into();
        if let Frame::Array(peers) = self.sentinel.run(&format!("SENTINEL SENTINELS {WATCHED}")) {
            let of_peer = |peer: &Frame| {
                let value = |name| pair_value(peer, name);
                format!("sentinel {}:{} {}", value("ip"), value("port"), value("runid"))
            };
            state.extend(peers.iter().map(of_peer));
        }
        self.sentinel.run("SENTINEL FLUSHCONFIG");
        let epochs = |line: &&str| line.contains("-epoch") || line.contains(" monitor ");
        let file = self.sentinel.file();
        let mut lines: Vec<String> =
            file.lines().filter(epochs).map(|line| line.replace(&own, "<master>")).collect();
        lines.sort();
        state.extend(lines);
        state
    }
}

#[test]
fn wrong_and_forged_hellos_leave_the_same_state() {
    if redis_tool_or_skip("wrong_and_forged_hellos_leave_the_same_state", "redis-server").is_none() {
        return;
    }
    let sides = [Kind::Ours, Kind::Redis].map(Side::start);
    let mut before = Vec::new();
    // What is said, and whether it may change anything.
    for (hello, changes) in [
        ("nonsense", false),
        ("127.0.0.1,1,{first},0,watched,127.0.0.1,{master}", false),
        ("127.0.0.1,1,{first},0,watched,127.0.0.1,{master},0,more", false),
        ("127.0.0.1,1,{first},9,another,127.0.0.1,{master},9", false),
        ("127.0.0.1,1,{first},9,Watched,127.0.0.1,{master},9", false),
        // A good one: somebody new.
        ("127.0.0.1,1,{first},0,watched,127.0.0.1,{master},0", true),
        // The same again.
        ("127.0.0.1,1,{first},0,watched,127.0.0.1,{master},0", false),
        // A newer epoch, then a stale one, with a configuration of before.
        ("127.0.0.1,1,{first},5,watched,127.0.0.1,{master},0", true),
        ("127.0.0.1,1,{first},3,watched,127.0.0.1,1,0", false),
        // A newer configuration that says nothing else, then a stale one with another master.
        ("127.0.0.1,1,{first},5,watched,127.0.0.1,{master},4", true),
        ("127.0.0.1,1,{first},5,watched,127.0.0.1,1,4", false),
        ("127.0.0.1,1,{first},5,watched,127.0.0.1,1,2", false),
        // A forged port moves it, an address that is none makes it forgotten.
        ("127.0.0.1,2,{first},5,watched,127.0.0.1,{master},4", true),
        ("127.0.0.1,2,{second},5,watched,127.0.0.1,{master},4", true),
        ("127.0.0.1,99999,{first},5,watched,127.0.0.1,{master},4", false),
        ("no..host,3,{first},5,watched,127.0.0.1,{master},4", false),
        (",3,{first},5,watched,127.0.0.1,{master},4", false),
        ("no..host,2,{second},5,watched,127.0.0.1,{master},4", true),
        // One who cannot be reached is heard for its epoch, and not for its configuration.
        ("no..host,2,{second},7,watched,127.0.0.1,1,7", true),
        ("127.0.0.1,2,{second},7,watched,127.0.0.1,{master},4", true),
        // A newer configuration with an address that is none, and one that sends it elsewhere.
        ("127.0.0.1,2,{second},7,watched,no..host,1,5", true),
        ("127.0.0.1,2,{second},7,watched,127.0.0.1,1,7", true),
    ] {
        let hello = hello.replace("{first}", FIRST).replace("{second}", SECOND);
        sides.iter().for_each(|side| side.hello(&hello));
        let [ours, real] = sides.each_ref().map(Side::state);
        assert_eq!(ours, real, "after {hello}");
        assert_eq!(ours != before, changes || before.is_empty(), "{hello}: {before:?} became {ours:?}");
        before = ours;
    }
}

/// A master that answers `PING` so, and everything else as a master does.
fn odd_master(pong: &'static [u8]) -> (ScriptedMaster, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let counters = [0, 1].map(|_| Arc::new(AtomicUsize::new(0)));
    let [pings, kills] = counters.clone();
    let master = ScriptedMaster::start(move |command| {
        let answer: &[u8] = match command.split(' ').next().unwrap_or_default() {
            "PING" => {
                pings.fetch_add(1, Ordering::SeqCst);
                pong
            }
            _ if pong.starts_with(b"-NOAUTH") => pong,
            "INFO" => b"$13\r\nrole:master\r\n\r\n",
            "SUBSCRIBE" => b"*3\r\n$9\r\nsubscribe\r\n$18\r\n__sentinel__:hello\r\n:1\r\n",
            "PUBLISH" => b":1\r\n",
            "SCRIPT" => {
                kills.fetch_add(1, Ordering::SeqCst);
                b"+OK\r\n"
            }
            _ => b"+OK\r\n",
        };
        Some(answer.to_vec())
    });
    let [pings, kills] = counters;
    (master, pings, kills)
}

fn sentinel_of(kind: Kind, master: &ScriptedMaster) -> Sentinel {
    let lines = watching(master.port(), 2).replace("1000", "400");
    let sentinel = Sentinel::with_lines(kind, &lines);
    assert_eq!(sentinel.run("SENTINEL DEBUG ping-period 100 info-period 300"), Frame::Simple("OK".into()));
    sentinel
}

fn is_down(sentinel: &Sentinel) -> bool {
    sentinel.master_field("flags").split(',').any(|flag| flag == "s_down")
}

#[test]
fn a_master_that_is_busy_with_itself_is_alive() {
    if redis_tool_or_skip("a_master_that_is_busy_with_itself_is_alive", "redis-server").is_none() {
        return;
    }
    let answers: [&[u8]; 3] =
        [b"+PONG\r\n", b"-LOADING Redis is loading\r\n", b"-MASTERDOWN Link with MASTER is down\r\n"];
    let cases = answers.iter().flat_map(|answer| [Kind::Ours, Kind::Redis].map(|kind| (*answer, kind)));
    system::topology::together(cases, |(answer, kind)| {
        let (master, pings, _) = odd_master(answer);
        let sentinel = sentinel_of(*kind, &master);
        // Five times as long as it would take to count as down, and to stay so.
        wait::until("many answers", || pings.load(Ordering::SeqCst) >= 20);
        wait::until(&format!("a master that is up: {}", String::from_utf8_lossy(answer)), || {
            !is_down(&sentinel)
        });
    });
}

#[test]
fn a_master_that_refuses_or_says_nothing_is_down() {
    if redis_tool_or_skip("a_master_that_refuses_or_says_nothing_is_down", "redis-server").is_none() {
        return;
    }
    let answers: [&[u8]; 6] = [
        b"-NOAUTH Authentication required.\r\n",
        b"-ERR no\r\n",
        b"-BUSY Redis is busy running a script.\r\n",
        b"",
        b"nonsense\r\n",
        b":1\r\n",
    ];
    let cases = answers.iter().flat_map(|answer| [Kind::Ours, Kind::Redis].map(|kind| (*answer, kind)));
    system::topology::together(cases, |(answer, kind)| {
        let (master, pings, kills) = odd_master(answer);
        let sentinel = sentinel_of(*kind, &master);
        wait::until("+sdown", || is_down(&sentinel));
        // It goes on asking, and it stays down.
        let asked = pings.load(Ordering::SeqCst);
        wait::until("more questions", || pings.load(Ordering::SeqCst) > asked + 2);
        assert!(is_down(&sentinel), "{}", String::from_utf8_lossy(answer));
        if answer.starts_with(b"-BUSY") {
            wait::until("SCRIPT KILL", || kills.load(Ordering::SeqCst) == 1);
            assert!(sentinel.master_field("flags").contains("script_kill_sent"));
        }
    });
}

/// Each takes the other's hellos for its own. They never meet, and no failover can be agreed upon: an operator who copies
/// a file sees that by `num-other-sentinels`.
#[test]
fn two_sentinels_with_one_id_do_not_see_each_other() {
    if redis_tool_or_skip("two_sentinels_with_one_id_do_not_see_each_other", "redis-server").is_none() {
        return;
    }
    let master = Server::start(Kind::Ours, &[]);
    let lines = format!("sentinel myid {FIRST}\n{}", watching(master.port(), 2));
    let mut twins = [Kind::Ours, Kind::Ours, Kind::Redis, Kind::Redis]
        .map(|kind| (Sentinel::with_lines(kind, &lines), master.client()));
    for (twin, listener) in &mut twins {
        twin.hurry();
        listener.run("SUBSCRIBE __sentinel__:hello");
        // Everybody has heard so much of the others by then.
        let port = format!(",{},", twin.port());
        let (mut heard, mut others) = (0, 0);
        while heard < 3 {
            others += 1;
            assert!(others < 1000, "port {} says nothing", twin.port());
            let Ok(Frame::Array(parts)) = listener.next_reply() else { panic!("a message") };
            heard +=
                usize::from(String::from_utf8_lossy(parts[2].as_bytes().unwrap_or_default()).contains(&port));
        }
    }
    for (twin, _) in &twins {
        assert_eq!(twin.master_field("num-other-sentinels"), "0");
        let Frame::Error(text) = twin.run(&format!("SENTINEL CKQUORUM {WATCHED}")) else {
            panic!("no quorum")
        };
        assert!(text.starts_with("NOQUORUM 1 usable Sentinels."), "{text}");
    }
}
