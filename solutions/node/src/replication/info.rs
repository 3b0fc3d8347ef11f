//! `INFO replication` and `ROLE`.

use core_types::{Offset, Reply, Role};

use super::Upstream;
use super::attach::{ReplicaConn, replica_ip};
use crate::Node;
use crate::conn::Conn;
use crate::layers::one_replica::{LinkState, Phase};

impl Node {
    pub(crate) fn info_replication(&self) -> Vec<(String, String)> {
        let mut list = Vec::new();
        match (&self.replication.role, &self.replication.upstream) {
            (Role::Replica { of }, Some(upstream)) => {
                list.push(("role".to_string(), "slave".to_string()));
                list.push(("master_host".to_string(), of.host.clone()));
                list.push(("master_port".to_string(), of.port.to_string()));
                self.info_of_link(upstream, &mut list);
            }
            _ => list.push(("role".to_string(), "master".to_string())),
        }
        let mut add = |name: &str, value: String| list.push((name.to_string(), value));
        add("connected_slaves", self.replication.replicas.len().to_string());
        let gate = self.write_gate();
        if gate.replicas > 0 && gate.max_lag.0 > 0 {
            add("min_slaves_good_slaves", self.good_replicas().to_string());
        }
        for (index, (conn, replica)) in self.attached().enumerate() {
            add(&format!("slave{index}"), self.info_of_replica(conn, replica));
        }
        let history = self.replication.history;
        let log = self.replication.log.as_ref();
        add("master_failover_state", self.failover_state().into());
        add("master_replid", history.id.to_string());
        add("master_replid2", history.earlier.map_or("0".repeat(40), |past| past.id.to_string()));
        add("master_repl_offset", self.replication.offset().to_string());
        add(
            "second_repl_offset",
            history.earlier.map_or("-1".into(), |past| (past.offset.0 + 1).to_string()),
        );
        add("repl_backlog_active", u8::from(log.is_some()).to_string());
        add("repl_backlog_size", self.config.repl_backlog_size.to_string());
        add("repl_backlog_first_byte_offset", log.map_or(0, |log| log.start().0 + 1).to_string());
        add("repl_backlog_histlen", log.map_or(0, |log| log.len()).to_string());
        list
    }

    fn attached(&self) -> impl Iterator<Item = (&Conn, &ReplicaConn)> {
        let ids = self.replication.replicas.iter();
        ids.filter_map(|id| Some((self.conns.get(*id)?, self.replica(*id)?)))
    }

    fn info_of_link(&self, upstream: &Upstream, list: &mut Vec<(String, String)>) {
        let mut add = |name: &str, value: String| list.push((name.to_string(), value));
        let seconds_since = |then| self.now.since(then).as_secs().to_string();
        let state = upstream.state();
        let online = state == LinkState::Online;
        add("master_link_status", if online { "up" } else { "down" }.into());
        let silence = if online { seconds_since(upstream.last_io()) } else { "-1".into() };
        add("master_last_io_seconds_ago", silence);
        let syncing = matches!(state, LinkState::Transfer | LinkState::Loading);
        add("master_sync_in_progress", u8::from(syncing).to_string());
        // What a node shows that has nothing to go on from (`genRedisInfoString`).
        let known = upstream.has_position();
        let shown = |offset: Offset| if known { offset.to_string() } else { "1".into() };
        add("slave_read_repl_offset", shown(upstream.read_offset()));
        add("slave_repl_offset", shown(upstream.offset()));
        if syncing {
            let (total, read) = (upstream.snapshot_length().unwrap_or(0), upstream.snapshot_bytes);
            let percent = if total == 0 { 0.0 } else { read as f64 * 100.0 / total as f64 };
            add("master_sync_total_bytes", total.to_string());
            add("master_sync_read_bytes", read.to_string());
            add("master_sync_left_bytes", (total as i64 - read as i64).to_string());
            add("master_sync_perc", format!("{percent:.2}"));
            add("master_sync_last_io_seconds_ago", seconds_since(upstream.last_io()));
        }
        if !online {
            add("master_link_down_since_seconds", upstream.since_down.map_or("-1".into(), seconds_since));
        }
        add("slave_priority", self.config.replica_priority.to_string());
        add("slave_read_only", u8::from(self.config.replica_read_only).to_string());
        add("replica_announced", u8::from(self.config.replica_announced).to_string());
    }

    fn info_of_replica(&self, conn: &Conn, replica: &ReplicaConn) -> String {
        let state = replica.state_word();
        let acked = self.replication.acks.acked(conn.id).unwrap_or(Offset(0));
        let lag = self.replication.acks.lag(self.now, conn.id).unwrap_or(0);
        format!("ip={},port={},state={state},offset={acked},lag={lag}", replica_ip(conn), conn.hello.port)
    }

    /// What `ROLE` answers.
    pub(crate) fn answer_role(&mut self, conn: &mut Conn) {
        let offset = self.replication.offset().0 as i64;
        if let (Role::Replica { of }, Some(state)) = (self.replication.role.clone(), self.link_state()) {
            let offset = if state == LinkState::Online { offset } else { -1 };
            let mut reply = self.encoder(conn);
            reply.array(5);
            reply.bulk(b"slave");
            reply.bulk(of.host.as_bytes());
            reply.integer(i64::from(of.port));
            reply.bulk(state.role_word().as_bytes());
            return reply.integer(offset);
        }
        let online =
            |replica: &ReplicaConn| matches!(replica.attachment.phase(), Phase::AwaitAck | Phase::Online);
        let replicas: Vec<(String, u16, Offset)> = self
            .attached()
            .filter(|(_, replica)| online(replica))
            .map(|(conn, _)| {
                let acked = self.replication.acks.acked(conn.id).unwrap_or(Offset(0));
                (replica_ip(conn), conn.hello.port, acked)
            })
            .collect();
        let mut reply = self.encoder(conn);
        reply.array(3);
        reply.bulk(b"master");
        reply.integer(offset);
        reply.array(replicas.len());
        for (ip, port, acked) in replicas {
            reply.array(3);
            reply.bulk(ip.as_bytes());
            reply.bulk(port.to_string().as_bytes());
            reply.bulk(acked.to_string().as_bytes());
        }
    }
}
