//! A hostile peer says the same to a node of ours and to a real one: what it says must have the same effect on both.
//!
//! The peer is a member of the cluster (an operator has let it in), and so is a bystander that the lies are about. After
//! each lie all three tell what they believe. What is not compared here, since ours differs with intent (see the
//! module `cluster::bus` of the crate `node`): ids and addresses that are none, flags that nobody can have, whoever uses a
//! node's own name, and members that a newer node has been made to forget.

use std::collections::BTreeMap;
use std::ops::Range;

use bus::{Bitmap, Extension, Gossip, Header, Kind as Packet, encode, message_flag, node_flag};
use bytes::BytesMut;
use core_types::{Epoch, NodeId};
use system::peer::NO_SLOTS;
use system::{FakePeer, Kind, Server, redis_tool_or_skip};

/// Its name is the greatest: in a collision of epochs a real node yields to it.
const LIAR: &str = "ffffffffffffffffffffffffffffffffffffffff";
/// And never to this one.
const BYSTANDER: &str = "0000000000000000000000000000000000000001";
const THIRD: &str = "00000000000000000000000000000000000000aa";
const UNKNOWN: &str = "00000000000000000000000000000000000000bb";

fn id(text: &str) -> NodeId {
    text.parse().expect("an id")
}

fn bits(slots: Range<usize>) -> Bitmap {
    let mut bits = NO_SLOTS;
    slots.for_each(|slot| bits[slot / 8] |= 1 << (slot % 8));
    bits
}

/// A node, and the two that it takes for others.
struct Scene {
    node: Server,
    me: NodeId,
    liar: FakePeer,
    bystander: FakePeer,
    /// Connections on which only one thing was said.
    others: Vec<FakePeer>,
}

impl Scene {
    fn new(kind: Kind) -> Scene {
        let node = Server::start_member(kind, &["--cluster-node-timeout", "60000"]);
        node.ok("CLUSTER SET-CONFIG-EPOCH 5");
        node.ok("CLUSTER ADDSLOTSRANGE 0 100");
        let me = id(&node.member_id());
        let liar = FakePeer::member(&node, id(LIAR));
        let bystander = FakePeer::member(&node, id(BYSTANDER));
        Scene { node, me, liar, bystander, others: Vec::new() }
    }

    /// What the node believes, with the same names and ports on both sides.
    fn beliefs(&self) -> BTreeMap<String, String> {
        let places = [(self.node.port(), self.node.bus_port()), self.liar.ports(), self.bystander.ports()];
        let mut told: BTreeMap<String, String> = BTreeMap::new();
        for (name, line) in self.node.story() {
            let mut line = line.replace(self.me.as_str(), "me");
            for ((port, bus_port), word) in places.iter().zip(["me", "liar", "bystander"]) {
                line = line.replace(&format!(":{port}@"), &format!(":{word}@"));
                line = line.replace(&format!("@{bus_port}"), &format!("@{word}"));
            }
            // Whether there is a connection is a matter of moments where nobody listens.
            let line = line.replace(" disconnected", "").replace(" connected", "");
            let name = if name == self.me.as_str() { "me".to_string() } else { name };
            let name = if line.contains("handshake") { "somebody new".to_string() } else { name };
            told.insert(name, line);
        }
        for field in
            ["cluster_current_epoch", "cluster_my_epoch", "cluster_known_nodes", "cluster_slots_fail"]
        {
            told.insert(field.into(), self.node.cluster_info(field).unwrap_or_default());
        }
        for (name, member) in [("reports about the bystander", BYSTANDER), ("reports about the liar", LIAR)] {
            let reports = self.node.run(&format!("CLUSTER COUNT-FAILURE-REPORTS {member}"));
            told.insert(name.into(), format!("{reports:?}"));
        }
        told
    }

    /// The same, and how it has voted.
    fn beliefs_and_votes(&self) -> BTreeMap<String, String> {
        let mut told = self.beliefs();
        self.node.ok("CLUSTER SAVECONFIG");
        let file = std::fs::read_to_string(self.node.dir().join("nodes.conf")).expect("its file");
        let vote = file.split("lastVoteEpoch ").nth(1).and_then(|rest| rest.split_whitespace().next());
        told.insert("last vote".into(), vote.expect("an epoch").into());
        let votes = self.node.cluster_info("cluster_stats_messages_auth-ack_sent");
        told.insert("votes given".into(), votes.unwrap_or_default());
        told
    }

    /// Says something on a connection on which nothing was said before.
    fn tell_anew(&mut self, packet: &[u8]) {
        let mut other = FakePeer::stranger(&self.node, id(UNKNOWN));
        other.tell(&self.node, packet);
        self.others.push(other);
    }

    /// A heartbeat in the bystander's name.
    fn forged(&self, slots: Range<usize>, epoch: u64) -> Vec<u8> {
        let (port, bus_port) = self.bystander.ports();
        let change = |header: &mut Header<'_>| {
            (header.sender, header.port, header.bus_port) = (id(BYSTANDER), port, bus_port);
        };
        self.beat(change, slots, epoch)
    }

    /// The liar, as the bystander's replica, asks for a vote in this epoch.
    fn request(&self, epoch: u64, message_flags: u8) -> Vec<u8> {
        let slots = bits(200..250);
        let mut header = self.liar.header(&slots);
        header.flags = node_flag::REPLICA;
        header.master = Some(id(BYSTANDER));
        (header.config_epoch, header.current_epoch) = (Epoch(7), Epoch(epoch));
        header.message_flags = message_flags;
        let mut out = BytesMut::new();
        encode::plain(&mut out, Packet::AuthRequest, &header);
        out.to_vec()
    }

    /// A master's heartbeat with these slots, and whatever is changed.
    fn beat(&self, change: impl FnOnce(&mut Header<'_>), slots: Range<usize>, epoch: u64) -> Vec<u8> {
        self.news(change, slots, epoch, &[], &[])
    }

    fn news(
        &self,
        change: impl FnOnce(&mut Header<'_>),
        slots: Range<usize>,
        epoch: u64,
        gossip: &[Gossip<'_>],
        extensions: &[Extension<'_>],
    ) -> Vec<u8> {
        let slots = bits(slots);
        let mut header = self.liar.header(&slots);
        (header.config_epoch, header.current_epoch) = (Epoch(epoch), Epoch(epoch));
        change(&mut header);
        let mut out = BytesMut::new();
        encode::beat(&mut out, Packet::Ping, &header, gossip.iter().copied(), extensions);
        out.to_vec()
    }

    fn fail(&self, about: NodeId) -> Vec<u8> {
        self.liar.packet(|header, out| encode::fail(out, header, about))
    }

    fn update(&self, about: NodeId, slots: Range<usize>, epoch: u64) -> Vec<u8> {
        let slots = bits(slots);
        self.liar.packet(|header, out| encode::update(out, header, Epoch(epoch), about, &slots))
    }
}

fn rumour(about: NodeId, flags: u16) -> Gossip<'static> {
    Gossip {
        id: about,
        ping_sent: 0,
        pong_received: 9,
        ip: "127.0.0.1",
        port: 2,
        bus_port: 2,
        flags,
        plain_port: 0,
    }
}

/// What is said, in words; who says it; and the bytes.
type Lie = (&'static str, fn(&Scene) -> Vec<u8>);

const MASTER: u16 = node_flag::MASTER;

/// One after the other: what has been believed once, the next lie builds on.
const LIES: &[Lie] = &[
    ("nothing", |_| Vec::new()),
    ("a greater current epoch", |s| s.beat(|header| header.current_epoch = Epoch(7), 0..0, 0)),
    ("slots of the node, in an older epoch", |s| s.beat(|_| {}, 50..60, 4)),
    ("slots of nobody", |s| s.beat(|_| {}, 200..300, 6)),
    ("fewer of them, in the same epoch", |s| s.beat(|_| {}, 200..250, 6)),
    ("an older epoch than before", |s| s.beat(|_| {}, 200..300, 2)),
    ("the flags of a replica, and no master", |s| {
        s.beat(|header| header.flags = node_flag::REPLICA, 0..0, 6)
    }),
    ("it is the bystander's replica", |s| s.beat(|header| header.master = Some(id(BYSTANDER)), 0..0, 6)),
    ("it is a stranger's replica", |s| s.beat(|header| header.master = Some(id(UNKNOWN)), 0..0, 6)),
    ("it is the node's replica", |s| s.beat(|header| header.master = Some(s.me), 0..0, 6)),
    ("a replica lists its master's slots in an old epoch", |s| {
        s.beat(|header| header.master = Some(s.me), 0..101, 1)
    }),
    ("it is a master again", |s| s.beat(|_| {}, 200..300, 7)),
    ("the bystander fails, says gossip", |s| {
        s.news(|_| {}, 200..300, 7, &[rumour(id(BYSTANDER), MASTER | node_flag::MAYBE_FAIL)], &[])
    }),
    ("the bystander is well again", |s| s.news(|_| {}, 200..300, 7, &[rumour(id(BYSTANDER), MASTER)], &[])),
    ("the node itself fails", |s| {
        s.news(|_| {}, 200..300, 7, &[rumour(s.me, MASTER | node_flag::FAIL)], &[])
    }),
    ("the liar itself fails", |s| {
        s.news(|_| {}, 200..300, 7, &[rumour(id(LIAR), MASTER | node_flag::FAIL)], &[])
    }),
    ("somebody without an address", |s| {
        s.news(|_| {}, 200..300, 7, &[rumour(id(UNKNOWN), MASTER | node_flag::NO_ADDRESS)], &[])
    }),
    ("somebody new", |s| s.news(|_| {}, 200..300, 7, &[rumour(id(THIRD), MASTER)], &[])),
    ("the same a thousand times", |s| {
        s.news(|_| {}, 200..300, 7, &vec![rumour(id(THIRD), MASTER); 1000], &[])
    }),
    ("FAIL about somebody unknown", |s| s.fail(id(UNKNOWN))),
    ("FAIL about the node itself", |s| s.fail(s.me)),
    ("FAIL about the liar", |s| s.fail(id(LIAR))),
    ("FAIL about the bystander", |s| s.fail(id(BYSTANDER))),
    ("UPDATE about somebody unknown", |s| s.update(id(UNKNOWN), 0..10, 99)),
    ("UPDATE with an old epoch", |s| s.update(id(BYSTANDER), 0..10, 0)),
    ("UPDATE: the bystander has some of the node's slots", |s| s.update(id(BYSTANDER), 0..10, 20)),
    ("the same with fewer slots", |s| s.update(id(BYSTANDER), 0..5, 20)),
    ("UPDATE about the node itself, old", |s| s.update(s.me, 0..16384, 5)),
    ("UPDATE about the node itself, new", |s| s.update(s.me, 0..16384, 21)),
    ("another port", |s| s.beat(|header| header.port = 4, 200..300, 7)),
    ("the old port", |s| s.beat(|_| {}, 200..300, 7)),
    ("a name", |s| s.news(|_| {}, 200..300, 7, &[], &[Extension::Hostname("liar.example.org")])),
    ("no name", |s| s.news(|_| {}, 200..300, 7, &[], &[])),
    ("what only newer nodes know", |s| {
        let more = [
            Extension::HumanName("a name"),
            Extension::Hostname("new.example.org"),
            Extension::ShardId(id(UNKNOWN)),
        ];
        s.news(|_| {}, 200..300, 7, &[], &more)
    }),
    ("it does not want to be a master", |s| {
        s.beat(|header| header.flags |= node_flag::NO_FAILOVER, 200..300, 7)
    }),
    ("it does", |s| s.beat(|_| {}, 200..300, 7)),
    ("the node's own epoch: a collision", |s| {
        let epoch = s.node.cluster_info("cluster_my_epoch").and_then(|epoch| epoch.parse().ok());
        s.beat(|_| {}, 200..300, epoch.expect("a number"))
    }),
    ("a vote for the node, which has not asked", |s| {
        s.liar.packet(|header, out| encode::plain(out, Packet::AuthAck, header))
    }),
    ("a master asks for a vote", |s| {
        s.liar.packet(|header, out| encode::plain(out, Packet::AuthRequest, header))
    }),
    ("somebody else's replica wants a failover", |s| {
        s.liar.packet(|header, out| encode::plain(out, Packet::FailoverStart, header))
    }),
    ("a message nobody hears", |s| {
        s.liar.packet(|header, out| assert!(encode::publish(out, Packet::PublishShard, header, b"c", b"m")))
    }),
    ("all slots, in an epoch that is too small", |s| s.beat(|_| {}, 0..16384, 8)),
    ("the greatest of all epochs", |s| s.beat(|header| header.current_epoch = Epoch(1 << 62), 200..300, 8)),
    ("all slots", |s| s.beat(|_| {}, 0..16384, 1 << 40)),
    ("all slots, by name, as a master with another's slots", |s| s.update(id(BYSTANDER), 0..16384, 1 << 41)),
];

#[test]
fn a_members_lies_have_the_effect_that_they_have_on_redis() {
    if redis_tool_or_skip("a_members_lies_have_the_effect_that_they_have_on_redis", "redis-server").is_none()
    {
        return;
    }
    let mut scenes = [Kind::Ours, Kind::Redis].map(Scene::new);
    for (what, lie) in LIES {
        let seen = scenes.each_mut().map(|scene| {
            let bytes = lie(scene);
            scene.liar.tell(&scene.node, &bytes);
            scene.beliefs()
        });
        println!("{what}: {:#?}", seen[0]);
        assert_eq!(seen[0], seen[1], "{what}: ours and Redis believe different things");
    }
}

/// What is done, in words, and how.
type Deed = (&'static str, fn(&mut Scene));

/// One after the other, as above.
const FORGERIES: &[Deed] = &[
    ("a name that nobody has", |s| {
        let packet = s.beat(|header| header.sender = id(UNKNOWN), 300..310, 9);
        s.tell_anew(&packet);
    }),
    ("the bystander's name, and slots of nobody", |s| {
        let packet = s.forged(200..300, 6);
        s.tell_anew(&packet);
    }),
    ("the same name on one more connection, and fewer slots", |s| {
        let packet = s.forged(200..250, 7);
        s.tell_anew(&packet);
    }),
    ("the bystander itself, from where it always spoke", |s| {
        // It has been hung up on: whoever spoke last has its name.
        s.bystander.settle();
    }),
    ("the liar is the bystander's replica", |s| {
        let packet = s.beat(|header| header.master = Some(id(BYSTANDER)), 200..250, 7);
        s.liar.tell(&s.node, &packet);
    }),
    ("it wants a vote, and its master is well", |s| {
        let packet = s.request(30, 0);
        s.liar.tell(&s.node, &packet);
    }),
    ("the same with force", |s| {
        let packet = s.request(31, message_flag::FORCE_ACK);
        s.liar.tell(&s.node, &packet);
    }),
    ("once more in the same epoch", |s| {
        let packet = s.request(31, message_flag::FORCE_ACK);
        s.liar.tell(&s.node, &packet);
    }),
    ("and in the next one, too soon", |s| {
        let packet = s.request(32, message_flag::FORCE_ACK);
        s.liar.tell(&s.node, &packet);
    }),
    ("in its name on another connection", |s| {
        let packet = s.request(33, message_flag::FORCE_ACK);
        s.tell_anew(&packet);
    }),
    ("FAIL about the liar, in the bystander's name", |s| {
        let (port, bus_port) = s.bystander.ports();
        let mut header = s.bystander.header(&NO_SLOTS);
        (header.port, header.bus_port) = (port, bus_port);
        let mut packet = BytesMut::new();
        encode::fail(&mut packet, &header, id(LIAR));
        s.tell_anew(&packet);
    }),
];

#[test]
fn forged_names_and_votes_by_force_have_the_effect_that_they_have_on_redis() {
    let test = "forged_names_and_votes_by_force_have_the_effect_that_they_have_on_redis";
    if redis_tool_or_skip(test, "redis-server").is_none() {
        return;
    }
    let mut scenes = [Kind::Ours, Kind::Redis].map(Scene::new);
    let mut votes = Vec::new();
    for (what, deed) in FORGERIES {
        let seen = scenes.each_mut().map(|scene| {
            deed(scene);
            scene.beliefs_and_votes()
        });
        println!("{what}: {:#?}", seen[0]);
        assert_eq!(seen[0], seen[1], "{what}: ours and Redis believe different things");
        votes.push(seen[0]["last vote"].clone());
    }
    assert_eq!(votes[5..9], ["0", "31", "31", "31"], "by force, and once");
}
