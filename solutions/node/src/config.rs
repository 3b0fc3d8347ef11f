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
//! - `save` and `appendonly` are understood but do nothing yet; [`Config::notes`] says so. `save` is
//!   empty by default.
//! - `daemonize` may only be `no`. `port`, `bind` and `tcp-backlog` cannot change while the node runs.
//! - Values are text: one that is not UTF-8 is refused.
//! - `include` takes one path, without wildcards.

mod load;
mod runtime;
mod table;
#[cfg(test)]
mod tests;
mod values;

use core_types::{Endpoint, LogLevel, Millis};

pub use load::{LoadError, Source};
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
    /// Close a client that is silent this long; zero for never.
    pub timeout: Millis,
    /// How often TCP asks whether a silent peer is still there; zero for never.
    pub tcp_keepalive: Millis,
    /// How many clients may be connected at once.
    pub maxclients: usize,
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
    /// When to save snapshots: (seconds, changes). Understood, but without effect yet.
    pub save: Vec<(u64, u64)>,
    /// Keep an append-only file. Understood, but without effect yet.
    pub appendonly: bool,
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
            replica_read_only: true,
            replica_serve_stale_data: true,
            replica_announce_ip: None,
            replica_announce_port: 0,
            repl_timeout: Millis::from_secs(60),
            repl_ping_replica_period: Millis::from_secs(10),
            repl_diskless_sync: true,
            repl_diskless_sync_delay: Millis::from_secs(5),
            timeout: Millis::ZERO,
            tcp_keepalive: Millis::from_secs(300),
            maxclients: 10_000,
            proto_max_bulk_len: 512 << 20,
            loglevel: LogLevel::Notice,
            logfile: String::new(),
            hz: 10,
            dir: String::new(),
            dbfilename: "dump.rdb".into(),
            pidfile: String::new(),
            save: Vec::new(),
            appendonly: false,
        }
    }
}

impl Config {
    /// What an operator should know about this configuration, one warning a line.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.save.is_empty() {
            notes.push("'save' has no effect: this version keeps its data in memory only.".to_owned());
        }
        if self.appendonly {
            notes.push(
                "'appendonly yes' has no effect: this version keeps its data in memory only.".to_owned(),
            );
        }
        notes
    }
}
