//! What a sentinel tells the world: a line in its log, and a message on the channel that has the event's name.

use core_types::LogLevel;

use super::{Key, Output, Sentinel};
use crate::layers::watching::Kind;

impl Sentinel {
    /// An event about an instance: who it is, then `more`. What is only of interest to a developer
    /// ([`LogLevel::Debug`]) is not published.
    pub(super) fn event(&mut self, level: LogLevel, name: &'static str, key: Key, more: &str) {
        let text = format!("{}{more}", self.describe(key));
        self.out.push(Output::Event { level, name, text });
        self.call_notification_script(level, name, key);
    }

    /// An event in words of its own.
    pub(super) fn event_plain(&mut self, level: LogLevel, name: &'static str, text: String) {
        self.out.push(Output::Event { level, name, text });
    }

    /// `master <name> <ip> <port>`, or `<kind> <name> <ip> <port> @ <master's name> <ip> <port>`.
    pub(crate) fn describe(&self, key: Key) -> String {
        let instance = self.instance(key);
        let kind = match instance.kind {
            Kind::Master => "master",
            Kind::Replica => "slave",
            Kind::Sentinel => "sentinel",
        };
        let own = format!("{kind} {} {} {}", instance.name, instance.at.host, instance.at.port);
        if instance.kind == Kind::Master {
            return own;
        }
        let master = self.instance(self.masters[&instance.master].key);
        format!("{own} @ {} {} {}", instance.master, master.at.host, master.at.port)
    }

    /// The operator wants to hear of everything that is at least a warning.
    fn call_notification_script(&mut self, level: LogLevel, name: &'static str, key: Key) {
        if level < LogLevel::Warning {
            return;
        }
        let master = &self.masters[&self.instance(key).master];
        if let Some(path) = master.settings.notification_script.clone() {
            let args = vec![name.to_string(), self.describe(key)];
            self.schedule_script(path, args);
        }
    }
}
