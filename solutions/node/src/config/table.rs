use core_types::{LogLevel, Millis};

use super::endpoints::{EndpointType, announced_name};
use super::limits::{self, Access, DisklessLoad, Policy};
use super::values::{self, WRONG_NUMBER};
use super::words::{
    plain_append_name, plain_file_name, plain_folder_name, set_bind, set_replicaof, set_save, show_replicaof,
    show_save,
};
use super::{Config, Fsync};

/// One directive. The table below is the only place that knows it.
pub(super) struct Directive {
    pub(super) name: &'static str,
    /// The name it had before Redis 5, if it had another.
    pub(super) alias: Option<&'static str>,
    pub(super) change: Change,
    kind: Kind,
}

/// Whether `CONFIG SET` may touch it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// At any time.
    Any,
    /// Only the file and the flags.
    AtStart,
    /// Only the file and the flags: it could make the server write where it should not.
    Protected,
}

enum Kind {
    YesNo {
        get: fn(&Config) -> bool,
        set: fn(&mut Config, bool),
    },
    Number {
        get: fn(&Config) -> i64,
        set: fn(&mut Config, i64),
        min: i64,
        max: i64,
        memory: bool,
    },
    Text {
        get: fn(&Config) -> &str,
        set: fn(&mut Config, String),
        check: fn(&str) -> Result<(), String>,
    },
    /// One of these words.
    Choice {
        get: fn(&Config) -> &'static str,
        set: fn(&mut Config, &str),
        words: &'static [&'static str],
    },
    Level {
        get: fn(&Config) -> LogLevel,
        set: fn(&mut Config, LogLevel),
    },
    /// Takes several words, or one argument that holds them.
    Words {
        get: fn(&Config) -> String,
        set: fn(&mut Config, &[&str]) -> Result<(), String>,
    },
}

impl Directive {
    /// The value as `CONFIG GET` prints it.
    pub(super) fn show(&self, config: &Config) -> String {
        match self.kind {
            Kind::YesNo { get, .. } => values::show_yes_or_no(get(config)),
            Kind::Number { get, .. } => get(config).to_string(),
            Kind::Text { get, .. } => get(config).to_owned(),
            Kind::Level { get, .. } => values::show_level(get(config)).to_owned(),
            Kind::Choice { get, .. } => get(config).to_owned(),
            Kind::Words { get, .. } => get(config),
        }
    }

    /// Sets it from the words behind its name. On an error nothing has changed.
    pub(super) fn set(&self, config: &mut Config, words: &[&str]) -> Result<(), String> {
        if let Kind::Words { set, .. } = self.kind {
            return match words {
                [one] if !one.is_empty() => set(config, &one.split(' ').collect::<Vec<_>>()),
                words => set(config, words),
            };
        }
        let &[word] = words else { return Err(WRONG_NUMBER.into()) };
        match self.kind {
            Kind::YesNo { set, .. } => set(config, values::yes_or_no(word)?),
            Kind::Number { set, min, max, memory, .. } => {
                let number = if memory { values::memory(word)? } else { values::integer(word)? };
                // Redis takes a size beyond 64 bits for a number outside the range, and so do we.
                set(config, values::in_range(number, min, max)?);
            }
            Kind::Text { set, check, .. } => {
                check(word)?;
                set(config, word.to_owned());
            }
            Kind::Level { set, .. } => set(config, values::level(word)?),
            Kind::Choice { set, words, .. } => set(config, values::one_of(word, words)?),
            Kind::Words { .. } => unreachable!("handled above"),
        }
        Ok(())
    }
}

/// The directive that goes by `name`, in either case, old names included.
pub(super) fn find(name: &str) -> Option<&'static Directive> {
    DIRECTIVES.iter().find(|directive| {
        directive.name.eq_ignore_ascii_case(name)
            || directive.alias.is_some_and(|alias| alias.eq_ignore_ascii_case(name))
    })
}

/// A C `int`'s largest value: the upper bound of most numbers in Redis's own table.
const INT_MAX: i64 = i32::MAX as i64;

const fn directive(name: &'static str, change: Change, kind: Kind) -> Directive {
    Directive { name, alias: None, change, kind }
}

const fn renamed(alias: &'static str, directive: Directive) -> Directive {
    Directive { alias: Some(alias), ..directive }
}

macro_rules! yes_no {
    ($field:ident) => {
        Kind::YesNo { get: |config| config.$field, set: |config, value| config.$field = value }
    };
}

macro_rules! number {
    ($field:ident, $min:expr, $max:expr) => {
        Kind::Number {
            get: |config| config.$field as i64,
            set: |config, value| config.$field = value as _,
            min: $min,
            max: $max,
            memory: false,
        }
    };
}

/// A size in bytes, which may be written with a unit.
macro_rules! memory {
    ($field:ident, $min:expr) => {
        Kind::Number {
            get: |config| config.$field as i64,
            set: |config, value| config.$field = value as _,
            min: $min,
            max: i64::MAX,
            memory: true,
        }
    };
}

/// A bound of the compact forms.
macro_rules! compact {
    ($field:ident, $min:expr, $max:expr) => {
        Kind::Number {
            get: |config| config.compact.$field as i64,
            set: |config, value| config.compact.$field = value as _,
            min: $min,
            max: $max,
            memory: false,
        }
    };
}

/// A span of time that is written in seconds.
macro_rules! seconds {
    ($field:ident, $min:expr) => {
        Kind::Number {
            get: |config| config.$field.as_secs() as i64,
            set: |config, value| config.$field = Millis::from_secs(value as u64),
            min: $min,
            max: INT_MAX,
            memory: false,
        }
    };
}

macro_rules! text {
    ($field:ident) => {
        text!($field, |_| Ok(()))
    };
    ($field:ident, $check:expr) => {
        Kind::Text { get: |config| &config.$field, set: |config, value| config.$field = value, check: $check }
    };
}

/// A text for which nothing and an empty value are the same.
macro_rules! optional {
    ($field:ident) => {
        optional!($field, |_| Ok(()))
    };
    ($field:ident, $check:expr) => {
        Kind::Text {
            get: |config| config.$field.as_deref().unwrap_or_default(),
            set: |config, value| config.$field = Some(value).filter(|value| !value.is_empty()),
            check: $check,
        }
    };
}

use Change::{Any, AtStart, Protected};

/// Every directive, in alphabetical order, which is the order of `CONFIG GET *`.
pub(super) static DIRECTIVES: &[Directive] = &[
    directive("aof-load-truncated", Any, yes_no!(aof_load_truncated)),
    directive("appenddirname", AtStart, text!(appenddirname, plain_folder_name)),
    directive("appendfilename", AtStart, text!(appendfilename, plain_append_name)),
    directive(
        "appendfsync",
        Any,
        Kind::Choice {
            get: |config| config.appendfsync.word(),
            set: |config, word| config.appendfsync = Fsync::of(word),
            words: Fsync::WORDS,
        },
    ),
    directive("appendonly", Any, yes_no!(appendonly)),
    directive("auto-aof-rewrite-min-size", Any, memory!(auto_aof_rewrite_min_size, 0)),
    directive("auto-aof-rewrite-percentage", Any, number!(auto_aof_rewrite_percentage, 0, INT_MAX)),
    directive("bind", AtStart, Kind::Words { get: |config| config.bind.join(" "), set: set_bind }),
    directive(
        "client-output-buffer-limit",
        Any,
        Kind::Words { get: limits::show_output_limits, set: limits::set_output_limits },
    ),
    directive("client-query-buffer-limit", Any, memory!(client_query_buffer_limit, 1 << 20)),
    directive("cluster-allow-pubsubshard-when-down", Any, yes_no!(cluster_allow_pubsubshard_when_down)),
    directive("cluster-allow-reads-when-down", Any, yes_no!(cluster_allow_reads_when_down)),
    directive("cluster-allow-replica-migration", Any, yes_no!(cluster_allow_replica_migration)),
    directive("cluster-announce-bus-port", Any, number!(cluster_announce_bus_port, 0, 65535)),
    directive("cluster-announce-hostname", Any, optional!(cluster_announce_hostname, announced_name)),
    directive("cluster-announce-ip", Any, optional!(cluster_announce_ip)),
    directive("cluster-announce-port", Any, number!(cluster_announce_port, 0, 65535)),
    directive("cluster-announce-tls-port", Any, number!(cluster_announce_tls_port, 0, 65535)),
    directive("cluster-config-file", AtStart, text!(cluster_config_file)),
    directive("cluster-enabled", AtStart, yes_no!(cluster_enabled)),
    directive("cluster-link-sendbuf-limit", Any, memory!(cluster_link_sendbuf_limit, 0)),
    directive("cluster-migration-barrier", Any, number!(cluster_migration_barrier, 0, INT_MAX)),
    directive(
        "cluster-node-timeout",
        Any,
        Kind::Number {
            get: |config| config.cluster_node_timeout.0 as i64,
            set: |config, value| config.cluster_node_timeout = Millis(value as u64),
            min: 0,
            max: i64::MAX,
            memory: false,
        },
    ),
    directive("cluster-port", AtStart, number!(cluster_port, 0, 65535)),
    directive(
        "cluster-preferred-endpoint-type",
        Any,
        Kind::Choice {
            get: |config| config.cluster_preferred_endpoint_type.word(),
            set: |config, word| config.cluster_preferred_endpoint_type = EndpointType::of(word),
            words: EndpointType::WORDS,
        },
    ),
    renamed(
        "cluster-slave-no-failover",
        directive("cluster-replica-no-failover", Any, yes_no!(cluster_replica_no_failover)),
    ),
    renamed(
        "cluster-slave-validity-factor",
        directive(
            "cluster-replica-validity-factor",
            Any,
            number!(cluster_replica_validity_factor, 0, INT_MAX),
        ),
    ),
    directive("cluster-require-full-coverage", Any, yes_no!(cluster_require_full_coverage)),
    directive("daemonize", AtStart, Kind::YesNo { get: |_| false, set: |_, _| () }),
    directive("databases", AtStart, number!(databases, 1, INT_MAX)),
    directive("dbfilename", Protected, text!(dbfilename, plain_file_name)),
    directive("dir", Protected, text!(dir)),
    directive(
        "enable-debug-command",
        AtStart,
        Kind::Choice {
            get: |config| config.enable_debug_command.word(),
            set: |config, word| config.enable_debug_command = Access::of(word),
            words: &["no", "yes", "local"],
        },
    ),
    renamed(
        "hash-max-ziplist-entries",
        directive("hash-max-listpack-entries", Any, compact!(hash_entries, 0, i64::MAX)),
    ),
    renamed(
        "hash-max-ziplist-value",
        directive("hash-max-listpack-value", Any, compact!(hash_value, 0, i64::MAX)),
    ),
    directive(
        "hz",
        Any,
        Kind::Number {
            get: |config| config.hz.into(),
            // Redis's CONFIG_MIN_HZ and CONFIG_MAX_HZ: it corrects the value and says nothing.
            set: |config, value| config.hz = value.clamp(1, 500) as u32,
            min: 0,
            max: INT_MAX,
            memory: false,
        },
    ),
    directive("latency-monitor-threshold", Any, number!(latency_monitor_threshold, 0, i64::MAX)),
    directive("lfu-decay-time", Any, number!(lfu_decay_time, 0, INT_MAX)),
    directive("lfu-log-factor", Any, number!(lfu_log_factor, 0, INT_MAX)),
    renamed(
        "list-max-ziplist-size",
        directive("list-max-listpack-size", Any, compact!(list_node, i32::MIN as i64, INT_MAX)),
    ),
    directive("logfile", AtStart, text!(logfile)),
    directive(
        "loglevel",
        Any,
        Kind::Level { get: |config| config.loglevel, set: |config, value| config.loglevel = value },
    ),
    directive("masterauth", Any, optional!(masterauth)),
    directive("masteruser", Any, optional!(masteruser)),
    directive("maxclients", Any, number!(maxclients, 1, u32::MAX as i64)),
    directive("maxmemory", Any, memory!(maxmemory, 0)),
    directive(
        "maxmemory-policy",
        Any,
        Kind::Choice {
            get: |config| config.maxmemory_policy.word(),
            set: |config, word| config.maxmemory_policy = Policy::of(word),
            words: Policy::WORDS,
        },
    ),
    directive("maxmemory-samples", Any, number!(maxmemory_samples, 1, INT_MAX)),
    renamed("min-slaves-max-lag", directive("min-replicas-max-lag", Any, seconds!(min_replicas_max_lag, 0))),
    renamed(
        "min-slaves-to-write",
        directive("min-replicas-to-write", Any, number!(min_replicas_to_write, 0, INT_MAX)),
    ),
    directive("pidfile", AtStart, text!(pidfile)),
    directive("port", AtStart, number!(port, 0, 65535)),
    // A replica that cannot apply a command logs it and goes on; it has no other way.
    directive(
        "propagation-error-behavior",
        Any,
        Kind::Choice { get: |_| "ignore", set: |_, _| (), words: &["ignore"] },
    ),
    directive("protected-mode", Any, yes_no!(protected_mode)),
    directive(
        "proto-max-bulk-len",
        Any,
        Kind::Number {
            get: |config| config.proto_max_bulk_len as i64,
            set: |config, value| config.proto_max_bulk_len = value as usize,
            min: 1 << 20,
            max: i64::MAX,
            memory: true,
        },
    ),
    directive("rdb-del-sync-files", Any, yes_no!(rdb_del_sync_files)),
    directive(
        "repl-backlog-size",
        Any,
        Kind::Number {
            get: |config| config.repl_backlog_size as i64,
            // Redis's CONFIG_REPL_BACKLOG_MIN_SIZE: it raises the value and says nothing.
            set: |config, value| config.repl_backlog_size = value.max(16 * 1024) as usize,
            min: 1,
            max: i64::MAX,
            memory: true,
        },
    ),
    directive(
        "repl-backlog-ttl",
        Any,
        Kind::Number {
            get: |config| config.repl_backlog_ttl.as_secs() as i64,
            // Ages of the universe are as good as more of them.
            set: |config, value| config.repl_backlog_ttl = Millis((value as u64).saturating_mul(1000)),
            min: 0,
            max: i64::MAX,
            memory: false,
        },
    ),
    directive("repl-disable-tcp-nodelay", Any, yes_no!(repl_disable_tcp_nodelay)),
    directive(
        "repl-diskless-load",
        Any,
        Kind::Choice {
            get: |config| config.repl_diskless_load.word(),
            set: |config, word| config.repl_diskless_load = DisklessLoad::of(word),
            words: DisklessLoad::WORDS,
        },
    ),
    directive("repl-diskless-sync", Any, yes_no!(repl_diskless_sync)),
    directive("repl-diskless-sync-delay", Any, seconds!(repl_diskless_sync_delay, 0)),
    directive("repl-diskless-sync-max-replicas", Any, number!(repl_diskless_sync_max_replicas, 0, INT_MAX)),
    renamed(
        "repl-ping-slave-period",
        directive("repl-ping-replica-period", Any, seconds!(repl_ping_replica_period, 1)),
    ),
    directive("repl-timeout", Any, seconds!(repl_timeout, 1)),
    renamed("slave-announce-ip", directive("replica-announce-ip", Any, optional!(replica_announce_ip))),
    renamed(
        "slave-announce-port",
        directive("replica-announce-port", Any, number!(replica_announce_port, 0, 65535)),
    ),
    directive("replica-announced", Any, yes_no!(replica_announced)),
    directive("replica-ignore-disk-write-errors", Any, yes_no!(replica_ignore_disk_write_errors)),
    renamed(
        "slave-ignore-maxmemory",
        directive("replica-ignore-maxmemory", Any, yes_no!(replica_ignore_maxmemory)),
    ),
    renamed("slave-lazy-flush", directive("replica-lazy-flush", Any, yes_no!(replica_lazy_flush))),
    renamed("slave-priority", directive("replica-priority", Any, number!(replica_priority, 0, INT_MAX))),
    renamed("slave-read-only", directive("replica-read-only", Any, yes_no!(replica_read_only))),
    renamed(
        "slave-serve-stale-data",
        directive("replica-serve-stale-data", Any, yes_no!(replica_serve_stale_data)),
    ),
    renamed(
        "slaveof",
        directive("replicaof", AtStart, Kind::Words { get: show_replicaof, set: set_replicaof }),
    ),
    directive("requirepass", Any, optional!(requirepass)),
    directive("save", Any, Kind::Words { get: show_save, set: set_save }),
    directive("set-max-intset-entries", Any, compact!(set_intset, 0, i64::MAX)),
    directive("shutdown-timeout", Any, seconds!(shutdown_timeout, 0)),
    directive("slowlog-log-slower-than", Any, number!(slowlog_log_slower_than, -1, i64::MAX)),
    directive("slowlog-max-len", Any, number!(slowlog_max_len, 0, i64::MAX)),
    directive("stop-writes-on-bgsave-error", Any, yes_no!(stop_writes_on_bgsave_error)),
    directive("tcp-backlog", AtStart, number!(tcp_backlog, 0, INT_MAX)),
    directive("tcp-keepalive", Any, seconds!(tcp_keepalive, 0)),
    directive("timeout", Any, seconds!(timeout, 0)),
    renamed(
        "zset-max-ziplist-entries",
        directive("zset-max-listpack-entries", Any, compact!(zset_entries, 0, i64::MAX)),
    ),
    renamed(
        "zset-max-ziplist-value",
        directive("zset-max-listpack-value", Any, compact!(zset_value, 0, i64::MAX)),
    ),
];
