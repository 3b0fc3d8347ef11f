//! Connections to an instance: opened, probed, and given up.

use std::collections::VecDeque;

use core_types::{ArgsBuf, Endpoint, Frame, LogLevel, Millis};

use super::{Key, Output, Sentinel};
use crate::layers::watching::{Kind, Probe, command_link_is_dead, due, hello_link_is_dead};

/// The channel on which sentinels say hello.
pub(crate) const HELLO_CHANNEL: &str = "__sentinel__:hello";

/// So many commands may wait for an answer; more are not sent (`SENTINEL_MAX_PENDING_COMMANDS`).
const MAX_PENDING: usize = 100;

/// Names one connection that the sentinel opened. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub(crate) u64);

/// What the next answer on a connection belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Ping,
    Info,
    Hello,
    Opinion,
    /// Nobody looks at the answer: the effect will show.
    Nothing,
}

/// One of the two connections to an instance.
#[derive(Debug, Default)]
pub(crate) struct Link {
    pub(crate) id: Option<LinkId>,
    /// It is established.
    pub(crate) up: bool,
    /// Since when; before that: since when it has been tried.
    pub(crate) since: Millis,
    /// When something last came over it.
    pub(crate) heard_at: Millis,
    /// The address of our own end.
    pub(crate) local_ip: String,
    pub(crate) asked: VecDeque<Asked>,
}

impl Sentinel {
    /// Opens what is missing, at most once a second, and gives up what is dead.
    pub(super) fn keep_links(&mut self, key: Key) {
        let now = self.now;
        let periods = self.periods;
        let instance = self.instance(key);
        let down_after = self.masters[&instance.master].settings.down_after;
        if instance.commands.up && command_link_is_dead(now, &instance.contact, down_after, &periods) {
            self.close_link(key, Which::Commands);
        }
        let hellos = &self.instance(key).hellos;
        if hellos.up && hello_link_is_dead(now, hellos.since, hellos.heard_at, &periods) {
            self.close_link(key, Which::Hellos);
        }
        // An attempt that nobody answers is made again: TCP itself would try at ever longer intervals, and find out a
        // minute late that the cable is mended.
        for which in [Which::Commands, Which::Hellos] {
            let link = self.link_mut(key, which);
            if link.id.is_some() && !link.up && now.since(link.since) > periods.link_min_age {
                self.close_link(key, which);
            }
        }
        let instance = self.instance(key);
        let wants_hellos = instance.kind != Kind::Sentinel;
        let missing = instance.commands.id.is_none() || (wants_hellos && instance.hellos.id.is_none());
        let lately = instance.tried_at.is_some_and(|at| now.since(at) < periods.ping);
        if !missing || lately || !instance.has_address() {
            return;
        }
        self.instance_mut(key).tried_at = Some(now);
        if self.instance(key).commands.id.is_none() {
            self.open_link(key, Which::Commands);
        }
        if wants_hellos && self.instance(key).hellos.id.is_none() {
            self.open_link(key, Which::Hellos);
        }
    }

    fn open_link(&mut self, key: Key, which: Which) {
        self.next_link += 1;
        let link = LinkId(self.next_link);
        self.owners.insert(link, key);
        let to: Endpoint = self.instance(key).at.clone();
        let now = self.now;
        let place = self.link_mut(key, which);
        *place = Link { id: Some(link), since: now, ..Link::default() };
        self.out.push(Output::Connect { link, to });
    }

    fn close_link(&mut self, key: Key, which: Which) {
        let Some(link) = std::mem::take(self.link_mut(key, which)).id else { return };
        self.owners.remove(&link);
        self.out.push(Output::Close { link });
        if which == Which::Commands {
            self.instance_mut(key).contact.disconnected();
        }
    }

    pub(super) fn close_links(&mut self, key: Key) {
        self.close_link(key, Which::Commands);
        self.close_link(key, Which::Hellos);
    }

    /// Closes the connections to all other sentinels: they log in anew, with another password.
    pub(crate) fn drop_peer_links(&mut self) {
        let peers: Vec<Key> = self.masters.values().flat_map(|master| master.sentinels.clone()).collect();
        for key in peers {
            self.close_links(key);
        }
    }

    /// A connection is established; `local_ip` is the address of our own end, `peer_ip` that of the other.
    pub(crate) fn link_connected(&mut self, now: Millis, link: LinkId, local_ip: &str, peer_ip: &str) {
        self.now = now;
        let Some((key, which)) = self.owner(link) else { return };
        self.found_at(key, peer_ip);
        let place = self.link_mut(key, which);
        place.up = true;
        place.since = now;
        place.heard_at = now;
        place.local_ip = local_ip.to_string();
        self.log_in(key, which);
        let name = match which {
            Which::Commands => "cmd",
            Which::Hellos => "pubsub",
        };
        let name = format!("sentinel-{}-{name}", self.id.short());
        self.send_on(key, which, Asked::Nothing, &["CLIENT", "SETNAME", &name]);
        match which {
            Which::Commands => {
                self.instance_mut(key).contact.connected(now);
                self.ping(key);
            }
            // Its answers are messages; none of them is waited for.
            Which::Hellos => self.send_on(key, which, Asked::Nothing, &["SUBSCRIBE", HELLO_CHANNEL]),
        }
    }

    /// The name of an instance has led to this address. Unless names are to be announced, it has done its work with that.
    fn found_at(&mut self, key: Key, ip: &str) {
        let announced = self.announce_hostnames;
        let instance = self.instance_mut(key);
        if instance.at.host == ip || ip.parse::<std::net::IpAddr>().is_err() {
            return;
        }
        instance.ip = Some(ip.to_owned());
        if !announced {
            instance.at.host = ip.to_owned();
            self.save();
        }
    }

    /// A connection could not be made, or is gone.
    pub(crate) fn link_lost(&mut self, now: Millis, link: LinkId, why: &str) {
        self.now = now;
        let Some((key, which)) = self.owner(link) else { return };
        self.owners.remove(&link);
        *self.link_mut(key, which) = Link::default();
        let name = match which {
            Which::Commands => "-cmd-link",
            Which::Hellos => "-pubsub-link",
        };
        if which == Which::Commands {
            self.instance_mut(key).contact.disconnected();
        }
        self.event(LogLevel::Debug, name, key, &format!(" #{why}"));
    }

    /// An answer, or a message, has come.
    pub(crate) fn answered(&mut self, now: Millis, link: LinkId, frame: Frame) {
        self.now = now;
        let Some((key, which)) = self.owner(link) else { return };
        self.link_mut(key, which).heard_at = now;
        if which == Which::Hellos {
            return self.heard_on_channel(frame);
        }
        let Some(asked) = self.instance_mut(key).commands.asked.pop_front() else { return };
        match asked {
            Asked::Nothing => {}
            Asked::Ping => self.ponged(key, &frame),
            Asked::Info => {
                if let Some(text) = frame.as_bytes() {
                    let text = String::from_utf8_lossy(text).into_owned();
                    self.informed(key, text);
                }
            }
            // What could not be published is tried again with the next tick.
            Asked::Hello => {
                if !matches!(frame, Frame::Error(_)) {
                    self.instance_mut(key).contact.greeted(now);
                }
            }
            Asked::Opinion => self.opinion(key, &frame),
        }
    }

    fn ponged(&mut self, key: Key, frame: &Frame) {
        let now = self.now;
        let instance = self.instance_mut(key);
        instance.contact.answered(now, frame);
        match frame {
            Frame::Simple(_) => instance.rebooted_at = None,
            // A script that holds everything up is asked to end, once for each time the instance is down.
            Frame::Error(text)
                if text.starts_with("BUSY") && instance.is_down() && !instance.asked_to_end_script =>
            {
                instance.asked_to_end_script = true;
                self.send(key, Asked::Nothing, &["SCRIPT", "KILL"]);
            }
            _ => {}
        }
    }

    /// Sends what is due.
    pub(super) fn probe(&mut self, key: Key) {
        let now = self.now;
        let instance = self.instance(key);
        if !instance.commands.up || instance.commands.asked.len() >= MAX_PENDING {
            return;
        }
        let master = &self.masters[&instance.master];
        let in_trouble = master.odown_since.is_some()
            || master.failover.is_some()
            || instance.without_master > Millis::ZERO;
        let down_after = master.settings.down_after;
        for probe in due(now, instance.kind, &instance.contact.clone(), in_trouble, down_after, &self.periods)
        {
            match probe {
                Probe::Info => self.send(key, Asked::Info, &["INFO"]),
                Probe::Ping => self.ping(key),
                Probe::Hello => self.greet(key),
            }
        }
    }

    fn ping(&mut self, key: Key) {
        let now = self.now;
        self.instance_mut(key).contact.pinged(now);
        self.send(key, Asked::Ping, &["PING"]);
    }

    fn log_in(&mut self, key: Key, which: Which) {
        let instance = self.instance(key);
        let (user, password) = if instance.kind == Kind::Sentinel {
            (self.peer_user.clone(), self.peer_password.clone())
        } else {
            let settings = &self.masters[&instance.master].settings;
            (settings.auth_user.clone(), settings.auth_pass.clone())
        };
        match (user, password) {
            (Some(user), Some(password)) => {
                self.send_on(key, which, Asked::Nothing, &["AUTH", &user, &password]);
            }
            (None, Some(password)) => self.send_on(key, which, Asked::Nothing, &["AUTH", &password]),
            (_, None) => {}
        }
    }

    /// Sends a command on the connection for commands.
    pub(super) fn send(&mut self, key: Key, asked: Asked, command: &[&str]) {
        self.send_on(key, Which::Commands, asked, command);
    }

    fn send_on(&mut self, key: Key, which: Which, asked: Asked, command: &[&str]) {
        let name = self.renamed(key, command[0]);
        let mut parts = vec![name.as_str()];
        parts.extend(&command[1..]);
        let command = ArgsBuf::from_parts(&parts);
        let link = self.link_mut(key, which);
        if let Some(id) = link.id.filter(|_| link.up) {
            if which == Which::Commands {
                link.asked.push_back(asked);
            }
            self.out.push(Output::Send { link: id, command });
        }
    }

    /// The name under which the instances of this master know a command.
    fn renamed(&self, key: Key, command: &str) -> String {
        let instance = self.instance(key);
        let renamed = &self.masters[&instance.master].settings.renamed;
        let other = renamed.iter().find(|(from, _)| from.eq_ignore_ascii_case(command));
        other.filter(|_| instance.kind != Kind::Sentinel).map_or(command, |(_, to)| to.as_str()).to_string()
    }

    fn owner(&self, link: LinkId) -> Option<(Key, Which)> {
        let key = *self.owners.get(&link)?;
        let which =
            if self.instance(key).commands.id == Some(link) { Which::Commands } else { Which::Hellos };
        Some((key, which))
    }

    fn link_mut(&mut self, key: Key, which: Which) -> &mut Link {
        let instance = self.instance_mut(key);
        match which {
            Which::Commands => &mut instance.commands,
            Which::Hellos => &mut instance.hellos,
        }
    }

    pub(super) fn instance_mut(&mut self, key: Key) -> &mut super::Instance {
        self.instances.get_mut(&key).expect("a key that is in use names an instance")
    }
}

/// The two connections to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Commands,
    Hellos,
}
