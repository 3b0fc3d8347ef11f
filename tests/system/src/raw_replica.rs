//! A replica of the test's own making, which does and says what the test wants.

use crate::{Client, Server, wait};

/// Attaches a replica that says it listens on `port`, passes by its snapshot, and is online. What it is sent
/// from now on is for the test to read, or to leave unread.
///
/// # Panics
/// If the master does not take it.
pub fn raw_replica(master: &Server, port: u16) -> Client {
    let mut replica = master.client();
    for (line, answer) in
        [(format!("REPLCONF listening-port {port}\r\n"), "+OK"), ("PSYNC ? -1\r\n".into(), "+FULLRESYNC")]
    {
        replica.send(line.as_bytes()).expect("it is sent");
        let said = replica.read_line();
        assert!(said.starts_with(answer.as_bytes()), "{}", String::from_utf8_lossy(&said));
    }
    skip_snapshot(&mut replica);
    let (mut client, port) = (master.client(), format!(",port={port},"));
    wait::until("the replica to be online", || {
        let info = client.run("INFO replication");
        let text = String::from_utf8_lossy(info.as_bytes().unwrap_or_default()).into_owned();
        text.lines().any(|line| line.contains(&port) && line.contains("state=online"))
    });
    replica
}

/// Reads a snapshot that is sent with its length in front, and returns it.
///
/// # Panics
/// If something else comes.
pub fn skip_snapshot(replica: &mut Client) -> Vec<u8> {
    let head = String::from_utf8_lossy(&replica.read_line()).trim().to_owned();
    let length = head.strip_prefix('$').and_then(|length| length.parse().ok());
    replica.read_exactly(length.unwrap_or_else(|| panic!("no snapshot: {head}")))
}
