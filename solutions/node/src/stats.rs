use std::collections::BTreeMap;

use core_types::Millis;

/// Counters since the start, or since `CONFIG RESETSTAT`, as `INFO stats` shows them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stats {
    pub(crate) connections_received: u64,
    pub(crate) commands_processed: u64,
    pub(crate) net_input_bytes: u64,
    pub(crate) net_output_bytes: u64,
    pub(crate) rejected_connections: u64,
    pub(crate) error_replies: u64,
    pub(crate) sync_full: u64,
    pub(crate) sync_partial_ok: u64,
    pub(crate) sync_partial_err: u64,
    pub(crate) expired_keys: u64,
    pub(crate) evicted_keys: u64,
    pub(crate) keyspace_hits: u64,
    pub(crate) keyspace_misses: u64,
    /// By [`Call::index`](crate::table::Call).
    pub(crate) commands: Vec<CommandStats>,
    /// How many error replies began with this word.
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) rates: Rates,
}

/// What `INFO commandstats` tells about one command.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CommandStats {
    pub(crate) calls: u64,
    pub(crate) micros: u64,
    /// Refused before they ran.
    pub(crate) rejected: u64,
    /// Ran and replied with an error.
    pub(crate) failed: u64,
}

/// No more different errors than this are told apart: a client could make up any number.
const MOST_ERRORS: usize = 128;

impl Stats {
    #[inline]
    pub(crate) fn command(&mut self, index: usize) -> &mut CommandStats {
        if index >= self.commands.len() {
            self.commands.resize(index + 1, CommandStats::default());
        }
        &mut self.commands[index]
    }

    /// Counts an error reply, given as its bytes behind the `-`.
    pub(crate) fn count_error(&mut self, reply: &[u8]) {
        self.error_replies += 1;
        let word = reply.split(|byte| matches!(byte, b' ' | b'\r' | b'\n')).next().unwrap_or_default();
        let word = String::from_utf8_lossy(word);
        if let Some(count) = self.errors.get_mut(&*word) {
            *count += 1;
        } else if self.errors.len() < MOST_ERRORS {
            self.errors.insert(word.into_owned(), 1);
        }
    }

    /// Ten times a second: how much there has been of what is told per second.
    pub(crate) fn sample(&mut self, now: Millis) {
        let counts = [self.commands_processed, self.net_input_bytes, self.net_output_bytes];
        self.rates.sample(now, counts);
    }
}

/// Commands and bytes per second, as the mean of the last samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates {
    last: Option<(Millis, [u64; 3])>,
    samples: Vec<[u64; 3]>,
    next: usize,
}

/// `STATS_METRIC_SAMPLES` of Redis's `server.h`: at ten samples a second, 1.6 seconds.
const SAMPLES: usize = 16;

impl Rates {
    fn sample(&mut self, now: Millis, counts: [u64; 3]) {
        if let Some((then, before)) = self.last {
            let span = now.since(then).0;
            if span == 0 {
                return;
            }
            let rate = [0, 1, 2].map(|at| counts[at].saturating_sub(before[at]) * 1000 / span);
            if self.samples.len() < SAMPLES {
                self.samples.push(rate);
            } else {
                self.samples[self.next] = rate;
            }
            self.next = (self.next + 1) % SAMPLES;
        }
        self.last = Some((now, counts));
    }

    /// Commands, bytes in and bytes out per second.
    pub(crate) fn per_second(&self) -> [u64; 3] {
        // Redis divides by the full number from the start, so that a new server's figures begin low.
        [0, 1, 2].map(|at| self.samples.iter().map(|sample| sample[at]).sum::<u64>() / SAMPLES as u64)
    }
}
