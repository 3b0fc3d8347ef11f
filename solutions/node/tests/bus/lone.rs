//! A node without sockets and disk, and packets to tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bus::{Bitmap, Extension, Gossip, Header, Kind, Packet, encode, message_flag, node_flag};
use bytes::BytesMut;
use core_types::{Epoch, Millis, NodeId, Offset, Rng};
use node::config::Config;
use node::{ConnId, Effect, FileEffect, FileEvent, FileId, Node, Peer};

/// The name of the others by number.
pub(crate) fn id(number: u64) -> NodeId {
    NodeId::random(&mut Rng::new(1000 + number))
}

/// Slots as they travel, without the help of what is tested.
pub(crate) fn bits(slots: Range<usize>) -> Bitmap {
    let mut bits = [0; 2048];
    slots.for_each(|slot| bits[slot / 8] |= 1 << (slot % 8));
    bits
}

/// A packet that somebody sends us. Ports are 7000 and 17001 unless it says otherwise.
#[derive(Clone)]
pub(crate) struct Word {
    kind: Kind,
    sender: NodeId,
    slots: Bitmap,
    epoch: Epoch,
    /// The sender's current epoch, if it is not `epoch`.
    current: Option<Epoch>,
    master: Option<NodeId>,
    ports: (u16, u16),
    told: Option<(NodeId, String, u16)>,
    name: Option<String>,
    /// Somebody that it was made to forget, and for how many more seconds.
    forgotten: Option<(NodeId, u64)>,
    offset: Offset,
    /// Of the message itself: paused, with force.
    flags: u8,
    body: Option<What>,
}

#[derive(Clone)]
enum What {
    Fail(NodeId),
    Update(NodeId, Box<Bitmap>, Epoch),
    Message(String, String),
    Nothing,
}

fn word(kind: Kind, sender: NodeId) -> Word {
    let (slots, epoch) = ([0; 2048], Epoch(0));
    Word {
        kind,
        sender,
        slots,
        epoch,
        current: None,
        master: None,
        ports: (7000, 17001),
        told: None,
        name: None,
        forgotten: None,
        offset: Offset(0),
        flags: 0,
        body: None,
    }
}

pub(crate) fn ping(sender: NodeId) -> Word {
    word(Kind::Ping, sender)
}

pub(crate) fn pong(sender: NodeId) -> Word {
    word(Kind::Pong, sender)
}

pub(crate) fn meet(sender: NodeId) -> Word {
    word(Kind::Meet, sender)
}

pub(crate) fn failure(sender: NodeId, about: NodeId) -> Word {
    Word { body: Some(What::Fail(about)), ..word(Kind::Fail, sender) }
}

pub(crate) fn update(sender: NodeId, about: NodeId, slots: Range<usize>, epoch: u64) -> Word {
    Word {
        body: Some(What::Update(about, Box::new(bits(slots)), Epoch(epoch))),
        ..word(Kind::Update, sender)
    }
}

pub(crate) fn message(sender: NodeId, channel: &str, message: &str) -> Word {
    Word { body: Some(What::Message(channel.into(), message.into())), ..word(Kind::Publish, sender) }
}

/// A replica asks for a vote in this epoch.
pub(crate) fn request(sender: NodeId, epoch: u64) -> Word {
    Word { body: Some(What::Nothing), ..word(Kind::AuthRequest, sender) }.in_epoch(epoch)
}

pub(crate) fn vote(sender: NodeId, epoch: u64) -> Word {
    Word { body: Some(What::Nothing), ..word(Kind::AuthAck, sender) }.in_epoch(epoch)
}

/// A replica asks its master to pause.
pub(crate) fn pause(sender: NodeId) -> Word {
    Word { body: Some(What::Nothing), ..word(Kind::FailoverStart, sender) }
}

pub(crate) fn shard_message(sender: NodeId, channel: &str, message: &str) -> Word {
    Word { kind: Kind::PublishShard, ..self::message(sender, channel, message) }
}

impl Word {
    pub(crate) fn in_epoch(mut self, current: u64) -> Word {
        self.current = Some(Epoch(current));
        self
    }

    pub(crate) fn forced(mut self) -> Word {
        self.flags |= message_flag::FORCE_ACK;
        self
    }

    pub(crate) fn paused_at(mut self, offset: u64) -> Word {
        (self.flags, self.offset) = (self.flags | message_flag::PAUSED, Offset(offset));
        self
    }

    pub(crate) fn with_offset(mut self, offset: u64) -> Word {
        self.offset = Offset(offset);
        self
    }

    pub(crate) fn at(mut self, port: u16, bus_port: u16) -> Word {
        self.ports = (port, bus_port);
        self
    }

    pub(crate) fn owning(mut self, slots: Range<usize>, epoch: u64) -> Word {
        (self.slots, self.epoch) = (bits(slots), Epoch(epoch));
        self
    }

    pub(crate) fn following(mut self, master: NodeId) -> Word {
        self.master = Some(master);
        self
    }

    pub(crate) fn named(mut self, name: &str) -> Word {
        self.name = Some(name.into());
        self
    }

    pub(crate) fn forgetting(mut self, whom: NodeId, seconds: u64) -> Word {
        self.forgotten = Some((whom, seconds));
        self
    }

    pub(crate) fn telling(self, of: NodeId, ip: &str) -> Word {
        self.telling_flags(of, ip, node_flag::MASTER)
    }

    pub(crate) fn telling_flags(mut self, of: NodeId, ip: &str, flags: u16) -> Word {
        self.told = Some((of, ip.into(), flags));
        self
    }

    pub(crate) fn bytes(&self) -> BytesMut {
        let flags = if self.master.is_some() { node_flag::REPLICA } else { node_flag::MASTER };
        let header = Header {
            sender: self.sender,
            current_epoch: self.current.unwrap_or(self.epoch),
            config_epoch: self.epoch,
            offset: self.offset,
            slots: &self.slots,
            master: self.master,
            ip: "",
            port: self.ports.0,
            plain_port: 0,
            bus_port: self.ports.1,
            flags,
            down: false,
            message_flags: self.flags,
        };
        let mut out = BytesMut::new();
        match &self.body {
            Some(What::Fail(about)) => encode::fail(&mut out, &header, *about),
            Some(What::Update(about, slots, epoch)) => {
                encode::update(&mut out, &header, *epoch, *about, slots);
            }
            Some(What::Message(channel, message)) => {
                let (channel, message) = (channel.as_bytes(), message.as_bytes());
                assert!(encode::publish(&mut out, self.kind, &header, channel, message));
            }
            Some(What::Nothing) => encode::plain(&mut out, self.kind, &header),
            None => {
                let told = self.told.iter().map(|(id, ip, flags)| Gossip {
                    id: *id,
                    ping_sent: 0,
                    pong_received: 0,
                    ip,
                    port: 7100,
                    bus_port: 17100,
                    flags: *flags,
                    plain_port: 0,
                });
                let name = self.name.as_deref().map(Extension::Hostname);
                let forgotten = self.forgotten.map(|(id, left)| Extension::ForgottenNode(id, left));
                let more: Vec<Extension<'_>> = name.into_iter().chain(forgotten).collect();
                encode::beat(&mut out, self.kind, &header, told, &more);
            }
        }
        out
    }
}

/// What a node has said on one connection.
pub(crate) struct Said(Vec<Vec<u8>>);

impl Said {
    pub(crate) fn packets(&self) -> Vec<Packet<'_>> {
        self.0.iter().map(|bytes| Packet::parse(bytes).expect("a good packet")).collect()
    }

    pub(crate) fn kinds(&self) -> Vec<Kind> {
        self.packets().iter().map(|packet| packet.kind).collect()
    }
}

/// The node.
pub(crate) struct Lone {
    pub(crate) node: Node,
    pub(crate) now: Millis,
    /// Connections that it has asked for, in order.
    opened: Vec<(ConnId, String)>,
    closed: BTreeSet<ConnId>,
    /// `Some`: nobody takes connections, and these are being made.
    calls: Option<Vec<ConnId>>,
    /// `Some`: the disk stands still, and this is what it has to do.
    disk: Option<Vec<FileEffect>>,
    /// What an earlier run has left.
    file: Option<Vec<u8>>,
    /// What it has written last.
    pub(crate) written: String,
    said: BTreeMap<ConnId, Vec<u8>>,
}

impl Lone {
    /// At 10.0.0.1, port 7000, with a node timeout of two seconds.
    pub(crate) fn new() -> Lone {
        Lone::after(None, None)
    }

    /// The same, with the file that an earlier one has left.
    pub(crate) fn restarted(file: &str) -> Lone {
        Lone::after(Some(file.into()), None)
    }

    /// It knows the cluster from that file, and its data are still to be read: the disk stands still.
    pub(crate) fn loading(file: &str) -> Lone {
        let mut lone = Lone::after(Some(file.into()), Some(Vec::new()));
        lone.disk_does(0);
        lone
    }

    fn after(file: Option<Vec<u8>>, disk: Option<Vec<FileEffect>>) -> Lone {
        let config = Config {
            port: 7000,
            protected_mode: false,
            cluster_enabled: true,
            cluster_node_timeout: Millis(2000),
            ..Config::default()
        };
        let now = Millis(1_700_000_000_000);
        let node = Node::with_files(config, 7, now);
        let mut lone = Lone {
            node,
            now,
            opened: Vec::new(),
            closed: BTreeSet::new(),
            calls: None,
            disk,
            file,
            written: String::new(),
            said: BTreeMap::new(),
        };
        lone.settle();
        lone
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
            self.now += Millis(100);
            self.node.tick(self.now);
            self.settle();
        }
    }

    pub(crate) fn settle(&mut self) {
        while let Some(effect) = self.node.poll_effect() {
            match effect {
                Effect::File(effect) => match &mut self.disk {
                    Some(waiting) => waiting.push(effect),
                    None => self.write(effect),
                },
                Effect::Connect { conn, to } => {
                    self.opened.push((conn, to.to_string()));
                    match &mut self.calls {
                        Some(waiting) => waiting.push(conn),
                        None => self.node.connected(self.now, conn, "10.0.0.1:40000"),
                    }
                }
                Effect::Close { conn } => {
                    self.closed.insert(conn);
                    self.node.closed(self.now, conn);
                }
                Effect::Exit { code } => panic!("the node ends with {code}"),
                _ => {}
            }
        }
        // A peer that reads nothing is one test's affair; the others read at the end of `said`.
        while self.node.wants_write().is_some() {}
        self.node.check_invariants().expect("an invariant of the node");
    }

    fn write(&mut self, effect: FileEffect) {
        if let FileEffect::Append { bytes, .. } | FileEffect::Overwrite { bytes, .. } = &effect {
            self.written = String::from_utf8_lossy(bytes).into_owned();
        }
        let mut tell = |file: FileId, event: FileEvent<'_>| self.node.file_event(self.now, file, event);
        match effect {
            FileEffect::Read { file, name } => match self.file.as_ref().filter(|_| name == "nodes.conf") {
                Some(bytes) => {
                    tell(file, FileEvent::Piece(bytes));
                    tell(file, FileEvent::End);
                }
                None => tell(file, FileEvent::Missing),
            },
            FileEffect::Append { file, bytes, .. }
            | FileEffect::Record { file, bytes }
            | FileEffect::Overwrite { file, bytes, .. } => {
                tell(file, FileEvent::Written(bytes.len()));
            }
            FileEffect::SyncNamed { file, .. } => tell(file, FileEvent::Synced),
            FileEffect::Commit { file, .. } => tell(file, FileEvent::Committed),
            _ => {}
        }
    }

    /// From now on connections take their time.
    pub(crate) fn hold_calls(&mut self) {
        self.calls = Some(Vec::new());
    }

    /// All of them stand now.
    pub(crate) fn take_calls(&mut self) {
        for conn in self.calls.take().unwrap_or_default() {
            self.node.connected(self.now, conn, "10.0.0.1:40000");
        }
        self.settle();
    }

    pub(crate) fn stop_disk(&mut self) {
        self.disk = Some(Vec::new());
    }

    pub(crate) fn resume_disk(&mut self) {
        for effect in self.disk.take().unwrap_or_default() {
            self.write(effect);
        }
        self.settle();
    }

    /// What a disk that stands still has to do.
    pub(crate) fn waiting(&self) -> &[FileEffect] {
        self.disk.as_deref().unwrap_or_default()
    }

    /// It does one of these, before those that were asked for earlier.
    pub(crate) fn disk_does(&mut self, which: usize) {
        let effect = self.disk.as_mut().expect("a disk that stands still").remove(which);
        self.write(effect);
        self.settle();
    }

    /// A client's connection.
    pub(crate) fn client(&mut self) -> ConnId {
        let peer =
            Peer { addr: "10.0.0.99:5000".into(), local_addr: "10.0.0.1:7000".into(), loopback: false };
        self.node.accept(self.now, peer)
    }

    pub(crate) fn tell(&mut self, client: ConnId, command: &str) {
        self.node.receive(self.now, client, format!("{command}\r\n").as_bytes());
        self.settle();
    }

    /// What a client has been told since the last time.
    pub(crate) fn heard(&mut self, client: ConnId) -> String {
        let text = String::from_utf8_lossy(self.node.pending(client)).into_owned();
        self.node.sent(self.now, client, text.len());
        text
    }

    pub(crate) fn run(&mut self, command: &str) -> String {
        let client = self.client();
        self.tell(client, command);
        let text = self.heard(client);
        self.node.closed(self.now, client);
        self.settle();
        text
    }

    pub(crate) fn ok(&mut self, command: &str) {
        assert_eq!(self.run(command), "+OK\r\n", "{command}");
    }

    pub(crate) fn text(&mut self, command: &str) -> String {
        let said = self.run(command);
        said.split_once("\r\n").map_or_else(String::new, |(_, text)| text.trim_end().to_string())
    }

    pub(crate) fn me(&mut self) -> NodeId {
        self.text("CLUSTER MYID").parse().expect("an id")
    }

    /// What it says of everybody: address, role, master, link and slots.
    pub(crate) fn story(&mut self) -> BTreeMap<NodeId, String> {
        let text = self.text("CLUSTER NODES");
        let lines = text.lines().map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let flags = words[2].replace("myself,", "");
            let told = [&[words[1], &flags, words[3]], &words[7..]].concat().join(" ");
            (words[0].parse().expect("an id"), told)
        });
        lines.collect()
    }

    pub(crate) fn lines(&mut self, with: &str) -> usize {
        self.text("CLUSTER NODES").lines().filter(|line| line.contains(with)).count()
    }

    pub(crate) fn epoch(&mut self, of: NodeId) -> Epoch {
        let text = self.text("CLUSTER NODES");
        let line = text.lines().find(|line| line.starts_with(of.as_str())).expect("a member");
        Epoch(line.split(' ').nth(6).and_then(|word| word.parse().ok()).expect("an epoch"))
    }

    /// Everything that it has connected to.
    pub(crate) fn connects(&self) -> Vec<&String> {
        self.opened.iter().map(|(_, to)| to).collect()
    }

    /// The last connection that it has opened to this address.
    pub(crate) fn connected_to(&self, address: &str) -> ConnId {
        let found = self.opened.iter().rfind(|(_, to)| to == address);
        found.unwrap_or_else(|| panic!("nothing was opened to {address}: {:?}", self.opened)).0
    }

    pub(crate) fn closed(&self, conn: ConnId) -> bool {
        self.closed.contains(&conn)
    }

    /// Another node connects to the bus port.
    pub(crate) fn called_from(&mut self, ip: &str) -> ConnId {
        let peer = Peer { addr: format!("{ip}:50000"), local_addr: "10.0.0.1:17000".into(), loopback: false };
        let conn = self.node.accept_bus(self.now, peer);
        self.settle();
        conn
    }

    pub(crate) fn hear(&mut self, conn: ConnId, word: &Word) {
        self.hear_bytes(conn, &word.bytes());
    }

    pub(crate) fn hear_bytes(&mut self, conn: ConnId, bytes: &[u8]) {
        self.node.receive(self.now, conn, bytes);
        self.settle();
    }

    /// What it has said on a connection of the bus since the last time.
    pub(crate) fn said(&mut self, conn: ConnId) -> Said {
        let pending = self.node.pending(conn).to_vec();
        self.node.sent(self.now, conn, pending.len());
        let bytes = self.said.entry(conn).or_default();
        bytes.extend_from_slice(&pending);
        let mut packets = Vec::new();
        while bytes.len() >= 8 {
            let length = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
            packets.push(bytes.drain(..length).collect());
        }
        Said(packets)
    }

    /// Makes this one a member, as an operator would, and its epoch another than ours.
    pub(crate) fn befriend(&mut self, number: u64, ip: &str) -> NodeId {
        self.ok(&format!("CLUSTER MEET {ip} 7000 17001"));
        self.pass(100);
        let link = self.connected_to(&format!("{ip}:17001"));
        self.hear(link, &pong(id(number)));
        self.said(link);
        id(number)
    }

    /// One of the last connections to other nodes that it has opened and not closed.
    pub(crate) fn any_link(&self, back: usize) -> Option<ConnId> {
        let open =
            self.opened.iter().rev().filter(|(conn, to)| !self.closed.contains(conn) && to.contains(":17"));
        open.map(|(conn, _)| *conn).nth(back)
    }

    /// The connection by which it talks to a member.
    pub(crate) fn link(&mut self, member: NodeId) -> ConnId {
        let story = self.story();
        let address = story[&member].split(' ').next().unwrap_or_default();
        let (ip, ports) = address.rsplit_once(':').expect("an address");
        let bus_port =
            ports.split_once('@').map_or(ports, |(_, port)| port).split(',').next().unwrap_or_default();
        self.connected_to(&format!("{ip}:{bus_port}"))
    }
}
