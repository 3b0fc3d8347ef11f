//! What the `INFO` of a master or replica changes.

use core_types::{Endpoint, LogLevel, Millis, Offset, RunId};

use super::instance::Role;
use super::{Key, Sentinel};
use crate::layers::failover::{
    Correction, Reported, Rewire, RewireStep, Stage, Standing, correction, rewired,
};
use crate::layers::watching::Kind;

/// The lines of an `INFO` that a sentinel reads.
#[derive(Debug, Default)]
struct Report {
    run_id: Option<RunId>,
    role: Option<Role>,
    replicas: Vec<Endpoint>,
    master_host: Option<String>,
    master_port: Option<u16>,
    link_up: Option<bool>,
    link_down: Millis,
    priority: Option<u32>,
    offset: Option<Offset>,
    announced: Option<bool>,
}

impl Report {
    fn read(text: &str) -> Report {
        let mut report = Report::default();
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            match name {
                "run_id" => report.run_id = RunId::parse(value.as_bytes()).ok(),
                "role" if value == "master" => report.role = Some(Role::Master),
                "role" if value == "slave" => report.role = Some(Role::Replica),
                "master_host" => report.master_host = Some(value.to_string()),
                "master_port" => report.master_port = value.parse().ok(),
                "master_link_status" => report.link_up = Some(value == "up"),
                "master_link_down_since_seconds" => {
                    // -1: it never had one.
                    report.link_down = Millis::from_secs(value.parse().unwrap_or(0));
                }
                "slave_priority" => report.priority = value.parse().ok(),
                "slave_repl_offset" => report.offset = value.parse().ok().map(Offset),
                "replica_announced" => report.announced = Some(value != "0"),
                _ => report.replicas.extend(replica_line(name, value)),
            }
        }
        report
    }
}

/// `slave0:ip=127.0.0.1,port=7001,state=online,…`
fn replica_line(name: &str, value: &str) -> Option<Endpoint> {
    let number = name.strip_prefix("slave")?;
    number.parse::<u32>().ok()?;
    let field = |wanted: &str| {
        let mut fields = value.split(',').filter_map(|field| field.split_once('='));
        fields.find(|(field, _)| *field == wanted).map(|(_, value)| value)
    };
    Some(Endpoint::new(field("ip")?, field("port")?.parse().ok().filter(|port| *port != 0)?))
}

impl Sentinel {
    /// An `INFO` has come.
    pub(super) fn informed(&mut self, key: Key, text: String) {
        let now = self.now;
        let report = Report::read(&text);
        let master = self.instance(key).master.clone();
        let watches_reboots = self.masters[&master].settings.reboot_down_after > Millis::ZERO;
        let instance = self.instance_mut(key);
        instance.info = text;
        instance.contact.informed(now);
        instance.without_master = report.link_down;
        if let Some(id) = report.run_id {
            let before = instance.run_id.replace(id);
            if before.is_some_and(|before| before != id) {
                if instance.kind == Kind::Master && watches_reboots {
                    instance.rebooted_at = Some(now);
                }
                self.event(LogLevel::Notice, "+reboot", key, "");
            }
        }
        if self.instance(key).kind == Kind::Master {
            for at in report.replicas.clone() {
                if let Some(found) = self.add_replica(&master, at) {
                    self.event(LogLevel::Notice, "+slave", found, "");
                    self.save();
                }
            }
        }
        let Some(role) = report.role else { return };
        if role == Role::Replica {
            self.note_replica(key, &report);
        }
        self.note_role(key, role);
        if self.tilt.is_on() || self.instance(key).kind != Kind::Replica {
            // A master that calls itself a replica is down, after a while: see `judge`.
            return;
        }
        if role == Role::Master && self.is_awaited(key) {
            return self.promoted(key);
        }
        self.correct(key, role);
        self.follow_rewire(key, role);
    }

    fn note_replica(&mut self, key: Key, report: &Report) {
        let now = self.now;
        let said = report.master_host.clone().zip(report.master_port);
        let said = said.map(|(host, port)| self.as_known(key, Endpoint::new(host, port)));
        let instance = self.instance_mut(key);
        if let Some(its_master) = said.filter(|said| instance.its_master.as_ref() != Some(said)) {
            instance.its_master = Some(its_master);
            instance.its_master_since = now;
        }
        instance.link_up = report.link_up.unwrap_or(instance.link_up);
        instance.priority = report.priority.unwrap_or(instance.priority);
        instance.offset = report.offset.unwrap_or(instance.offset);
        instance.announced = report.announced.unwrap_or(instance.announced);
    }

    /// The master, or the replica that is being promoted, under the name by which it is known here.
    fn as_known(&self, key: Key, at: Endpoint) -> Endpoint {
        let master = &self.masters[&self.instance(key).master];
        let known = std::iter::once(master.key).chain(master.promoted).map(|key| self.instance(key));
        known.into_iter().find(|known| known.is_at(&at)).map_or(at, |known| known.at.clone())
    }

    fn note_role(&mut self, key: Key, role: Role) {
        let now = self.now;
        let instance = self.instance_mut(key);
        if instance.role == role {
            return;
        }
        instance.role = role;
        instance.role_since = now;
        if role == Role::Replica {
            instance.its_master_since = now;
        }
        let as_configured = (instance.kind == Kind::Master) == (role == Role::Master);
        let name = if as_configured { "+role-change" } else { "-role-change" };
        let word = if role == Role::Master { "master" } else { "slave" };
        self.event(LogLevel::Verbose, name, key, &format!(" new reported role is {word}"));
    }

    /// This is the replica that the failover waits for.
    fn is_awaited(&self, key: Key) -> bool {
        let master = &self.masters[&self.instance(key).master];
        let waits = master.failover.as_ref().is_some_and(|failover| failover.stage == Stage::WaitPromotion);
        waits && master.promoted == Some(key)
    }

    /// Does a replica live up to the configuration? If not for long enough, it is told.
    fn correct(&mut self, key: Key, role: Role) {
        let now = self.now;
        let instance = self.instance(key);
        let name = instance.master.clone();
        let master = &self.masters[&name];
        let reported = match (role, &instance.its_master) {
            (Role::Master, _) => Reported::Master { since: instance.role_since },
            (Role::Replica, Some(its_master)) => {
                Reported::ReplicaOf { master: its_master.clone(), since: instance.its_master_since }
            }
            (Role::Replica, None) => return,
        };
        let standing = Standing {
            master: self.instance(master.key).at.clone(),
            master_is_sane: self.is_sane(&name),
            promoted: master.promoted == Some(key),
            went_down_at: instance.went_down_at,
            failover_timeout: master.settings.failover_timeout,
            hello_period: self.periods.hello,
        };
        let event = match correction(now, &reported, &standing) {
            Correction::Leave => return,
            Correction::Convert => "+convert-to-slave",
            Correction::Fix => "+fix-slave-config",
        };
        if self.tell_to_follow(key, Some(&standing.master)) {
            self.event(LogLevel::Notice, event, key, "");
        }
    }

    /// The master of the configuration is up, says that it is one, and has said so lately.
    fn is_sane(&self, name: &str) -> bool {
        let master = &self.masters[name];
        let instance = self.instance(master.key);
        let fresh = Millis(self.periods.info.0 * 2);
        instance.role == Role::Master
            && !instance.is_down()
            && master.odown_since.is_none()
            && instance.contact.info_at.is_some_and(|at| self.now.since(at) < fresh)
    }

    /// A replica that was told to follow the new master may show it.
    fn follow_rewire(&mut self, key: Key, role: Role) {
        let master = &self.masters[&self.instance(key).master];
        let Some(promoted) = master.promoted.filter(|_| role == Role::Replica) else { return };
        let new = self.instance(promoted).at.clone();
        let instance = self.instance_mut(key);
        let before = instance.rewire;
        let info =
            RewireStep { follows_new: instance.its_master.as_ref() == Some(&new), link_up: instance.link_up };
        instance.rewire = rewired(before, info);
        let after = instance.rewire;
        if matches!(before, Rewire::Sent(_)) && after > before {
            self.event(LogLevel::Notice, "+slave-reconf-inprog", key, "");
        }
        if before != Rewire::Done && after == Rewire::Done {
            self.event(LogLevel::Notice, "+slave-reconf-done", key, "");
        }
    }
}
