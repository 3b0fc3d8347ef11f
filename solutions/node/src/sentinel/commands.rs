//! `SENTINEL …`: what operators, clients and other sentinels ask.
//!
//! The node has checked the number of arguments by its table. Whether a name may be resolved, and what a subcommand
//! does to files, is the node's; here is what it means for the sentinel.

use core_types::{Args, Endpoint, Epoch, LogLevel, Millis, Reply, RunId};

use super::{Key, Sentinel, Settings};
use crate::layers::failover::votes_needed;
use crate::layers::watching::Kind;
use crate::layers::wire::parse_integer;

const NO_SUCH_MASTER: &str = "ERR No such master with that name";

impl Sentinel {
    /// Runs a subcommand. Those about the file and about scripts are not here: see the node's `commands`.
    /// False if there is none of that name.
    pub(crate) fn command(&mut self, now: Millis, args: Args<'_>, reply: &mut dyn Reply) -> bool {
        self.now = now;
        let is = |name: &str| args.is(1, name);
        let text = |index: usize| String::from_utf8_lossy(&args[index]).into_owned();
        if is("masters") {
            let keys: Vec<Key> = self.masters.values().map(|master| master.key).collect();
            self.show_all(&keys, reply);
        } else if is("master") {
            self.with_master(&text(2), reply, |sentinel, name, reply| {
                sentinel.show(sentinel.masters[name].key, reply);
            });
        } else if is("replicas") || is("slaves") {
            self.with_master(&text(2), reply, |sentinel, name, reply| {
                let replicas = sentinel.masters[name].replicas.iter().copied();
                let announced: Vec<Key> = replicas.filter(|key| sentinel.instance(*key).announced).collect();
                sentinel.show_all(&announced, reply);
            });
        } else if is("sentinels") {
            self.with_master(&text(2), reply, |sentinel, name, reply| {
                sentinel.show_all(&sentinel.masters[name].sentinels, reply);
            });
        } else if is("get-master-addr-by-name") {
            match self.master_address(&text(2)) {
                None => reply.null_array(),
                Some(at) => {
                    reply.array(2);
                    reply.bulk(at.host.as_bytes());
                    reply.bulk(at.port.to_string().as_bytes());
                }
            }
        } else if is("is-master-down-by-addr") {
            self.asked_for_opinion(args, reply);
        } else if is("reset") {
            let pattern = &args[2];
            let names: Vec<String> = self.masters.keys().cloned().collect();
            let wanted: Vec<String> =
                names.into_iter().filter(|name| keyspace::matches(pattern, name.as_bytes())).collect();
            for name in &wanted {
                self.reset(name);
            }
            reply.integer(wanted.len() as i64);
        } else if is("failover") {
            self.with_master(&text(2), reply, Sentinel::fail_over_by_hand);
        } else if is("ckquorum") {
            self.with_master(&text(2), reply, |sentinel, name, reply| sentinel.check_quorum(name, reply));
        } else if is("monitor") {
            self.asked_to_monitor(args, reply);
        } else if is("remove") {
            self.with_master(&text(2), reply, |sentinel, name, reply| {
                sentinel.event(LogLevel::Warning, "-monitor", sentinel.masters[name].key, "");
                sentinel.unmonitor(sentinel.now, name);
                sentinel.save();
                reply.simple("OK");
            });
        } else if is("set") {
            self.asked_to_set(args, reply);
        } else if is("myid") {
            reply.bulk(self.id.to_string().as_bytes());
        } else if is("info-cache") {
            let names: Vec<String> = (2..args.len()).map(text).collect();
            self.show_infos(&names, reply);
        } else if is("simulate-failure") {
            self.simulate(args, reply);
        } else if is("debug") {
            self.debug(args, reply);
        } else {
            return false;
        }
        true
    }

    fn with_master(
        &mut self,
        name: &str,
        reply: &mut dyn Reply,
        act: impl FnOnce(&mut Sentinel, &str, &mut dyn Reply),
    ) {
        if self.masters.contains_key(name) {
            act(self, name, reply);
        } else {
            reply.error(NO_SUCH_MASTER);
        }
    }

    fn show_all(&self, keys: &[Key], reply: &mut dyn Reply) {
        reply.array(keys.len());
        for key in keys {
            self.show(*key, reply);
        }
    }

    /// `SENTINEL is-master-down-by-addr ip port epoch runid`
    fn asked_for_opinion(&mut self, args: Args<'_>, reply: &mut dyn Reply) {
        let port = parse_integer(&args[3]);
        // One below zero is an epoch of long ago. (Redis takes it for one of the far future, and goes there.)
        let epoch = parse_integer(&args[4]).map(|epoch| Epoch(u64::try_from(epoch).unwrap_or(0)));
        let (Some(port), Some(epoch)) = (port, epoch) else {
            return reply.error("ERR value is not an integer or out of range");
        };
        let candidate = RunId::parse(&args[5]).ok().filter(|_| &args[5] != b"*");
        let host = String::from_utf8_lossy(&args[2]).into_owned();
        let port = u16::try_from(port).unwrap_or(0);
        let (down, vote) = self.give_opinion(self.now, &host, port, epoch, candidate);
        reply.array(3);
        reply.integer(i64::from(down));
        match vote.and_then(|vote| Some((vote.leader?, vote.leader_epoch))) {
            Some((leader, epoch)) => {
                reply.bulk(leader.to_string().as_bytes());
                reply.integer(epoch.0 as i64);
            }
            None => {
                reply.bulk(b"*");
                reply.integer(0);
            }
        }
    }

    /// Forgets what was found out about a master, and finds it out anew: replicas and sentinels that are
    /// long gone do not count any more afterwards.
    pub(crate) fn reset(&mut self, name: &str) {
        let master = &self.masters[name];
        for key in master.replicas.iter().chain(&master.sentinels).copied().collect::<Vec<_>>() {
            self.remove_instance(key);
        }
        let old = self.masters[name].key;
        let at = self.instance(old).at.clone();
        self.remove_instance(old);
        let key = self.add_instance(Kind::Master, name, name.to_string(), at, None);
        let master = self.master_mut(name);
        master.key = key;
        master.odown_since = None;
        master.failover = None;
        master.promoted = None;
        master.attempt = Default::default();
        self.event(LogLevel::Warning, "+reset-master", key, "");
        self.save();
    }

    fn fail_over_by_hand(&mut self, name: &str, reply: &mut dyn Reply) {
        if self.masters[name].failover.is_some() {
            return reply.error("INPROG Failover already in progress");
        }
        if self.choose_replica(name).is_none() {
            return reply.error("NOGOODSLAVE No suitable replica to promote");
        }
        self.log(LogLevel::Warning, format!("Executing user requested FAILOVER of '{name}'"));
        self.start_failover(name, true);
        reply.simple("OK");
    }

    /// Could a failover be agreed upon and led right now?
    fn check_quorum(&self, name: &str, reply: &mut dyn Reply) {
        let master = &self.masters[name];
        let up = master.sentinels.iter().filter(|key| !self.instance(**key).is_down()).count();
        let usable = up + 1;
        let known = master.sentinels.len() + 1;
        let quorum = master.settings.quorum;
        let mut text = format!("{usable} usable Sentinels. ");
        if usable < quorum {
            text += "Not enough available Sentinels to reach the specified quorum for this master";
        }
        if usable < votes_needed(known, 0) {
            let and = if usable < quorum { ". " } else { "" };
            text += and;
            text += "Not enough available Sentinels to reach the majority and authorize a failover";
        }
        if usable >= quorum && usable >= votes_needed(known, 0) {
            text += "Quorum and failover authorization can be reached";
            reply.simple(&format!("OK {text}"));
        } else {
            reply.error(&format!("NOQUORUM {text}"));
        }
    }

    /// `SENTINEL MONITOR name ip port quorum`
    fn asked_to_monitor(&mut self, args: Args<'_>, reply: &mut dyn Reply) {
        let quorum = parse_integer(&args[5]);
        let port = parse_integer(&args[4]);
        let (Some(quorum), Some(port)) = (quorum, port) else {
            let what = if quorum.is_none() { "quorum" } else { "port" };
            return reply.error(&format!("ERR Invalid {what}"));
        };
        let Some(quorum) = usize::try_from(quorum).ok().filter(|quorum| *quorum > 0) else {
            return reply.error("ERR Quorum must be 1 or greater.");
        };
        let (name, host) = (String::from_utf8_lossy(&args[2]), String::from_utf8_lossy(&args[3]));
        if !self.accepts_host(&host) {
            return reply.error("ERR Invalid IP address or hostname specified");
        }
        let Ok(port) = u16::try_from(port) else { return reply.error("ERR Invalid port number.") };
        if self.monitor(self.now, &name, Endpoint::new(host, port), Settings::new(quorum)).is_err() {
            return reply.error("ERR Duplicate master name.");
        }
        self.announce_watch(&name);
        self.save();
        reply.simple("OK");
    }

    /// Tells that a master is watched from now on.
    pub(crate) fn announce_watch(&mut self, name: &str) {
        let master = &self.masters[name];
        let text = format!(" quorum {}", master.settings.quorum);
        self.event(LogLevel::Warning, "+monitor", master.key, &text);
    }

    /// A name is an address only if `resolve-hostnames` says so.
    pub(crate) fn accepts_host(&self, host: &str) -> bool {
        // A name stands in the file as a word of its own, whoever gave it.
        let is_word = !host.is_empty() && crate::config::quoted(host) == host;
        host.parse::<std::net::IpAddr>().is_ok() || (self.resolve_hostnames && is_word)
    }

    fn show_infos(&self, names: &[String], reply: &mut dyn Reply) {
        let wanted = || self.masters.iter().filter(|(name, _)| names.contains(name));
        // A flat list also in RESP3.
        reply.array(2 * wanted().count());
        for (name, master) in wanted() {
            let keys: Vec<Key> = std::iter::once(master.key).chain(master.replicas.iter().copied()).collect();
            reply.bulk(name.as_bytes());
            reply.array(keys.len());
            for key in keys {
                let instance = self.instance(key);
                let age = instance.contact.info_at.map_or(0, |at| self.now.since(at).0);
                reply.array(2);
                reply.integer(age as i64);
                match instance.info.as_str() {
                    "" => reply.null(),
                    info => reply.bulk(info.as_bytes()),
                }
            }
        }
    }

    fn simulate(&mut self, args: Args<'_>, reply: &mut dyn Reply) {
        self.failures = super::SimulatedFailures::default();
        for index in 2..args.len() {
            if args.is(index, "crash-after-election") {
                self.failures.after_election = true;
                self.log(LogLevel::Warning, "Failure simulation: this Sentinel will crash after being successfully elected as failover leader".into());
            } else if args.is(index, "crash-after-promotion") {
                self.failures.after_promotion = true;
                self.log(LogLevel::Warning, "Failure simulation: this Sentinel will crash after promoting the selected replica to master".into());
            } else if args.is(index, "help") {
                reply.array(2);
                reply.bulk(b"crash-after-election");
                reply.bulk(b"crash-after-promotion");
                return;
            } else {
                return reply.error("ERR Unknown failure simulation specified");
            }
        }
        reply.simple("OK");
    }

    /// `SENTINEL DEBUG [name milliseconds …]`: the rhythm, shown or changed.
    fn debug(&mut self, args: Args<'_>, reply: &mut dyn Reply) {
        if args.len() == 2 {
            let list = self.rhythm();
            reply.map(list.len());
            for (name, value) in list {
                reply.bulk(name.to_ascii_uppercase().as_bytes());
                reply.bulk(value.0.to_string().as_bytes());
            }
            return;
        }
        for index in (2..args.len()).step_by(2) {
            let name = String::from_utf8_lossy(&args[index]).to_ascii_lowercase();
            let known = self.rhythm().iter().any(|(known, _)| *known == name);
            if !known || index + 1 >= args.len() {
                let text = String::from_utf8_lossy(&args[index]).into_owned();
                return reply.error(&format!(
                    "ERR Unknown option or number of arguments for SENTINEL DEBUG '{text}'"
                ));
            }
            let value = parse_integer(&args[index + 1]).and_then(|value| u64::try_from(value).ok());
            let Some(value) = value.filter(|value| *value > 0) else {
                let text = String::from_utf8_lossy(&args[index + 1]).into_owned();
                let option = String::from_utf8_lossy(&args[index]).into_owned();
                return reply.error(&format!("ERR Invalid argument '{text}' for SENTINEL DEBUG '{option}'"));
            };
            self.set_rhythm(&name, Millis(value));
        }
        reply.simple("OK");
    }

    /// In the order in which Redis shows them.
    fn rhythm(&self) -> [(&'static str, Millis); 13] {
        let periods = &self.periods;
        [
            ("info-period", periods.info),
            ("ping-period", periods.ping),
            ("ask-period", periods.ask),
            ("publish-period", periods.hello),
            ("default-down-after", self.defaults.down_after),
            ("default-failover-timeout", self.defaults.failover_timeout),
            ("tilt-trigger", periods.tilt_trigger),
            ("tilt-period", periods.tilt),
            ("slave-reconf-timeout", periods.reconf_timeout),
            ("min-link-reconnect-period", periods.link_min_age),
            ("election-timeout", periods.election_timeout),
            ("script-max-runtime", self.defaults.script_max_runtime),
            ("script-retry-delay", self.defaults.script_retry_delay),
        ]
    }

    fn set_rhythm(&mut self, name: &str, value: Millis) {
        let periods = &mut self.periods;
        let place = match name {
            "info-period" => &mut periods.info,
            "ping-period" => &mut periods.ping,
            "ask-period" => &mut periods.ask,
            "publish-period" => &mut periods.hello,
            "default-down-after" => &mut self.defaults.down_after,
            "default-failover-timeout" => &mut self.defaults.failover_timeout,
            "tilt-trigger" => &mut periods.tilt_trigger,
            "tilt-period" => &mut periods.tilt,
            "slave-reconf-timeout" => &mut periods.reconf_timeout,
            "min-link-reconnect-period" => &mut periods.link_min_age,
            "election-timeout" => &mut periods.election_timeout,
            "script-max-runtime" => &mut self.defaults.script_max_runtime,
            _ => &mut self.defaults.script_retry_delay,
        };
        *place = value;
    }
}
