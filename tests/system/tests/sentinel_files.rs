//! What a sentinel makes of its file, right or wrong, beside a real Redis 7.0: it refuses with the same words and the
//! same exit code, or goes on and writes the same lines.
//!
//! # Known differences, and why
//!
//! - A `myid` or the id of a `known-sentinel` has 40 characters; Redis takes any length for the latter, and none of its
//!   own has another.
//! - An epoch below zero or above 2^64 − 1 is 0; Redis goes to the greatest there is, after which no election can have a
//!   greater one.
//! - `parallel-syncs` below zero is 0.
//! - `rename-command X ""` is refused. Redis takes it and writes a line that it does not read again.
//! - A line `known-slave` is written as `known-replica`. Redis writes both, and refuses the file the next time.
//! - A value with blanks is written in quotes. Redis writes it without, and does not read it again.
//! - A script that does not exist is noticed when it is to be run: what decides here opens no files.
//! - A name (`resolve-hostnames yes`) is looked up when a connection is made. Until then it is written; Redis looks it up
//!   when it reads it and, without `announce-hostnames yes`, writes the address.

use system::{Kind, Sentinel, redis_tool_or_skip};

const MONITOR: &str = "sentinel monitor m 127.0.0.1 1 2\n";
/// No name server need be asked about `no..host`: a name has no empty part.
const ID: &str = "0123456789012345678901234567890123456789";

/// The exit code and the text with which it is refused, or the lines that it writes.
fn outcome(kind: Kind, text: &str) -> String {
    let sentinel = match Sentinel::try_with_lines(kind, text) {
        Ok(sentinel) => sentinel,
        Err(refusal) => return format!("refused, {:?}: {}", refusal.code, refusal.text),
    };
    sentinel.run("SENTINEL FLUSHCONFIG");
    let id = sentinel.run("SENTINEL MYID");
    let id = String::from_utf8_lossy(id.as_bytes().expect("an id")).into_owned();
    let file = sentinel.file().replace(&format!("myid {id}"), "myid <me>");
    let is_sentinel = |line: &&str| line.to_ascii_lowercase().starts_with("sentinel ");
    let mut lines: Vec<&str> = file.lines().filter(is_sentinel).collect();
    lines.sort_unstable();
    format!("taken:\n{}", lines.join("\n"))
}

/// Compares both kinds on a list of files, given as what comes behind a line that says who is watched.
fn compare(test: &str, refused: bool, files: &[String]) {
    if redis_tool_or_skip(test, "redis-server").is_none() {
        return;
    }
    let mut found = String::new();
    for file in files {
        let [ours, real] = [Kind::Ours, Kind::Redis].map(|kind| outcome(kind, file));
        assert_eq!(real.starts_with("refused"), refused, "this is in the wrong list: {file}\n{real}");
        if ours != real {
            found += &format!("---- {file}ours:  {ours}\nredis: {real}\n");
        }
    }
    assert!(found.is_empty(), "{found}");
}

fn texts(lines: &[&str]) -> Vec<String> {
    let fill = |line: &&str| format!("{}\n", line.replace("{id}", ID).replace(" / ", "\n"));
    lines.iter().map(fill).collect()
}

/// The same behind a master `m`.
fn with_master(lines: &[&str]) -> Vec<String> {
    texts(lines).into_iter().map(|line| format!("{MONITOR}{line}")).collect()
}

#[test]
fn a_wrong_line_about_the_sentinel_itself_is_refused_alike() {
    compare(
        "a_wrong_line_about_the_sentinel_itself_is_refused_alike",
        true,
        &texts(&[
            "nosuch 1",
            "sentinel nosuch 1",
            "sentinel monitor m 127.0.0.1 1",
            "sentinel monitor m 127.0.0.1 1 2 3",
            "sentinel monitor m 127.0.0.1 1 0",
            "sentinel monitor m 127.0.0.1 1 x",
            "sentinel monitor m 127.0.0.1 -1 1",
            "sentinel monitor m 127.0.0.1 65536 1",
            "sentinel monitor m no..host 1 1",
            "sentinel monitor m localhost 1 1",
            "sentinel monitor m \"\" 1 1",
            "sentinel monitor m 127.0.0.1 1 2 / sentinel monitor m 127.0.0.1 2 2",
            "sentinel monitor \"unbalanced 127.0.0.1 1 1",
            "sentinel down-after-milliseconds m 1",
            "sentinel myid x",
            "sentinel myid {id}0",
            "sentinel announce-ip",
            "sentinel resolve-hostnames maybe",
            "sentinel announce-hostnames maybe",
            "sentinel deny-scripts-reconfig maybe",
            "sentinel sentinel-pass a b",
        ]),
    );
}

#[test]
fn a_wrong_line_about_a_master_is_refused_alike() {
    compare(
        "a_wrong_line_about_a_master_is_refused_alike",
        true,
        &with_master(&[
            "sentinel down-after-milliseconds m 0",
            "sentinel down-after-milliseconds m x",
            "sentinel down-after-milliseconds m",
            "sentinel down-after-milliseconds m 1 2",
            "sentinel failover-timeout m 0",
            "sentinel failover-timeout x 1",
            "sentinel quorum m 3",
            "sentinel auth-pass m",
            "sentinel auth-pass m a b",
            "sentinel auth-pass m \"a b",
            "sentinel config-epoch nosuch 7",
            "sentinel leader-epoch nosuch 9",
            "sentinel master-reboot-down-after-period m -1",
            "sentinel rename-command m CONFIG",
            "sentinel rename-command m CONFIG x y",
            "sentinel rename-command m CONFIG x / sentinel rename-command m config y",
            "sentinel known-replica m 127.0.0.1 2 / sentinel known-replica m 127.0.0.1 2",
            "sentinel known-replica m 127.0.0.1 99999",
            "sentinel known-replica m no..host 2",
            "sentinel known-replica x 127.0.0.1 2",
            "sentinel known-sentinel m 127.0.0.1 2 {id} / sentinel known-sentinel m 127.0.0.1 3 {id}",
            "sentinel known-sentinel m 127.0.0.1 2 {id} / sentinel known-sentinel m 127.0.0.1 2 {id}",
            "sentinel known-sentinel m \"\" 2 {id}",
            "sentinel known-sentinel m no..host 3 {id}",
            "sentinel known-sentinel x 127.0.0.1 3 {id}",
            // The file was cut off in the middle.
            "sentinel mon",
            "sentinel known-repl",
            "sentinel known-replica m 127.0",
        ]),
    );
}

#[test]
fn odd_lines_are_taken_alike() {
    let mut files = texts(&[
        "sentinel",
        "SENTINEL monitor m 127.0.0.1 1 1",
        "sentinel MONITOR m 127.0.0.1 1 1",
        "sentinel monitor m 127.0.0.1 x 1",
        "sentinel monitor m 127.0.0.1 0 1",
        "sentinel monitor m 127.0.0.1 12x 1",
        "sentinel down-after-milliseconds m 1000 / sentinel monitor m 127.0.0.1 1 2",
        "sentinel myid {id}",
        "sentinel myid ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "sentinel current-epoch x",
        "sentinel current-epoch 12",
        "sentinel announce-port x",
        "sentinel announce-port 26380",
        "sentinel announce-ip 1.2.3.4",
        "sentinel sentinel-user x / sentinel sentinel-pass y",
        "sentinel deny-scripts-reconfig no",
        "sentinel resolve-hostnames yes / sentinel announce-hostnames yes / sentinel monitor m localhost 1 1",
    ]);
    files.extend(with_master(&[
        "sentinel parallel-syncs m 0",
        "sentinel parallel-syncs m x",
        "sentinel parallel-syncs m 7",
        "sentinel master-reboot-down-after-period m x",
        "sentinel master-reboot-down-after-period m 5",
        "sentinel config-epoch m x",
        "sentinel config-epoch m 7",
        "sentinel leader-epoch m 9",
        "sentinel notification-script m /bin/true",
        "sentinel client-reconfig-script m /bin/true",
        "sentinel auth-user m me / sentinel auth-pass m secret",
        "sentinel rename-command m CONFIG x / sentinel rename-command m SLAVEOF y",
        "sentinel known-replica m 127.0.0.1 2",
        "sentinel known-replica m 127.0.0.1 0",
        "sentinel known-replica m 127.0.0.1 x",
        "sentinel known-sentinel m 127.0.0.1 2",
        "sentinel known-sentinel m 127.0.0.1 2 {id}",
        "sentinel known-sentinel m 127.0.0.1 0 {id}",
        "sentinel known-sentinel m 127.0.0.1 x {id}",
    ]));
    compare("odd_lines_are_taken_alike", false, &files);
}

/// A sentinel can be replaced by one of the other kind: the file is what both have in common.
#[test]
fn each_kind_goes_on_with_the_file_of_the_other() {
    if redis_tool_or_skip("each_kind_goes_on_with_the_file_of_the_other", "redis-server").is_none() {
        return;
    }
    let lines = format!(
        "{MONITOR}sentinel down-after-milliseconds m 1234\nsentinel config-epoch m 3\nsentinel leader-epoch m 4\n\
         sentinel current-epoch 5\nsentinel auth-pass m secret\nsentinel announce-ip 127.0.0.1\n\
         sentinel known-replica m 127.0.0.1 2\nsentinel known-sentinel m 127.0.0.1 3 {ID}\n"
    );
    for (from, to) in [(Kind::Ours, Kind::Redis), (Kind::Redis, Kind::Ours)] {
        let mut first = Sentinel::with_lines(from, &lines);
        first.run("SENTINEL FLUSHCONFIG");
        let (file, id) = (first.file(), first.run("SENTINEL MYID"));
        let port = format!("port {}\n", first.port());
        // Its directory stays: the file names it.
        first.kill();
        let second = Sentinel::with_lines(to, &file.replace(&port, ""));
        assert_eq!(second.run("SENTINEL MYID"), id);
        second.run("SENTINEL FLUSHCONFIG");
        let of_a_sentinel = |file: &str| -> Vec<String> {
            let mut lines: Vec<&str> = file.lines().filter(|line| line.starts_with("sentinel ")).collect();
            lines.sort_unstable();
            lines.into_iter().map(str::to_owned).collect()
        };
        assert_eq!(of_a_sentinel(&second.file()), of_a_sentinel(&file), "{from:?} to {to:?}");
    }
}
