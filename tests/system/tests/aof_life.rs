//! The append-only file in good days and bad: rewrites, replicas, crashes, damage, disks that are full.
//! Each is tried on both kinds of server.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use core_types::{Frame, Rng};
use system::bounded::StopAtEnd;
use system::{Client, Fenced, Server, both, wait};

const AOF: [&str; 2] = ["--appendonly", "yes"];

fn increment(dir: &Path) -> PathBuf {
    // Right after the start it may not be there yet.
    let manifest = wait::find("a manifest", || {
        std::fs::read_to_string(dir.join("appendonlydir/appendonly.aof.manifest")).ok()
    });
    let last = manifest.lines().rfind(|line| line.ends_with("type i")).expect("an increment");
    dir.join("appendonlydir").join(last.split(' ').nth(1).expect("its name"))
}

fn ok(client: &mut Client, command: &str) {
    assert_eq!(client.run(command), Frame::Simple("OK".into()), "{command}");
}

/// The parts of the file, by name and size.
fn parts(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir.join("appendonlydir"))
        .expect("a folder")
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

#[test]
fn a_replica_alone_keeps_a_file_and_a_master_can_be_made_of_it() {
    let test = "a_replica_alone_keeps_a_file_and_a_master_can_be_made_of_it";
    for (master_kind, kind) in
        both(test).into_iter().flat_map(|a| both(test).into_iter().map(move |b| (a, b)))
    {
        let master = Server::start(master_kind, &[]);
        let mut client = master.client();
        client.run("SET before 1");
        client.run("PEXPIRE before 100000000");
        let port = master.port_text();
        let mut replica = Fenced::start(kind, "", &[&AOF[..], &["--replicaof", "127.0.0.1", &port]].concat());
        replica.wait_until_it_serves();
        wait::until("the link", || replica.client().info("master_link_status") == "up");
        for number in 0..500 {
            client.run(&format!("SADD set:{} {number}", number % 7));
            client.run(&format!("SPOP set:{}", number % 5));
            client.run("INCR n");
        }
        client.run("SELECT 3");
        client.run("RPUSH list a b c");
        let digest = client.run("DEBUG DIGEST");
        wait::until("the whole stream at the replica", || replica.client().run("DEBUG DIGEST") == digest);
        assert_eq!(
            std::fs::read_dir(master.dir().join("appendonlydir")).map(Iterator::count).unwrap_or(0),
            0
        );
        // With `everysec` the file is written soon after; what the kernel has, a crash of the process spares.
        wait::until("the end of the stream in the file", || {
            let bytes = std::fs::read(increment(replica.dir())).unwrap_or_default();
            bytes.windows(4).any(|window| window == b"list")
        });
        drop(master);
        replica.kill_and_restart();
        // Its master is gone for good: what it serves is what was in its file.
        replica.wait_until_it_serves();
        let mut client = replica.client();
        ok(&mut client, "REPLICAOF NO ONE");
        assert_eq!(client.run("DEBUG DIGEST"), digest, "{kind:?} of {master_kind:?}");
    }
}

#[test]
fn growth_starts_a_rewrite_once_the_file_is_large_enough() {
    for kind in both("growth_starts_a_rewrite_once_the_file_is_large_enough") {
        let mut server = Fenced::start(
            kind,
            "",
            &[&AOF[..], &["--auto-aof-rewrite-percentage", "100", "--auto-aof-rewrite-min-size", "64kb"]]
                .concat(),
        );
        server.wait_until_it_serves();
        let mut client = server.client();
        // It has grown a hundredfold, and is too small all the same.
        for number in 0..200 {
            client.run(&format!("SET k {number}"));
        }
        let size = |client: &mut Client| client.info("aof_current_size").parse::<u64>().expect("a size");
        assert!(size(&mut client) < 64 * 1024, "{kind:?}");
        let before = parts(server.dir());
        let mut number = 0;
        wait::until("an automatic rewrite", || {
            for _ in 0..500 {
                number += 1;
                client.run(&format!("SET k {number}"));
            }
            server.log().contains("Background AOF rewrite finished successfully")
        });
        let log = server.log();
        assert!(log.contains("Starting automatic rewriting of AOF on "), "{log}");
        assert_eq!(log.matches("Starting automatic rewriting").count(), 1, "{kind:?}: not again and again");
        wait::until("the old parts are gone", || {
            let now = parts(server.dir());
            before.iter().filter(|name| !name.ends_with("manifest")).all(|name| !now.contains(name))
        });
        let base = parts(server.dir()).into_iter().find(|name| name.contains("base")).expect("a base");
        let base = std::fs::metadata(server.dir().join("appendonlydir").join(base)).expect("a file").len();
        assert!(base < 1000, "{kind:?}: one key takes {base} bytes");
        // It is off with a percentage of zero, however large the file.
        ok(&mut client, "CONFIG SET auto-aof-rewrite-percentage 0");
        server.kill_and_restart();
        server.wait_until_it_serves();
        let found = server.client().run("GET k");
        assert!(matches!(found, Frame::Bulk(_)), "{kind:?}: {found:?}");
    }
}

#[test]
fn a_truncated_tail_is_cut_off_or_refused_with_the_words_of_redis() {
    let test = "a_truncated_tail_is_cut_off_or_refused_with_the_words_of_redis";
    // (what is at the end, whether a transaction is open there)
    let tails = [
        "*3\r\n$3\r\nSET\r\n$4\r\ntail\r\n$9\r\nhalf",
        "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\ntail\r\n$1\r\nx\r\n",
    ];
    for tail in tails {
        let mut said = Vec::new();
        for kind in both(test) {
            let mut lines = Vec::new();
            for accept in ["yes", "no"] {
                let mut server =
                    Fenced::start(kind, "", &[&AOF[..], &["--aof-load-truncated", accept]].concat());
                server.wait_until_it_serves();
                server.client().run("SET whole 1");
                wait::until("the write in the file", || {
                    std::fs::read(increment(server.dir())).is_ok_and(|bytes| bytes.ends_with(b"1\r\n"))
                });
                server.kill();
                let path = increment(server.dir());
                let mut bytes = std::fs::read(&path).expect("the file");
                let whole = bytes.len();
                bytes.extend_from_slice(tail.as_bytes());
                std::fs::write(&path, &bytes).expect("the file");
                let from = server.log().len();
                server.kill_and_restart();
                if accept == "yes" {
                    server.wait_until_it_serves();
                    assert_eq!(server.client().run("GET whole"), Frame::Bulk("1".into()), "{kind:?}");
                    assert_eq!(server.client().run("EXISTS tail"), Frame::Integer(0), "{kind:?}");
                    // It serves while its disk is still at it; nothing is written to the file before.
                    wait::until("the tail is cut off", || {
                        std::fs::metadata(&path).is_ok_and(|file| file.len() == whole as u64)
                    });
                } else {
                    assert_eq!(server.wait_for_its_end().code(), Some(1), "{kind:?}");
                    assert_eq!(std::fs::read(&path).expect("the file"), bytes, "{kind:?}: left as it is");
                }
                lines.extend(warnings(&server.log()[from..]));
            }
            said.push(lines);
        }
        assert!(!said[0].is_empty());
        assert!(said.iter().all(|lines| *lines == said[0]), "{said:#?}");
    }
}

/// What the log warns of about the file.
fn warnings(log: &str) -> Vec<String> {
    let lines = log.lines().filter_map(|line| line.split_once(" # ").map(|(_, text)| text.to_owned()));
    lines.filter(|text| text.contains("AOF") || text.contains("append only")).collect()
}

#[test]
fn a_corrupt_middle_is_refused_with_the_words_of_redis() {
    let mut said = Vec::new();
    for kind in both("a_corrupt_middle_is_refused_with_the_words_of_redis") {
        let mut server = Fenced::start(kind, "", &AOF);
        server.wait_until_it_serves();
        for number in 0..100 {
            server.client().run(&format!("SET key:{number} {number}"));
        }
        wait::until("the writes in the file", || {
            std::fs::read(increment(server.dir())).is_ok_and(|bytes| bytes.ends_with(b"99\r\n"))
        });
        server.kill();
        let path = increment(server.dir());
        let mut bytes = std::fs::read(&path).expect("the file");
        let middle = bytes.windows(4).position(|window| window == b"\r\n50").expect("a value");
        let star = bytes[..middle].iter().rposition(|byte| *byte == b'*').expect("its command");
        bytes[star] = b'?';
        std::fs::write(&path, &bytes).expect("the file");
        let from = server.log().len();
        server.kill_and_restart();
        assert_eq!(server.wait_for_its_end().code(), Some(1), "{kind:?}");
        assert_eq!(std::fs::read(&path).expect("the file"), bytes, "{kind:?}: nothing is thrown away");
        said.push(warnings(&server.log()[from..]));
    }
    // Ours says besides what is wrong with it.
    for real in &said[1..] {
        assert_eq!(said[0].len(), real.len(), "{said:#?}");
        for (ours, real) in said[0].iter().zip(real) {
            assert!(ours.starts_with(real.as_str()), "{said:#?}");
        }
    }
}

fn incompressible(rng: &mut Rng) -> Vec<u8> {
    (0..10_000 / 8).flat_map(|_| rng.next_u64().to_le_bytes()).collect()
}

const FULL: u64 = 300_000;

#[test]
fn a_full_disk_stops_writes_until_there_is_room_and_nothing_is_lost() {
    for kind in both("a_full_disk_stops_writes_until_there_is_room_and_nothing_is_lost") {
        let mut server = Fenced::start(kind, "", &AOF);
        server.wait_until_it_serves();
        server.limit_files(Some(FULL));
        let (mut client, mut rng) = (server.client(), Rng::new(1));
        let mut accepted = 0;
        let refused = wait::find("a refusal", || {
            let command = [b"SET".to_vec(), format!("k:{accepted}").into_bytes(), incompressible(&mut rng)];
            match client.call(&command) {
                Frame::Error(text) => Some(text),
                _ => {
                    accepted += 1;
                    None
                }
            }
        });
        assert!(refused.starts_with("MISCONF Errors writing to the AOF file: "), "{kind:?}: {refused}");
        assert_eq!(client.info("aof_last_write_status"), "err", "{kind:?}");
        assert!(matches!(client.run("GET k:0"), Frame::Bulk(_)), "{kind:?}: reading goes on");
        assert!(matches!(client.run("DEL k:0"), Frame::Error(_)), "{kind:?}: any write is refused");
        server.limit_files(None);
        wait::until("writes are taken again", || client.run("SET again 1") == Frame::Simple("OK".into()));
        assert_eq!(client.info("aof_last_write_status"), "ok", "{kind:?}");
        let digest = client.run("DEBUG DIGEST");
        wait::until("the last write in the file", || {
            let bytes = std::fs::read(increment(server.dir())).unwrap_or_default();
            bytes.windows(5).any(|window| window == b"again")
        });
        server.kill_and_restart();
        server.wait_until_it_serves();
        assert_eq!(server.client().run("DEBUG DIGEST"), digest, "{kind:?}: {accepted} keys of 10,000 bytes");
    }
}

#[test]
fn with_fsync_always_a_full_disk_ends_the_process_before_anything_is_lost() {
    for kind in both("with_fsync_always_a_full_disk_ends_the_process_before_anything_is_lost") {
        let mut server = Fenced::start(kind, "", &[&AOF[..], &["--appendfsync", "always"]].concat());
        server.wait_until_it_serves();
        server.limit_files(Some(FULL));
        let (mut client, mut rng) = (server.client(), Rng::new(1));
        let mut accepted = 0;
        loop {
            assert!(accepted < 2 * FULL / 10_000, "{kind:?}: the disk does not get full");
            let command = [b"SET".to_vec(), format!("k:{accepted}").into_bytes(), incompressible(&mut rng)];
            match client.try_call(&command) {
                Ok(reply) => assert_eq!(reply, Frame::Simple("OK".into()), "{kind:?}"),
                Err(_) => break,
            }
            accepted += 1;
        }
        assert_eq!(server.wait_for_its_end().code(), Some(1), "{kind:?}");
        let words = "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...";
        assert!(server.log().contains(words), "{kind:?}");
        server.kill_and_restart();
        server.wait_until_it_serves();
        for number in 0..accepted {
            let found = server.client().run(&format!("EXISTS k:{number}"));
            assert_eq!(found, Frame::Integer(1), "{kind:?}: k:{number} of {accepted} was acknowledged");
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how much time a crash may cost is the question")]
fn a_crash_with_everysec_loses_a_second_at_most_and_leaves_no_hole() {
    for kind in both("a_crash_with_everysec_loses_a_second_at_most_and_leaves_no_hole") {
        let mut server = Fenced::start(kind, "", &[&AOF[..], &["--appendfsync", "everysec"]].concat());
        let mut lost_most = 0;
        for round in 0..4 {
            server.wait_until_it_serves();
            ok(&mut server.client(), "FLUSHALL");
            let port = server.port();
            let (acknowledged, stop) = (AtomicU64::new(0), AtomicBool::new(false));
            // What was acknowledged, and when that was seen.
            let mut seen = Vec::new();
            std::thread::scope(|scope| {
                let _stop = StopAtEnd(&stop);
                scope.spawn(|| {
                    let mut client = Client::connect(port).expect("a connection");
                    for number in 1.. {
                        let write = ["MSET", &format!("a:{number}"), "x", &format!("b:{number}"), "x"];
                        if client.try_call(&write).is_err() || stop.load(Ordering::Relaxed) {
                            return;
                        }
                        acknowledged.store(number, Ordering::Release);
                    }
                });
                let begun = std::time::Instant::now();
                wait::until("enough writes", || {
                    seen.push((std::time::Instant::now(), acknowledged.load(Ordering::Acquire)));
                    acknowledged.load(Ordering::Acquire) > 500
                        && begun.elapsed().as_millis() > 1500 + 100 * round
                });
                server.kill();
            });
            let killed = std::time::Instant::now();
            let last = acknowledged.load(Ordering::Acquire);
            server.kill_and_restart();
            server.wait_until_it_serves();
            let mut client = server.client();
            let Frame::Integer(keys) = client.run("DBSIZE") else { panic!("a number") };
            let found = keys as u64 / 2;
            assert_eq!(keys % 2, 0, "{kind:?}: no write is there by half");
            let commands: Vec<_> = (1..=found)
                .map(|number| ["EXISTS".into(), format!("a:{number}"), format!("b:{number}")])
                .map(|words| words.map(String::into_bytes).to_vec())
                .collect();
            let whole = client.pipeline(&commands).iter().all(|reply| *reply == Frame::Integer(2));
            assert!(whole, "{kind:?}: what is there is the beginning, without a hole");
            let older = seen.iter().rev().find(|(at, _)| killed.duration_since(*at).as_millis() > 2000);
            let promised = older.map_or(0, |(_, number)| *number);
            assert!(found >= promised, "{kind:?}: {found} of {last}; {promised} were older than two seconds");
            lost_most = lost_most.max(last.saturating_sub(found));
        }
        println!("{kind:?}: {lost_most} acknowledged writes lost at most");
    }
}
