//! A master that follows a script: it says what the test wants, right or wrong.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What to answer to one line that a replica sent. A command arrives as its words, in one string.
pub type Answer = Vec<u8>;

/// Listens on a port of its own and plays the same script for every connection.
#[derive(Debug)]
pub struct ScriptedMaster {
    port: u16,
    attempts: Arc<AtomicUsize>,
}

impl ScriptedMaster {
    /// `script` gets each command (its name and arguments, separated by blanks) and returns the bytes
    /// to answer; `None` hangs up. It goes on serving until the test's process ends.
    pub fn start(script: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> ScriptedMaster {
        ScriptedMaster::start_and_hang_up(script, "never")
    }

    /// The same, but hangs up after its answer to a command that starts with `last`.
    pub fn start_and_hang_up(
        script: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static,
        last: &'static str,
    ) -> ScriptedMaster {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let attempts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&attempts);
        let script = Arc::new(script);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let script = Arc::clone(&script);
                std::thread::spawn(move || serve(stream, &*script, last));
            }
        });
        ScriptedMaster { port, attempts }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections it has had.
    pub fn attempts(&self) -> usize {
        self.attempts.load(Ordering::SeqCst)
    }

    /// The answers of a well-behaved master up to `PSYNC`, which is answered by `psync`.
    pub fn polite(command: &str, psync: &[u8]) -> Option<Answer> {
        let answer: &[u8] = match command.split(' ').next().unwrap_or_default() {
            "PING" => b"+PONG\r\n",
            "REPLCONF" if command.contains("ACK") => b"",
            "REPLCONF" | "AUTH" => b"+OK\r\n",
            "PSYNC" => psync,
            _ => return None,
        };
        Some(answer.to_vec())
    }
}

fn serve(mut stream: TcpStream, script: &dyn Fn(&str) -> Option<Answer>, last: &str) -> Option<()> {
    let mut received = Vec::new();
    loop {
        while let Some((command, length)) = first_command(&received) {
            received.drain(..length);
            stream.write_all(&script(&command)?).ok()?;
            if command.starts_with(last) {
                return None;
            }
        }
        if read_some(&mut stream, &mut received).ok()? == 0 {
            return None;
        }
    }
}

fn read_some(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<usize> {
    let mut piece = [0; 4096];
    let count = stream.read(&mut piece)?;
    received.extend_from_slice(&piece[..count]);
    Ok(count)
}

/// The first command in `bytes` and its length, if it is complete. Replicas send well-formed arrays;
/// anything else (a bare line feed) is skipped.
fn first_command(bytes: &[u8]) -> Option<(String, usize)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let start = text.find('*')?;
    let mut lines = text[start..].split_inclusive("\r\n");
    let head = lines.next()?;
    let count: usize = head.trim_end().strip_prefix('*')?.parse().ok()?;
    let mut length = start + head.len();
    let mut words = Vec::new();
    for _ in 0..count {
        let size = lines.next()?;
        let word = lines.next()?.strip_suffix("\r\n")?;
        length += size.len() + word.len() + 2;
        words.push(word);
    }
    Some((words.join(" "), length))
}
