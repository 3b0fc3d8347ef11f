//! Limits on memory: for the data, and for what waits to be sent to a client.

use core_types::Millis;
use keyspace::{Evict, Usage};

use super::{Config, values};

/// What is done when the process has reached `maxmemory`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// Keys are evicted, chosen in this way; only among those that expire if `volatile`.
    Evict {
        /// How a victim is chosen.
        by: Evict,
        /// Keys that do not expire stay.
        volatile: bool,
    },
    /// Writes are refused.
    NoEviction,
}

impl Policy {
    /// The words for them, in the order in which Redis lists them.
    pub(super) const WORDS: &'static [&'static str] = &[
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
        "noeviction",
    ];

    const ALL: [Policy; 8] = [
        Policy::Evict { by: Evict::LeastRecentlyUsed, volatile: true },
        Policy::Evict { by: Evict::LeastFrequentlyUsed, volatile: true },
        Policy::Evict { by: Evict::Random, volatile: true },
        Policy::Evict { by: Evict::SoonestToExpire, volatile: true },
        Policy::Evict { by: Evict::LeastRecentlyUsed, volatile: false },
        Policy::Evict { by: Evict::LeastFrequentlyUsed, volatile: false },
        Policy::Evict { by: Evict::Random, volatile: false },
        Policy::NoEviction,
    ];

    /// The word for this one.
    pub fn word(self) -> &'static str {
        Policy::ALL.iter().position(|policy| *policy == self).map_or("noeviction", |at| Policy::WORDS[at])
    }

    pub(super) fn of(word: &str) -> Policy {
        let found = Policy::WORDS.iter().position(|known| *known == word);
        found.map_or(Policy::NoEviction, |at| Policy::ALL[at])
    }
}

impl Config {
    /// What the data set has to keep about the use of keys, for the policy and for `OBJECT`.
    pub fn usage(&self) -> Usage {
        match self.maxmemory_policy {
            Policy::Evict { by: Evict::LeastFrequentlyUsed, .. } => {
                Usage::Frequency { log_factor: self.lfu_log_factor, decay: self.lfu_decay_time }
            }
            _ => Usage::Time,
        }
    }
}

/// Who may use a command that is dangerous.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Nobody.
    No,
    /// Every client.
    Yes,
    /// Clients on this machine.
    Local,
}

impl Access {
    pub(super) fn word(self) -> &'static str {
        match self {
            Access::No => "no",
            Access::Yes => "yes",
            Access::Local => "local",
        }
    }

    pub(super) fn of(word: &str) -> Access {
        match word {
            "yes" => Access::Yes,
            "local" => Access::Local,
            _ => Access::No,
        }
    }
}

/// Where a replica puts a snapshot that arrives (`repl-diskless-load`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DisklessLoad {
    /// To the disk first, in Redis.
    Disabled,
    /// Into memory, if there are no data to lose.
    OnEmptyDb,
    /// Beside the old data.
    SwapDb,
}

impl DisklessLoad {
    pub(super) const WORDS: &'static [&'static str] = &["disabled", "on-empty-db", "swapdb"];

    pub(super) fn word(self) -> &'static str {
        DisklessLoad::WORDS[self as usize]
    }

    pub(super) fn of(word: &str) -> DisklessLoad {
        match word {
            "on-empty-db" => DisklessLoad::OnEmptyDb,
            "swapdb" => DisklessLoad::SwapDb,
            _ => DisklessLoad::Disabled,
        }
    }
}

/// How much may wait to be sent to a client of one class. Zero stands for any amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutputLimit {
    /// With more bytes than this waiting, the client is closed at once.
    pub hard: u64,
    /// With more bytes than this waiting for longer than `patience`, it is closed, too.
    pub soft: u64,
    /// How long.
    pub patience: Millis,
}

impl OutputLimit {
    const NONE: OutputLimit = OutputLimit { hard: 0, soft: 0, patience: Millis::ZERO };

    /// For normal clients, replicas and subscribers, as in Redis.
    pub const DEFAULT: [OutputLimit; 3] = [
        OutputLimit::NONE,
        OutputLimit { hard: 256 << 20, soft: 64 << 20, patience: Millis(60_000) },
        OutputLimit { hard: 32 << 20, soft: 8 << 20, patience: Millis(60_000) },
    ];
}

const CLASSES: [&str; 3] = ["normal", "slave", "pubsub"];

pub(super) fn show_output_limits(config: &Config) -> String {
    let shown = CLASSES
        .iter()
        .zip(&config.client_output_buffer_limit)
        .map(|(class, limit)| format!("{class} {} {} {}", limit.hard, limit.soft, limit.patience.as_secs()));
    shown.collect::<Vec<_>>().join(" ")
}

pub(super) fn set_output_limits(config: &mut Config, words: &[&str]) -> Result<(), String> {
    if words.is_empty() || !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut limits = config.client_output_buffer_limit;
    for four in words.chunks(4) {
        let class = match four[0].to_ascii_lowercase().as_str() {
            "normal" => 0,
            "slave" | "replica" => 1,
            "pubsub" => 2,
            _ => return Err("Invalid client class specified in buffer limit configuration.".into()),
        };
        let bytes = |word| values::memory(word).ok().and_then(|bytes| u64::try_from(bytes).ok());
        let seconds = four[3].parse::<u32>().ok();
        let (Some(hard), Some(soft), Some(seconds)) = (bytes(four[1]), bytes(four[2]), seconds) else {
            return Err(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.".to_string()
            );
        };
        limits[class] = OutputLimit { hard, soft, patience: Millis::from_secs(u64::from(seconds)) };
    }
    config.client_output_buffer_limit = limits;
    Ok(())
}
