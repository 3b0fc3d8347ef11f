//! Replicas that ask for what there is not, and say what cannot be: the same bytes to ours and to a real Redis,
//! the same answers. Masters that break their word to a replica that wants to continue. Chains that form a loop.

use std::sync::{Arc, Mutex};

use core_types::Frame;
use system::scripted::ScriptedMaster;
use system::topology::{QUIET, each_pair, follow, settle, together};
use system::{Cable, Kind, Server, raw_replica, redis_tool_or_skip, skip_snapshot, wait};

use Kind::{Ours, Redis};

/// Does the same with ours and with real Redis, and compares what was seen, line by line.
fn compare(test: &str, see: impl Fn(Kind) -> Vec<String> + Sync) {
    if redis_tool_or_skip(test, "redis-server").is_none() {
        return;
    }
    let seen = together([Ours, Redis], |kind| see(*kind));
    let mut differences = String::new();
    for nth in 0..seen[0].len().max(seen[1].len()) {
        let [ours, redis] = [0, 1].map(|side| seen[side].get(nth).map_or("nothing", String::as_str));
        if ours != redis {
            differences += &format!("\nours:  {ours}\nredis: {redis}\n");
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// A master with a history: one replica has been there, so it keeps a backlog.
fn master_with_a_history(kind: Kind) -> Server {
    let master = Server::start(kind, &QUIET);
    let first = raw_replica(&master, 7777);
    for command in ["SET k v", "SELECT 3", "INCR n", "RPUSH l a b c"] {
        master.run(command);
    }
    drop(first);
    wait::until("it is gone", || master.info("connected_slaves") == "0");
    master
}

/// Everything that changes from run to run, by a name.
fn masked(server: &Server, bytes: &[u8]) -> String {
    let text = core_types::show_bytes(bytes).to_string();
    let (id, second) = (server.info("master_replid"), server.info("master_replid2"));
    text.replace(&id, "<id>").replace(&second, "<id2>")
}

/// Sends a line on a connection of its own; returns the first line of the answer and, if it is `+CONTINUE`, the
/// bytes up to the end of what was written after it.
fn ask(master: &Server, lines: &[&str], last_word: &str) -> String {
    let mut client = master.client();
    let id = master.info("master_replid");
    let mut said = Vec::new();
    for line in lines {
        let line =
            line.replace("<id>", &id).replace("<short>", &id[..39]).replace("<ID>", &id.to_uppercase());
        client.send(format!("{line}\r\n").as_bytes()).expect("it is sent");
        said = client.read_line();
    }
    if said.starts_with(b"+CONTINUE") {
        master.run(&format!("SET last {last_word}"));
        said.extend(client.read_until(format!("{last_word}\r\n").as_bytes()));
    }
    masked(master, &said)
}

#[test]
fn psync_is_answered_as_by_redis() {
    compare("psync_is_answered_as_by_redis", |kind| {
        let master = master_with_a_history(kind);
        let end: u64 = master.info("master_repl_offset").parse().expect("an offset");
        let mut seen = vec![format!("the history ends at {end}")];
        let offsets = ["1", "2", "24", "0", "-1", "-2", "9223372036854775807", "-9223372036854775808"];
        let offsets = offsets.map(str::to_owned).into_iter();
        // What others have written in the meantime only makes the end move, the same way on both sides.
        let ends = [end, end + 1, end + 2, end + 100_000].map(|offset| offset.to_string());
        let mut requests: Vec<String> =
            offsets.chain(ends).map(|offset| format!("PSYNC <id> {offset}")).collect();
        for request in [
            "PSYNC <id> x",
            "PSYNC <id> 1x",
            "PSYNC <id> 1.0",
            "PSYNC <id>  1",
            "PSYNC <id> 99999999999999999999",
            "PSYNC <short> 1",
            "PSYNC <id>0 1",
            "PSYNC <ID> 1",
            "PSYNC \"\" 1",
            "PSYNC x 1",
            "PSYNC ? 1",
            "PSYNC ?? 1",
            "PSYNC 0000000000000000000000000000000000000000 1",
            "psync <id> 1",
            "PSYNC <id>",
            "PSYNC <id> 1 x",
            "PSYNC <id> 1 FAILOVER",
            "PSYNC ? -1 FAILOVER",
        ] {
            requests.push(request.to_owned());
        }
        for (nth, request) in requests.iter().enumerate() {
            // Without the ability, the answer does not say the id.
            let able: &[&str] =
                if nth == 0 { &["REPLCONF capa psync2", "PING"] } else { &["REPLCONF capa psync2"] };
            for first in able {
                let answer = ask(&master, &[first, request], &format!("word-{nth}"));
                seen.push(format!("{first}, {request}: {answer}"));
            }
        }
        wait::until("all to be gone", || master.info("connected_slaves") == "0");
        for field in ["sync_full", "sync_partial_ok", "sync_partial_err"] {
            seen.push(format!("{field} {}", master.info(field)));
        }
        seen
    });
}

#[test]
fn a_failover_by_psync_is_answered_as_by_redis() {
    compare("a_failover_by_psync_is_answered_as_by_redis", |kind| {
        let (master, replica) = (Server::start(kind, &QUIET), Server::start(kind, &QUIET));
        follow(&replica, master.port());
        settle(&[&master, &replica]);
        let mut seen = Vec::new();
        for request in ["PSYNC <short> 1 FAILOVER", "PSYNC ? -1 FAILOVER", "PSYNC <id> x FAILOVER"] {
            seen.push(ask(&replica, &[request], "never"));
        }
        seen.push(replica.info("role"));
        // This one makes it a master, which then continues the one that asked.
        let mut client = replica.client();
        let (id, offset) = (replica.info("master_replid"), replica.info("master_repl_offset"));
        let next = offset.parse::<u64>().expect("an offset") + 1;
        client.send(format!("PSYNC {id} {next} FAILOVER\r\n").as_bytes()).expect("it is sent");
        let said = client.read_line();
        seen.push(masked(&replica, &said));
        seen.push(replica.info("role"));
        seen
    });
}

#[test]
fn acknowledgements_go_forward_only_as_in_redis() {
    compare("acknowledgements_go_forward_only_as_in_redis", |kind| {
        let master = Server::start(kind, &QUIET);
        let mut replica = raw_replica(&master, 7777);
        master.run("SET k 0123456789012345678901234567890123456789");
        let mut seen = Vec::new();
        let mut client = master.client();
        let mut acknowledge = |ack: &str| {
            // Nothing answers it. That it has been read shows in the number of commands, in which our own
            // questions are counted, too.
            let mut commands = || client.info("total_commands_processed").parse::<u64>().expect("a number");
            let (before, mut asked) = (commands(), 0);
            replica.send(format!("REPLCONF ACK \"{ack}\"\r\n").as_bytes()).expect("it is sent");
            wait::until(&format!("the acknowledgement {ack} to be read"), || {
                asked += 1;
                commands() == before + asked + 1
            });
            let row = master.info("slave0");
            let offset = row.split(',').find(|pair| pair.starts_with("offset=")).unwrap_or("no replica");
            format!("{ack:?}: {offset}")
        };
        for ack in ["50", "60", "40", "0", "-5", "x", "", "61"] {
            seen.push(acknowledge(ack));
        }
        // One that cannot have what it says it has is believed, in INFO and in WAIT.
        seen.push(acknowledge("1000000"));
        let mut client = master.client();
        client.run("SET k w");
        seen.push(format!("{:?}", client.run("WAIT 1 0")));
        seen.push(master.info("master_repl_offset"));
        seen
    });
}

#[test]
fn a_replica_that_sends_commands_is_answered_as_by_redis() {
    compare("a_replica_that_sends_commands_is_answered_as_by_redis", |kind| {
        let master = Server::start(kind, &QUIET);
        let mut seen = Vec::new();
        for commands in
            ["SET k v", "GET k", "PING", "SYNC", "PSYNC ? -1", "SUBSCRIBE ch", "MULTI", "FLUSHALL", "NOSUCH"]
        {
            let mut replica = raw_replica(&master, 7777);
            replica.send(format!("{commands}\r\n").as_bytes()).expect("it is sent");
            let port = format!("REPLCONF listening-port {}\r\n", 8000);
            replica.send(port.as_bytes()).expect("it is sent");
            wait::until("it is read", || !master.info("slave0").contains("port=7777"));
            master.run("SET end of-all");
            let said = replica.read_until(b"of-all\r\n");
            seen.push(format!("{commands}: {}", masked(&master, &said)));
            seen.push(master.info("connected_slaves"));
            drop(replica);
            wait::until("it is gone", || master.info("connected_slaves") == "0");
        }
        seen
    });
}

/// A master that answers its `PSYNC`s in turn by these, then by hanging up; and what it was asked.
fn scripted_master(answers: Vec<Vec<u8>>) -> (ScriptedMaster, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&asked);
    let master = ScriptedMaster::start_and_hang_up(
        move |command| {
            let mut list = list.lock().expect("nobody panics with it");
            if command.starts_with("PSYNC") || command.starts_with("SYNC") {
                list.push(command.to_owned());
                return answers.get(list.len() - 1).cloned();
            }
            ScriptedMaster::polite(command, b"")
        },
        "PSYNC",
    );
    (master, asked)
}

/// The snapshot of an empty data set, which both kinds of servers load.
fn empty_snapshot() -> Vec<u8> {
    let master = Server::start(Ours, &[]);
    let mut client = master.client();
    client.send(b"SYNC\r\n").expect("it is sent");
    skip_snapshot(&mut client)
}

/// What a replica asks for that was synchronised at offset 100 of history `aaa…`, has applied a command, and
/// then gets `answer` when it wants to continue.
fn asks_after(kind: Kind, snapshot: &[u8], answer: &[u8]) -> Vec<String> {
    let full = [
        format!("+FULLRESYNC {} 100\r\n${}\r\n", "a".repeat(40), snapshot.len()).as_bytes(),
        snapshot,
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n",
    ]
    .concat();
    let (master, asked) = scripted_master(vec![full, answer.to_vec()]);
    let mut replica = Server::start(kind, &QUIET);
    let own = replica.info("master_replid");
    follow(&replica, master.port());
    let list = || asked.lock().expect("nobody panics with it").clone();
    wait::until("a third attempt", || list().len() >= 3);
    assert!(replica.is_alive());
    let mut seen: Vec<String> =
        list().into_iter().take(3).map(|line| line.replace(&own, "<own id>")).collect();
    seen.push(format!("{:?}", replica.run("GET k")));
    seen
}

#[test]
fn a_master_that_answers_nonsense_to_a_continuation() {
    let snapshot = empty_snapshot();
    let b = "b".repeat(40);
    let answers: Vec<String> = vec![
        "+CONTINUE\r\n".into(),
        format!("+CONTINUE {b}\r\n"),
        format!("+CONTINUE {b}\r\n*1\r\n$4\r\nPING\r\n"),
        "+CONTINUE short\r\n".into(),
        format!("+CONTINUE {b}b\r\n"),
        "+CONTINUE \r\n".into(),
        format!("+CONTINUE{b}\r\n"),
        "+CONTINUE\r\nnonsense\r\n".into(),
        "+CONTINUE\r\n*1\r\n$-7\r\n".into(),
        "+CONTINUE\r\n*1\r\n$6\r\nNOSUCH\r\n".into(),
        "+CONTINUE\r\n*1\r\n$4\r\nPI".into(),
        "-ERR no\r\n".into(),
        "-NOMASTERLINK not now\r\n".into(),
        "-LOADING not now\r\n".into(),
        "+WHATEVER\r\n".into(),
        "+FULLRESYNC\r\n".into(),
        "\n\n\n+CONTINUE\r\n".into(),
    ];
    compare("a_master_that_answers_nonsense_to_a_continuation", |kind| {
        let seen = together(answers.clone(), |answer| {
            let seen = asks_after(kind, &snapshot, answer.as_bytes());
            seen.into_iter().map(|line| format!("{answer:?}: {line}")).collect::<Vec<_>>()
        });
        seen.concat()
    });
}

/// A real Redis that has nothing to continue from ends with a crash here; ours asks again.
#[test]
fn a_continuation_that_nobody_asked_for() {
    let (master, asked) = scripted_master(vec![b"+CONTINUE\r\n".to_vec(), b"+CONTINUE\r\n".to_vec()]);
    let mut replica = Server::start(Ours, &["--replicaof", "127.0.0.1", &master.port().to_string()]);
    wait::until("a third attempt", || asked.lock().expect("nobody panics with it").len() >= 3);
    for line in asked.lock().expect("nobody panics with it").iter() {
        assert_eq!(line, "PSYNC ? -1");
    }
    assert!(replica.is_alive());
    assert_eq!(replica.info("master_link_status"), "down");
}

#[test]
fn two_that_follow_each_other_from_the_start_serve_nobody_and_heal() {
    each_pair("two_that_follow_each_other_from_the_start_serve_nobody_and_heal", |first, second| {
        let (a, b) = (Server::start(first, &QUIET), Server::start(second, &QUIET));
        a.run("SET k v");
        // Neither has a link when the other asks.
        let cable = Cable::to(b.port());
        cable.cut();
        follow(&a, cable.port());
        follow(&b, a.port());
        cable.mend();
        for server in [&a, &b] {
            server.wait_for_log("Can't SYNC while not connected with my master");
            assert_eq!(server.info("master_link_status"), "down");
        }
        assert_eq!(a.run("REPLICAOF NO ONE"), Frame::Simple("OK".into()));
        settle(&[&a, &b]);
        assert_eq!(b.run("GET k"), Frame::Bulk("v".into()));
    });
}

#[test]
fn a_master_that_follows_its_own_replica_forms_a_loop_that_heals() {
    each_pair("a_master_that_follows_its_own_replica_forms_a_loop_that_heals", |first, second| {
        let (a, b) = (Server::start(first, &QUIET), Server::start(second, &QUIET));
        a.run("SET k v");
        follow(&b, a.port());
        settle(&[&a, &b]);
        follow(&a, b.port());
        a.wait_for_link();
        let refused = Frame::Error("READONLY You can't write against a read only replica.".into());
        for server in [&a, &b] {
            assert_eq!(server.run("SET k w"), refused);
            assert_eq!(server.run("GET k"), Frame::Bulk("v".into()));
        }
        // Neither of them says anything, until one is a master again.
        assert_eq!(a.info("master_repl_offset"), b.info("master_repl_offset"));
        assert_eq!(b.run("REPLICAOF NO ONE"), Frame::Simple("OK".into()));
        b.run("SET k w");
        settle(&[&a, &b]);
        assert_eq!(a.run("GET k"), Frame::Bulk("w".into()));
    });
}

#[test]
fn a_server_that_follows_itself_keeps_its_data() {
    compare("a_server_that_follows_itself_keeps_its_data", |kind| {
        let server = Server::start(kind, &QUIET);
        server.run("SET k v");
        follow(&server, server.port());
        server.wait_for_log("Can't SYNC while not connected with my master");
        let seen = vec![
            server.info("role"),
            server.info("master_link_status"),
            format!("{:?}", server.run("GET k")),
        ];
        server.run("REPLICAOF NO ONE");
        server.run("SET k w");
        seen
    });
}
