//! The same script on both servers, replies compared byte for byte.
//!
//! A script is text, one step a line:
//!
//! - `a> SET k v` sends a command on the connection `a` (opened when it is first named) and reads one
//!   reply; `a*3> SUBSCRIBE x y z` reads three, `a*0> BLPOP k 0` none.
//! - `b<` reads one more reply, or message, that `b` must get; `b<3` three.
//! - `a~> TIME` reads a reply and does not compare it.
//! - `a$` reads the end of the connection.
//! - `{id:b}` in a command stands for what `CLIENT ID` says on `b`, `{addr:b}` for `b`'s own address.
//! - `#` begins a comment.
//!
//! Words are split and quoted as in an inline command.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::BytesMut;
use core_types::{show_bytes, write_command};
use solution_0::{FrameDecoder, split_inline};

use crate::wait::find;

/// A connection that shows replies as the bytes they are.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    received: BytesMut,
    /// What `CLIENT ID` said.
    id: String,
}

/// What stands for the end of a connection where a reply was to come.
const CLOSED: &[u8] = b"<closed>";

impl RawClient {
    /// Connects to a server of this machine; a reply that takes longer than `patience` counts as missing.
    ///
    /// # Panics
    /// If nobody listens there.
    pub fn connect(port: u16, patience: Duration) -> RawClient {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        stream.set_nodelay(true).expect("an option that is always there");
        stream.set_read_timeout(Some(patience)).expect("a timeout can be set");
        RawClient { stream, received: BytesMut::new(), id: String::new() }
    }

    /// Sends a command.
    pub fn send<A: AsRef<[u8]>>(&mut self, words: impl ExactSizeIterator<Item = A> + Clone) {
        let words: Vec<Vec<u8>> = words.map(|word| word.as_ref().to_vec()).collect();
        let mut bytes = BytesMut::new();
        write_command(&mut bytes, words.iter().map(Vec::as_slice));
        // A server that has hung up shows that when we read.
        let _ = self.stream.write_all(&bytes);
    }

    /// Waits until the server has read all that was sent. Where no reply says so, that alone puts a command before what
    /// another connection sends next: on a busy machine the kernel may bring the later one first.
    ///
    /// Linux tells how much waits at both ends. Elsewhere nothing is waited for.
    ///
    /// # Panics
    /// If the server does not read for a long time.
    fn wait_until_read(&self) {
        let ends = [self.stream.local_addr(), self.stream.peer_addr()].map(|end| end.map(|end| end.port()));
        let [Ok(here), Ok(there)] = ends else { return };
        find("a server that reads what was sent", || {
            let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else { return Some(()) };
            let waiting = |from, to, queue: fn(Queues) -> u32| queues(&table, from, to).map_or(0, queue);
            let unread =
                waiting(here, there, |queues| queues.sent) + waiting(there, here, |queues| queues.received);
            (unread == 0).then_some(())
        });
    }

    /// The bytes of the next reply.
    ///
    /// # Panics
    /// If none comes in a long time, or what comes is no RESP.
    pub fn reply(&mut self) -> Vec<u8> {
        loop {
            // A master that prepares a snapshot says so by bare line ends; how many, is a matter of time.
            while self.received.first() == Some(&b'\n') {
                let _ = self.received.split_to(1);
            }
            let mut rest = self.received.clone();
            let frame = FrameDecoder::new().decode(&mut rest);
            if frame.unwrap_or_else(|error| panic!("{error}: {}", show_bytes(&self.received))).is_some() {
                return self.received.split_to(self.received.len() - rest.len()).to_vec();
            }
            let mut piece = [0; 16 * 1024];
            match self.stream.read(&mut piece) {
                Ok(0) => return CLOSED.to_vec(),
                Ok(count) => self.received.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return CLOSED.to_vec(),
                Err(error) => {
                    return format!("<no reply: {error}; so far: {}>", show_bytes(&self.received)).into();
                }
            }
        }
    }

    /// Passes by a snapshot that is sent with its length in front.
    ///
    /// # Panics
    /// If something else comes.
    pub fn skip_snapshot(&mut self) {
        let mut piece = [0; 16 * 1024];
        loop {
            // Bare newlines are signs of life while the snapshot is being made.
            while self.received.first() == Some(&b'\n') {
                let _ = self.received.split_to(1);
            }
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let header = String::from_utf8_lossy(&self.received[..end]).trim().to_owned();
                let length = header.strip_prefix('$').and_then(|length| length.parse::<usize>().ok());
                let length = length.unwrap_or_else(|| panic!("no snapshot: {header}"));
                if self.received.len() > end + length {
                    let _ = self.received.split_to(end + 1 + length);
                    return;
                }
            }
            let count = self.stream.read(&mut piece).expect("a snapshot");
            assert!(count > 0, "the connection ended before the snapshot");
            self.received.extend_from_slice(&piece[..count]);
        }
    }

    /// Sends a line's words and reads its one reply.
    ///
    /// # Panics
    /// As [`reply`](RawClient::reply), and if the quotes of the line are not balanced.
    pub fn call(&mut self, line: &str) -> Vec<u8> {
        let words = split_inline(line.as_bytes()).expect("balanced quotes");
        self.send(words.as_args().iter());
        self.reply()
    }
}

/// Bytes that wait at one end of a connection: sent and not confirmed, received and not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Queues {
    sent: u32,
    received: u32,
}

/// What Linux's table of TCP connections (`/proc/net/tcp`) says of the end at port `from` of the connection to `to`.
fn queues(table: &str, from: u16, to: u16) -> Option<Queues> {
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let mut port = || u16::from_str_radix(words.next()?.split_once(':')?.1, 16).ok();
        if (port()?, port()?) != (from, to) {
            return None;
        }
        let (sent, received) = words.nth(1)?.split_once(':')?;
        let [sent, received] = [sent, received].map(|bytes| u32::from_str_radix(bytes, 16).ok());
        Some(Queues { sent: sent?, received: received? })
    })
}

/// One server and the script's connections to it.
#[derive(Debug)]
struct Side {
    port: u16,
    patience: Duration,
    clients: BTreeMap<String, RawClient>,
}

impl Side {
    fn client(&mut self, name: &str) -> &mut RawClient {
        self.clients.entry(name.to_owned()).or_insert_with(|| {
            let mut client = RawClient::connect(self.port, self.patience);
            let id = client.call("CLIENT ID");
            client.id = String::from_utf8_lossy(&id).trim_matches([':', '\r', '\n']).to_owned();
            client
        })
    }

    /// Puts in what differs from server to server.
    fn fill_in(&mut self, line: &str) -> String {
        let mut filled = line.to_owned();
        while let Some((before, (kind, (name, after)))) = filled
            .split_once('{')
            .and_then(|(before, rest)| Some((before, rest.split_once(':')?)))
            .and_then(|(before, (kind, rest))| Some((before, (kind, rest.split_once('}')?))))
            .filter(|(_, (kind, _))| matches!(*kind, "id" | "addr"))
        {
            let client = self.client(name);
            let value = match kind {
                "id" => client.id.clone(),
                _ => client.stream.local_addr().expect("it is connected").to_string(),
            };
            filled = format!("{before}{value}{after}");
        }
        filled
    }

    fn step(&mut self, step: &Step<'_>) -> Vec<Vec<u8>> {
        let line = self.fill_in(step.command);
        let client = self.client(step.connection);
        if !line.is_empty() {
            let words = split_inline(line.as_bytes()).expect("balanced quotes");
            client.send(words.as_args().iter());
        }
        if step.replies == 0 {
            client.wait_until_read();
        }
        (0..step.replies).map(|_| client.reply()).collect()
    }
}

struct Step<'s> {
    connection: &'s str,
    replies: usize,
    compared: bool,
    command: &'s str,
}

fn parse(line: &str) -> Option<Step<'_>> {
    let name = line.len() - line.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).len();
    let (connection, rest) = line.split_at(name);
    let step = |replies, compared, command| Some(Step { connection, replies, compared, command });
    if let Some(count) = rest.strip_prefix('<') {
        return step(if count.is_empty() { 1 } else { count.trim().parse().ok()? }, true, "");
    }
    match rest {
        "$" => return step(1, true, ""),
        _ if rest.starts_with("> ") => return step(1, true, &rest[2..]),
        _ if rest.starts_with("~> ") => return step(1, false, &rest[3..]),
        _ => {}
    }
    let (count, command) = rest.strip_prefix('*')?.split_once("> ")?;
    step(count.parse().ok()?, true, command)
}

/// Runs a script on both servers. Returns every step whose replies differ, ready to be printed.
///
/// # Panics
/// If a line is no step.
pub fn differences(ours: u16, real: u16, script: &str, patience: Duration) -> String {
    differences_but([ours, real], [script, script], patience, |_, reply| mask_monitor(reply))
}

/// The same with a script for each of them, of as many lines, and with a mask: what it makes of the replies to both
/// is compared. It is told whose reply it is: 0, ours, or 1, the real one's.
///
/// # Panics
/// If a line is no step.
pub fn differences_but(
    ports: [u16; 2],
    scripts: [&str; 2],
    patience: Duration,
    mask: impl Fn(usize, Vec<u8>) -> Vec<u8>,
) -> String {
    let mut sides = ports.map(|port| Side { port, patience, clients: BTreeMap::new() });
    let mut found = String::new();
    for (number, lines) in scripts[0].lines().zip(scripts[1].lines()).enumerate() {
        let lines: [&str; 2] = lines.into();
        let lines = lines.map(str::trim);
        if lines[0].is_empty() || lines[0].starts_with('#') {
            continue;
        }
        let mut replies = [0, 1].map(|side| {
            let line = lines[side];
            let step = parse(line).unwrap_or_else(|| panic!("line {}: no step: {line}", number + 1));
            let replies = sides[side].step(&step);
            (step.compared, replies.into_iter().map(|reply| mask(side, reply)).collect::<Vec<_>>())
        });
        let compared = replies[0].0;
        let [left, right] = replies.each_mut().map(|(_, replies)| std::mem::take(replies));
        let missing = left.iter().chain(&right).any(|reply| reply.starts_with(b"<no reply"));
        if missing || (compared && left != right) {
            let show =
                |replies: &[Vec<u8>]| replies.iter().map(|reply| show_bytes(reply)).collect::<Vec<_>>();
            found += &format!(
                "line {}: {}\n   ours:  {}\n   redis: {}\n",
                number + 1,
                lines[0],
                show(&left).join(" | "),
                show(&right).join(" | ")
            );
        }
    }
    found
}

/// A line of `MONITOR` begins with the time, and names the client's address.
fn mask_monitor(reply: Vec<u8>) -> Vec<u8> {
    let bracket = |byte: u8| reply.iter().position(|other| *other == byte);
    match (bracket(b'['), bracket(b']')) {
        (Some(open), Some(close)) if reply.starts_with(b"+1") && open < close => {
            let db: &[u8] = reply[open..close].split(|byte| *byte == b' ').next().unwrap_or_default();
            [db, &reply[close..]].concat()
        }
        _ => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_connection_is_found_in_linuxs_table() {
        // Port 7000 listens (0A), 40000 is connected to it (01) and has sent 27 bytes that were not read yet.
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1B58 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0
   1: 0100007F:9C40 0100007F:1B58 01 00000001:00000000 00:00000000 00000000     0        0 2 1 0
   2: 0100007F:1B58 0100007F:9C40 01 00000000:0000001B 00:00000000 00000000     0        0 3 1 0
";
        assert_eq!(queues(table, 40_000, 7000), Some(Queues { sent: 1, received: 0 }));
        assert_eq!(queues(table, 7000, 40_000), Some(Queues { sent: 0, received: 27 }));
        assert_eq!(queues(table, 7000, 40_001), None);
    }

    #[test]
    fn what_was_sent_is_waited_for_until_it_is_read() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let mut client = RawClient::connect(port, Duration::from_secs(30));
        let (mut server, _) = listener.accept().expect("it has connected");
        client.send([b"PING"].iter());
        let here = client.stream.local_addr().expect("it is connected").port();
        // It arrives, and nobody reads it.
        find("what was sent", || {
            let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else { return Some(()) };
            queues(&table, port, here).filter(|queues| queues.received == 14).map(drop)
        });
        std::thread::scope(|scope| {
            scope.spawn(|| server.read_exact(&mut [0; 14]).expect("what was sent"));
            client.wait_until_read();
        });
    }
}
