//! `--pipe`: mass insertion.
//!
//! Commands are sent as fast as the server takes them, and nobody waits for replies in between: one thread
//! writes, another one reads and counts. How does the reader know when the last reply has come? Nobody has
//! counted the commands. So an `ECHO` of a word that nobody can guess goes out behind them: its reply is the last.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use core_types::{Frame, Rng, RunId, write_command};

use super::client::Client;
use super::stream::Stream;
use crate::reason;

/// What came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    errors: u64,
    replies: u64,
}

/// Sends all of standard input. `patience`: seconds without a reply after the last byte, 0 for ever. True if
/// all of it went well.
pub(super) fn run(mut client: Client, patience: u64) -> bool {
    let word = RunId::random(&mut Rng::new(RandomState::new().build_hasher().finish())).to_string();
    let mut writing = match client.stream().try_clone() {
        Ok(stream) => stream,
        Err(error) => return failed("Error", &error),
    };
    // One look a second is enough to notice silence.
    if let Err(error) = writing.set_patience(Some(Duration::from_secs(1))) {
        return failed("Error", &error);
    }
    let all_sent = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let sent = send(io::stdin().lock(), &mut writing, &word);
            match &sent {
                Ok(()) => tell!("All data transferred. Waiting for the last reply..."),
                Err(_) => writing.shut_down(Shutdown::Both),
            }
            all_sent.store(true, Ordering::SeqCst);
            sent
        });
        let mut count = Count::default();
        let received = receive(&mut client, &word, &mut count, || all_sent.load(Ordering::SeqCst), patience);
        if received.is_err() && !writer.is_finished() {
            // It may wait for input that nobody can take any more.
            let well = report(received, patience, count);
            std::process::exit(i32::from(!well));
        }
        let sent = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        if let Err(error) = sent {
            return failed("Error writing to the server", &error);
        }
        report(received, patience, count)
    })
}

fn report(received: io::Result<()>, patience: u64, count: Count) -> bool {
    let arrived = match received {
        Ok(()) => {
            tell!("Last reply received from server.");
            true
        }
        Err(error) if is_timeout(&error) => {
            eprintln!("No replies for {patience} seconds: exiting.");
            false
        }
        Err(error) => failed("Error reading from the server", &error),
    };
    tell!("errors: {}, replies: {}", count.errors, count.replies);
    arrived && count.errors == 0
}

fn failed(what: &str, error: &io::Error) -> bool {
    eprintln!("{what}: {}", reason(error));
    false
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Everything from `input`, and the `ECHO` behind it.
fn send(mut input: impl Read, stream: &mut Stream, word: &str) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        match input.read(&mut piece)? {
            0 => break,
            count => stream.write_all(&piece[..count])?,
        }
    }
    // An empty line is no command; it ends a last line that has no end of its own.
    let mut last = BytesMut::from("\r\n");
    write_command(&mut last, ["ECHO", word].iter().map(|word| word.as_bytes()));
    stream.write_all(&last)
}

/// Reads replies up to the one that is the word. Errors are shown.
fn receive(
    client: &mut Client,
    word: &str,
    count: &mut Count,
    all_sent: impl Fn() -> bool,
    patience: u64,
) -> io::Result<()> {
    let mut silent = 0;
    loop {
        match client.next_frame() {
            Ok(Frame::Bulk(bytes)) if bytes == word.as_bytes() => return Ok(()),
            Ok(Frame::Push(_)) => {}
            Ok(reply) => {
                silent = 0;
                count.replies += 1;
                if let Frame::Error(text) = reply {
                    count.errors += 1;
                    eprintln!("{text}");
                }
            }
            Err(error) if is_timeout(&error) => {
                silent += u64::from(all_sent());
                if patience > 0 && silent >= patience {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}
