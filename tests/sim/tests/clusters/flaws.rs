//! Nodes with a mistake that is easily made. Their program is what it is; what is in their files, and what they hear and
//! say, is changed on its way, as if the mistake were theirs.

use std::collections::{BTreeMap, BTreeSet};

use bus::{Arrival, Body, Decoder, HEADER_LEN, Kind, Packet, node_flag};
use core_types::{Millis, NodeId, Rng};
use sim::Conn;
use sim::nodes::NodeHost;
use sim::nodes::tamper::{Passing, Way};

/// What is wrong with all nodes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// In which epoch it has voted is not in its file: after a restart it does not know.
    VoteNotSaved,
    /// The vote is in the file some time, and told before that.
    VoteToldBeforeSaved,
    /// It votes for whoever asks first, whatever has become of that one's master.
    VotesForAnybody,
    /// Nobody hears how much of the data it has, so that nobody waits for anybody.
    NoRank,
    /// It counts what all nodes say, and calls dead whom a majority of all nodes holds for that.
    CountsEverybody,
    /// Whoever becomes a master goes on with its old master's epoch.
    NoNewEpoch,
    /// Of the writes that a replica receives it puts some under another key. Its offset counts them all.
    LosesWrites,
}

/// Where things are in a packet (`WIRE.md`).
mod at {
    use std::ops::Range;

    pub(super) const LENGTH: Range<usize> = 4..8;
    pub(super) const KIND: Range<usize> = 12..14;
    pub(super) const COUNT: Range<usize> = 14..16;
    pub(super) const CONFIG_EPOCH: Range<usize> = 24..32;
    pub(super) const OFFSET: Range<usize> = 32..40;
    pub(super) const EXTENSIONS: Range<usize> = 2214..2216;
    pub(super) const FLAGS: Range<usize> = 2250..2252;
    pub(super) const MESSAGE_FLAGS: usize = 2253;
}

/// What a node with this flaw finds in its file.
pub(crate) fn file(text: &str) -> String {
    let forgets = |line: &str| match line.split_once("lastVoteEpoch") {
        Some((before, _)) => format!("{before}lastVoteEpoch 0\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(forgets).collect()
}

/// A node with this flaw.
pub(crate) fn node(flaw: Flaw, host: NodeHost, seed: u64) -> NodeHost {
    match flaw {
        Flaw::None | Flaw::VoteNotSaved => host,
        // Its disk says that it is done, and takes its time.
        Flaw::VoteToldBeforeSaved => host.with_lying_disk((Millis(100), Millis(600)), seed),
        // To its program every request looks like an operator's.
        Flaw::VotesForAnybody => {
            let mut streams = Streams::default();
            host.with_tampering(move |passing: Passing<'_>| {
                if passing.way == Way::In {
                    streams.change(&passing.conn, passing.bytes, |packet| {
                        if kind_of(packet) == Kind::AuthRequest.number() {
                            packet[at::MESSAGE_FLAGS] |= bus::message_flag::FORCE_ACK;
                        }
                    });
                }
            })
        }
        Flaw::NoRank => host.with_tampering(|passing: Passing<'_>| {
            if passing.way == Way::Out {
                each_packet(passing.bytes, |packet| {
                    // A master's is what a manual failover waits for.
                    if number(&packet[at::FLAGS]) & node_flag::REPLICA != 0 {
                        packet[at::OFFSET].fill(0);
                    }
                });
            }
        }),
        Flaw::CountsEverybody => {
            let mut census = Census::default();
            host.with_tampering(move |passing: Passing<'_>| census.pass(passing))
        }
        Flaw::LosesWrites => {
            let mut rng = Rng::new(seed);
            host.with_tampering(move |passing: Passing<'_>| {
                if passing.way == Way::In && passing.to_master {
                    misplace(passing.bytes, || rng.chance(20));
                }
            })
        }
        Flaw::NoNewEpoch => {
            let mut followed: Option<[u8; 8]> = None;
            let mut kept: Option<([u8; 8], [u8; 8])> = None;
            host.with_tampering(move |passing: Passing<'_>| {
                if passing.way == Way::In {
                    return;
                }
                each_packet(passing.bytes, |packet| {
                    let epoch: [u8; 8] = packet[at::CONFIG_EPOCH].try_into().expect("eight bytes");
                    if number(&packet[at::FLAGS]) & node_flag::REPLICA != 0 {
                        followed = Some(epoch);
                    } else if let Some(old) = followed.take().filter(|old| *old != epoch) {
                        kept = Some((epoch, old));
                    }
                    if let Some((_, old)) = kept.filter(|(new, _)| *new == epoch) {
                        packet[at::CONFIG_EPOCH].copy_from_slice(&old);
                    }
                });
            })
        }
    }
}

/// A write in the stream of a master: what follows is the length of the key, the end of that line, and the key.
const WRITE: &[u8] = b"\r\nSET\r\n$";

/// The first letter of some keys is another one. Writes that arrive in two pieces are left as they are.
fn misplace(bytes: &mut [u8], mut chosen: impl FnMut() -> bool) {
    let mut from = 0;
    while let Some(found) = bytes[from..].windows(WRITE.len()).position(|window| window == WRITE) {
        from += found + WRITE.len();
        let Some(end) = bytes[from..].windows(2).position(|window| window == b"\r\n") else { return };
        if let Some(letter) = bytes.get_mut(from + end + 2).filter(|_| chosen()) {
            *letter = b'?';
        }
    }
}

fn number(bytes: &[u8]) -> u16 {
    u16::from_be_bytes(bytes.try_into().expect("two bytes"))
}

fn kind_of(packet: &[u8]) -> u16 {
    number(&packet[at::KIND])
}

/// Each whole packet in what a node says at once. On a connection of clients there is none.
pub(crate) fn each_packet(bytes: &mut [u8], mut change: impl FnMut(&mut [u8])) {
    let mut rest = bytes;
    while rest.len() >= HEADER_LEN && rest.starts_with(b"RCmb") {
        let length = u32::from_be_bytes(rest[at::LENGTH].try_into().expect("four bytes")) as usize;
        let (packet, behind) = rest.split_at_mut(length.clamp(HEADER_LEN, rest.len()));
        change(packet);
        rest = behind;
    }
}

/// What comes in, in pieces: put together, changed packet by packet, and passed on whole.
#[derive(Default)]
struct Streams {
    decoders: BTreeMap<Conn, Decoder>,
    other: BTreeSet<Conn>,
}

impl Streams {
    fn change(&mut self, conn: &Conn, bytes: &mut Vec<u8>, change: impl Fn(&mut [u8])) {
        let is_new = !self.decoders.contains_key(conn);
        if self.other.contains(conn) || (is_new && !b"RCmb".starts_with(&bytes[..bytes.len().min(4)])) {
            self.other.insert(*conn);
            return;
        }
        let decoder = self.decoders.entry(*conn).or_insert_with(|| Decoder::new(1 << 20));
        decoder.feed(bytes);
        bytes.clear();
        while let Ok(Some(arrival)) = decoder.next() {
            if let Arrival::Packet(packet) = arrival {
                let mut packet = packet.to_vec();
                change(&mut packet);
                bytes.extend_from_slice(&packet);
            }
        }
    }
}

/// What all nodes say of one another.
#[derive(Default)]
struct Census {
    decoders: BTreeMap<Conn, Decoder>,
    /// Who says of whom that it may have failed.
    reports: BTreeMap<NodeId, BTreeSet<NodeId>>,
    announced: BTreeSet<NodeId>,
}

impl Census {
    fn pass(&mut self, passing: Passing<'_>) {
        match passing.way {
            Way::In => self.listen(passing.conn, passing.bytes),
            Way::Out if passing.bytes.starts_with(b"RCmb") => self.announce(&passing),
            Way::Out => return,
        }
        let Some(about) = self.verdict(&passing).filter(|_| passing.way == Way::Out) else { return };
        let Some(header) = passing.bytes.get(..HEADER_LEN).filter(|header| header.starts_with(b"RCmb"))
        else {
            return;
        };
        let mut fail = header.to_vec();
        fail[at::LENGTH].copy_from_slice(&(HEADER_LEN as u32 + 40).to_be_bytes());
        fail[at::KIND].copy_from_slice(&Kind::Fail.number().to_be_bytes());
        fail[at::COUNT].fill(0);
        fail[at::EXTENSIONS].fill(0);
        fail[at::MESSAGE_FLAGS] = 0;
        fail.extend_from_slice(about.as_str().as_bytes());
        passing.bytes.extend_from_slice(&fail);
    }

    fn listen(&mut self, conn: Conn, bytes: &[u8]) {
        let decoder = self.decoders.entry(conn).or_insert_with(|| Decoder::new(1 << 20));
        decoder.feed(bytes);
        while let Ok(Some(arrival)) = decoder.next() {
            let Arrival::Packet(bytes) = arrival else { continue };
            let Ok(Packet { header, body: Body::Beat(beat), .. }) = Packet::parse(&bytes) else { continue };
            for entry in beat.gossip.iter() {
                let tellers = self.reports.entry(entry.id).or_default();
                match entry.flags & (node_flag::MAYBE_FAIL | node_flag::FAIL) {
                    0 => tellers.remove(&header.sender),
                    _ => tellers.insert(header.sender),
                };
            }
        }
    }

    /// Whoever is well again may be announced again.
    fn announce(&mut self, passing: &Passing<'_>) {
        let Some(view) = passing.node.cluster_view() else { return };
        self.announced.retain(|id| view.member(*id).is_some_and(|member| member.may_have_failed()));
    }

    fn verdict(&self, passing: &Passing<'_>) -> Option<NodeId> {
        let view = passing.node.cluster_view()?;
        let all = view.members().count();
        let dead = view.members().find(|member| {
            let tellers = self.reports.get(&member.id()).map_or(0, BTreeSet::len);
            member.may_have_failed() && !member.has_failed() && tellers + 1 > all / 2
        });
        dead.map(|member| member.id())
    }
}
