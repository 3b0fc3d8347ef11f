//! Writing to a server: all the time, beside a test, or until its stream has grown by so much.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use core_types::{Frame, Rng};

use crate::grammar::{PATTERNS, make};
use crate::{Client, Server, bounded, wait};

/// Commands in one go.
const AT_ONCE: usize = 20;

/// Between two goes: the test has other work to do on this machine.
const PAUSE: Duration = Duration::from_millis(4);

/// A thread that writes all types of values to a server until it is told to stop.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    goes: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Begins to write. The same `seed` writes the same commands.
    pub fn start(server: &Server, seed: u64) -> Load {
        let (stop, goes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (mut client, flag, counter) = (server.client(), Arc::clone(&stop), Arc::clone(&goes));
        let thread = std::thread::spawn(move || {
            let mut rng = Rng::new(seed);
            while !flag.load(Ordering::Relaxed) {
                let part = commands(&mut rng);
                for reply in client.pipeline(&part) {
                    let refused = matches!(&reply, Frame::Error(text) if text.starts_with("READONLY"));
                    assert!(!refused, "the load goes to a replica");
                }
                counter.fetch_add(1, Ordering::Relaxed);
                std::thread::park_timeout(PAUSE);
            }
        });
        Load { stop, goes, thread: Some(thread) }
    }

    /// Waits until more was written: whatever was broken a moment ago, writes have gone on since.
    pub fn wait_for_more(&self) {
        let before = self.goes.load(Ordering::Relaxed);
        wait::until("the load to go on", || self.goes.load(Ordering::Relaxed) > before + 20);
    }

    /// Ends the writing.
    ///
    /// # Panics
    /// If it ended before, because the server did.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it ends once");
        bounded::join(thread);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A few commands on several types, in several databases, some of them in a transaction.
fn commands(rng: &mut Rng) -> Vec<Vec<Vec<u8>>> {
    let words = |line: &str| line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
    let mut list = vec![words(&format!("SELECT {}", rng.below(3)))];
    let transaction = rng.chance(20);
    if transaction {
        list.push(words("MULTI"));
    }
    while list.len() < AT_ONCE {
        let (_, pattern) = rng.pick(PATTERNS).expect("there are patterns");
        // One that blocks holds up all behind it. What a range of members is where scores differ, Redis leaves
        // open: a master and a replica that keep the set in different ways remove different members.
        let left_out = pattern.contains("0.001") || pattern.contains("ZREMRANGEBYLEX");
        if !left_out {
            list.push(make(pattern, rng));
        }
    }
    list.push(words(&format!("SET filler:{} {}", rng.below(50), "x".repeat(rng.below(400) as usize))));
    if transaction {
        list.push(words("EXEC"));
    }
    list
}

/// Writes until the server's stream is longer by at least `bytes`.
pub fn grow(server: &Server, bytes: u64) {
    let mut client: Client = server.client();
    let offset = |client: &mut Client| client.info("master_repl_offset").parse::<u64>().expect("an offset");
    let end = offset(&mut client) + bytes;
    let piece = vec![b"SET".to_vec(), b"growing".to_vec(), vec![b'g'; 4000]];
    let part = vec![piece; 100];
    let deadline = wait::Deadline::after(wait::PATIENCE);
    while offset(&mut client) < end {
        deadline.check("writes that do not get into the stream");
        for reply in client.pipeline(&part) {
            assert_eq!(reply, Frame::Simple("OK".into()));
        }
    }
}
