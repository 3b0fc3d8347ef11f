//! A member that lies: its packets are altered on their way out, field by field, as a seed says.
//!
//! The bus knows no passwords: whoever is a member is believed. So a liar can take any slot (with a great epoch), have
//! anybody called dead, and make replicas of masters; in Redis as here. What it cannot do is what is required:
//!
//! - nobody panics, nobody's view of the cluster contradicts itself, nobody stops answering;
//! - nobody else votes twice in an epoch, forgets across a crash what it has used, or goes back in its epochs.

use std::collections::BTreeMap;

use bus::{HEADER_LEN, Kind};
use core_types::{Broken, Millis, NodeId, Rng};
use sim::nodes::NodeHost;
use sim::nodes::tamper::{Passing, Way};
use sim::{Trace, family};

use crate::flaws::each_packet;
use crate::play;

const SEEDS: u64 = 3;

/// A node that lies in one of so many packets.
pub(crate) fn liar(host: NodeHost, seed: u64) -> NodeHost {
    let mut rng = Rng::new(seed ^ 0x11a7);
    let mut known: BTreeMap<NodeId, ()> = BTreeMap::new();
    host.with_tampering(move |passing: Passing<'_>| {
        if passing.way == Way::In || !passing.bytes.starts_with(b"RCmb") {
            return;
        }
        known.extend(
            passing
                .node
                .cluster_view()
                .iter()
                .flat_map(|view| view.members())
                .map(|member| (member.id(), ())),
        );
        let ids: Vec<NodeId> = known.keys().copied().collect();
        let mut extra = Vec::new();
        each_packet(passing.bytes, |packet| {
            for _ in 0..rng.below(3) {
                alter(&mut rng, packet, &ids);
            }
            if rng.chance(10) {
                extra.extend(another(&mut rng, packet, &ids));
            }
        });
        passing.bytes.extend_from_slice(&extra);
        if rng.below(1000) == 0 {
            // A packet that is cut short: what follows is no bus any more.
            let cut = rng.below(passing.bytes.len() as u64) as usize;
            passing.bytes.truncate(cut);
        }
    })
}

fn epoch(rng: &mut Rng) -> [u8; 8] {
    let epoch = match rng.below(8) {
        0 => 0,
        1 => u64::MAX,
        2 => u64::MAX - rng.below(3),
        3 => rng.next_u64(),
        4 => 1 << 63,
        _ => rng.below(30),
    };
    epoch.to_be_bytes()
}

fn id(rng: &mut Rng, ids: &[NodeId]) -> [u8; 40] {
    match rng.pick(ids).filter(|_| rng.clone().chance(80)) {
        Some(id) => id.as_str().as_bytes().try_into().expect("an id has forty digits"),
        None => rng.hex40(),
    }
}

fn slots(rng: &mut Rng, bitmap: &mut [u8]) {
    match rng.below(3) {
        0 => bitmap.fill(0xff),
        1 => bitmap.fill(0),
        _ => bitmap.iter_mut().for_each(|byte| *byte ^= rng.below(256) as u8),
    }
}

/// Something else than the truth. What lies where: `WIRE.md`.
fn alter(rng: &mut Rng, packet: &mut [u8], ids: &[NodeId]) {
    match rng.below(12) {
        0 => packet[40..80].copy_from_slice(&id(rng, ids)),
        1 => packet[16..24].copy_from_slice(&epoch(rng)),
        2 => packet[24..32].copy_from_slice(&epoch(rng)),
        3 => packet[32..40].copy_from_slice(&epoch(rng)),
        4 => slots(rng, &mut packet[80..2128]),
        5 if rng.chance(50) => packet[2128..2168].fill(0),
        5 => packet[2128..2168].copy_from_slice(&id(rng, ids)),
        6 => packet[2250..2252].copy_from_slice(&(rng.next_u64() as u16).to_be_bytes()),
        7 => packet[2252..2256].copy_from_slice(&(rng.next_u64() as u32).to_be_bytes()),
        // Ports, the count of gossip, the number of extensions.
        8 => packet[14..16].copy_from_slice(&(rng.below(6) as u16).to_be_bytes()),
        9 => packet[2214..2216].copy_from_slice(&(rng.next_u64() as u16).to_be_bytes()),
        10 if packet.len() >= HEADER_LEN + 104 => {
            let entries = ((packet.len() - HEADER_LEN) / 104) as u64;
            let at = HEADER_LEN + rng.below(entries) as usize * 104;
            match rng.below(4) {
                0 => packet[at..at + 40].copy_from_slice(&id(rng, ids)),
                1 => packet[at + 98..at + 100].copy_from_slice(&(rng.next_u64() as u16).to_be_bytes()),
                2 => packet[at + 44..at + 48].copy_from_slice(&(rng.next_u64() as u32).to_be_bytes()),
                _ => packet[at + 94..at + 98].copy_from_slice(&(rng.next_u64() as u32).to_be_bytes()),
            }
        }
        _ => {
            let at = rng.below(packet.len() as u64) as usize;
            packet[at] ^= 1 << rng.below(8);
        }
    }
}

/// A packet that the node has not sent: somebody is dead, a vote, a request for one, another owner, a stop.
fn another(rng: &mut Rng, packet: &[u8], ids: &[NodeId]) -> Vec<u8> {
    let mut forged = packet[..HEADER_LEN].to_vec();
    let kind = *rng
        .pick(&[
            Kind::Fail,
            Kind::AuthAck,
            Kind::AuthRequest,
            Kind::Update,
            Kind::FailoverStart,
            Kind::Publish,
            Kind::Module,
        ])
        .unwrap_or(&Kind::Fail);
    match kind {
        Kind::Fail => forged.extend_from_slice(&id(rng, ids)),
        Kind::Update => {
            forged.extend_from_slice(&epoch(rng));
            forged.extend_from_slice(&id(rng, ids));
            let mut bitmap = [0; 2048];
            slots(rng, &mut bitmap);
            forged.extend_from_slice(&bitmap);
        }
        Kind::Publish => {
            let (channel, message) = (rng.below(5) as u32, rng.below(5) as u32);
            forged.extend_from_slice(&channel.to_be_bytes());
            forged.extend_from_slice(&message.to_be_bytes());
            forged.extend(std::iter::repeat_n(b'x', (channel + message) as usize));
        }
        _ => {}
    }
    let length = (forged.len() as u32).to_be_bytes();
    forged[4..8].copy_from_slice(&length);
    forged[12..14].copy_from_slice(&kind.number().to_be_bytes());
    forged[14..16].fill(0);
    forged[2214..2216].fill(0);
    if rng.chance(50) {
        forged[16..24].copy_from_slice(&epoch(rng));
    }
    if rng.chance(30) {
        forged[40..80].copy_from_slice(&id(rng, ids));
    }
    forged
}

#[test]
fn a_member_that_lies_breaks_nobody_else() {
    family::check_share(
        "clusters with a liar",
        SEEDS,
        (500, "SIM_CLUSTER_LIARS"),
        |seed: u64, trace: Option<&mut Trace>| -> Result<u64, Broken> {
            play::play_with_a_liar(seed, trace, Millis::from_secs(8))
        },
    );
}
