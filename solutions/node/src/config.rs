//! What can be configured: one table of directives that serves the file, the flags and `CONFIG`.
//!
//! A directive is declared once, in [`table`](self): its names, how its value is read and printed,
//! whether it may change while the node runs. Four ways lead to it:
//!
//! - a file in Redis's syntax, `ha-server node.conf`;
//! - flags, `--replicaof 127.0.0.1 7000`, which Redis treats as lines added at the end of the file;
//! - [`Config::set`], for `CONFIG SET`: all pairs of one call, or none of them;
//! - [`Config::get_matching`], for `CONFIG GET`.
//!
//! Old names (`slaveof`, `slave-read-only`, …) are accepted and shown wherever Redis does so. A
//! directive that we do not have gets the text that Redis gives for one that it does not have.
//!
//! # Differences from Redis
//!
//! - `bind` is `127.0.0.1 -::1` unless it is set: an exercise should not be open to the network.
//! - `save` is empty by default, where Redis has `3600 1 300 100 60 10000`: a node of an exercise leaves no file behind that
//!   nobody asked for. With save points a node also saves when it is told to end. Several that were started in one
//!   directory, as on the pages of the book, would write over each other's `dump.rdb`, and begin the next chapter with it.
//! - `daemonize` may only be `no`. `port`, `bind` and `tcp-backlog` cannot change while the node runs.
//! - Values are text: one that is not UTF-8 is refused.
//! - `include` takes one path, without wildcards.

mod endpoints;
mod limits;
mod load;
mod rewrite;
mod runtime;
mod table;
#[cfg(test)]
mod tests;
mod values;
mod words;

use core_types::{Endpoint, LogLevel, Millis};
use keyspace::Compact;

pub use endpoints::EndpointType;
pub use limits::{Access, DisklessLoad, OutputLimit, Policy};
pub use load::{LoadError, Source};
pub(crate) use rewrite::quoted;
pub use runtime::Changed;

/// What we call ourselves where Redis says `Redis`.
pub const NAME: &str = "ha-server";
/// Our own version. (`INFO` and the snapshot header tell the Redis version we are compatible with.)
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every directive's value. `Config::default()` is what an empty file gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Addresses to listen on. A leading `-` means: no error if this machine does not have it.
    /// `*` is every IPv4 address and `::*` every IPv6 address.
    pub bind: Vec<String>,
    /// The TCP port to listen on; 0 listens nowhere.
    pub port: u16,
    /// Connections the system may hold for us before we accept them.
    pub tcp_backlog: u32,
    /// Without a password, let in only clients on this machine.
    pub protected_mode: bool,
    /// How many databases `SELECT` can choose from.
    pub databases: usize,
    /// The password clients must give, if any.
    pub requirepass: Option<String>,
    /// The password we give our master, if any.
    pub masterauth: Option<String>,
    /// The user we name to our master, if not the default user.
    pub masteruser: Option<String>,
    /// Our master, if we are a replica. The node keeps it up to date when `REPLICAOF` changes it.
    pub replicaof: Option<Endpoint>,
    /// Be a node of a cluster.
    pub cluster_enabled: bool,
    /// Where the node keeps what it knows of the cluster, inside `dir`.
    pub cluster_config_file: String,
    /// A node that has not answered for so long may have failed.
    pub cluster_node_timeout: Millis,
    /// Where other nodes connect to; 0 for 10,000 above `port`.
    pub cluster_port: u16,
    /// The address that others are told, if not the one they see.
    pub cluster_announce_ip: Option<String>,
    /// The port for clients that others are told, if not `port`.
    pub cluster_announce_port: u16,
    /// The port for nodes that others are told, if not our own.
    pub cluster_announce_bus_port: u16,
    /// Understood, but without effect: there is no TLS.
    pub cluster_announce_tls_port: u16,
    /// A name that others are told beside the address.
    pub cluster_announce_hostname: Option<String>,
    /// Serve nothing while a slot is without owner.
    pub cluster_require_full_coverage: bool,
    /// Serve reads from our own slots while the cluster is down.
    pub cluster_allow_reads_when_down: bool,
    /// The same for channels of our slots.
    pub cluster_allow_pubsubshard_when_down: bool,
    /// A replica whose data are older than this many timeouts does not try to become master; 0 for any age.
    pub cluster_replica_validity_factor: u32,
    /// How many replicas a master keeps before one may move to a master without.
    pub cluster_migration_barrier: u32,
    /// A replica does not become master by itself.
    pub cluster_replica_no_failover: bool,
    /// A replica may move to a master without one, and a master without slots becomes a replica.
    pub cluster_allow_replica_migration: bool,
    /// How much may wait on a link between nodes before it is cut, in bytes; 0 for any.
    pub cluster_link_sendbuf_limit: u64,
    /// How nodes are named to clients.
    pub cluster_preferred_endpoint_type: EndpointType,
    /// With `--sentinel`: the lines `sentinel …` of the file, without that word. `None`: a node with data.
    pub sentinel: Option<Vec<Vec<String>>>,
    /// A replica refuses writes from its clients.
    pub replica_read_only: bool,
    /// A replica without its master still answers reads, from data of unknown age.
    pub replica_serve_stale_data: bool,
    /// The address a replica tells its master, if not the one the master sees.
    pub replica_announce_ip: Option<String>,
    /// The port a replica tells its master; 0 for `port`.
    pub replica_announce_port: u16,
    /// After this long without a word from the other side a replication link counts as broken.
    pub repl_timeout: Millis,
    /// How often a master sends `PING` down the stream.
    pub repl_ping_replica_period: Millis,
    /// Send snapshots with an end mark (`$EOF:`) to replicas that understand it, not with their length.
    pub repl_diskless_sync: bool,
    /// How long a master waits for further replicas before it makes such a snapshot.
    pub repl_diskless_sync_delay: Millis,
    /// With so many waiting it does not wait for more; 0 for no such number.
    pub repl_diskless_sync_max_replicas: usize,
    /// Understood, but without effect: a snapshot is always read as it arrives, beside the old data.
    pub repl_diskless_load: DisklessLoad,
    /// Understood, but without effect: what is written is sent at once.
    pub repl_disable_tcp_nodelay: bool,
    /// How much of the stream is kept for replicas that come back, in bytes.
    pub repl_backlog_size: usize,
    /// How long a master without replicas keeps it; zero for ever.
    pub repl_backlog_ttl: Millis,
    /// A master with fewer good replicas than this refuses writes; 0 for never.
    pub min_replicas_to_write: usize,
    /// A good replica acknowledged no longer ago than this.
    pub min_replicas_max_lag: Millis,
    /// How long a master that is told to stop waits for replicas that lack something.
    pub shutdown_timeout: Millis,
    /// Understood, but without effect: a replica that cannot write its files goes on and logs it.
    pub replica_ignore_disk_write_errors: bool,
    /// Understood, but without effect: old data are freed at once.
    pub replica_lazy_flush: bool,
    /// Understood, but without effect: no snapshot for a replica is ever on the disk.
    pub rdb_del_sync_files: bool,
    /// Sentinel promotes the replica with the lowest; 0 for never.
    pub replica_priority: u32,
    /// Sentinel tells clients of this replica.
    pub replica_announced: bool,
    /// A replica leaves eviction to its master.
    pub replica_ignore_maxmemory: bool,
    /// Close a client that is silent this long; zero for never.
    pub timeout: Millis,
    /// How often TCP asks whether a silent peer is still there; zero for never.
    pub tcp_keepalive: Millis,
    /// How many clients may be connected at once.
    pub maxclients: usize,
    /// How many bytes the process may allocate before keys are evicted or writes refused; zero for any.
    pub maxmemory: u64,
    /// What is done at that limit.
    pub maxmemory_policy: Policy,
    /// How many keys of each database are drawn to find one to evict.
    pub maxmemory_samples: usize,
    /// How seldom the count of a key that is used often still grows.
    pub lfu_log_factor: u32,
    /// Minutes after which the count of a key that nobody uses falls by one.
    pub lfu_decay_time: u32,
    /// How much output may wait for a normal client, a replica and a subscriber.
    pub client_output_buffer_limit: [OutputLimit; 3],
    /// How many received bytes may wait to be executed, in bytes for each client.
    pub client_query_buffer_limit: usize,
    /// Commands that take longer than this are kept for `SLOWLOG`, in microseconds; negative for none.
    pub slowlog_log_slower_than: i64,
    /// How many of them.
    pub slowlog_max_len: usize,
    /// Understood, but without effect: there is no latency monitor.
    pub latency_monitor_threshold: u64,
    /// Who may use `DEBUG`.
    pub enable_debug_command: Access,
    /// `PARTITION` exists. Not a directive of Redis's; only the file and the flags can set it, and `CONFIG` does not show it.
    pub enable_test_partition: bool,
    /// Up to where values keep their compact forms.
    pub compact: Compact,
    /// The configuration file we were started with, as an absolute path if the driver knows it; empty
    /// for none.
    pub file: String,
    /// The longest string a client may send, in bytes.
    pub proto_max_bulk_len: usize,
    /// Lines below this level are not logged.
    pub loglevel: LogLevel,
    /// Where the log goes; empty for standard output.
    pub logfile: String,
    /// How often a second the node does its housekeeping.
    pub hz: u32,
    /// The working directory.
    pub dir: String,
    /// The snapshot's file name, inside `dir`.
    pub dbfilename: String,
    /// File to write our process id to; empty for none.
    pub pidfile: String,
    /// When to save snapshots: (seconds, changes).
    pub save: Vec<(u64, u64)>,
    /// Refuse writes while the last save has failed, if there are save points.
    pub stop_writes_on_bgsave_error: bool,
    /// Keep an append-only file.
    pub appendonly: bool,
    /// The name with which the names of its parts begin.
    pub appendfilename: String,
    /// The folder of its parts, inside `dir`.
    pub appenddirname: String,
    /// When it is forced to the disk.
    pub appendfsync: Fsync,
    /// Rewrite it when it has grown by so many percent since the last time; 0 for never.
    pub auto_aof_rewrite_percentage: u64,
    /// Do not rewrite it by itself below this size, in bytes.
    pub auto_aof_rewrite_min_size: u64,
    /// Accept a file that ends in the middle of a command.
    pub aof_load_truncated: bool,
}

/// When an append-only file is forced to the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fsync {
    /// Before the reply: an acknowledged write is not lost.
    Always,
    /// Once a second.
    EverySec,
    /// Whenever the system likes.
    No,
}

impl Fsync {
    const WORDS: &'static [&'static str] = &["everysec", "always", "no"];

    fn word(self) -> &'static str {
        match self {
            Fsync::Always => "always",
            Fsync::EverySec => "everysec",
            Fsync::No => "no",
        }
    }

    fn of(word: &str) -> Fsync {
        match word {
            "always" => Fsync::Always,
            "no" => Fsync::No,
            _ => Fsync::EverySec,
        }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            bind: vec!["127.0.0.1".into(), "-::1".into()],
            port: 6379,
            tcp_backlog: 511,
            protected_mode: true,
            databases: 16,
            requirepass: None,
            masterauth: None,
            masteruser: None,
            replicaof: None,
            cluster_enabled: false,
            cluster_config_file: "nodes.conf".into(),
            cluster_node_timeout: Millis::from_secs(15),
            cluster_port: 0,
            cluster_announce_ip: None,
            cluster_announce_port: 0,
            cluster_announce_bus_port: 0,
            cluster_announce_tls_port: 0,
            cluster_announce_hostname: None,
            cluster_require_full_coverage: true,
            cluster_allow_reads_when_down: false,
            cluster_allow_pubsubshard_when_down: true,
            cluster_replica_validity_factor: 10,
            cluster_migration_barrier: 1,
            cluster_replica_no_failover: false,
            cluster_allow_replica_migration: true,
            cluster_link_sendbuf_limit: 0,
            cluster_preferred_endpoint_type: EndpointType::Ip,
            sentinel: None,
            replica_read_only: true,
            replica_serve_stale_data: true,
            replica_announce_ip: None,
            replica_announce_port: 0,
            repl_timeout: Millis::from_secs(60),
            repl_ping_replica_period: Millis::from_secs(10),
            repl_diskless_sync: true,
            repl_diskless_sync_delay: Millis::from_secs(5),
            repl_diskless_sync_max_replicas: 0,
            repl_diskless_load: DisklessLoad::Disabled,
            repl_disable_tcp_nodelay: false,
            repl_backlog_size: 1 << 20,
            repl_backlog_ttl: Millis::from_secs(3600),
            min_replicas_to_write: 0,
            min_replicas_max_lag: Millis::from_secs(10),
            shutdown_timeout: Millis::from_secs(10),
            replica_ignore_disk_write_errors: false,
            replica_lazy_flush: false,
            rdb_del_sync_files: false,
            replica_priority: 100,
            replica_announced: true,
            replica_ignore_maxmemory: true,
            timeout: Millis::ZERO,
            tcp_keepalive: Millis::from_secs(300),
            maxclients: 10_000,
            maxmemory: 0,
            maxmemory_policy: Policy::NoEviction,
            maxmemory_samples: 5,
            lfu_log_factor: 10,
            lfu_decay_time: 1,
            client_output_buffer_limit: OutputLimit::DEFAULT,
            client_query_buffer_limit: 1 << 30,
            slowlog_log_slower_than: 10_000,
            slowlog_max_len: 128,
            latency_monitor_threshold: 0,
            enable_debug_command: Access::No,
            enable_test_partition: false,
            compact: Compact::default(),
            file: String::new(),
            proto_max_bulk_len: 512 << 20,
            loglevel: LogLevel::Notice,
            logfile: String::new(),
            hz: 10,
            dir: String::new(),
            dbfilename: "dump.rdb".into(),
            pidfile: String::new(),
            save: Vec::new(),
            stop_writes_on_bgsave_error: true,
            appendonly: false,
            appendfilename: "appendonly.aof".into(),
            appenddirname: "appendonlydir".into(),
            appendfsync: Fsync::EverySec,
            auto_aof_rewrite_percentage: 100,
            auto_aof_rewrite_min_size: 64 << 20,
            aof_load_truncated: true,
        }
    }
}

impl Config {
    /// What an operator should know about this configuration, one warning a line.
    pub fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}
