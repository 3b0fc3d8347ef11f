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
    pub(crate) keyspace_hits: u64,
    pub(crate) keyspace_misses: u64,
}
