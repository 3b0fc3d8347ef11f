//! One member of the cluster, as this node knows it.

use bus::Bitmap;
use core_types::{Epoch, Millis, NodeId, Offset, SlotSet};

use crate::ConnId;
use crate::layers::gossip::reports::Reports;
use crate::layers::sharding::to_wire;

/// A node of the cluster.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: NodeId,
    /// When we first heard of it.
    pub(crate) since: Millis,
    pub(crate) flags: Flags,
    /// Where it can be reached; empty while unknown.
    pub(crate) ip: String,
    /// The port for clients.
    pub(crate) port: u16,
    /// The port for other nodes.
    pub(crate) bus_port: u16,
    /// The name it announces beside its address; empty for none.
    pub(crate) hostname: String,
    /// Of a replica: whose. `None` if it is not known (yet).
    pub(crate) master: Option<NodeId>,
    /// The epoch of its slots. A replica shows its master's.
    pub(crate) config_epoch: Epoch,
    /// Changed through `Cluster::assign` alone.
    pub(super) slots: SlotSet,
    /// These slots as they look on the wire, when somebody last asked. See [`bitmap`](Member::bitmap).
    drawn: Option<(SlotSet, Box<Bitmap>)>,
    /// When we sent the ping that it has not answered; zero if it owes us nothing.
    pub(crate) ping_sent: Millis,
    /// When it last answered; zero for never.
    pub(crate) pong_received: Millis,
    /// When it last said anything at all.
    pub(crate) data_received: Millis,
    /// When it was marked as failed.
    pub(crate) failed_at: Millis,
    /// How far its copy of the data is, by its last message.
    pub(crate) offset: Offset,
    /// When it told us so.
    pub(crate) offset_at: Millis,
    /// The connection by which we talk to it.
    pub(crate) link: Option<Link>,
    /// The connection by which it talks to us.
    pub(crate) inbound: Option<Link>,
    /// Which masters say that it fails, and since when. (`fail_reports`)
    pub(crate) fail_reports: Reports,
    /// Of a master: when we last gave our vote to one of its replicas. (`voted_time`)
    pub(crate) voted_at: Option<Millis>,
    /// Of a master: since when it has had no replica left, in the eyes of this node. (`orphaned_time`)
    pub(crate) orphan_since: Option<Millis>,
}

/// One connection of the bus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    pub(crate) conn: ConnId,
    pub(crate) created: Millis,
    /// The driver has said that it stands.
    pub(crate) connected: bool,
}

impl Member {
    /// One of whom nothing is known but the id.
    pub(crate) fn new(id: NodeId, now: Millis) -> Member {
        Member {
            id,
            since: now,
            flags: Flags::default(),
            ip: String::new(),
            port: 0,
            bus_port: 0,
            hostname: String::new(),
            master: None,
            config_epoch: Epoch(0),
            slots: SlotSet::new(),
            drawn: None,
            ping_sent: Millis::ZERO,
            pong_received: Millis::ZERO,
            data_received: Millis::ZERO,
            failed_at: Millis::ZERO,
            offset: Offset(0),
            offset_at: Millis::ZERO,
            link: None,
            inbound: None,
            fail_reports: Reports::new(),
            voted_at: None,
            orphan_since: None,
        }
    }

    /// The slots it owns.
    pub(crate) fn slots(&self) -> &SlotSet {
        &self.slots
    }

    /// Its slots as they look on the wire. Every heartbeat is compared with that, and it changes seldom.
    pub(crate) fn bitmap(&mut self) -> &Bitmap {
        if self.drawn.as_ref().is_none_or(|(slots, _)| *slots != self.slots) {
            self.drawn = None;
        }
        let slots = &self.slots;
        &self.drawn.get_or_insert_with(|| (slots.clone(), Box::new(to_wire(slots)))).1
    }

    pub(crate) fn is_master(&self) -> bool {
        self.flags.has(Flag::Master)
    }

    /// A master that owns slots: its opinion counts.
    pub(crate) fn is_voter(&self) -> bool {
        self.is_master() && !self.slots.is_empty()
    }

    pub(crate) fn is_myself(&self) -> bool {
        self.flags.has(Flag::Myself)
    }

    /// The cluster has agreed that it is down.
    pub(crate) fn has_failed(&self) -> bool {
        self.flags.has(Flag::Fail)
    }

    /// We alone think that it is down.
    pub(crate) fn may_have_failed(&self) -> bool {
        self.flags.has(Flag::MaybeFail)
    }
}

/// A property of a member. The numbers are those of the bus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum Flag {
    Master = 1,
    Replica = 2,
    /// `PFAIL`
    MaybeFail = 4,
    Fail = 8,
    Myself = 16,
    /// We know its address, and not yet its id.
    Handshake = 32,
    NoAddress = 64,
    /// It has to be greeted with `MEET`, so that it takes us in.
    Meet = 128,
    /// A master that other masters' spare replicas may move to.
    MigrateTo = 256,
    /// A replica that shall not become master by itself.
    NoFailover = 512,
}

/// The properties of a member.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(u16);

impl Flags {
    pub(crate) fn has(self, flag: Flag) -> bool {
        self.0 & flag as u16 != 0
    }

    pub(crate) fn set(&mut self, flag: Flag) {
        self.0 |= flag as u16;
    }

    pub(crate) fn clear(&mut self, flag: Flag) {
        self.0 &= !(flag as u16);
    }

    /// As they stand on the bus.
    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    /// From the bus. Bits without a meaning are kept, as Redis keeps them.
    pub(crate) fn from_bits(bits: u16) -> Flags {
        Flags(bits)
    }

    /// As `CLUSTER NODES` and `nodes.conf` list them (`redisNodeFlagsTable` in Redis's `cluster.c`).
    pub(crate) fn words(self) -> String {
        let words: Vec<&str> =
            WORDS.iter().filter(|(flag, _)| self.has(*flag)).map(|(_, word)| *word).collect();
        if words.is_empty() { "noflags".into() } else { words.join(",") }
    }
}

impl std::fmt::Debug for Flags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words())
    }
}

pub(crate) const WORDS: [(Flag, &str); 8] = [
    (Flag::Myself, "myself"),
    (Flag::Master, "master"),
    (Flag::Replica, "slave"),
    (Flag::MaybeFail, "fail?"),
    (Flag::Fail, "fail"),
    (Flag::Handshake, "handshake"),
    (Flag::NoAddress, "noaddr"),
    (Flag::NoFailover, "nofailover"),
];
