use std::ffi::OsString;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use core_types::Endpoint;

use super::super::args::Login;

/// Looks after a cluster: makes it, checks it, moves its slots, changes its nodes, repairs it.
///
/// Any node of the cluster can be named; the others are found through it.
#[derive(Parser, Clone, Debug)]
#[command(name = "ha-cli --cluster", disable_help_flag = true, subcommand_required = true)]
#[command(arg_required_else_help = true)]
pub(in crate::cli) struct ClusterArgs {
    #[command(flatten)]
    pub(super) login: Login,
    /// Don't ask, do it
    #[arg(long = "cluster-yes", global = true)]
    pub(super) yes: bool,
    #[command(subcommand)]
    pub(super) task: Task,
}

#[derive(Subcommand, Clone, Debug)]
pub(super) enum Task {
    /// Make a cluster out of empty nodes
    Create {
        /// The nodes, as host:port
        #[arg(required = true, value_name = "host:port")]
        nodes: Vec<Address>,
        /// How many replicas each master gets
        #[arg(long = "cluster-replicas", value_name = "count", default_value_t = 0)]
        replicas: usize,
    },
    /// See whether all is in order
    Check {
        #[command(flatten)]
        entry: Entry,
        /// Look for slots that several nodes claim, too
        #[arg(long = "cluster-search-multiple-owners")]
        several_owners: bool,
    },
    /// Masters with their keys and slots
    Info {
        #[command(flatten)]
        entry: Entry,
    },
    /// Close slots that were left open, cover those that nobody has
    Fix {
        #[command(flatten)]
        entry: Entry,
        /// Fix slots that several nodes claim, too
        #[arg(long = "cluster-search-multiple-owners")]
        several_owners: bool,
        /// Give away the slots of masters that do not answer (their keys are lost)
        #[arg(long = "cluster-fix-with-unreachable-masters")]
        without_unreachable: bool,
        #[command(flatten)]
        moving: Moving,
    },
    /// Move slots to one master
    Reshard {
        #[command(flatten)]
        entry: Entry,
        /// Ids of the masters that give, separated by commas; or `all`
        #[arg(long = "cluster-from", value_name = "ids")]
        from: Option<String>,
        /// Id of the master that takes
        #[arg(long = "cluster-to", value_name = "id")]
        to: Option<String>,
        /// How many
        #[arg(long = "cluster-slots", value_name = "count")]
        slots: Option<usize>,
        #[command(flatten)]
        moving: Moving,
    },
    /// Give each master its part of the slots
    Rebalance {
        #[command(flatten)]
        entry: Entry,
        /// Weights of nodes: id=weight, or the beginning of an id. All others weigh 1
        #[arg(long = "cluster-weight", value_name = "id=weight", num_args = 1..)]
        weight: Vec<String>,
        /// Let masters without slots take part
        #[arg(long = "cluster-use-empty-masters")]
        use_empty: bool,
        /// Only say what would be done
        #[arg(long = "cluster-simulate")]
        simulate: bool,
        /// Do nothing if no master is further from its part than this many per cent
        #[arg(long = "cluster-threshold", value_name = "percent", default_value_t = 2.0)]
        threshold: f32,
        #[command(flatten)]
        moving: Moving,
    },
    /// Let an empty node join
    AddNode {
        /// The new node
        #[arg(value_name = "new host:port")]
        new: Address,
        /// A node of the cluster
        #[arg(value_name = "host:port")]
        entry: Address,
        /// It becomes a replica: of the master that has the fewest, or of the one that is named
        #[arg(long = "cluster-slave", visible_alias = "cluster-replica")]
        replica: bool,
        /// The id of its master
        #[arg(long = "cluster-master-id", value_name = "id")]
        master: Option<String>,
    },
    /// Let a node without slots leave
    DelNode {
        /// A node of the cluster
        #[arg(value_name = "host:port")]
        entry: Address,
        /// Id of the one that leaves
        #[arg(value_name = "id")]
        id: String,
    },
    /// Run a command on every node
    Call {
        /// A node of the cluster
        #[arg(value_name = "host:port")]
        entry: Address,
        /// The command. With --cluster-only-masters or --cluster-only-replicas: only on those
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Set cluster-node-timeout on every node
    SetTimeout {
        /// A node of the cluster
        #[arg(value_name = "host:port")]
        entry: Address,
        #[arg(value_name = "milliseconds")]
        milliseconds: u64,
    },
    /// (Not supported: use redis-cli)
    #[command(hide = true)]
    Import {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        _rest: Vec<OsString>,
    },
    /// (Not supported: use redis-cli)
    #[command(hide = true)]
    Backup {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        _rest: Vec<OsString>,
    },
}

/// A node of the cluster: `host:port`, or both as two words.
#[derive(Args, Clone, Debug)]
pub(super) struct Entry {
    /// Any node of the cluster: host:port, or host and port
    #[arg(num_args = 0..=2, value_names = ["host:port", "port"], id = "entry")]
    pub(super) words: Vec<String>,
}

impl Entry {
    /// Where that is.
    pub(super) fn endpoint(&self) -> Result<Endpoint, String> {
        let text = self.words.join(":");
        Address::from_str(&text).map(|address| address.0).map_err(str::to_owned)
    }
}

/// How keys are moved.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Moving {
    /// How long one MIGRATE may take
    #[arg(long = "cluster-timeout", value_name = "milliseconds", default_value_t = 60_000)]
    pub(super) timeout: u64,
    /// How many keys go into one MIGRATE
    #[arg(long = "cluster-pipeline", value_name = "keys", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) keys: u32,
    /// Overwrite keys that the target has already
    #[arg(long = "cluster-replace")]
    pub(super) replace: bool,
}

/// `host:port`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address(pub(super) Endpoint);

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Address, &'static str> {
        let wrong = "an address is host:port, as in 127.0.0.1:7000";
        // redis-cli takes the bus port that CLUSTER NODES shows, too, and so people paste it.
        let (text, _) = text.split_once('@').unwrap_or((text, ""));
        let (host, port) = text.rsplit_once(':').ok_or(wrong)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match port.parse() {
            Ok(port) if port > 0 && !host.is_empty() => Ok(Address(Endpoint::new(host, port))),
            _ => Err(wrong),
        }
    }
}
