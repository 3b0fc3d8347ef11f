//! What a sentinel shows of itself, and what it is told about itself.

use core_types::{Args, Millis, Reply};

use super::{Output, Sentinel};
use crate::layers::wire::parse_integer;

impl Sentinel {
    /// Takes the lines of the file: first those that are about the sentinel itself, then its masters, then what
    /// is known of them; the order in the file does not matter.
    ///
    /// # Errors
    /// The place of the first line that makes no sense, and what is wrong with it.
    pub(crate) fn load(&mut self, now: Millis, lines: &[Vec<String>]) -> Result<(), (usize, String)> {
        let pass = |line: &[String]| match line.first().map(|word| word.to_ascii_lowercase()).as_deref() {
            Some("monitor") => 1,
            Some(
                "myid"
                | "announce-ip"
                | "announce-port"
                | "sentinel-user"
                | "sentinel-pass"
                | "resolve-hostnames"
                | "announce-hostnames"
                | "deny-scripts-reconfig"
                | "current-epoch",
            ) => 0,
            _ => 2,
        };
        for wanted in 0..3 {
            for (place, line) in lines.iter().enumerate().filter(|(_, line)| pass(line) == wanted) {
                let words: Vec<&str> = line.iter().map(String::as_str).collect();
                self.configure(now, &words).map_err(|why| (place, why))?;
            }
        }
        Ok(())
    }

    /// It begins to watch: says so for each master, and writes down who it is, if nobody knows yet.
    pub(crate) fn begin(&mut self) {
        let names: Vec<String> = self.masters.keys().cloned().collect();
        if !self.named {
            self.save();
        }
        for name in names {
            self.announce_watch(&name);
        }
    }

    /// A hello was published to this sentinel.
    pub(crate) fn hear(&mut self, now: Millis, text: &str) {
        self.now = now;
        self.greeted(text);
    }

    /// Something it has asked for since the last time must be saved.
    pub(crate) fn wants_to_save(&self) -> bool {
        self.out.contains(&Output::Save)
    }

    /// The file was written, or could not be. As long as it is not, every vote asks for it again: what is only in
    /// memory is not told.
    pub(crate) fn saved(&mut self, well: bool) {
        self.unsaved = !well;
    }

    /// A random number below `bound`.
    pub(crate) fn draw(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    /// The subcommands about the sentinel itself. False if it is none of them.
    pub(crate) fn command_about_itself(
        &mut self,
        now: Millis,
        args: Args<'_>,
        reply: &mut dyn Reply,
    ) -> bool {
        self.now = now;
        if args.is(1, "flushconfig") {
            self.save();
            reply.simple("OK");
        } else if args.is(1, "pending-scripts") {
            self.show_scripts(reply);
        } else if args.is(1, "config") && args.len() == 4 && args.is(2, "get") {
            self.show_config(args, reply);
        } else if args.is(1, "config") && args.len() == 5 && args.is(2, "set") {
            self.set_config(args, reply);
        } else if args.is(1, "config") {
            reply.error("ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.");
        } else {
            return false;
        }
        true
    }

    fn config(&self) -> [(&'static str, String); 6] {
        let yes = |flag: bool| if flag { "yes" } else { "no" }.to_string();
        [
            ("resolve-hostnames", yes(self.resolve_hostnames)),
            ("announce-hostnames", yes(self.announce_hostnames)),
            ("announce-ip", self.announce_ip.clone().unwrap_or_default()),
            ("announce-port", self.announce_port.unwrap_or(0).to_string()),
            ("sentinel-user", self.peer_user.clone().unwrap_or_default()),
            ("sentinel-pass", self.peer_password.clone().unwrap_or_default()),
        ]
    }

    fn show_config(&self, args: Args<'_>, reply: &mut dyn Reply) {
        let pattern = args[3].to_ascii_lowercase();
        let asked = |name: &str| keyspace::matches(&pattern, name.as_bytes());
        let shown: Vec<_> = self.config().into_iter().filter(|(name, _)| asked(name)).collect();
        reply.map(shown.len());
        for (name, value) in shown {
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
        }
    }

    fn set_config(&mut self, args: Args<'_>, reply: &mut dyn Reply) {
        let text = |index: usize| String::from_utf8_lossy(&args[index]).into_owned();
        let known = self.config().map(|(name, _)| name);
        let name = text(3);
        if !known.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            return reply.error(&format!("ERR Invalid argument '{name}' to SENTINEL CONFIG SET"));
        }
        if !self.set_one(&name.to_ascii_lowercase(), &args[4]) {
            let value = text(4);
            return reply.error(&format!("ERR Invalid value '{value}' to SENTINEL CONFIG SET '{name}'"));
        }
        self.save();
        reply.simple("OK");
    }

    fn set_one(&mut self, name: &str, value: &[u8]) -> bool {
        let text = Some(String::from_utf8_lossy(value).into_owned()).filter(|text| !text.is_empty());
        let flag = match value.to_ascii_lowercase().as_slice() {
            b"yes" => Some(true),
            b"no" => Some(false),
            _ => None,
        };
        match (name, flag) {
            ("resolve-hostnames", Some(flag)) => self.resolve_hostnames = flag,
            ("announce-hostnames", Some(flag)) => self.announce_hostnames = flag,
            ("resolve-hostnames" | "announce-hostnames", None) => return false,
            ("announce-ip", _) => self.announce_ip = text,
            ("announce-port", _) => {
                let Some(port) = parse_integer(value).and_then(|port| u16::try_from(port).ok()) else {
                    return false;
                };
                self.announce_port = Some(port).filter(|port| *port != 0);
            }
            _ => {
                let place =
                    if name == "sentinel-user" { &mut self.peer_user } else { &mut self.peer_password };
                *place = text;
                self.drop_peer_links();
            }
        }
        true
    }

    /// The fields of `INFO sentinel`.
    pub(crate) fn info(&self, now: Millis) -> Vec<(String, String)> {
        let tilted = self.tilt.since();
        let (running, scripts) = self.scripts.counts();
        let simulated = u8::from(self.failures.after_election) + 2 * u8::from(self.failures.after_promotion);
        let mut fields: Vec<(String, String)> = [
            ("sentinel_masters", self.masters.len().to_string()),
            ("sentinel_tilt", u8::from(tilted.is_some()).to_string()),
            (
                "sentinel_tilt_since_seconds",
                tilted.map_or("-1".into(), |since| now.since(since).as_secs().to_string()),
            ),
            ("sentinel_running_scripts", running.to_string()),
            ("sentinel_scripts_queue_length", scripts.to_string()),
            ("sentinel_simulate_failure_flags", simulated.to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_string(), value))
        .collect();
        for (index, (name, master)) in self.masters.iter().enumerate() {
            let instance = self.instance(master.key);
            let status = match (master.odown_since, instance.is_down()) {
                (Some(_), _) => "odown",
                (None, true) => "sdown",
                (None, false) => "ok",
            };
            let text = format!(
                "name={name},status={status},address={},slaves={},sentinels={}",
                instance.at,
                master.replicas.len(),
                master.sentinels.len() + 1
            );
            fields.push((format!("master{index}"), text));
        }
        fields
    }
}
