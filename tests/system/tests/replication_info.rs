//! `INFO replication`, `ROLE` and `CLIENT LIST`, field by field as Redis shows them in the same situation.
//!
//! The same story is played with every combination of ours and real Redis, and with real Redis alone. What
//! differs from one run to the other (ids, ports, seconds) is replaced; names, order and all other values must
//! be the same.

use core_types::Frame;
use system::scripted::ScriptedMaster;
use system::topology::{QUIET, cut_off, follow, follow_by_cable, settle, together};
use system::{Kind, Server, redis_tool_or_skip, wait};

/// What was seen, and how to compare it with another run.
#[derive(Default)]
struct Story {
    seen: Vec<(String, String)>,
    /// Ports and histories in the order of their first appearance.
    names: Vec<(String, String)>,
}

/// Fields whose values are times.
const TIMES: [&str; 4] = [
    "lag",
    "master_last_io_seconds_ago",
    "master_link_down_since_seconds",
    "master_sync_last_io_seconds_ago",
];

impl Story {
    fn call(&mut self, port: u16, name: &str) {
        self.names.push((port.to_string(), format!("<{name}>")));
    }

    /// Writes down what a server says of replication.
    fn note(&mut self, situation: &str, server: &Server) {
        let mut client = server.client();
        let info = client.run("INFO replication");
        let info = String::from_utf8_lossy(info.as_bytes().expect("a text")).into_owned();
        for line in info.lines().filter(|line| line.contains(':')) {
            let line = self.compared(line);
            self.seen.push((situation.to_owned(), line));
        }
        let mut role = show(&client.run("ROLE"));
        if situation.contains("without its master") {
            // It tries again and again: which word it is at the moment is luck.
            for word in ["connecting", "handshake"] {
                role = role.replace(word, "connect");
            }
        }
        let role = self.compared(&role);
        self.seen.push((situation.to_owned(), format!("ROLE {role}")));
    }

    fn compared(&mut self, line: &str) -> String {
        let mut parts: Vec<String> = line.split([',', ' ']).map(|part| self.compared_part(part)).collect();
        if parts.len() == 1 { parts.remove(0) } else { parts.join(" ") }
    }

    fn compared_part(&mut self, part: &str) -> String {
        let Some((name, value)) = part.split_once([':', '=']) else { return self.compared_value(part) };
        if let Some(("ip", rest)) = value.split_once('=').filter(|_| name.starts_with("slave")) {
            return format!("{name}:ip={rest}");
        }
        if TIMES.contains(&name) && value != "-1" {
            return format!("{name}=<time>");
        }
        format!("{name}={}", self.compared_value(value))
    }

    fn compared_value(&mut self, value: &str) -> String {
        if let Some((_, name)) = self.names.iter().find(|(known, _)| known == value) {
            return name.clone();
        }
        let is_history = value.len() == 40 && value.bytes().any(|byte| byte != b'0');
        if !is_history {
            return value.to_owned();
        }
        let name = format!("<history {}>", self.names.len());
        self.names.push((value.to_owned(), name.clone()));
        name
    }
}

fn show(frame: &Frame) -> String {
    match frame {
        Frame::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        Frame::Integer(number) => number.to_string(),
        Frame::Array(parts) => parts.iter().map(show).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

/// Waits until the master has heard of all that `replica` has.
fn wait_for_ack(master: &Server) {
    let mut client = master.client();
    wait::until("the replica's acknowledgement", || {
        let offset = format!("offset={},", client.info("master_repl_offset"));
        client.info("slave0").contains(&offset)
    });
}

fn replication(&(master, replica): &(Kind, Kind)) -> Vec<(String, String)> {
    let (master, replica) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
    let leaf = Server::start(replica.kind(), &QUIET);
    let mut story = Story::default();
    for (server, name) in [(&master, "master"), (&replica, "replica"), (&leaf, "leaf")] {
        story.call(server.port(), name);
    }
    story.note("a master alone", &master);
    master.run("SET k v");
    story.note("a master that has written", &master);

    let cable = follow_by_cable(&replica, &master);
    story.call(cable.port(), "cable");
    settle(&[&master, &replica]);
    wait_for_ack(&master);
    story.note("a master with a replica", &master);
    story.note("a replica", &replica);
    master.run("SET k w");
    master.run("INCR n");
    settle(&[&master, &replica]);
    wait_for_ack(&master);
    story.note("a master with a replica, written", &master);
    story.note("a replica, written", &replica);

    follow(&leaf, replica.port());
    settle(&[&master, &replica, &leaf]);
    wait_for_ack(&replica);
    master.run("SET k x");
    settle(&[&master, &replica, &leaf]);
    wait_for_ack(&replica);
    story.note("a replica with a replica", &replica);
    story.note("a leaf", &leaf);

    master.run("CONFIG SET min-replicas-to-write 1");
    wait::until("a good replica", || master.info("min_slaves_good_slaves") == "1");
    wait_for_ack(&master);
    story.note("a master that wants replicas", &master);
    master.run("CONFIG SET min-replicas-to-write 0");

    cut_off(&replica, &cable);
    wait::until("the replica to be gone", || master.info("connected_slaves") == "0");
    story.note("a master whose replica is gone", &master);
    replica.run("CONFIG SET replica-priority 7");
    replica.run("CONFIG SET replica-announced no");
    story.note("a replica without its master", &replica);
    story.note("a leaf whose master is without its own", &leaf);
    cable.mend();
    settle(&[&master, &replica, &leaf]);
    wait_for_ack(&master);
    story.note("a master whose replica is back", &master);
    story.note("a replica that is back", &replica);

    replica.run("REPLICAOF NO ONE");
    replica.run("SET k y");
    settle(&[&replica, &leaf]);
    wait_for_ack(&replica);
    story.note("a replica that was promoted", &replica);
    story.note("a leaf of a replica that was promoted", &leaf);
    master.run("CONFIG SET repl-backlog-size 2mb");
    follow(&master, replica.port());
    settle(&[&master, &replica, &leaf]);
    story.note("a master that was demoted", &master);
    story.seen
}

/// Plays the story with real Redis and with every mixture.
fn compare_stories(test: &str, story: impl Fn(&(Kind, Kind)) -> Vec<(String, String)> + Sync) {
    if redis_tool_or_skip(test, "redis-server").is_none() {
        return;
    }
    use Kind::{Ours, Redis};
    let cases = [(Redis, Redis), (Ours, Ours), (Ours, Redis), (Redis, Ours)];
    let stories = together(cases, story);
    let mut differences = String::new();
    for (case, story) in cases.iter().zip(&stories).skip(1) {
        let length = story.len().max(stories[0].len());
        let line = |story: &[(String, String)], nth: usize| {
            story.get(nth).map_or("nothing".into(), |(situation, line)| format!("{situation}: {line}"))
        };
        for nth in 0..length {
            let (theirs, ours) = (line(&stories[0], nth), line(story, nth));
            if theirs != ours {
                differences += &format!("\n{case:?}\n   redis: {theirs}\n   here:  {ours}");
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn info_and_role_say_what_redis_says() {
    compare_stories("info_and_role_say_what_redis_says", replication);
}

/// What can be seen while a synchronisation or a failover is under way.
fn half_way(&(master, replica): &(Kind, Kind)) -> Vec<(String, String)> {
    let mut story = Story::default();
    let patient = ["--repl-diskless-sync-delay", "3600"];
    let waited_for = Server::start(master, &[&QUIET[..], &patient].concat());
    let waiting = Server::start(replica, &QUIET);
    story.call(waited_for.port(), "master");
    story.call(waiting.port(), "replica");
    follow(&waiting, waited_for.port());
    wait::until("the replica to wait", || waited_for.info("slave0").contains("state=wait_bgsave"));
    story.note("a master whose replica waits for a snapshot", &waited_for);
    // It has sent its PSYNC, and the answer comes with the snapshot.
    story.note("a replica that waits for a snapshot", &waiting);

    // A master that has begun to send.
    let begun = format!("+FULLRESYNC {} 17\r\n$1000\r\nREDIS0010", "a".repeat(40));
    let scripted = ScriptedMaster::start(move |command| ScriptedMaster::polite(command, begun.as_bytes()));
    let loading = Server::start(replica, &QUIET);
    story.call(scripted.port(), "scripted");
    follow(&loading, scripted.port());
    wait::until("the first bytes", || loading.info("master_sync_read_bytes") == "9");
    story.note("a replica that has nine bytes of a thousand", &loading);

    let nobody = Server::start(replica, &QUIET);
    follow(&nobody, 1);
    nobody.wait_for_log("Connection refused");
    story.note("a replica without its master, which it has never met", &nobody);

    let (old, new) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
    let cable = follow_by_cable(&new, &old);
    story.call(new.port(), "new");
    story.call(cable.port(), "cable");
    settle(&[&old, &new]);
    wait_for_ack(&old);
    cable.pinch();
    old.run("SET k v");
    old.run("FAILOVER");
    story.note("a master that waits for its successor", &old);
    old.run("FAILOVER ABORT");
    story.seen
}

#[test]
fn info_and_role_say_what_redis_says_half_way() {
    compare_stories("info_and_role_say_what_redis_says_half_way", half_way);
}

/// The connection between a master and its replica, as `CLIENT LIST` shows it on both sides.
fn connections(&(master, replica): &(Kind, Kind)) -> Vec<(String, String)> {
    let (master, replica) = (Server::start(master, &QUIET), Server::start(replica, &QUIET));
    let announced = ["replica-announce-ip localhost", "replica-announce-port 7777"];
    for parameter in announced {
        replica.run(&format!("CONFIG SET {parameter}"));
    }
    follow(&replica, master.port());
    settle(&[&master, &replica]);
    wait_for_ack(&master);
    let mut seen = Vec::new();
    let mut list = |server: &Server, of: &str| {
        let reply = server.run(&format!("CLIENT LIST TYPE {of}"));
        let text = String::from_utf8_lossy(reply.as_bytes().expect("a text")).into_owned();
        for pair in text.trim().split(' ') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // The rest are numbers, addresses, times and sizes.
            let compared =
                ["flags", "cmd", "db", "name", "sub", "psub", "ssub", "multi", "user", "redir", "resp"];
            let value = if compared.contains(&name) { value } else { "…" };
            seen.push((of.to_owned(), format!("{name}={value}")));
        }
    };
    list(&master, "replica");
    list(&master, "slave");
    list(&replica, "master");
    let row = master.info("slave0");
    seen.push(("announced".into(), row.split(",state").next().unwrap_or_default().to_owned()));
    seen.push(("announced".into(), show(&master.run("ROLE"))));
    seen
}

#[test]
fn client_list_shows_replicas_and_masters_as_redis_does() {
    compare_stories("client_list_shows_replicas_and_masters_as_redis_does", connections);
}
