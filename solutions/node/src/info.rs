//! `INFO`: the fields that operators, tools and other nodes read, in Redis's names and order.

use std::fmt::Write;

use core_types::Role;

use crate::Node;
use crate::layers::one_replica::{LinkState, Phase};
use crate::replication::master::replica_ip;

/// The Redis release whose behaviour we follow. Clients and other nodes read it.
pub(crate) const REDIS_VERSION: &str = "7.0.15";

/// Every section, in Redis's order.
const SECTIONS: [&str; 7] =
    ["server", "clients", "memory", "persistence", "stats", "replication", "keyspace"];

impl Node {
    /// The text of `INFO` for these sections, in lower case; none means all.
    pub(crate) fn info(&self, wanted: &[String]) -> String {
        let every = wanted.is_empty()
            || wanted.iter().any(|w| matches!(w.as_str(), "all" | "default" | "everything"));
        let mut text = String::new();
        for section in SECTIONS {
            if !every && !wanted.iter().any(|w| w == section) {
                continue;
            }
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let mut heading = section.to_string();
            heading[..1].make_ascii_uppercase();
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
                ("maxclients", self.config.maxclients.to_string()),
                ("blocked_clients", "0".into()),
            ]),
            "memory" => fields([("maxmemory", "0".into()), ("maxmemory_policy", "noeviction".into())]),
            "persistence" => fields([
                ("loading", "0".into()),
                ("rdb_changes_since_last_save", self.replication.dirty.to_string()),
                ("rdb_bgsave_in_progress", "0".into()),
                ("aof_enabled", "0".into()),
            ]),
            "stats" => self.info_stats(),
            "replication" => self.info_replication(),
            _ => self.info_keyspace(),
        }
    }

    fn clients(&self) -> usize {
        self.conns.len() - self.replication.replicas.len()
    }

    fn info_server(&self) -> Vec<(String, String)> {
        let uptime = self.now.since(self.started).as_secs();
        fields([
            ("redis_version", REDIS_VERSION.into()),
            ("redis_mode", "standalone".into()),
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
        ])
    }

    fn info_stats(&self) -> Vec<(String, String)> {
        let stats = &self.stats;
        fields([
            ("total_connections_received", stats.connections_received.to_string()),
            ("total_commands_processed", stats.commands_processed.to_string()),
            ("total_net_input_bytes", stats.net_input_bytes.to_string()),
            ("total_net_output_bytes", stats.net_output_bytes.to_string()),
            ("rejected_connections", stats.rejected_connections.to_string()),
            ("sync_full", stats.sync_full.to_string()),
            ("sync_partial_ok", stats.sync_partial_ok.to_string()),
            ("sync_partial_err", stats.sync_partial_err.to_string()),
            ("expired_keys", stats.expired_keys.to_string()),
            ("evicted_keys", "0".into()),
            ("keyspace_hits", stats.keyspace_hits.to_string()),
            ("keyspace_misses", stats.keyspace_misses.to_string()),
            ("total_error_replies", stats.error_replies.to_string()),
        ])
    }

    fn info_replication(&self) -> Vec<(String, String)> {
        let mut list = Vec::new();
        let mut add = |name: &str, value: String| list.push((name.to_string(), value));
        let offset = self.replication.offset();
        match (&self.replication.role, &self.replication.upstream) {
            (Role::Replica { of }, Some(upstream)) => {
                let state = upstream.state();
                let online = state == LinkState::Online;
                add("role", "slave".into());
                add("master_host", of.host.clone());
                add("master_port", of.port.to_string());
                add("master_link_status", if online { "up" } else { "down" }.into());
                let silence = self.now.since(upstream.last_io()).as_secs();
                add("master_last_io_seconds_ago", if online { silence.to_string() } else { "-1".into() });
                let syncing = matches!(state, LinkState::Transfer | LinkState::Loading);
                add("master_sync_in_progress", u8::from(syncing).to_string());
                add("slave_read_repl_offset", offset.to_string());
                add("slave_repl_offset", offset.to_string());
                if syncing {
                    add("master_sync_read_bytes", upstream.snapshot_bytes.to_string());
                }
                if !online {
                    let down = self.now.since(upstream.since_down).as_secs();
                    add("master_link_down_since_seconds", down.to_string());
                }
                add("slave_priority", "100".into());
                add("slave_read_only", u8::from(self.config.replica_read_only).to_string());
                add("replica_announced", "1".into());
            }
            _ => add("role", "master".into()),
        }
        add("connected_slaves", self.replication.replicas.len().to_string());
        for (index, id) in self.replication.replicas.iter().enumerate() {
            let (Some(conn), Some(replica)) = (self.conns.get(*id), self.replica(*id)) else { continue };
            let state = match replica.attachment.phase() {
                Phase::WaitSnapshot | Phase::Snapshotting => "wait_bgsave",
                Phase::Sending | Phase::AwaitAck => "send_bulk",
                Phase::Online => "online",
            };
            let lag = match replica.attachment.phase() {
                Phase::Online => self.now.since(replica.acked_at).as_secs(),
                _ => 0,
            };
            add(
                &format!("slave{index}"),
                format!(
                    "ip={},port={},state={state},offset={},lag={lag}",
                    replica_ip(conn),
                    conn.hello.port,
                    replica.attachment.acked()
                ),
            );
        }
        add("master_failover_state", "no-failover".into());
        add("master_replid", self.replication.id.to_string());
        add("master_replid2", "0".repeat(40));
        add("master_repl_offset", offset.to_string());
        add("second_repl_offset", "-1".into());
        add("repl_backlog_active", "0".into());
        list
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
