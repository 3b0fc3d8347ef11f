//! How a command gets to the server that takes it.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use core_types::{Endpoint, Frame, Slot};
use node::layers::redirection::{Answer, Cache, Next, Topology, read_error};

use super::{REST, pause};
use crate::cli::client::Client;
use crate::cli::settings::Settings;
use crate::cli::stream::Stream;
use crate::reason;

/// How long to wait for a connection.
const TO_CONNECT: Duration = Duration::from_secs(2);

/// How long to wait for an answer. Whoever has been paused answers late, and answers.
const TO_ANSWER: Duration = Duration::from_secs(30);

/// What came of a command.
#[derive(Debug)]
pub(super) enum Said {
    /// It was carried out.
    Reply(Frame),
    /// The server answered with an error.
    Refused(String),
    /// It was not sent.
    Unsent(String),
    /// It was sent, and no answer came.
    Nothing(String),
}

/// Who knows where the right server is.
#[derive(Debug)]
enum Guide {
    /// It is this one.
    Nobody,
    /// The cluster's nodes.
    Cluster(Cache),
    /// Sentinels, for the master of this name.
    Sentinels { name: String, known: Vec<Endpoint> },
}

#[derive(Debug)]
pub(super) struct Way {
    settings: Settings,
    guide: Guide,
    /// Where the last command went.
    here: Endpoint,
    clients: BTreeMap<Endpoint, Client>,
    redirections: u64,
}

impl Way {
    pub(super) fn new(settings: Settings, sentinel: Option<String>) -> Way {
        let here = settings.start.clone();
        let guide = match sentinel {
            Some(name) => Guide::Sentinels { name, known: vec![here.clone()] },
            None if settings.cluster_mode => Guide::Cluster(Cache::new([here.clone()])),
            None => Guide::Nobody,
        };
        Way { settings, guide, here, clients: BTreeMap::new(), redirections: 0 }
    }

    /// How often it was sent elsewhere.
    pub(super) fn redirections(&self) -> u64 {
        self.redirections
    }

    /// Sends a command to where it belongs, once: a command that may have been carried out is never sent again.
    pub(super) fn call(&mut self, command: &[&str], slot: Option<Slot>) -> Said {
        match std::mem::replace(&mut self.guide, Guide::Nobody) {
            Guide::Nobody => self.call_here(command),
            Guide::Cluster(mut cache) => {
                let said = self.call_by_slot(&mut cache, command, slot);
                self.guide = Guide::Cluster(cache);
                said
            }
            Guide::Sentinels { name, mut known } => {
                let said = self.call_by_name(&name, &mut known, command);
                self.guide = Guide::Sentinels { name, known };
                said
            }
        }
    }

    fn call_here(&mut self, command: &[&str]) -> Said {
        let here = self.here.clone();
        match self.exchange(&here, command, false) {
            Said::Reply(Frame::Error(why)) => Said::Refused(why),
            said => said,
        }
    }

    /// Follows the cluster's redirections, as chapter 8 has it.
    fn call_by_slot(&mut self, cache: &mut Cache, command: &[&str], slot: Option<Slot>) -> Said {
        self.refresh(cache);
        let Some(mut errand) = cache.send(slot) else { return Said::Unsent("no node is known".into()) };
        loop {
            let said = self.exchange(&errand.to, command, errand.asking);
            let answer = match &said {
                Said::Reply(Frame::Error(why)) => read_error(why, &errand.to),
                Said::Unsent(_) => Answer::Broken,
                Said::Nothing(_) => {
                    cache.stale = true;
                    return said;
                }
                _ => Answer::Reply,
            };
            self.redirections += u64::from(matches!(answer, Answer::Moved(..) | Answer::Ask(..)));
            match (cache.answered(&mut errand, &answer), said) {
                (Next::Send, _) => {}
                (Next::Wait, _) => {
                    pause(REST);
                    self.refresh(cache);
                }
                (_, Said::Reply(Frame::Error(why))) => return Said::Refused(why),
                (_, said) => return said,
            }
        }
    }

    /// Asks one of those that are connected for the table of all slots, if there is reason to.
    fn refresh(&mut self, cache: &mut Cache) {
        if !cache.stale {
            return;
        }
        let places: Vec<Endpoint> = cache.places.clone();
        for place in places {
            let Said::Reply(table) = self.exchange(&place, &["CLUSTER", "SLOTS"], false) else { continue };
            if let Some(topology) = Topology::from_slots(&table, &place)
                && !topology.shards.is_empty()
            {
                cache.learn(&topology);
                self.clients.retain(|place, _| cache.places.contains(place));
                return;
            }
        }
    }

    /// Asks the sentinels whenever there is no connection, and ends the connection whenever something is refused: the server
    /// may be a master no more.
    fn call_by_name(&mut self, name: &str, known: &mut Vec<Endpoint>, command: &[&str]) -> Said {
        if !self.clients.contains_key(&self.here) {
            match self.master(name, known) {
                Ok(master) => self.here = master,
                Err(why) => {
                    // Whoever was asked is not whom to write to.
                    self.clients.clear();
                    return Said::Unsent(why);
                }
            }
        }
        let said = self.call_here(command);
        if !matches!(said, Said::Reply(_)) {
            self.clients.clear();
        }
        said
    }

    /// The master that the first sentinel names that can be reached, if it calls itself one.
    fn master(&mut self, name: &str, known: &mut Vec<Endpoint>) -> Result<Endpoint, String> {
        let mut why = String::from("no sentinel is known");
        for (index, sentinel) in known.clone().into_iter().enumerate() {
            let asked = self.ask(&sentinel, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name]);
            let master = match asked {
                Ok(Frame::Array(place)) => endpoint(place.first(), place.get(1)),
                Ok(_) => None,
                Err(words) => {
                    why = words;
                    continue;
                }
            };
            let Some(master) = master else {
                why = format!("{sentinel} knows no master {name}");
                continue;
            };
            // Those who can be reached come first the next time, with all whom this one knows.
            if let Ok(Frame::Array(others)) = self.ask(&sentinel, &["SENTINEL", "SENTINELS", name]) {
                let others =
                    others.iter().filter_map(|other| endpoint(field(other, "ip"), field(other, "port")));
                known.rotate_left(index);
                known.extend(others);
                let mut seen = Vec::new();
                known.retain(|place| {
                    !seen.contains(place) && {
                        seen.push(place.clone());
                        true
                    }
                });
            }
            return match self.ask(&master, &["ROLE"])? {
                Frame::Array(role) if role.first().and_then(Frame::as_bytes) == Some(b"master") => Ok(master),
                _ => Err(format!("{master} is no master")),
            };
        }
        Err(why)
    }

    fn ask(&mut self, place: &Endpoint, command: &[&str]) -> Result<Frame, String> {
        match self.exchange(place, command, false) {
            Said::Reply(Frame::Error(why)) | Said::Refused(why) | Said::Unsent(why) | Said::Nothing(why) => {
                Err(why)
            }
            Said::Reply(reply) => Ok(reply),
        }
    }

    /// One command to one server, and what it says; an error is a reply here.
    fn exchange(&mut self, place: &Endpoint, command: &[&str], asking: bool) -> Said {
        let mut client = match self.clients.remove(place).map_or_else(|| self.connect(place), Ok) {
            Ok(client) => client,
            Err(error) => return Said::Unsent(format!("{place}: {}", reason(&error))),
        };
        if asking {
            client.queue(&["ASKING"]);
        }
        let answered = client.send(command).and_then(|()| {
            if asking {
                client.next_reply()?;
            }
            client.next_reply()
        });
        match answered {
            Ok(reply) => {
                self.clients.insert(place.clone(), client);
                Said::Reply(reply)
            }
            Err(error) => Said::Nothing(format!("{place}: {}", reason(&error))),
        }
    }

    fn connect(&self, place: &Endpoint) -> io::Result<Client> {
        let stream = match &self.settings.socket {
            Some(path) if *path == place.host => Stream::unix(path)?,
            _ => Stream::tcp(&place.host, place.port, Some(TO_CONNECT))?,
        };
        stream.set_patience(Some(TO_ANSWER))?;
        let mut client = Client::new(stream);
        match client.log_in(self.settings.user.as_deref(), self.settings.password.as_deref())? {
            Frame::Error(why) => Err(io::Error::other(why)),
            _ => Ok(client),
        }
    }
}

/// An address from the parts of a reply.
fn endpoint(host: Option<&Frame>, port: Option<&Frame>) -> Option<Endpoint> {
    let text = |frame: &Frame| String::from_utf8(frame.as_bytes()?.to_vec()).ok();
    Some(Endpoint::new(text(host?)?, text(port?)?.parse().ok()?))
}

/// A field of a flat list of names and values.
fn field<'a>(list: &'a Frame, name: &str) -> Option<&'a Frame> {
    let Frame::Array(parts) = list else { return None };
    parts.chunks(2).find(|pair| pair[0].as_bytes() == Some(name.as_bytes()))?.get(1)
}
