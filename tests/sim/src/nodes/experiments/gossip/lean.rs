//! The decisions of chapter 7 without the rest of a node: no data, no connections, and every packet takes a millisecond.
//!
//! What a node knows of another is one [`Contact`] and two flags. Everything that is decided with it is the layer's,
//! which the node calls too; how long a packet is, is asked of the bus's own encoder.

use std::collections::{BTreeMap, VecDeque};

use bus::{Gossip, Header, Kind, encode};
use bytes::BytesMut;
use core_types::{Epoch, Millis, Offset, Rng};
use node::layers::gossip::heartbeat::{Contact, Due, LOOK_AROUND, LOOKS_PER_EXTRA_PING, due, extra_ping};
use node::layers::gossip::rumour::{Candidate, Known, Rumour, choose, merge};
use node::layers::gossip::{Opinion, Reports, agreed};

use super::{Detection, Size, Traffic, ids};

/// What is believed of the times at which others have had an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearsay {
    /// They count like an answer of one's own, as since Redis 4.0: fewer pings are needed.
    Believed,
    /// They do not, as before: every node pings every other one in half a timeout.
    Ignored,
}

/// Runs a cluster and counts its heartbeats for `counted`, once the first rush is over.
pub fn lean(size: Size, hearsay: Hearsay, counted: Millis, seed: u64) -> Traffic {
    let mut cluster = Lean::new(size, hearsay, seed);
    cluster.run(super::warm_up(size.timeout));
    cluster.bytes.fill(0);
    cluster.pings = 0;
    cluster.run(counted);
    let between = |from: usize, to: usize| cluster.bytes[from * size.nodes + to];
    Traffic::of(&size, between, cluster.pings, counted.0 as f64 / 1000.0)
}

/// Kills a master so many times, each time another one, and lets it come back when all know.
pub fn deaths(size: Size, count: usize, seed: u64) -> Vec<Detection> {
    let mut cluster = Lean::new(size, Hearsay::Believed, seed);
    cluster.run(super::warm_up(size.timeout));
    let die = |place: usize| {
        // Not always at the same moment of a timeout.
        let pause = size.timeout.0 + cluster.rng.below(size.timeout.0);
        cluster.run(Millis(pause));
        cluster.kill(place % size.masters())
    };
    (0..count).map(die).collect()
}

/// What one node knows of another.
#[derive(Clone, Copy)]
struct View {
    contact: Contact,
    suspected: bool,
    failed: bool,
}

/// What a heartbeat tells of one member.
#[derive(Clone, Copy)]
struct Entry {
    about: u16,
    failing: bool,
    /// In seconds, as it travels.
    pong_received: u32,
}

enum Body {
    Ping(Vec<Entry>),
    Pong(Vec<Entry>),
    Fail(u16),
}

struct Packet {
    arrives: Millis,
    from: usize,
    to: usize,
    body: Body,
}

/// The cluster.
struct Lean {
    size: Size,
    hearsay: Hearsay,
    now: Millis,
    rng: Rng,
    /// In which millisecond of a tenth of a second each node looks around, and how often it has.
    looks: Vec<(u64, u64)>,
    /// By who looks and at whom.
    views: Vec<View>,
    reports: BTreeMap<(usize, usize), Reports<u16>>,
    dead: Option<usize>,
    /// When the first one suspected and the first one agreed.
    noticed: (Option<Millis>, Option<Millis>),
    /// All take the same time, so that they arrive in the order in which they left.
    wire: VecDeque<Packet>,
    /// How long a heartbeat is that tells of so many.
    lengths: Vec<usize>,
    bytes: Vec<u64>,
    pings: u64,
}

impl Lean {
    fn new(size: Size, hearsay: Hearsay, seed: u64) -> Lean {
        let now = Millis(1_700_000_000_000);
        let mut rng = Rng::new(seed);
        let nodes = size.nodes;
        let looks = (0..nodes).map(|_| (rng.below(LOOK_AROUND.0), rng.below(LOOKS_PER_EXTRA_PING))).collect();
        // Everybody has answered everybody at some time in the last half of a timeout.
        let mut heard = || Millis(now.0 - rng.below(size.timeout.0 / 2));
        let view = |heard| View {
            contact: Contact {
                linked: Some(now),
                ping_sent: Millis::ZERO,
                pong_received: heard,
                data_received: heard,
            },
            suspected: false,
            failed: false,
        };
        let views = (0..nodes * nodes).map(|_| view(heard())).collect();
        Lean {
            size,
            hearsay,
            now,
            rng,
            looks,
            views,
            reports: BTreeMap::new(),
            dead: None,
            noticed: (None, None),
            wire: VecDeque::new(),
            lengths: lengths(nodes),
            bytes: vec![0; nodes * nodes],
            pings: 0,
        }
    }

    fn run(&mut self, time: Millis) {
        let until = self.now + time;
        while self.now < until {
            self.millisecond();
        }
    }

    /// What arrives in this millisecond, and who looks around in it.
    fn millisecond(&mut self) {
        while self.wire.front().is_some_and(|packet| packet.arrives <= self.now)
            && let Some(packet) = self.wire.pop_front()
        {
            if self.dead != Some(packet.to) {
                self.hear(packet);
            }
        }
        for node in 0..self.size.nodes {
            if self.now.0 % LOOK_AROUND.0 == self.looks[node].0 && self.dead != Some(node) {
                self.look_around(node);
            }
        }
        self.now += Millis(1);
    }

    fn look_around(&mut self, node: usize) {
        let (nodes, now, timeout) = (self.size.nodes, self.now, self.size.timeout);
        self.looks[node].1 += 1;
        if self.looks[node].1.is_multiple_of(LOOKS_PER_EXTRA_PING) {
            let views = &self.views[node * nodes..(node + 1) * nodes];
            let chosen = extra_ping(&mut self.rng, nodes, |place| {
                let contact = &views[place].contact;
                (place != node && contact.ping_sent == Millis::ZERO).then_some(contact.pong_received)
            });
            if let Some(other) = chosen {
                self.ping(node, other);
            }
        }
        for other in (0..nodes).filter(|other| *other != node) {
            let view = &mut self.views[node * nodes + other];
            let Due { reconnect, ping, suspect } = due(now, &view.contact, timeout);
            if reconnect {
                view.contact.linked = Some(now);
            }
            if suspect && !view.failed && !view.suspected {
                view.suspected = true;
                self.noticed.0.get_or_insert(now);
            }
            if ping {
                self.ping(node, other);
            }
        }
    }

    fn ping(&mut self, from: usize, to: usize) {
        self.views[from * self.size.nodes + to].contact.ping_sent = self.now;
        self.pings += 1;
        let told = self.tell(from);
        self.send(from, to, Body::Ping(told));
    }

    /// Of whom a heartbeat of this node tells, and what.
    fn tell(&mut self, node: usize) -> Vec<Entry> {
        let nodes = self.size.nodes;
        let views = &self.views[node * nodes..(node + 1) * nodes];
        let members = views.iter().enumerate().map(|(place, view)| {
            let candidate = Candidate {
                myself: place == node,
                handshake: false,
                no_address: false,
                suspected: view.suspected,
                linked: true,
                owns_slots: self.size.votes(place),
            };
            (place as u16, candidate)
        });
        let told = choose(&mut self.rng, members);
        let entry = |about: u16| {
            let View { contact, suspected, failed } = &views[usize::from(about)];
            let pong_received = u32::try_from(contact.pong_received.as_secs()).unwrap_or(u32::MAX);
            Entry { about, failing: *suspected || *failed, pong_received }
        };
        told.into_iter().map(entry).collect()
    }

    fn send(&mut self, from: usize, to: usize, body: Body) {
        let length = match &body {
            Body::Ping(told) | Body::Pong(told) => self.lengths[told.len()],
            Body::Fail(_) => FAIL_LEN,
        };
        self.bytes[from * self.size.nodes + to] += length as u64;
        self.wire.push_back(Packet { arrives: self.now + Millis(1), from, to, body });
    }

    fn hear(&mut self, packet: Packet) {
        let Packet { from, to, body, .. } = packet;
        let now = self.now;
        let contact = &mut self.views[to * self.size.nodes + from].contact;
        contact.data_received = now;
        match body {
            Body::Ping(told) => {
                let answer = self.tell(to);
                self.send(to, from, Body::Pong(answer));
                self.believe(to, from, &told);
            }
            Body::Pong(told) => {
                (contact.pong_received, contact.ping_sent) = (now, Millis::ZERO);
                self.views[to * self.size.nodes + from].suspected = false;
                self.believe(to, from, &told);
            }
            Body::Fail(about) => {
                let view = &mut self.views[to * self.size.nodes + usize::from(about)];
                (view.failed, view.suspected) = (true, false);
            }
        }
    }

    fn believe(&mut self, node: usize, teller: usize, told: &[Entry]) {
        let (now, nodes) = (self.now, self.size.nodes);
        let teller_votes = self.size.votes(teller);
        for entry in told {
            let about = usize::from(entry.about);
            let rumour = Rumour {
                failing: entry.failing,
                no_address: false,
                same_address: true,
                pong_received: Millis::from_secs(u64::from(entry.pong_received)),
            };
            let view = self.views[node * nodes + about];
            let known = |reported| Known {
                myself: about == node,
                failing: view.suspected || view.failed,
                waiting: view.contact.ping_sent != Millis::ZERO,
                reported,
                pong_received: view.contact.pong_received,
            };
            let said = merge(now, &rumour, &known(false), teller_votes).report;
            let count = self.note(node, about, teller, said);
            let belief = merge(now, &rumour, &known(count > 0), teller_votes);
            let opinion = Opinion {
                suspected: view.suspected,
                reports: count,
                i_vote: self.size.votes(node),
                voters: self.size.masters(),
                already: view.failed,
            };
            let declared = said == Some(true) && agreed(&opinion);
            if let (Some(heard), Hearsay::Believed) = (belief.heard, self.hearsay) {
                self.views[node * nodes + about].contact.pong_received = heard;
            }
            if declared {
                self.declare(node, about);
            }
        }
    }

    /// Notes what a master says of somebody. How many say by now that it fails?
    fn note(&mut self, node: usize, about: usize, teller: usize, failing: Option<bool>) -> usize {
        let key = (node, about);
        if failing == Some(true) {
            self.reports.entry(key).or_default().add(teller as u16, self.now);
        }
        // Hardly ever is anybody reported: there is an entry only for those who are.
        let Some(reports) = self.reports.get_mut(&key) else { return 0 };
        if failing == Some(false) {
            reports.remove(&(teller as u16));
        }
        reports.count(self.now, self.size.timeout)
    }

    /// A node has found that a majority agrees, and tells everybody.
    fn declare(&mut self, node: usize, about: usize) {
        let view = &mut self.views[node * self.size.nodes + about];
        (view.failed, view.suspected) = (true, false);
        self.noticed.1.get_or_insert(self.now);
        for other in (0..self.size.nodes).filter(|other| *other != node) {
            self.send(node, other, Body::Fail(about as u16));
        }
    }

    /// A node dies, and comes back when everybody knows. When was it noticed?
    fn kill(&mut self, victim: usize) -> Detection {
        let begin = self.now;
        self.dead = Some(victim);
        self.noticed = (None, None);
        let nodes = self.size.nodes;
        let knows = |cluster: &Lean, node: usize| cluster.views[node * nodes + victim].failed;
        while !(0..nodes).all(|node| node == victim || knows(self, node)) {
            self.millisecond();
            assert!(self.now.since(begin) < Millis(self.size.timeout.0 * 10), "a death is noticed");
        }
        let (suspected, agreed) = self.noticed;
        let since = |at: Option<Millis>| at.unwrap_or(self.now).since(begin);
        let detection = Detection {
            suspected: since(suspected),
            agreed: since(agreed),
            known: self.now.since(begin) - Millis(1),
        };
        self.revive(victim);
        detection
    }

    /// It comes back, and is asked and asks at once, as new connections are.
    fn revive(&mut self, victim: usize) {
        self.dead = None;
        self.reports.clear();
        let (nodes, now) = (self.size.nodes, self.now);
        for other in 0..nodes {
            for (who, whom) in [(other, victim), (victim, other)] {
                let view = &mut self.views[who * nodes + whom];
                (view.failed, view.suspected) = (false, false);
                let heard = Millis(now.0 - self.rng.below(self.size.timeout.0 / 2));
                view.contact = Contact {
                    linked: Some(now),
                    ping_sent: Millis::ZERO,
                    pong_received: heard,
                    data_received: heard,
                };
            }
        }
    }
}

/// A header, and the name of the one that failed.
const FAIL_LEN: usize = bus::HEADER_LEN + 40;

/// How long a heartbeat is that tells of nobody, of one, of two, …, by the encoder.
fn lengths(nodes: usize) -> Vec<usize> {
    let ids = ids(nodes);
    let mut packet = BytesMut::new();
    let mut length = |told: usize| {
        let header = Header {
            sender: ids[0],
            current_epoch: Epoch(1),
            config_epoch: Epoch(1),
            offset: Offset(0),
            slots: &[0; 2048],
            master: None,
            ip: "",
            port: 7000,
            plain_port: 0,
            bus_port: 17_000,
            flags: 1,
            down: false,
            message_flags: 0,
        };
        let gossip = ids.iter().take(told).map(|&id| Gossip {
            id,
            ping_sent: 0,
            pong_received: 0,
            ip: "10.0.0.1",
            port: 7000,
            bus_port: 17_000,
            flags: 1,
            plain_port: 0,
        });
        packet.clear();
        encode::beat(&mut packet, Kind::Ping, &header, gossip, &[]);
        packet.len()
    };
    (0..=nodes).map(&mut length).collect()
}
