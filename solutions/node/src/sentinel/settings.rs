//! What an operator sets, by `SENTINEL SET`, `SENTINEL CONFIG` and the lines of the file; and the lines that keep the
//! state over a restart.

use core_types::{Args, Endpoint, Epoch, LogLevel, Millis, Reply, RunId, show_bytes};

use super::{Sentinel, Settings};
use crate::config::quoted;
use crate::layers::watching::Kind;

/// What a line of the file can complain about; Redis's words.
type Complaint = String;

impl Sentinel {
    /// `SENTINEL SET name option value …`: all of it, up to the first option that is wrong.
    pub(super) fn asked_to_set(&mut self, args: Args<'_>, reply: &mut dyn Reply) {
        let text = |index: usize| String::from_utf8_lossy(&args[index]).into_owned();
        let name = text(2);
        if !self.masters.contains_key(&name) {
            return reply.error("ERR No such master with that name");
        }
        let mut index = 3;
        while index < args.len() {
            let option = text(index).to_ascii_lowercase();
            let count = values_of(&option);
            if !is_option(&option) || index + count >= args.len() {
                self.save();
                let option = text(index);
                return reply.error(&format!(
                    "ERR Unknown option or number of arguments for SENTINEL SET '{option}'"
                ));
            }
            if self.deny_scripts_reconfig && option.ends_with("-script") {
                self.save();
                return reply.error(
                    "ERR Reconfiguration of scripts path is denied for security reasons. Check the \
                     deny-scripts-reconfig configuration directive in your Sentinel configuration",
                );
            }
            let values: Vec<String> = (1..=count).map(|more| text(index + more)).collect();
            let settings = &mut self.master_mut(&name).settings;
            if let Err(wrong) = set_option(settings, &option, &values) {
                self.save();
                let option = text(index);
                return reply.error(&format!("ERR Invalid argument '{wrong}' for SENTINEL SET '{option}'"));
            }
            let key = self.masters[&name].key;
            let shown = if option == "auth-pass" { "******".into() } else { values.join(" ") };
            self.event(LogLevel::Warning, "+set", key, &format!(" {option} {shown}"));
            if option.starts_with("auth-") {
                // They log in anew.
                self.close_links(key);
                for replica in self.masters[&name].replicas.clone() {
                    self.close_links(replica);
                }
            }
            index += 1 + count;
        }
        self.save();
        reply.simple("OK");
    }

    /// A line `sentinel …` of the file, without that first word.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn configure(&mut self, now: Millis, words: &[&str]) -> Result<(), Complaint> {
        self.now = now;
        let unknown = || "Unrecognized sentinel configuration statement.".to_string();
        let no_master = || "No such master with specified name.".to_string();
        // The bare word says nothing, and does nothing.
        let Some((&name, rest)) = words.split_first() else { return Ok(()) };
        let name = name.to_ascii_lowercase();
        match (name.as_str(), rest) {
            ("monitor", [name, host, port, quorum]) => {
                let quorum: usize = quorum.parse().unwrap_or(0);
                if quorum == 0 {
                    return Err("Quorum must be 1 or greater.".into());
                }
                let at = self.endpoint(host, port)?;
                let settings = Settings {
                    down_after: self.defaults.down_after,
                    failover_timeout: self.defaults.failover_timeout,
                    ..Settings::new(quorum)
                };
                self.monitor(now, name, at, settings).map_err(|()| "Duplicate master name.".to_string())
            }
            ("myid", [id]) => {
                self.id = RunId::parse(id.as_bytes()).map_err(|_| "Malformed Sentinel id in myid option.")?;
                self.named = true;
                Ok(())
            }
            ("current-epoch", [epoch]) => {
                self.current_epoch = self.current_epoch.max(read_epoch(epoch));
                Ok(())
            }
            ("announce-ip", [ip]) => {
                self.announce_ip = Some(ip.to_string()).filter(|ip| !ip.is_empty());
                Ok(())
            }
            ("announce-port", [port]) => {
                self.announce_port = port.parse().ok().filter(|port| *port != 0);
                Ok(())
            }
            ("sentinel-user", [user]) => {
                self.peer_user = Some(user.to_string());
                Ok(())
            }
            ("sentinel-pass", [password]) => {
                self.peer_password = Some(password.to_string());
                Ok(())
            }
            ("resolve-hostnames" | "announce-hostnames" | "deny-scripts-reconfig", [value]) => {
                let yes = match value.to_ascii_lowercase().as_str() {
                    "yes" => true,
                    "no" => false,
                    _ => return Err(yes_or_no(&name)),
                };
                match name.as_str() {
                    "resolve-hostnames" => self.resolve_hostnames = yes,
                    "announce-hostnames" => self.announce_hostnames = yes,
                    _ => self.deny_scripts_reconfig = yes,
                }
                Ok(())
            }
            ("config-epoch" | "leader-epoch", [master, epoch]) => {
                let master = self.masters.get_mut(*master).ok_or_else(no_master)?;
                let epoch = read_epoch(epoch);
                if name == "config-epoch" {
                    master.config_epoch = epoch;
                    // No epoch of a configuration is greater than the sentinel's own.
                    self.current_epoch = self.current_epoch.max(epoch);
                } else {
                    master.ballot.leader_epoch = epoch;
                }
                Ok(())
            }
            ("known-slave" | "known-replica", [master, host, port]) => {
                let at = self.endpoint(host, port)?;
                self.masters.get(*master).ok_or_else(no_master)?;
                let found = self.add_replica(master, at);
                found.map(|_| ()).ok_or("Duplicate hostname and port for replica.".into())
            }
            // The old form, without an id, is of no use.
            ("known-sentinel", [_, _, _]) => Ok(()),
            ("known-sentinel", [master, host, port, id]) => {
                let at = self.endpoint(host, port)?;
                let known = &self.masters.get(*master).ok_or_else(no_master)?.sentinels;
                let id =
                    RunId::parse(id.as_bytes()).map_err(|_| "Malformed Sentinel id in known-sentinel")?;
                if known.iter().any(|key| self.instance(*key).run_id == Some(id)) {
                    return Err("Duplicate runid for sentinel.".into());
                }
                self.add_sentinel(master, at, id);
                Ok(())
            }
            (option, [master, values @ ..]) if is_line(option) && values.len() == values_of(option) => {
                let settings = &mut self.masters.get_mut(*master).ok_or_else(no_master)?.settings;
                set_by_line(settings, option, values)
            }
            _ => Err(unknown()),
        }
    }

    /// All lines that make this sentinel go on where it is, each with the `sentinel` in front.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("sentinel myid {}", self.id)];
        let mut globals = |name: &str, value: Option<String>| {
            lines.extend(value.map(|value| format!("sentinel {name} {value}")));
        };
        let yes = |flag: bool, value: &str| flag.then(|| value.to_string());
        globals("deny-scripts-reconfig", yes(!self.deny_scripts_reconfig, "no"));
        globals("resolve-hostnames", yes(self.resolve_hostnames, "yes"));
        globals("announce-hostnames", yes(self.announce_hostnames, "yes"));
        for (name, master) in &self.masters {
            let at = self.master_address(name).expect("a master that is watched has an address");
            let settings = &master.settings;
            let defaults = Settings::new(settings.quorum);
            let quoted_name = quoted(name);
            let mut add =
                |option: &str, value: String| lines.push(format!("sentinel {option} {quoted_name} {value}"));
            add("monitor", format!("{} {} {}", at.host, at.port, settings.quorum));
            if settings.down_after != defaults.down_after {
                add("down-after-milliseconds", settings.down_after.0.to_string());
            }
            if settings.failover_timeout != defaults.failover_timeout {
                add("failover-timeout", settings.failover_timeout.0.to_string());
            }
            if settings.parallel_syncs != defaults.parallel_syncs {
                add("parallel-syncs", settings.parallel_syncs.to_string());
            }
            if settings.reboot_down_after != defaults.reboot_down_after {
                add("master-reboot-down-after-period", settings.reboot_down_after.0.to_string());
            }
            let texts = [
                ("notification-script", &settings.notification_script),
                ("client-reconfig-script", &settings.reconfig_script),
                ("auth-pass", &settings.auth_pass),
                ("auth-user", &settings.auth_user),
            ];
            for (option, value) in texts {
                if let Some(value) = value {
                    add(option, quoted(value));
                }
            }
            add("config-epoch", master.config_epoch.to_string());
            add("leader-epoch", master.ballot.leader_epoch.to_string());
            for (from, to) in &settings.renamed {
                add("rename-command", format!("{} {}", quoted(from), quoted(to)));
            }
            for key in &master.replicas {
                // In a failover the promoted replica is written as the master, and the master as a replica.
                let replica = self.instance(*key).at.clone();
                let shown = if replica == at { self.instance(master.key).at.clone() } else { replica };
                add("known-replica", format!("{} {}", shown.host, shown.port));
            }
            for key in &master.sentinels {
                let peer = self.instance(*key);
                debug_assert_eq!(peer.kind, Kind::Sentinel, "the list holds sentinels");
                if let Some(id) = peer.run_id {
                    add("known-sentinel", format!("{} {} {id}", peer.at.host, peer.at.port));
                }
            }
        }
        lines.push(format!("sentinel current-epoch {}", self.current_epoch));
        lines.extend(
            self.announce_ip
                .as_ref()
                .map(|ip| format!("sentinel announce-ip \"{}\"", show_bytes(ip.as_bytes()))),
        );
        lines.extend(self.announce_port.map(|port| format!("sentinel announce-port {port}")));
        lines.extend(self.peer_user.as_ref().map(|user| format!("sentinel sentinel-user {}", quoted(user))));
        lines.extend(
            self.peer_password.as_ref().map(|word| format!("sentinel sentinel-pass {}", quoted(word))),
        );
        lines
    }

    fn endpoint(&self, host: &str, port: &str) -> Result<Endpoint, Complaint> {
        if !self.accepts_host(host) {
            return Err("Can't resolve instance hostname.".into());
        }
        match u16::try_from(read_number(port)) {
            Ok(port) => Ok(Endpoint::new(host, port)),
            Err(_) => Err("Invalid port number.".into()),
        }
    }
}

/// A number at the beginning of a text, as C reads it: 0 if there is none.
fn read_number(text: &str) -> i64 {
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    text[..sign + digits].parse().unwrap_or(0)
}

/// Redis's words, in which one of the three is many.
fn yes_or_no(name: &str) -> String {
    let many = if name == "deny-scripts-reconfig" { "s" } else { "" };
    format!("Please specify yes or no for the {name} option{many}.")
}

/// Can this option of a master be set by a line of the file? The quorum is part of another line.
fn is_line(option: &str) -> bool {
    is_option(option) && option != "quorum"
}

/// How many words an option of a master takes.
fn values_of(option: &str) -> usize {
    if option == "rename-command" { 2 } else { 1 }
}

/// Sets one option of a master by a line of the file. Lines are read less strictly than `SENTINEL SET`.
fn set_by_line(settings: &mut Settings, option: &str, values: &[&str]) -> Result<(), Complaint> {
    let value = values[0];
    match option {
        "parallel-syncs" => settings.parallel_syncs = usize::try_from(read_number(value)).unwrap_or(0),
        "master-reboot-down-after-period" => {
            let period = u64::try_from(read_number(value)).map_err(|_| "negative time parameter.")?;
            settings.reboot_down_after = Millis(period);
        }
        "rename-command" if settings.renamed.iter().any(|(from, _)| from.eq_ignore_ascii_case(value)) => {
            return Err("Same command renamed multiple times with rename-command.".into());
        }
        _ => {
            let values: Vec<String> = values.iter().map(|value| value.to_string()).collect();
            set_option(settings, option, &values).map_err(|_| match option {
                "down-after-milliseconds" | "failover-timeout" => "negative or zero time parameter.",
                _ => "Unrecognized sentinel configuration statement.",
            })?;
        }
    }
    Ok(())
}

fn read_epoch(text: &str) -> Epoch {
    Epoch(text.parse().unwrap_or(0))
}

fn is_option(name: &str) -> bool {
    [
        "down-after-milliseconds",
        "failover-timeout",
        "parallel-syncs",
        "notification-script",
        "client-reconfig-script",
        "auth-pass",
        "auth-user",
        "quorum",
        "rename-command",
        "master-reboot-down-after-period",
    ]
    .contains(&name)
}

/// Sets one option of a master. The error is the value that will not do.
fn set_option<'v>(settings: &mut Settings, option: &str, values: &'v [String]) -> Result<(), &'v str> {
    let value = values[0].as_str();
    let number = value.parse::<u64>().ok();
    let positive = number.filter(|number| *number > 0);
    let text = Some(value.to_string()).filter(|value| !value.is_empty());
    let done = match option {
        "down-after-milliseconds" => set(&mut settings.down_after, positive.map(Millis)),
        "failover-timeout" => set(&mut settings.failover_timeout, positive.map(Millis)),
        "master-reboot-down-after-period" => set(&mut settings.reboot_down_after, number.map(Millis)),
        "parallel-syncs" => set(&mut settings.parallel_syncs, positive.map(|count| count as usize)),
        "quorum" => set(&mut settings.quorum, positive.map(|count| count as usize)),
        "notification-script" => set(&mut settings.notification_script, Some(text)),
        "client-reconfig-script" => set(&mut settings.reconfig_script, Some(text)),
        "auth-pass" => set(&mut settings.auth_pass, Some(text)),
        "auth-user" => set(&mut settings.auth_user, Some(text)),
        _ => {
            let to = values.get(1).ok_or(value)?;
            if let Some(empty) = values.iter().find(|value| value.is_empty()) {
                return Err(empty);
            }
            settings.renamed.retain(|(from, _)| !from.eq_ignore_ascii_case(value));
            // Under its own name it is not renamed.
            if !to.eq_ignore_ascii_case(value) {
                settings.renamed.push((value.to_string(), to.clone()));
            }
            true
        }
    };
    if done { Ok(()) } else { Err(value) }
}

fn set<T>(place: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            *place = value;
            true
        }
        None => false,
    }
}
