//! What a replica is sent: the stream of commands of `ha-server` and of a real Redis, byte for byte.

use std::time::Duration;

use system::compare::{RawClient, differences};
use system::{Kind, Server, redis_or_skip};

const PATIENCE: Duration = Duration::from_secs(30);

/// Commands that come to the replicas in another form than they were sent in, and what is kept together.
const SCRIPT: &str = include_str!("../scripts/replicated.txt");

#[test]
fn replicas_are_sent_the_same_stream() {
    let flags = ["--repl-ping-replica-period", "3600", "--enable-debug-command", "yes"];
    let Some(real) = redis_or_skip("replicas_are_sent_the_same_stream", &flags) else { return };
    let ours = Server::start(Kind::Ours, &flags);
    ours.wait_until_loaded();
    let mut replicas = [&ours, &real].map(|server| attach(server.port()));
    let found = differences(ours.port(), real.port(), SCRIPT, PATIENCE);
    assert!(found.is_empty(), "{found}");
    let [left, right] = replicas.each_mut().map(stream);
    let end = left.len().max(right.len());
    for at in 0..end {
        let before = &right[at.saturating_sub(3)..at.min(right.len())];
        assert_eq!(left.get(at), right.get(at), "command {at} of the stream, behind {before:#?}");
    }
}

/// Asks for everything, and passes by the snapshot.
fn attach(port: u16) -> RawClient {
    let mut replica = RawClient::connect(port, PATIENCE);
    let answer = replica.call("PSYNC ? -1");
    assert!(answer.starts_with(b"+FULLRESYNC"), "{}", String::from_utf8_lossy(&answer));
    replica.skip_snapshot();
    replica
}

/// The commands up to the one that says the end.
fn stream(replica: &mut RawClient) -> Vec<String> {
    let (mut commands, mut pings) = (Vec::new(), 0);
    loop {
        // Redis writes its own words now in upper, now in lower case.
        let command = String::from_utf8_lossy(&replica.reply()).replace("\r\n", " ").to_lowercase();
        // A sign of life comes when the clock says so, whatever was written.
        if command == "*1 $4 ping " {
            pings += 1;
            assert!(pings < 60, "ten minutes of silence after {commands:?}");
            continue;
        }
        let last = command.contains("the-end") || command.starts_with('<');
        // Absolute times differ by the moment at which the two servers ran the command.
        let masked = mask_times(&command);
        commands.push(masked);
        if last {
            return commands;
        }
    }
}

/// Puts `<time>` for every number that can be a Unix time in milliseconds.
fn mask_times(command: &str) -> String {
    let words = command.split(' ').map(|word| {
        let is_time = word.len() == 13 && word.bytes().all(|byte| byte.is_ascii_digit());
        if is_time { "<time>" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}
