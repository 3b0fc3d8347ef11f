//! What a node of a cluster tells the others on the bus, and what it saw when it decided to.
//!
//! Only what is told counts. A vote that is in memory and on no wire may be forgotten in a crash, and no harm is done.

use std::collections::BTreeMap;

use bus::{Body, Kind, Packet, message_flag, node_flag};
use core_types::{Epoch, Millis, NodeId, Slot, SlotSet};
use node::{ConnId, Node};

use super::ear::{Ballot, Ear};
use crate::world::Conn;

/// One packet that has left.
#[derive(Clone, Debug)]
pub struct Told {
    /// On which connection.
    pub conn: Conn,
    /// Who it says has sent it.
    pub sender: NodeId,
    /// What kind of packet.
    pub what: What,
    /// The greatest epoch that the sender has heard of.
    pub current_epoch: Epoch,
    /// The epoch of its slots, or of its master's.
    pub config_epoch: Epoch,
    /// It calls itself a master.
    pub master: bool,
    /// The slots that it, or its master, serves.
    pub slots: SlotSet,
}

/// What it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A heartbeat. One that says the same as the last one is not kept.
    Beat,
    /// This node is down, the cluster has agreed on it.
    Fail(NodeId),
    /// A replica asks for a vote; `forced`: even if its master is well.
    Ask {
        /// By order of an operator.
        forced: bool,
    },
    /// A vote, for whoever is at the other end.
    Vote,
    /// Anything else.
    Other,
}

/// What one process has told since it started.
#[derive(Debug, Default)]
pub struct Wiretap {
    told: Vec<Told>,
    /// Packets of which a part has left.
    partial: BTreeMap<Conn, Vec<u8>>,
    /// What the last heartbeat said of its sender.
    last: Vec<u8>,
    ear: Ear,
}

/// Where a packet's kind, the epochs, the slots with the master's id behind them, and the sender's flags are (`WIRE.md`).
const LENGTH: std::ops::Range<usize> = 4..8;
const KIND: std::ops::Range<usize> = 12..14;
const EPOCHS: std::ops::Range<usize> = 16..32;
const SLOTS: std::ops::Range<usize> = 80..2168;
const FLAGS: std::ops::Range<usize> = 2250..2252;
/// Heartbeats have the numbers below.
const BEATS: u8 = 3;

impl Wiretap {
    /// Packets that have left, in order; of heartbeats those that told something else than the one before.
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// What it saw each time that it decided to vote, in order.
    pub fn ballots(&self) -> &[Ballot] {
        &self.ear.ballots
    }

    /// Bytes arrive.
    pub(in crate::nodes) fn hears(
        &mut self,
        node: &mut Node,
        now: Millis,
        id: ConnId,
        conn: Conn,
        bytes: &[u8],
    ) {
        self.ear.hear(node, now, id, conn, bytes);
    }

    /// Bytes leave.
    pub(in crate::nodes) fn said(&mut self, conn: Conn, bytes: &[u8]) {
        let kept = self.partial.remove(&conn);
        let joined = kept.map(|mut kept| {
            kept.extend_from_slice(bytes);
            kept
        });
        let mut rest = joined.as_deref().unwrap_or(bytes);
        while let Some(length) = rest.get(LENGTH) {
            let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
            // What is no packet is somebody's tampering; it ends the connection.
            if length < bus::HEADER_LEN || rest.len() < length {
                break;
            }
            let (packet, behind) = rest.split_at(length);
            self.packet(conn, packet);
            rest = behind;
        }
        if !rest.is_empty() {
            self.partial.insert(conn, rest.to_vec());
        }
    }

    /// This connection is gone.
    pub(in crate::nodes) fn closed(&mut self, conn: Conn) {
        self.partial.remove(&conn);
        self.ear.closed(conn);
    }

    fn packet(&mut self, conn: Conn, bytes: &[u8]) {
        let is_beat = bytes[KIND][0] == 0 && bytes[KIND][1] < BEATS;
        if is_beat {
            let says = [&bytes[EPOCHS], &bytes[SLOTS], &bytes[FLAGS]];
            let lengths = says.map(<[u8]>::len);
            let (epochs, behind) = self.last.split_at(lengths[0].min(self.last.len()));
            let (slots, flags) = behind.split_at(lengths[1].min(behind.len()));
            if [epochs, slots, flags] == says {
                return;
            }
            self.last = says.concat();
        }
        let Ok(packet) = Packet::parse(bytes) else { return };
        let header = packet.header;
        let what = match (packet.kind, packet.body) {
            (_, Body::Beat(_)) => What::Beat,
            (_, Body::Fail(about)) => What::Fail(about),
            (Kind::AuthRequest, _) => {
                What::Ask { forced: header.message_flags & message_flag::FORCE_ACK != 0 }
            }
            (Kind::AuthAck, _) => What::Vote,
            _ => What::Other,
        };
        self.told.push(Told {
            conn,
            sender: header.sender,
            what,
            current_epoch: header.current_epoch,
            config_epoch: header.config_epoch,
            master: header.flags & node_flag::MASTER != 0,
            slots: slots(header.slots),
        });
    }
}

/// Bit n of byte n / 8, the least significant first.
fn slots(bitmap: &bus::Bitmap) -> SlotSet {
    let mut slots = SlotSet::new();
    for (index, byte) in bitmap.iter().enumerate().filter(|(_, byte)| **byte != 0) {
        for bit in (0..8).filter(|bit| byte >> bit & 1 == 1) {
            slots.extend(Slot::new(index as u16 * 8 + bit));
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use core_types::{Offset, Rng};

    use super::*;
    use crate::{Profile, World};

    #[test]
    fn packets_are_told_apart_however_they_are_cut() {
        let mut rng = Rng::new(1);
        let mut bitmap = [0; 2048];
        (bitmap[0], bitmap[2047]) = (0b101, 0x80);
        let header = |epoch: u64, flags: u8| bus::Header {
            sender: NodeId::random(&mut Rng::new(2)),
            current_epoch: Epoch(epoch),
            config_epoch: Epoch(3),
            offset: Offset(9),
            slots: &bitmap,
            master: None,
            ip: "",
            port: 1,
            plain_port: 0,
            bus_port: 2,
            flags: node_flag::MASTER,
            down: false,
            message_flags: flags,
        };
        let about = NodeId::random(&mut rng);
        let mut bytes = BytesMut::new();
        bus::encode::beat(&mut bytes, Kind::Ping, &header(5, 0), [], &[]);
        bus::encode::beat(&mut bytes, Kind::Pong, &header(5, 0), [], &[]);
        bus::encode::fail(&mut bytes, &header(5, 0), about);
        bus::encode::plain(&mut bytes, Kind::AuthRequest, &header(6, message_flag::FORCE_ACK));
        bus::encode::plain(&mut bytes, Kind::AuthAck, &header(6, 0));
        bus::encode::beat(&mut bytes, Kind::Ping, &header(6, 0), [], &[]);
        let mut world = World::new(1, Profile::default(), None);
        let conn = a_conn(&mut world);
        let mut tap = Wiretap::default();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rng.between(1, rest.len().min(3000) as u64) as usize);
            tap.said(conn, piece);
            rest = behind;
        }
        let kinds: Vec<(What, u64)> =
            tap.told().iter().map(|told| (told.what, told.current_epoch.0)).collect();
        let asked = What::Ask { forced: true };
        let expected =
            [(What::Beat, 5), (What::Fail(about), 5), (asked, 6), (What::Vote, 6), (What::Beat, 6)];
        assert_eq!(kinds, expected);
        let slots: Vec<u16> = tap.told()[0].slots.iter().map(Slot::number).collect();
        assert_eq!(slots, [0, 2, 16383]);
        assert!(tap.told()[0].master);
    }

    /// Some connection: they can't be made by hand.
    fn a_conn(world: &mut World<'_>) -> Conn {
        struct Caller(Option<Conn>);
        impl crate::Host for Caller {
            fn handle(&mut self, input: crate::Input<'_>, io: &mut crate::Io<'_, '_>) {
                if matches!(input, crate::Input::Start) {
                    self.0 = Some(io.connect(&core_types::Endpoint::new("nobody", 1)));
                }
            }
            fn next_deadline(&self) -> Option<core_types::Millis> {
                None
            }
        }
        let id = world.add("caller", &[], |_| Caller(None));
        world.start_all().expect("nothing can go wrong");
        world.get::<Caller>(id).and_then(|caller| caller.0).expect("it has called")
    }
}
