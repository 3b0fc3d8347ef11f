//! Whether the cluster serves, in the eyes of this node, and what follows from that.

use core_types::{LogLevel, Millis, Slot};

use super::Cluster;
use super::member::Flag;
use crate::Node;
use crate::config::Config;
use crate::layers::gossip::health::{QUIET_START, Seen};

impl Cluster {
    /// Works out whether the cluster serves. The new state, if it has changed. (`clusterUpdateState`)
    pub(crate) fn update_health(&mut self, now: Millis, config: &Config) -> Option<bool> {
        self.todo.update_health = false;
        let failed = self.members().filter(|member| member.has_failed());
        let uncovered: usize = failed.map(|member| member.slots().len()).sum();
        let is_well = |member: &&super::Member| !member.has_failed() && !member.may_have_failed();
        let seen = Seen {
            i_am_master: self.myself().is_master(),
            voters: self.voters().count(),
            reachable: self.voters().filter(is_well).count(),
            covered: self.assigned() == usize::from(Slot::COUNT) && uncovered == 0,
            full_coverage: config.cluster_require_full_coverage,
        };
        if self.health.ok || !seen.i_am_master || now.since(self.health.started) >= QUIET_START {
            self.size = seen.voters;
        }
        self.health.look(now, config.cluster_node_timeout, &seen).then_some(self.health.ok)
    }
}

impl Node {
    /// What changed during the event is drawn the consequences from, and written down.
    pub(crate) fn settle_cluster(&mut self) {
        self.election_settle();
        self.look_at_health();
        if self.cluster.as_ref().is_some_and(|cluster| cluster.todo.save) {
            self.save_cluster();
        }
        self.bus_settle();
    }

    /// Works out whether the cluster serves, if something has changed. Not before the data set is loaded.
    pub(super) fn look_at_health(&mut self) {
        if self.persistence.is_loading() {
            return;
        }
        let Some(cluster) = &mut self.cluster else { return };
        if cluster.todo.update_health {
            let change = cluster.update_health(self.now, &self.config);
            self.tell_health(change);
        }
    }

    /// Ten times a second, once the data set is loaded: a replica that followed its master before that would lose what it
    /// has received to its own files. Redis serves no timers while it loads.
    pub(crate) fn cluster_cron(&mut self) {
        if self.persistence.is_loading() {
            return;
        }
        let Some(cluster) = &mut self.cluster else { return };
        let now = self.now;
        cluster.forgotten.retain(|_, gone| gone.until > now);
        if !cluster.health.ok {
            let change = cluster.update_health(now, &self.config);
            self.tell_health(change);
        }
        self.follow_cluster_master();
        self.redirect_waiting();
        self.election_tick();
    }

    fn tell_health(&mut self, change: Option<bool>) {
        if let Some(well) = change {
            let word = if well { "ok" } else { "fail" };
            self.log(LogLevel::Warning, format!("Cluster state changed: {word}"));
        }
    }

    /// What the configuration says of ourselves has changed, or is known for the first time.
    pub(crate) fn refresh_cluster_config(&mut self) {
        let config = &self.config;
        let Some(cluster) = &mut self.cluster else { return };
        let chosen = |announced: u16, own: u16| if announced == 0 { own } else { announced };
        let own_bus = chosen(config.cluster_port, config.port.wrapping_add(10_000));
        let announced = std::mem::replace(&mut cluster.announced_ip, config.cluster_announce_ip.clone());
        let me = cluster.myself_mut();
        let before = (me.ip.clone(), me.port, me.bus_port, me.hostname.clone(), me.flags);
        match &config.cluster_announce_ip {
            Some(ip) => me.ip.clone_from(ip),
            // It is not announced any more: the next ping tells what it is.
            None if announced.is_some() => me.ip.clear(),
            None => {}
        }
        me.port = chosen(config.cluster_announce_port, config.port);
        me.bus_port = chosen(config.cluster_announce_bus_port, own_bus);
        me.hostname = config.cluster_announce_hostname.clone().unwrap_or_default();
        match config.cluster_replica_no_failover {
            true => me.flags.set(Flag::NoFailover),
            false => me.flags.clear(Flag::NoFailover),
        }
        if before != (me.ip.clone(), me.port, me.bus_port, me.hostname.clone(), me.flags) {
            cluster.must_save();
        }
        cluster.todo.update_health = true;
    }
}
