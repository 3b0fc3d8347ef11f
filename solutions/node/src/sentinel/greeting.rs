//! Hellos: saying one, and what follows from hearing one.

use core_types::{Endpoint, Frame, LogLevel};

use super::links::{Asked, HELLO_CHANNEL};
use super::{Key, Sentinel};
use crate::layers::failover::{Claim, newer};
use crate::layers::watching::{Hello, Kind, Peer, Sighting, sighting};

impl Sentinel {
    /// Says hello to an instance: a master or replica publishes it, another sentinel takes it for itself.
    pub(super) fn greet(&mut self, key: Key) {
        let instance = self.instance(key);
        let name = instance.master.clone();
        let own_ip = instance.commands.local_ip.clone();
        let master = &self.masters[&name];
        let Some(address) = self.master_address(&name) else { return };
        let hello = Hello {
            from: Endpoint::new(
                self.announce_ip.clone().unwrap_or(own_ip),
                self.announce_port.unwrap_or(self.port),
            ),
            id: self.id,
            current_epoch: self.current_epoch,
            master_name: name,
            master: address,
            config_epoch: master.config_epoch,
        };
        self.send(key, Asked::Hello, &["PUBLISH", HELLO_CHANNEL, &hello.to_string()]);
    }

    /// Has everybody around a master told at once, and not at the next hello's time.
    pub(super) fn greet_all(&mut self, name: &str) {
        for key in self.family(name) {
            if self.instance(key).connected() {
                self.greet(key);
            }
        }
    }

    /// Something has come on a connection that listens for hellos.
    pub(super) fn heard_on_channel(&mut self, frame: Frame) {
        let (Frame::Array(parts) | Frame::Push(parts)) = frame else { return };
        let [kind, _, payload] = &parts[..] else { return };
        if kind.as_bytes() == Some(b"message")
            && let Some(payload) = payload.as_bytes()
        {
            self.greeted(&String::from_utf8_lossy(payload));
        }
    }

    /// A hello was heard, on a channel or by a `PUBLISH` to this sentinel. Whatever is no hello, or is about a
    /// master that is not watched here, is passed over.
    pub(crate) fn greeted(&mut self, text: &str) {
        let Ok(hello) = Hello::parse(text) else { return };
        let name = hello.master_name.clone();
        let Some(master) = self.masters.get(&name) else { return };
        let known: Vec<Peer> = master
            .sentinels
            .iter()
            .map(|key| self.instance(*key))
            .map(|peer| Peer { id: peer.run_id, at: peer.at.clone() })
            .collect();
        let peers = master.sentinels.clone();
        let reachable = self.accepts_host(&hello.from.host);
        let sender = match sighting(&self.id, &known, &hello.id, &hello.from) {
            Sighting::Myself => return,
            Sighting::Known(place) => Some(peers[place]),
            Sighting::Moved(place) => self.peer_moved(&name, peers[place], &hello),
            Sighting::New { replaces } => {
                if let Some(place) = replaces {
                    self.replaced(peers[place]);
                }
                let found =
                    reachable.then(|| self.add_sentinel(&name, hello.from.clone(), hello.id)).flatten();
                if let Some(key) = found {
                    self.event(LogLevel::Notice, "+sentinel", key, "");
                    self.save();
                }
                found
            }
        };
        if hello.current_epoch > self.current_epoch {
            self.current_epoch = hello.current_epoch;
            self.save();
            self.new_epoch();
        }
        // Who gives no address that we could reach is heard for its epoch, and that is all.
        let Some(sender) = sender else { return };
        self.compare_claims(&name, sender, &hello);
        let now = self.now;
        // Taking over a newer configuration keeps the sentinels.
        self.instance_mut(sender).greeted_at = now;
    }

    /// A sentinel has another address now. What was said on the old connections is void. `None`: the new address is
    /// none; it is forgotten until it says a better one.
    fn peer_moved(&mut self, name: &str, old: Key, hello: &Hello) -> Option<Key> {
        self.remove_instance(old);
        let master = self.masters[name].key;
        let text = format!(" ip {} port {} for {}", hello.from.host, hello.from.port, hello.id);
        self.event(LogLevel::Notice, "+sentinel-address-switch", master, &text);
        self.save();
        let reachable = self.accepts_host(&hello.from.host);
        reachable.then(|| self.add_sentinel(name, hello.from.clone(), hello.id)).flatten()
    }

    /// Somebody else lives at this sentinel's address: it is gone, from all masters that it watched.
    fn replaced(&mut self, key: Key) {
        self.event(LogLevel::Notice, "+sentinel-invalid-addr", key, "");
        let id = self.instance(key).run_id;
        let same = |instance: &super::Instance| instance.kind == Kind::Sentinel && instance.run_id == id;
        let gone: Vec<Key> =
            self.instances.iter().filter(|(_, instance)| same(instance)).map(|(key, _)| *key).collect();
        for key in gone {
            self.remove_instance(key);
        }
    }

    fn compare_claims(&mut self, name: &str, sender: Key, hello: &Hello) {
        let master = &self.masters[name];
        let known = self.instance(master.key);
        let at = known.at.clone();
        // By another name it is still the same.
        let said = if known.is_at(&hello.master) { at.clone() } else { hello.master.clone() };
        let ours = Claim { master: at.clone(), epoch: master.config_epoch };
        let theirs = Claim { master: said.clone(), epoch: hello.config_epoch };
        if !newer(&ours, &theirs) {
            return;
        }
        self.masters.get_mut(name).expect("it was there a moment ago").config_epoch = hello.config_epoch;
        // A failover of our own whose promotion is through sends clients elsewhere already: then to stay is to switch
        // back, or two masters would be named with one epoch.
        let leads_elsewhere = self.masters[name].promoted_master().is_some_and(|promoted| {
            let promoted = self.instance(promoted);
            at == said && !promoted.is_at(&said)
        });
        if (at == said && !leads_elsewhere) || !self.accepts_host(&hello.master.host) {
            return;
        }
        self.event(LogLevel::Warning, "+config-update-from", sender, "");
        self.switch_master(name, hello.master.clone(), "observer");
    }

    pub(super) fn new_epoch(&mut self) {
        let text = self.current_epoch.to_string();
        self.event_plain(LogLevel::Warning, "+new-epoch", text);
    }
}
