//! Processes that are killed without warning, again and again, while clients write.

use std::sync::mpsc;
use std::thread;

use core_types::{Frame, Rng};
use system::{Client, Kind, Server, wait};

const KILLS: u64 = 50;
const WRITERS: usize = 4;

/// What one client wrote in one round: the last number that was acknowledged, and the last that was sent.
struct Written {
    acknowledged: u64,
    sent: u64,
}

/// Writes numbers in a row, several types of keys in turn, until the connection breaks.
fn write_until_killed(
    client: &mut Client,
    writer: usize,
    mut next: u64,
    acknowledged: &mpsc::Sender<()>,
) -> Written {
    // Of the next number, the last round may have sent one command and not the other.
    let mut written = Written { acknowledged: next, sent: next + 1 };
    loop {
        next += 1;
        written.sent = next;
        let number = next.to_string();
        let commands: [Vec<String>; 2] = [
            vec!["HSET".into(), format!("hash:{writer}"), "last".into(), number.clone()],
            vec!["SET".into(), format!("string:{writer}"), number.clone()],
        ];
        for command in &commands {
            match client.try_call(command) {
                Ok(Frame::Error(text)) => panic!("a write was refused: {text:?}"),
                Ok(_) => {}
                Err(_) => return written,
            }
        }
        written.acknowledged = next;
        if acknowledged.send(()).is_err() {
            return written;
        }
    }
}

fn number(server: &Server, command: &str) -> u64 {
    match server.run(command) {
        Frame::Bulk(text) => String::from_utf8_lossy(&text).parse().expect("a number"),
        _ => 0,
    }
}

#[test]
fn no_acknowledged_write_is_lost_with_appendfsync_always() {
    kill_again_and_again("always", KILLS);
}

/// The disk may not have it, but the system has: `write(2)` comes before the reply.
#[test]
fn no_acknowledged_write_is_lost_to_a_kill_with_appendfsync_everysec() {
    kill_again_and_again("everysec", KILLS);
}

#[test]
fn no_acknowledged_write_is_lost_to_a_kill_without_fsync() {
    kill_again_and_again("no", KILLS / 5);
}

fn kill_again_and_again(policy: &str, kills: u64) {
    let mut server = Server::start(Kind::Ours, &["--appendonly", "yes", "--appendfsync", policy]);
    let mut rng = Rng::new(7);
    let mut last = [0; WRITERS];
    let mut acknowledged_in_all = 0;
    for round in 0..kills {
        let (report, reports) = mpsc::channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (report, from) = (report.clone(), last[writer]);
                // Connected before its thread runs: a thread that starts late would connect to the next server, and
                // write until that one is killed, which is never.
                let mut client = Client::connect(server.port()).expect("the server takes clients");
                thread::spawn(move || write_until_killed(&mut client, writer, from, &report))
            })
            .collect();
        drop(report);
        let enough = rng.between(1, 60);
        for count in 0..enough {
            reports.recv().expect("writes are acknowledged");
            // Some of the kills come while the file is being rewritten.
            if count == enough / 2 && round % 3 == 0 {
                server.run("BGREWRITEAOF");
            }
        }
        server.restart();
        wait::until("the end of loading", || !matches!(server.run("PING"), Frame::Error(_)));
        for (writer, handle) in writers.into_iter().enumerate() {
            let written = handle.join().expect("the writer");
            for command in [format!("GET string:{writer}"), format!("HGET hash:{writer} last")] {
                let found = number(&server, &command);
                assert!(
                    (written.acknowledged..=written.sent).contains(&found),
                    "round {round}: {command} is {found}; {} was acknowledged, {} was sent",
                    written.acknowledged,
                    written.sent
                );
            }
            acknowledged_in_all += written.acknowledged - last[writer];
            last[writer] = number(&server, &format!("GET string:{writer}"));
        }
    }
    println!("{policy}: {kills} kills, {acknowledged_in_all} acknowledged rounds of two writes, none lost");
}
