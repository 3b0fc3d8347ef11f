//! Commands that are families: what `CLIENT KILL` is, apart from `CLIENT`.
//!
//! Redis checks, counts and lists a subcommand as a command of its own, with its own number of
//! arguments and its own flags. The rows of one family stand together.

use keyspace::{CommandSpec, Flags, Keys};

/// Flags that many share; the sets are what `COMMAND INFO` of Redis 7.0 shows.
const OPEN: Flags = Flags::LOADING.with(Flags::STALE);
const OWN: Flags = OPEN.with(Flags::NOSCRIPT);
const ADMIN: Flags = OWN.with(Flags::ADMIN);
const ADMIN_LOG: Flags = OPEN.with(Flags::ADMIN);
const ADMIN_SENTINEL: Flags = Flags::ADMIN;
const CLUSTER: Flags = Flags::STALE;
const CLUSTER_SHOW: Flags = Flags::ADMIN.with(Flags::STALE);
const CLUSTER_ADMIN: Flags = CLUSTER_SHOW.with(Flags::NO_ASYNC_LOADING);
const CLUSTER_RESET: Flags = CLUSTER_SHOW.with(Flags::NOSCRIPT);
const CHANNELS: Flags = OPEN.with(Flags::PUBSUB);

const SECOND: Keys = Keys { first: 2, last: 2, step: 1 };

const fn sub(name: &'static str, arity: i32, flags: Flags, keys: Keys, group: &'static str) -> CommandSpec {
    CommandSpec { name, arity, flags, keys, group }
}

/// Every subcommand, by its full name.
pub(crate) static SUBCOMMANDS: &[CommandSpec] = &[
    sub("client|caching", 3, OWN, Keys::NONE, "connection"),
    sub("client|getname", 2, OWN, Keys::NONE, "connection"),
    sub("client|getredir", 2, OWN, Keys::NONE, "connection"),
    sub("client|help", 2, OPEN, Keys::NONE, "connection"),
    sub("client|id", 2, OWN, Keys::NONE, "connection"),
    sub("client|info", 2, OWN, Keys::NONE, "connection"),
    sub("client|kill", -3, ADMIN, Keys::NONE, "connection"),
    sub("client|list", -2, ADMIN, Keys::NONE, "connection"),
    sub("client|no-evict", 3, ADMIN, Keys::NONE, "connection"),
    sub("client|pause", -3, ADMIN, Keys::NONE, "connection"),
    sub("client|reply", 3, OWN, Keys::NONE, "connection"),
    sub("client|setname", 3, OWN, Keys::NONE, "connection"),
    sub("client|tracking", -3, OWN, Keys::NONE, "connection"),
    sub("client|trackinginfo", 2, OWN, Keys::NONE, "connection"),
    sub("client|unblock", -3, ADMIN, Keys::NONE, "connection"),
    sub("client|unpause", 2, ADMIN, Keys::NONE, "connection"),
    sub("cluster|addslots", -3, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|addslotsrange", -4, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|bumpepoch", 2, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|count-failure-reports", 3, CLUSTER_SHOW, Keys::NONE, "cluster"),
    sub("cluster|countkeysinslot", 3, CLUSTER, Keys::NONE, "cluster"),
    sub("cluster|delslots", -3, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|delslotsrange", -4, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|failover", -2, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|flushslots", 2, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|forget", 3, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|getkeysinslot", 4, CLUSTER, Keys::NONE, "cluster"),
    sub("cluster|help", 2, OPEN, Keys::NONE, "cluster"),
    sub("cluster|info", 2, CLUSTER, Keys::NONE, "cluster"),
    sub("cluster|keyslot", 3, CLUSTER, Keys::NONE, "cluster"),
    sub("cluster|links", 2, CLUSTER, Keys::NONE, "cluster"),
    sub("cluster|meet", -4, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|myid", 2, CLUSTER, Keys::NONE, "cluster"),
    sub("cluster|nodes", 2, CLUSTER, Keys::NONE, "cluster"),
    sub("cluster|replicas", 3, CLUSTER_SHOW, Keys::NONE, "cluster"),
    sub("cluster|replicate", 3, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|reset", -2, CLUSTER_RESET, Keys::NONE, "cluster"),
    sub("cluster|saveconfig", 2, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|set-config-epoch", 3, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|setslot", -4, CLUSTER_ADMIN, Keys::NONE, "cluster"),
    sub("cluster|shards", 2, CLUSTER, Keys::NONE, "cluster"),
    sub("cluster|slaves", 3, CLUSTER_SHOW, Keys::NONE, "cluster"),
    sub("cluster|slots", 2, CLUSTER, Keys::NONE, "cluster"),
    sub("config|get", -3, ADMIN, Keys::NONE, "server"),
    sub("config|help", 2, OPEN, Keys::NONE, "server"),
    sub("config|resetstat", 2, ADMIN, Keys::NONE, "server"),
    sub("config|rewrite", 2, ADMIN, Keys::NONE, "server"),
    sub("config|set", -4, ADMIN, Keys::NONE, "server"),
    sub("command|count", 2, OPEN, Keys::NONE, "server"),
    sub("command|docs", -2, OPEN, Keys::NONE, "server"),
    sub("command|getkeys", -4, OPEN, Keys::NONE, "server"),
    sub("command|getkeysandflags", -4, OPEN, Keys::NONE, "server"),
    sub("command|help", 2, OPEN, Keys::NONE, "server"),
    sub("command|info", -2, OPEN, Keys::NONE, "server"),
    sub("command|list", -2, OPEN, Keys::NONE, "server"),
    sub("pubsub|channels", -2, CHANNELS, Keys::NONE, "pubsub"),
    sub("pubsub|help", 2, OPEN, Keys::NONE, "pubsub"),
    sub("pubsub|numpat", 2, CHANNELS, Keys::NONE, "pubsub"),
    sub("pubsub|numsub", -2, CHANNELS, Keys::NONE, "pubsub"),
    sub("pubsub|shardchannels", -2, CHANNELS, Keys::NONE, "pubsub"),
    sub("pubsub|shardnumsub", -2, CHANNELS, Keys::NONE, "pubsub"),
    sub("object|encoding", 3, Flags::READONLY, SECOND, "generic"),
    sub("object|freq", 3, Flags::READONLY, SECOND, "generic"),
    sub("object|help", 2, OPEN, Keys::NONE, "generic"),
    sub("object|idletime", 3, Flags::READONLY, SECOND, "generic"),
    sub("object|refcount", 3, Flags::READONLY, SECOND, "generic"),
    sub("memory|doctor", 2, Flags::NONE, Keys::NONE, "server"),
    sub("memory|help", 2, OPEN, Keys::NONE, "server"),
    sub("memory|malloc-stats", 2, Flags::NONE, Keys::NONE, "server"),
    sub("memory|purge", 2, Flags::NONE, Keys::NONE, "server"),
    sub("memory|stats", 2, Flags::NONE, Keys::NONE, "server"),
    sub("memory|usage", -3, Flags::READONLY, SECOND, "server"),
    sub("slowlog|get", -2, ADMIN_LOG, Keys::NONE, "server"),
    sub("slowlog|help", 2, OPEN, Keys::NONE, "server"),
    sub("slowlog|len", 2, ADMIN_LOG, Keys::NONE, "server"),
    sub("slowlog|reset", 2, ADMIN_LOG, Keys::NONE, "server"),
    sub("latency|doctor", 2, ADMIN, Keys::NONE, "server"),
    sub("latency|graph", 3, ADMIN, Keys::NONE, "server"),
    sub("latency|help", 2, OPEN, Keys::NONE, "server"),
    sub("latency|histogram", -2, ADMIN, Keys::NONE, "server"),
    sub("latency|history", 3, ADMIN, Keys::NONE, "server"),
    sub("latency|latest", 2, ADMIN, Keys::NONE, "server"),
    sub("latency|reset", -2, ADMIN, Keys::NONE, "server"),
    sub("sentinel|ckquorum", 3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|config", -3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|debug", -2, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|failover", 3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|flushconfig", 2, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|get-master-addr-by-name", 3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|help", 2, OPEN, Keys::NONE, "sentinel"),
    sub("sentinel|info-cache", -3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|is-master-down-by-addr", 6, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|master", 3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|masters", 2, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|monitor", 6, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|myid", 2, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|pending-scripts", 2, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|remove", 3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|replicas", 3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|reset", 3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|sentinels", 3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|set", -5, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|simulate-failure", -3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("sentinel|slaves", 3, ADMIN_SENTINEL, Keys::NONE, "sentinel"),
    sub("acl|cat", -2, OWN, Keys::NONE, "server"),
    sub("acl|help", 2, OPEN, Keys::NONE, "server"),
    sub("acl|list", 2, ADMIN, Keys::NONE, "server"),
    sub("acl|users", 2, ADMIN, Keys::NONE, "server"),
    sub("acl|whoami", 2, OWN, Keys::NONE, "server"),
];
