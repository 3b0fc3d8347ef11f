//! What `COMMAND` tips a clever client off: whether the same call may have another answer the next time, and how to ask
//! all nodes of a cluster and make one answer of theirs. The values are what `COMMAND` of Redis 7.0 shows.

/// The answer is another one the next time, even if nothing was written.
const VARIES: &str = "nondeterministic_output";
/// The same elements, in any order.
const ORDER_VARIES: &str = "nondeterministic_output_order";
const ALL_NODES: &str = "request_policy:all_nodes";
const ALL_SHARDS: &str = "request_policy:all_shards";
const BY_KEYS: &str = "request_policy:multi_shard";
const ALL_SUCCEED: &str = "response_policy:all_succeeded";
const LEAST: &str = "response_policy:agg_min";
const SUM: &str = "response_policy:agg_sum";
const SPECIAL: &str = "response_policy:special";

/// The tips for a command, or a subcommand by its full name.
pub(super) fn tips(name: &str) -> &'static [&'static str] {
    match name {
        "client|info" | "client|list" => &[VARIES],
        "cluster|bumpepoch" | "cluster|count-failure-reports" | "cluster|getkeysinslot" => &[VARIES],
        "cluster|info" | "cluster|links" | "cluster|nodes" | "cluster|replicas" => &[VARIES],
        "cluster|shards" | "cluster|slaves" | "cluster|slots" => &[VARIES],
        "command" | "command|docs" | "command|info" | "command|list" => &[ORDER_VARIES],
        "config|set" | "slowlog|reset" | "latency|reset" => &[ALL_NODES, ALL_SUCCEED],
        "flushall" | "flushdb" | "memory|purge" | "ping" => &[ALL_SHARDS, ALL_SUCCEED],
        "dbsize" => &[ALL_SHARDS, SUM],
        "del" | "exists" | "touch" | "unlink" => &[BY_KEYS, SUM],
        "dump" | "lastsave" | "migrate" | "pttl" | "time" | "ttl" => &[VARIES],
        "hgetall" | "hkeys" | "hvals" | "sdiff" | "sinter" | "smembers" | "sunion" => &[ORDER_VARIES],
        "hrandfield" | "spop" | "srandmember" | "zrandmember" => &[VARIES],
        "hscan" | "sscan" | "zscan" => &[VARIES],
        "info" | "memory|doctor" | "memory|malloc-stats" | "memory|stats" => &[VARIES, ALL_SHARDS, SPECIAL],
        "keys" => &[ALL_SHARDS, ORDER_VARIES],
        "randomkey" => &[ALL_SHARDS, VARIES],
        "latency|doctor" | "latency|graph" | "latency|histogram" | "latency|history" | "latency|latest" => {
            &[VARIES, ALL_NODES, SPECIAL]
        }
        "mget" => &[BY_KEYS],
        "mset" => &[BY_KEYS, ALL_SUCCEED],
        "msetnx" => &[BY_KEYS, LEAST],
        "object|encoding" | "object|freq" | "object|idletime" | "object|refcount" => &[VARIES],
        "scan" => &[VARIES, "request_policy:special"],
        "slowlog|get" => &[ALL_NODES, VARIES],
        "slowlog|len" => &[ALL_NODES, SUM, VARIES],
        "wait" => &[ALL_SHARDS, LEAST],
        _ => &[],
    }
}
