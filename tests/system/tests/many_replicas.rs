//! What several replicas share, and what happens to one that is too slow.

use core_types::Frame;
use system::topology::{QUIET, Syncs, follow, settle, together};
use system::{Client, Kind, Server, data, raw_replica, redis_tool_or_skip, wait};

/// Masters of both kinds, or only ours and a word about it.
fn masters(test: &str) -> Vec<Kind> {
    match redis_tool_or_skip(test, "redis-server") {
        Some(_) => vec![Kind::Ours, Kind::Redis],
        None => vec![Kind::Ours],
    }
}

#[test]
fn replicas_that_come_together_share_one_snapshot() {
    let masters = masters("replicas_that_come_together_share_one_snapshot");
    let kinds = [Kind::Ours, *masters.last().expect("at least ours"), Kind::Ours];
    together(masters, |master| {
        // It waits for all three, however long they take to come, and then no longer.
        let share = [
            "--repl-diskless-sync",
            "yes",
            "--repl-diskless-sync-delay",
            "3600",
            "--repl-diskless-sync-max-replicas",
            "3",
        ];
        let master = Server::start(*master, &[&QUIET[..], &share].concat());
        data::write(&mut master.client(), 1, 1000);
        let replicas = kinds.map(|kind| Server::start(kind, &QUIET));
        for replica in &replicas {
            follow(replica, master.port());
        }
        settle(&[&master, &replicas[0], &replicas[1], &replicas[2]]);
        assert_eq!(master.log().matches("Starting BGSAVE for SYNC").count(), 1, "{}", master.log());
        assert_eq!(Syncs::of(&master), Syncs { full: 3, partial: 0, refused: 3 });
    });
}

/// One go at overwriting a key.
const GO: usize = 16 * VALUE;
const VALUE: usize = 16 * 1024;

/// Overwrites one key until `done`; returns how many bytes that took.
fn write_until(master: &Server, most: usize, mut done: impl FnMut(&mut Client) -> bool) -> usize {
    let mut client = master.client();
    let command = format!("*3\r\n$3\r\nSET\r\n$4\r\nsame\r\n${VALUE}\r\n{}\r\n", "x".repeat(VALUE));
    let bytes = command.repeat(GO / VALUE).into_bytes();
    let mut written = 0;
    while !done(&mut client) {
        assert!(written < most, "{written} bytes were written in vain");
        client.send(&bytes).expect("it is read");
        for _ in 0..GO / VALUE {
            assert_eq!(client.next_reply().expect("an answer"), Frame::Simple("OK".into()));
        }
        written += GO;
    }
    written
}

fn number(client: &mut Client, field: &str) -> usize {
    client.info(field).parse().unwrap_or_else(|_| panic!("{field} is a number"))
}

/// What the system itself keeps on the way of a connection, at most. It is not counted against a limit.
const IN_THE_SYSTEM: usize = 32 << 20;

const CLOSED: &str = "for overcoming of output buffer limits.";

#[test]
fn a_replica_that_does_not_read_is_dropped_at_the_hard_limit() {
    together(masters("a_replica_that_does_not_read_is_dropped_at_the_hard_limit"), |master| {
        let master = Server::start(*master, &QUIET);
        master.client().call(&["CONFIG", "SET", "client-output-buffer-limit", "replica 20mb 0 0"]);
        let mut replica = raw_replica(&master, 7777);
        let mut client = master.client();
        let before = number(&mut client, "used_memory");

        let mut most = 0;
        let written = write_until(&master, IN_THE_SYSTEM + (64 << 20), |client| {
            most = most.max(number(client, "used_memory"));
            client.info("connected_slaves") == "0"
        });
        assert!(written >= 20 << 20, "{written} bytes are below the limit");
        assert!(most > before + (10 << 20), "what waits for a replica is counted: {before}, at most {most}");
        master.wait_for_log(CLOSED);
        // It gets what the system has, and the end.
        replica.read_to_end();
        wait::until("the memory to return", || number(&mut client, "used_memory") < before + (6 << 20));
        assert_eq!(client.info("mem_clients_slaves"), "0");
    });
}

#[test]
fn a_replica_that_does_not_read_is_dropped_when_it_is_late_for_too_long() {
    together(masters("a_replica_that_does_not_read_is_dropped_when_it_is_late_for_too_long"), |master| {
        let master = Server::start(*master, &QUIET);
        master.client().call(&["CONFIG", "SET", "client-output-buffer-limit", "replica 0 2mb 1"]);
        let mut replica = raw_replica(&master, 7777);
        let waiting = |client: &mut Client| {
            let list = client.run("CLIENT LIST TYPE replica");
            let text = String::from_utf8_lossy(list.as_bytes().unwrap_or_default()).into_owned();
            // What waits in memory: `omem` of the connection, or what the shared buffer holds for it.
            let field = |name: &str| {
                let value = text.split(' ').find_map(|pair| pair.strip_prefix(name))?;
                value.trim().parse::<usize>().ok()
            };
            field("omem=").unwrap_or(usize::MAX)
        };
        write_until(&master, IN_THE_SYSTEM + (16 << 20), |client| waiting(client) > 3 << 20);
        // Nothing more has to happen: a second later it is over.
        let mut client = master.client();
        wait::until("the replica to be dropped", || client.info("connected_slaves") == "0");
        master.wait_for_log(CLOSED);
        replica.read_to_end();
    });
}

/// The hard limit only: a soft one below the size of the backlog stands as it is.
#[test]
fn a_limit_below_the_backlog_counts_as_the_backlog() {
    together(masters("a_limit_below_the_backlog_counts_as_the_backlog"), |master| {
        let large = ["--repl-backlog-size", "200mb"];
        let master = Server::start(*master, &[&QUIET[..], &large].concat());
        master.client().call(&["CONFIG", "SET", "client-output-buffer-limit", "replica 1mb 0 0"]);
        let _replica = raw_replica(&master, 7777);
        let mut goes = 0;
        write_until(&master, usize::MAX, |_| {
            goes += 1;
            goes > (IN_THE_SYSTEM + (8 << 20)) / GO
        });
        assert_eq!(master.info("connected_slaves"), "1", "it can continue from the backlog all the same");
        master.run("CONFIG SET repl-backlog-size 1mb");
        write_until(&master, GO * 8, |client| client.info("connected_slaves") == "0");
        master.wait_for_log(CLOSED);
    });
}
