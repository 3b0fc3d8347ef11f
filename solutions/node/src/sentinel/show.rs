//! How instances look in replies: the fields of `SENTINEL MASTER`, `REPLICAS` and `SENTINELS`.

use core_types::{Millis, Reply};

use super::instance::Role;
use super::{Key, Sentinel};
use crate::layers::failover::{Rewire, Stage};
use crate::layers::watching::Kind;

impl Sentinel {
    /// A map of everything that is known of one instance.
    pub(super) fn show(&self, key: Key, reply: &mut dyn Reply) {
        let fields = self.fields(key);
        reply.map(fields.len());
        for (name, value) in fields {
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
        }
    }

    fn fields(&self, key: Key) -> Vec<(&'static str, String)> {
        let now = self.now;
        let instance = self.instance(key);
        let master = &self.masters[&instance.master];
        let contact = &instance.contact;
        let since = |at: Millis| now.since(at).0.to_string();
        let mut fields = vec![
            ("name", instance.name.clone()),
            ("ip", instance.at.host.clone()),
            ("port", instance.at.port.to_string()),
            ("runid", instance.run_id.map_or_else(String::new, |id| id.to_string())),
            ("flags", self.flags(key)),
            ("link-pending-commands", instance.commands.asked.len().to_string()),
            ("link-refcount", "1".into()),
        ];
        let of_master = instance.kind == Kind::Master;
        if let Some(failover) = master.failover.as_ref().filter(|_| of_master) {
            fields.push(("failover-state", stage_word(failover.stage).into()));
        }
        fields.extend([
            ("last-ping-sent", contact.unanswered_since.map_or("0".into(), since)),
            ("last-ok-ping-reply", since(contact.alive_at)),
            ("last-ping-reply", since(contact.heard_at)),
        ]);
        if let Some(at) = instance.down_since {
            fields.push(("s-down-time", since(at)));
        }
        if let Some(at) = master.odown_since.filter(|_| of_master) {
            fields.push(("o-down-time", since(at)));
        }
        fields.push(("down-after-milliseconds", master.settings.down_after.0.to_string()));
        if instance.kind != Kind::Sentinel {
            let role = if instance.role == Role::Master { "master" } else { "slave" };
            fields.extend([
                ("info-refresh", contact.info_at.map_or("0".into(), since)),
                ("role-reported", role.into()),
                ("role-reported-time", since(instance.role_since)),
            ]);
        }
        match instance.kind {
            Kind::Master => fields.extend(self.master_fields(&instance.master)),
            Kind::Replica => fields.extend([
                ("master-link-down-time", instance.without_master.0.to_string()),
                ("master-link-status", if instance.link_up { "ok" } else { "err" }.into()),
                ("master-host", instance.its_master.as_ref().map_or("?".into(), |at| at.host.clone())),
                ("master-port", instance.its_master.as_ref().map_or(0, |at| at.port).to_string()),
                ("slave-priority", instance.priority.to_string()),
                ("slave-repl-offset", instance.offset.to_string()),
                ("replica-announced", u8::from(instance.announced).to_string()),
            ]),
            Kind::Sentinel => fields.extend([
                ("last-hello-message", since(instance.greeted_at)),
                ("voted-leader", instance.vote.map_or("?".into(), |(leader, _)| leader.to_string())),
                ("voted-leader-epoch", instance.vote.map_or(0, |(_, epoch)| epoch.0).to_string()),
            ]),
        }
        fields
    }

    fn master_fields(&self, name: &str) -> Vec<(&'static str, String)> {
        let master = &self.masters[name];
        let settings = &master.settings;
        let mut fields = vec![
            ("config-epoch", master.config_epoch.to_string()),
            ("num-slaves", master.replicas.len().to_string()),
            ("num-other-sentinels", master.sentinels.len().to_string()),
            ("quorum", settings.quorum.to_string()),
            ("failover-timeout", settings.failover_timeout.0.to_string()),
            ("parallel-syncs", settings.parallel_syncs.to_string()),
        ];
        fields.extend(settings.notification_script.clone().map(|path| ("notification-script", path)));
        fields.extend(settings.reconfig_script.clone().map(|path| ("client-reconfig-script", path)));
        fields
    }

    fn flags(&self, key: Key) -> String {
        let instance = self.instance(key);
        let master = &self.masters[&instance.master];
        let of_master = instance.kind == Kind::Master;
        let says_down = instance.run_id.is_some_and(|id| master.opinions.says_down(&id));
        let listens = instance.kind == Kind::Sentinel || instance.hellos.id.is_some();
        let is = |stage: Rewire| instance.rewire == stage;
        let flags = [
            ("s_down", instance.is_down()),
            ("o_down", of_master && master.odown_since.is_some()),
            ("master", of_master),
            ("slave", instance.kind == Kind::Replica),
            ("sentinel", instance.kind == Kind::Sentinel),
            ("disconnected", instance.commands.id.is_none() || !listens),
            ("master_down", instance.kind == Kind::Sentinel && says_down),
            ("failover_in_progress", of_master && master.failover.is_some()),
            ("promoted", master.promoted == Some(key)),
            ("reconf_sent", matches!(instance.rewire, Rewire::Sent(_))),
            ("reconf_inprog", is(Rewire::InProgress)),
            ("reconf_done", is(Rewire::Done)),
            ("force_failover", of_master && master.failover.as_ref().is_some_and(|it| it.forced)),
            ("script_kill_sent", instance.asked_to_end_script),
            ("master_reboot", instance.rebooted_at.is_some()),
        ];
        let set: Vec<&str> = flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect();
        set.join(",")
    }
}

fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::WaitElection => "wait_start",
        Stage::ChooseReplica => "select_slave",
        Stage::SendNoOne => "send_slaveof_noone",
        Stage::WaitPromotion => "wait_promotion",
        Stage::Rewire => "reconf_slaves",
        Stage::SwitchOver => "update_config",
    }
}
