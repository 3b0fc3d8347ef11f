//! `SENTINEL …` and everything else that a sentinel answers, beside a real Redis 7.0: the same script on one of ours and
//! on a real one, which watch the same master and each other.
//!
//! Ids, ports, times and the `INFO` of others are masked in the replies; all else is compared byte for byte.
//!
//! # Known differences, and why
//!
//! - The order of several masters, in `SENTINEL MASTERS` and `INFO sentinel`: by name here, by chance in Redis.
//! - `link-refcount` is always 1: Redis shares the connection to a sentinel among the masters that both watch.
//! - A name (`resolve-hostnames yes`) is looked up when a connection is made, not when it is read: one that cannot be found
//!   is taken, and shown until it is found. See `sentinel_names.rs`.
//! - `is-master-down-by-addr` with an epoch below zero: it counts as one of long ago; Redis takes it for one of the far
//!   future, and votes.
//! - `SENTINEL CONFIG SET announce-ip ""` takes the address back; a Redis then says hello without any, and is forgotten.
//! - Hellos with port 0, an id of another length or an epoch that is no number are none here.
//! - `SENTINEL CONFIG` knows the six options of 7.0, and `HELP` is in our own words.
//! - In the file, a batch of new lines stands behind an empty one in Redis; values with blanks are in quotes here (and not
//!   read again in Redis); Redis adds `latency-tracking-info-percentiles`, `protected-mode` and `user default` lines, which
//!   say what holds anyway.

use std::time::Duration;

use system::compare::differences_but;
use system::{Kind, Sentinel, Server, WATCHED, free_port, redis_tool_or_skip, wait, watching};

struct Group {
    master: Server,
    replica: Server,
    /// One of ours and a real one.
    sentinels: [Sentinel; 2],
}

/// A master of ours, a real replica, and the two sentinels, who have found everything.
fn group(test: &str) -> Option<Group> {
    redis_tool_or_skip(test, "redis-server")?;
    let master = Server::start(Kind::Ours, &[]);
    let replica = Server::start(Kind::Redis, &["--replicaof", "127.0.0.1", &master.port_text()]);
    replica.wait_for_link();
    let lines = format!("# who\n{}# and no more\n", watching(master.port(), 2));
    let sentinels = [Kind::Ours, Kind::Redis].map(|kind| Sentinel::with_lines(kind, &lines));
    sentinels.iter().for_each(Sentinel::hurry);
    for sentinel in &sentinels {
        wait::until("all to be found", || has_found_all(sentinel));
    }
    Some(Group { master, replica, sentinels })
}

fn has_found_all(sentinel: &Sentinel) -> bool {
    sentinel.master_field("flags") == "master"
        && sentinel.fields_of("REPLICAS", "flags") == ["slave"]
        && sentinel.fields_of("REPLICAS", "master-link-status") == ["ok"]
        && sentinel.fields_of("SENTINELS", "flags") == ["sentinel"]
}

/// Runs a script on both, and complains of what differs.
fn compare(group: &Group, script: &str) {
    let dead = free_port().to_string();
    let ports = [0, 1].map(|side| group.sentinels[side].port());
    let script = script
        .replace("{master}", &group.master.port_text())
        .replace("{replica}", &group.replica.port_text())
        .replace("{dead}", &dead);
    let scripts = [0, 1].map(|side| script.replace("{me}", &ports[side].to_string()));
    let mask = |side: usize, reply: Vec<u8>| masked(&reply, ports[side], ports[1 - side]);
    let found = differences_but(ports, [&scripts[0], &scripts[1]], Duration::from_secs(30), mask);
    assert!(found.is_empty(), "\n{found}");
}

/// The reply with what differs from run to run, or from sentinel to sentinel, taken out.
fn masked(reply: &[u8], me: u16, peer: u16) -> Vec<u8> {
    let mut masked = String::new();
    let mut rest = reply;
    let mut before = String::new();
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 2..];
        let Some(length) = head.strip_prefix('$').and_then(|length| length.parse::<usize>().ok()) else {
            let is_client_id = before == "id";
            masked += if is_client_id { ": <id>" } else { &head };
            masked += "\r\n";
            continue;
        };
        let value = String::from_utf8_lossy(&rest[..length]).into_owned();
        rest = &rest[length + 2..];
        masked += &mask_of(&before, &value).unwrap_or_else(|| format!("${length} {value}"));
        masked += "\r\n";
        before = value;
    }
    masked += &String::from_utf8_lossy(rest);
    let masked = masked.replace(&me.to_string(), "<me>").replace(&peer.to_string(), "<peer>");
    mask_ages(&masked).into_bytes()
}

/// What stands for a bulk string, if it is one that cannot be compared. `before` is the one in front of it.
fn mask_of(before: &str, value: &str) -> Option<String> {
    let is_id = value.len() == 40 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_count = ["info-refresh", "role-reported-time", "link-pending-commands", "slave-repl-offset"];
    match value {
        _ if is_id => Some("$ <id>".into()),
        _ if before.starts_with("last-") || is_count.contains(&before) => {
            Some(if value.parse::<u64>().is_ok() { "$ <number>" } else { "$ <no number>" }.into())
        }
        info if info.starts_with("# Server") => Some("$ <info>".into()),
        _ => None,
    }
}

/// In `INFO-CACHE` an age stands in front of each `INFO`.
fn mask_ages(text: &str) -> String {
    let lines: Vec<&str> = text.split("\r\n").collect();
    let is_age = |index: usize| lines.get(index + 1) == Some(&"$ <info>") && lines[index].starts_with(':');
    let shown = |index: usize| if is_age(index) { ": <age>" } else { lines[index] };
    (0..lines.len()).map(shown).collect::<Vec<_>>().join("\r\n")
}

#[test]
fn questions_are_answered_alike() {
    let Some(group) = group("questions_are_answered_alike") else { return };
    compare(&group, include_str!("../scripts/sentinel.txt"));
}

#[test]
fn orders_are_carried_out_alike() {
    let Some(group) = group("orders_are_carried_out_alike") else { return };
    compare(&group, include_str!("../scripts/sentinel_changes.txt"));
    // After a reset all is found anew.
    let [ours, real] = group.sentinels.each_ref();
    for sentinel in [ours, real] {
        assert_eq!(sentinel.run("SENTINEL RESET *"), core_types::Frame::Integer(2));
        wait::until("all to be found again", || has_found_all(sentinel));
    }
    let script = format!(
        "a> SENTINEL MASTER {WATCHED}\na> SENTINEL REPLICAS {WATCHED}\na> SENTINEL SENTINELS {WATCHED}\n\
         a> SENTINEL CKQUORUM {WATCHED}\na> SENTINEL SET {WATCHED} quorum 3\na> SENTINEL CKQUORUM {WATCHED}\n\
         a> SENTINEL FLUSHCONFIG\n"
    );
    compare(&group, &script);
    let [ours, real] = [ours, real].map(|sentinel| lines_of(&group, sentinel));
    assert_eq!(ours, real);
}

/// What kind of line stands in which place of the part that was there first, and all lines about what it watches, sorted:
/// which of two masters comes first is not the same in both.
fn lines_of(group: &Group, sentinel: &Sentinel) -> (Vec<String>, Vec<String>) {
    let [ours, real] = group.sentinels.each_ref();
    let peer = if sentinel.port() == ours.port() { real } else { ours };
    let id = |sentinel: &Sentinel| {
        let id = sentinel.run("SENTINEL MYID");
        String::from_utf8_lossy(id.as_bytes().expect("an id")).into_owned()
    };
    let text = sentinel.file();
    let text = text.replace(&id(sentinel), "<me>").replace(&id(peer), "<peer>");
    let text = text.replace(&sentinel.port().to_string(), "<me>").replace(&peer.port().to_string(), "<peer>");
    let (first, rest) = text.split_once("# Generated by CONFIG REWRITE").expect("something was added");
    let filled = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
    };
    let kind = |line: String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let kinds = filled(first).into_iter().map(kind).collect();
    let mut all = filled(first);
    all.extend(filled(rest));
    all.retain(|line| line.starts_with("sentinel "));
    all.sort_unstable();
    (kinds, all)
}
