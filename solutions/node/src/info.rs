//! `INFO`: the fields that operators, tools and other nodes read, in Redis's names and order.

use std::fmt::Write;

use crate::Node;
use crate::conn::{Conn, Kind};
use crate::pubsub::Space;
use crate::table;

/// The Redis release whose behaviour we follow. Clients and other nodes read it.
pub(crate) const REDIS_VERSION: &str = "7.0.15";

/// Every section, in Redis's order.
const SECTIONS: [&str; 13] = [
    "server",
    "clients",
    "memory",
    "persistence",
    "stats",
    "replication",
    "cpu",
    "modules",
    "commandstats",
    "errorstats",
    "cluster",
    "keyspace",
    "sentinel",
];

/// Sections that are shown only if they are asked for, or everything is.
const ON_DEMAND: [&str; 1] = ["commandstats"];

impl Node {
    /// The text of `INFO` for these sections, in lower case; none means those that Redis shows by default.
    pub(crate) fn info(&self, wanted: &[String]) -> String {
        let asked = |words: &[&str]| wanted.iter().any(|word| words.contains(&word.as_str()));
        let all = asked(&["all", "everything"]);
        let default = wanted.is_empty() || asked(&["default"]);
        let mut text = String::with_capacity(8 * 1024);
        for section in SECTIONS {
            let of_a_sentinel = ["server", "clients", "cpu", "stats", "sentinel"].contains(&section);
            if (self.sentinel.is_some() && !of_a_sentinel)
                || (self.sentinel.is_none() && section == "sentinel")
            {
                continue;
            }
            let shown = all || (default && !ON_DEMAND.contains(&section)) || asked(&[section]);
            // Redis counts the modules among everything, not among all.
            if !shown || (section == "modules" && asked(&["all"]) && !asked(&["everything", "modules"])) {
                continue;
            }
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let heading = match section {
                "cpu" => "CPU".to_string(),
                _ => section[..1].to_ascii_uppercase() + &section[1..],
            };
            let _ = write!(text, "# {heading}\r\n");
            for (name, value) in self.section(section) {
                let _ = write!(text, "{name}:{value}\r\n");
            }
        }
        text
    }

    fn section(&self, name: &str) -> Vec<(String, String)> {
        match name {
            "server" => self.info_server(),
            "clients" => fields([
                ("connected_clients", self.clients().to_string()),
                ("cluster_connections", self.wanted_bus_links().to_string()),
                ("maxclients", self.config.maxclients.to_string()),
                ("client_recent_max_input_buffer", self.largest_buffer(|conn| conn.input.pending.len())),
                ("client_recent_max_output_buffer", self.largest_buffer(|conn| conn.out.len())),
                ("blocked_clients", (self.blocked_clients + self.postponed_clients()).to_string()),
                ("tracking_clients", "0".into()),
                ("clients_in_timeout_table", self.clients_with_deadline().to_string()),
            ]),
            "memory" => self.info_memory(),
            "persistence" => self.info_persistence(),
            "stats" => self.info_stats(),
            "replication" => self.info_replication(),
            "cpu" => self.info_cpu(),
            "modules" => Vec::new(),
            "sentinel" => {
                self.sentinel.as_ref().map_or_else(Vec::new, |watcher| watcher.machine.info(self.now))
            }
            "commandstats" => self.info_commandstats(),
            "errorstats" => {
                let errors = self.stats.errors.iter();
                errors.map(|(word, count)| (format!("errorstat_{word}"), format!("count={count}"))).collect()
            }
            "cluster" => fields([("cluster_enabled", u8::from(self.cluster.is_some()).to_string())]),
            _ => self.info_keyspace(),
        }
    }

    fn largest_buffer(&self, size: impl Fn(&Conn) -> usize) -> String {
        self.conns.iter().map(size).max().unwrap_or(0).to_string()
    }

    fn info_memory(&self) -> Vec<(String, String)> {
        let used = self.meters.used_memory();
        let resident = self.meters.resident_memory();
        let peak = self.peak_memory.max(used);
        let on_connections: usize = self
            .replication
            .replicas
            .iter()
            .filter_map(|id| self.conns.get(*id))
            .map(|conn| conn.out.capacity())
            .sum();
        // As in Redis: the log up to its size is the backlog, and what it holds beyond is the replicas'.
        let log = self.replication.log.as_ref().map_or(0, |log| log.len());
        let for_replicas = !self.replication.replicas.is_empty();
        let backlog = if for_replicas { log.min(self.config.repl_backlog_size) } else { log };
        let replicas = on_connections + log - backlog;
        let buffers = |conn: &Conn| conn.out.capacity() + conn.input.pending.capacity();
        let bus = self.bus_memory();
        let clients = self.conns.iter().filter(|conn| !matches!(conn.kind, Kind::Bus(_)));
        let clients = clients.map(buffers).sum::<usize>().saturating_sub(on_connections);
        let overhead = (replicas + backlog + clients + bus) as u64;
        let max = self.config.maxmemory;
        fields([
            ("used_memory", used.to_string()),
            ("used_memory_human", human(used)),
            ("used_memory_rss", resident.to_string()),
            ("used_memory_rss_human", human(resident)),
            ("used_memory_peak", peak.to_string()),
            ("used_memory_peak_human", human(peak)),
            ("used_memory_peak_perc", format!("{:.2}%", percent(used, peak))),
            ("used_memory_overhead", overhead.to_string()),
            ("used_memory_dataset", used.saturating_sub(overhead).to_string()),
            ("used_memory_dataset_perc", format!("{:.2}%", percent(used.saturating_sub(overhead), used))),
            ("maxmemory", max.to_string()),
            ("maxmemory_human", human(max)),
            ("maxmemory_policy", self.config.maxmemory_policy.word().into()),
            ("mem_fragmentation_ratio", format!("{:.2}", percent(resident, used) / 100.0)),
            ("mem_fragmentation_bytes", (resident as i64 - used as i64).to_string()),
            ("mem_not_counted_for_evict", replicas.to_string()),
            ("mem_replication_backlog", backlog.to_string()),
            ("mem_total_replication_buffers", (on_connections + log).to_string()),
            ("mem_clients_slaves", replicas.to_string()),
            ("mem_clients_normal", clients.to_string()),
            ("mem_cluster_links", bus.to_string()),
            ("mem_allocator", "mimalloc".into()),
            ("active_defrag_running", "0".into()),
            ("lazyfree_pending_objects", "0".into()),
        ])
    }

    fn info_cpu(&self) -> Vec<(String, String)> {
        let (system, user) = self.meters.cpu();
        let seconds = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        fields([
            ("used_cpu_sys", seconds(system)),
            ("used_cpu_user", seconds(user)),
            ("used_cpu_sys_children", seconds(0)),
            ("used_cpu_user_children", seconds(0)),
        ])
    }

    fn info_commandstats(&self) -> Vec<(String, String)> {
        let counted = table::specs().zip(&self.stats.commands);
        let counted = counted.filter(|(_, stats)| stats.calls + stats.rejected > 0);
        counted
            .map(|(spec, stats)| {
                let each = stats.micros as f64 / stats.calls.max(1) as f64;
                let text = format!(
                    "calls={},usec={},usec_per_call={each:.2},rejected_calls={},failed_calls={}",
                    stats.calls, stats.micros, stats.rejected, stats.failed
                );
                (format!("cmdstat_{}", spec.name), text)
            })
            .collect()
    }

    fn mode(&self) -> &'static str {
        match () {
            () if self.sentinel.is_some() => "sentinel",
            () if self.cluster.is_some() => "cluster",
            () => "standalone",
        }
    }

    fn clients(&self) -> usize {
        let own_errands = self.conns.iter().filter(|conn| !conn.is_client()).count();
        self.conns.len() - self.replication.replicas.len() - own_errands
    }

    fn info_server(&self) -> Vec<(String, String)> {
        let uptime = self.now.since(self.started).as_secs();
        let leaving = self.leaving_deadline().map(|deadline| deadline.since(self.now).0.to_string());
        let leaving = leaving.map(|left| ("shutdown_in_milliseconds".to_string(), left));
        let mut list = fields([
            ("redis_version", REDIS_VERSION.into()),
            ("redis_mode", self.mode().into()),
            ("server_name", format!("{} {}", crate::config::NAME, crate::config::VERSION)),
            ("arch_bits", usize::BITS.to_string()),
            ("process_id", self.process_id.to_string()),
            ("process_supervised", "no".into()),
            ("run_id", self.run_id.to_string()),
            ("tcp_port", self.config.port.to_string()),
            ("server_time_usec", (u128::from(self.now.0) * 1000).to_string()),
            ("uptime_in_seconds", uptime.to_string()),
            ("uptime_in_days", (uptime / 86_400).to_string()),
            ("hz", self.config.hz.to_string()),
            ("configured_hz", self.config.hz.to_string()),
            ("lru_clock", (self.now.as_secs() & 0x00ff_ffff).to_string()),
            ("executable", String::new()),
            ("config_file", self.config.file.clone()),
            ("io_threads_active", "0".into()),
        ]);
        list.extend(leaving);
        list
    }

    fn info_stats(&self) -> Vec<(String, String)> {
        let stats = &self.stats;
        let [commands, input, output] = stats.rates.per_second();
        fields([
            ("total_connections_received", stats.connections_received.to_string()),
            ("total_commands_processed", stats.commands_processed.to_string()),
            ("instantaneous_ops_per_sec", commands.to_string()),
            ("total_net_input_bytes", stats.net_input_bytes.to_string()),
            ("total_net_output_bytes", stats.net_output_bytes.to_string()),
            ("instantaneous_input_kbps", format!("{:.2}", input as f64 / 1024.0)),
            ("instantaneous_output_kbps", format!("{:.2}", output as f64 / 1024.0)),
            ("rejected_connections", stats.rejected_connections.to_string()),
            ("sync_full", stats.sync_full.to_string()),
            ("sync_partial_ok", stats.sync_partial_ok.to_string()),
            ("sync_partial_err", stats.sync_partial_err.to_string()),
            ("expired_keys", stats.expired_keys.to_string()),
            ("evicted_keys", stats.evicted_keys.to_string()),
            ("evicted_clients", "0".into()),
            ("keyspace_hits", stats.keyspace_hits.to_string()),
            ("keyspace_misses", stats.keyspace_misses.to_string()),
            ("pubsub_channels", self.listened(Space::Channel).to_string()),
            ("pubsub_patterns", self.listened(Space::Pattern).to_string()),
            ("pubsubshard_channels", self.listened(Space::Shard).to_string()),
            ("migrate_cached_sockets", self.migrations.cached().to_string()),
            ("total_error_replies", stats.error_replies.to_string()),
        ])
    }

    fn info_keyspace(&self) -> Vec<(String, String)> {
        let databases = (0..self.keyspace.databases()).filter(|&index| self.keyspace.len(index) > 0);
        databases
            .map(|index| {
                let db = self.keyspace.db(index);
                // Redis estimates the average time to live in its expiry cycle; we keep no such estimate.
                let text = format!("keys={},expires={},avg_ttl=0", db.len(), db.volatile_len());
                (format!("db{index}"), text)
            })
            .collect()
    }
}

fn fields<const N: usize>(list: [(&str, String); N]) -> Vec<(String, String)> {
    list.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

/// A number of bytes as a person reads it (`bytesToHuman` in Redis's `server.c`).
fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64;
    let mut unit = "";
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.2}{unit}")
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}
