//! Clients that write numbers, and the account of them.
//!
//! Each client has a list of its own and appends 0, 1, 2, … to it, every number at most once. So what it was told and
//! what is there at the end can be compared number by number: nothing lost, nothing doubled, nothing out of order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::RedisError;
use system::wait;

/// Between two writes of one client: the servers have other work to do on this machine.
const PAUSE: Duration = Duration::from_millis(1);

/// What a client was told of a write.
pub(crate) enum Told {
    /// It is done.
    Done,
    /// The server answered with an error: it is not done.
    Refused(String),
    /// There was no connection to send it by: it is not done.
    Unsent(String),
    /// No answer: nobody knows.
    Nothing(String),
}

impl Told {
    /// What came of a write that was sent.
    pub(crate) fn by(result: Result<(), RedisError>) -> Told {
        match result {
            Ok(()) => Told::Done,
            // It has a code only if a server has said so.
            Err(error) if error.code().is_some() => Told::Refused(error.to_string()),
            Err(error) => Told::Nothing(error.to_string()),
        }
    }
}

/// What one client has been told.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) done: Vec<u64>,
    pub(crate) unanswered: BTreeSet<u64>,
    /// Everything that was not `OK`, by what was said instead.
    pub(crate) trouble: BTreeMap<String, usize>,
    /// The longest time between two writes that were done.
    pub(crate) gap: Duration,
}

impl Account {
    /// Compares it with what is there.
    ///
    /// # Panics
    /// If a write that was done is not there, or twice, or behind a later one; or one that was refused is there.
    pub(crate) fn settle(&self, there: &[u64]) {
        let found: BTreeSet<u64> = there.iter().copied().collect();
        let lost: Vec<u64> = self.done.iter().copied().filter(|number| !found.contains(number)).collect();
        assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), self.done.len());
        assert!(there.is_sorted(), "out of order");
        assert_eq!(found.len(), there.len(), "some are there twice");
        let done: BTreeSet<u64> = self.done.iter().copied().collect();
        let strangers: Vec<&u64> = found
            .iter()
            .filter(|number| !done.contains(number) && !self.unanswered.contains(number))
            .collect();
        assert!(strangers.is_empty(), "nobody was told that these are done: {strangers:?}");
    }

    fn enter(&mut self, number: u64, told: Told) {
        let words = match told {
            Told::Done => return self.done.push(number),
            Told::Refused(words) => format!("refused: {words}"),
            Told::Unsent(words) => format!("not sent: {words}"),
            Told::Nothing(words) => {
                self.unanswered.insert(number);
                format!("no answer: {words}")
            }
        };
        *self.trouble.entry(words).or_default() += 1;
    }
}

/// Clients at work.
#[derive(Default)]
pub(crate) struct Load {
    stop: AtomicBool,
    /// How often clients were told to connect anew.
    generation: AtomicU64,
    accounts: Vec<Mutex<Account>>,
}

impl Load {
    /// Runs `act` while clients write; `clients` make one write each when they are called, with the number to write and
    /// the generation of the connections to use.
    pub(crate) fn during<C: FnMut(u64, u64) -> Told + Send>(
        clients: Vec<C>,
        act: impl FnOnce(&Load),
    ) -> Vec<Account> {
        let mut load = Load::default();
        load.accounts.resize_with(clients.len(), Mutex::default);
        std::thread::scope(|scope| {
            for (index, client) in clients.into_iter().enumerate() {
                let load = &load;
                scope.spawn(move || load.write(index, client));
            }
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                load.wait_for_more();
                act(&load);
                load.wait_for_more();
            }));
            load.stop.store(true, Ordering::Relaxed);
            if let Err(panic) = ended {
                eprintln!("{}", load.told());
                std::panic::resume_unwind(panic);
            }
        });
        load.accounts.into_iter().map(|account| account.into_inner().expect("no client panics")).collect()
    }

    #[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
    fn write(&self, index: usize, mut client: impl FnMut(u64, u64) -> Told) {
        let mut last = Instant::now();
        for number in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let told = client(number, self.generation.load(Ordering::Relaxed));
            let mut account = self.accounts[index].lock().expect("no client panics");
            if matches!(told, Told::Done) {
                account.gap = account.gap.max(last.elapsed());
                last = Instant::now();
            }
            account.enter(number, told);
            drop(account);
            std::thread::park_timeout(PAUSE);
        }
    }

    /// Clients connect anew before their next write.
    pub(crate) fn connect_anew(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
        self.wait_for_more();
    }

    /// Waits until each client has had some more writes done: whatever was changed a moment ago, writes go on.
    pub(crate) fn wait_for_more(&self) {
        for account in &self.accounts {
            let count = || account.lock().expect("no client panics").done.len();
            let before = count();
            wait::until("more writes", || count() >= before + 20);
        }
    }

    fn told(&self) -> String {
        let lines = self.accounts.iter().map(|account| {
            let account = account.lock().expect("no client panics");
            format!("{} writes done; {:?}", account.done.len(), account.trouble)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The figures of a run.
pub(crate) fn figures(accounts: &[Account]) -> String {
    let done: usize = accounts.iter().map(|account| account.done.len()).sum();
    let gap = accounts.iter().map(|account| account.gap).max().unwrap_or_default();
    let unanswered: usize = accounts.iter().map(|account| account.unanswered.len()).sum();
    let mut trouble = BTreeMap::<&str, usize>::new();
    for (words, count) in accounts.iter().flat_map(|account| &account.trouble) {
        *trouble.entry(words).or_default() += count;
    }
    format!(
        "{done} writes done, none lost, longest gap {} ms, {unanswered} without an answer, {trouble:?}",
        gap.as_millis()
    )
}
