//! Whether the cluster serves, in the eyes of this node, and what follows from that.

use core_types::{LogLevel, Millis, Slot};

use super::Cluster;
use super::member::Flag;
use super::state::{Health, WhyDown};
use crate::Node;
use crate::config::Config;

/// After its start a master waits so long before it calls the cluster well: it may have been replaced while it was
/// away, and has to have heard of it first (`CLUSTER_WRITABLE_DELAY` in Redis's `cluster.c`).
const QUIET_START: Millis = Millis(2_000);

/// After it was in a minority it waits for one timeout, but not less and not more than this
/// (`CLUSTER_MIN_REJOIN_DELAY`, `CLUSTER_MAX_REJOIN_DELAY`).
const REJOIN: (Millis, Millis) = (Millis(500), Millis(5_000));

impl Cluster {
    /// Works out whether the cluster serves. The new state, if it has changed. (`clusterUpdateState`)
    pub(crate) fn update_health(&mut self, now: Millis, config: &Config) -> Option<Health> {
        self.todo.update_health = false;
        let master = self.myself().is_master();
        if master && self.health == Health::Fail && now.since(self.health_since) < QUIET_START {
            return None;
        }
        let why = self.why_not(now, config.cluster_require_full_coverage);
        let next = if why.is_none() { Health::Ok } else { Health::Fail };
        if next == self.health {
            self.why_down = why;
            return None;
        }
        let wait = config.cluster_node_timeout.clamp(REJOIN.0, REJOIN.1);
        let was_alone = self.minority_since.is_some_and(|since| now.since(since) < wait);
        if next == Health::Ok && master && was_alone {
            self.why_down = Some(WhyDown::Rejoining);
            return None;
        }
        self.health = next;
        self.why_down = why;
        Some(next)
    }

    fn why_not(&mut self, now: Millis, full_coverage: bool) -> Option<WhyDown> {
        let served = || {
            let failed =
                self.members().filter(|member| member.has_failed()).map(|member| member.slots().len());
            self.assigned() == usize::from(Slot::COUNT) && failed.sum::<usize>() == 0
        };
        let uncovered = full_coverage && !served();
        let voters = || self.members().filter(|member| member.is_master() && !member.slots().is_empty());
        let reachable = voters().filter(|member| !member.has_failed() && !member.may_have_failed()).count();
        self.size = voters().count();
        if reachable < self.size / 2 + 1 {
            self.minority_since = Some(now);
            return Some(WhyDown::Minority);
        }
        uncovered.then_some(WhyDown::Coverage)
    }
}

impl Node {
    /// What changed during the event is drawn the consequences from, and written down.
    pub(crate) fn settle_cluster(&mut self) {
        let Some(cluster) = &mut self.cluster else { return };
        if cluster.todo.update_health {
            let change = cluster.update_health(self.now, &self.config);
            self.tell_health(change);
        }
        if self.cluster.as_ref().is_some_and(|cluster| cluster.todo.save) {
            self.save_cluster();
        }
        self.bus_settle();
    }

    /// Ten times a second.
    pub(crate) fn cluster_cron(&mut self) {
        let Some(cluster) = &mut self.cluster else { return };
        let now = self.now;
        cluster.forgotten.retain(|_, until| *until > now);
        if cluster.health == Health::Fail {
            let change = cluster.update_health(now, &self.config);
            self.tell_health(change);
        }
        self.follow_cluster_master();
        self.redirect_waiting();
    }

    fn tell_health(&mut self, change: Option<Health>) {
        if let Some(health) = change {
            let word = if health == Health::Ok { "ok" } else { "fail" };
            self.log(LogLevel::Notice, format!("Cluster state changed: {word}"));
        }
    }

    /// What the configuration says of ourselves has changed, or is known for the first time.
    pub(crate) fn refresh_cluster_config(&mut self) {
        let config = &self.config;
        let Some(cluster) = &mut self.cluster else { return };
        let chosen = |announced: u16, own: u16| if announced == 0 { own } else { announced };
        let own_bus = chosen(config.cluster_port, config.port.wrapping_add(10_000));
        let me = cluster.myself_mut();
        let before = (me.ip.clone(), me.port, me.bus_port, me.hostname.clone(), me.flags);
        if let Some(ip) = &config.cluster_announce_ip {
            me.ip.clone_from(ip);
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
