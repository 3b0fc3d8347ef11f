//! What the nodes of a cluster say to one another.
//!
//! Every node keeps one connection to each member that it knows, and speaks on it; the others do the same, so that there
//! are two connections between any two. What is asked on a connection is answered on the same one. What is *decided* is
//! in the layers of chapters 7 and 9 ([`crate::layers`]); here is what the decisions are applied to:
//!
//! | file | |
//! |---|---|
//! | `links` | connections: made, accepted, cut, and what waits on them |
//! | `speak` | packets: their header, their gossip, to whom they go |
//! | `hear` | a packet arrives: who speaks, and what follows |
//! | `rumours` | the gossip in it, and new members |
//! | `failures` | who is down: doubts, reports, the word of a majority |
//! | `roles` | who is a master, whose replica, and whose the slots are |
//! | `ballots` | what elections and manual failovers say |
//! | `look` | ten times a second: connections, pings, doubts |
//!
//! # What is said
//!
//! | packet | said when | heard |
//! |---|---|---|
//! | PING, PONG, MEET | by the clock; as an answer; to all when our slots change | who the sender is, its slots, news of others |
//! | FAIL | we have counted a majority | that member has failed |
//! | UPDATE | somebody claims what is another's in a greater epoch | whose it is |
//! | PUBLISH, PUBLISHSHARD | a client says so | by subscribers here |
//! | AUTH_REQUEST, AUTH_ACK, MFSTART | see `ballots` | |
//!
//! Strangers are answered, and have no say. Of what a heartbeat adds (extensions) two things are taken: the sender's
//! host name, and whom it has been made to forget, which nodes since Redis 7.2 tell one another. The rest is passed over.
//!
//! # On disk before it leaves
//!
//! An epoch that was told and then forgotten could be used for two configurations. So once something has changed that a
//! restart must not undo ([`must_sync`](super::Cluster::must_sync)), packets wait on their connections until the file is
//! on the disk.
//!
//! # Differences from Redis
//!
//! - Whoever uses our own id is a stranger to us, and changes nothing. To Redis it is itself, and may turn it into a
//!   replica.
//! - Only masters with slots are heard about failures, as in Valkey since version 8: it is their majority that counts. To
//!   Redis 7.0 the word of any master counts towards it.
//! - The majority is counted when it is asked for. In its first two seconds a master of Redis takes itself for the only
//!   one.
//! - A node that calls itself its own master is a master. Redis 7.0 follows such a chain round and round.
//! - Of a member that we hear of for the first time, the flags are taken that can be true of it in anybody's eyes. Redis
//!   takes all of them, `myself` included.
//! - The sender of a packet is who its header says. Redis 7.0 takes a connection's first sender for all later ones.
//! - Heartbeats say that extensions are understood, as those of Redis 7.2 do: newer nodes tell theirs to nobody else. A
//!   member that a newer node was made to forget is forgotten here, too, as in Redis 7.2; to Redis 7.0 that is unknown.
//!   `CLUSTER FORGET` at a node of ours concerns this node alone, as in Redis 7.0.
//! - Heartbeats that are due while a connection is being made are not queued: the ping that follows when it stands says
//!   the same. Everything else is, and comes before that ping.

mod ballots;
mod failures;
mod hear;
mod links;
mod look;
mod roles;
mod rumours;
mod speak;

use std::collections::BTreeSet;

use bytes::BytesMut;
use core_types::{Millis, NodeId, SlotSet};

use super::Member;
use crate::layers::gossip::heartbeat::LOOK_AROUND;
use crate::{ConnId, Node};

pub(crate) use links::BusLink;

/// What the bus keeps besides the members themselves.
#[derive(Debug, Default)]
pub(crate) struct Bus {
    /// When to look around next.
    next_look: Millis,
    /// How often we have.
    looks: u64,
    /// How many connections there are, of members and of strangers.
    links: usize,
    /// Links with packets that wait for the disk.
    held: BTreeSet<ConnId>,
    /// The slots that our packets list, and how they look on the wire: they are told often and change seldom.
    told: Option<(SlotSet, Box<bus::Bitmap>)>,
    /// Packets are put together here; kept to reuse its memory.
    scratch: BytesMut,
}

impl Node {
    /// The node has its state, and begins to talk.
    pub(crate) fn bus_start(&mut self) {
        self.bus.next_look = self.now + LOOK_AROUND;
    }

    /// Time passes. While the data set is being loaded we call nobody, as we hear nobody (see
    /// [`accept_bus`](Node::accept_bus)): whoever answers may make us a replica, and what that replica then receives would
    /// be mixed with what is still to come from our files.
    pub(crate) fn bus_tick(&mut self) {
        let now = self.now;
        // A clock that jumped back must not silence us until it has caught up.
        let due = now >= self.bus.next_look || now + LOOK_AROUND < self.bus.next_look;
        if self.cluster.is_some() && due && !self.persistence.is_exiting() {
            self.bus.next_look = now + LOOK_AROUND;
            if !self.persistence.is_loading() {
                self.bus.looks += 1;
                self.bus_look_around();
            }
        }
    }

    /// When `bus_tick` is wanted next.
    pub(crate) fn bus_deadline(&self) -> Option<Millis> {
        self.cluster.as_ref().map(|_| self.bus.next_look)
    }

    /// The disk has caught up with some of what was asked to be saved.
    pub(crate) fn bus_saved(&mut self) {
        if self.cluster.as_ref().is_some_and(|cluster| cluster.may_speak()) {
            for conn in std::mem::take(&mut self.bus.held) {
                self.bus_release(conn);
            }
        }
    }

    /// `CLUSTER MEET`: begins a handshake with whoever listens there, if there is none already.
    pub(crate) fn bus_meet(&mut self, ip: &str, port: u16, bus_port: u16) {
        self.start_handshake(ip, port, bus_port, true);
    }

    /// This member was removed a moment ago: its links go.
    pub(crate) fn bus_forgot(&mut self, member: &Member) {
        for link in member.link.iter().chain(&member.inbound) {
            self.close(link.conn);
        }
    }

    /// Everybody is to hear of our slots and our epoch now (`PONG` to all).
    pub(crate) fn bus_tell_all(&mut self) {
        let Some(cluster) = &self.cluster else { return };
        let everybody: Vec<NodeId> =
            cluster.members().filter(|member| is_listener(member)).map(|member| member.id).collect();
        for id in everybody {
            self.send_beat_to(id, bus::Kind::Pong);
        }
    }

    /// The event is over.
    pub(crate) fn bus_settle(&mut self) {
        // Without anything to save, nothing will say that it was saved.
        if !self.bus.held.is_empty() {
            self.bus_saved();
        }
    }
}

/// Somebody whom broadcasts are for. A connection that is still being made keeps them until it stands.
fn is_listener(member: &Member) -> bool {
    member.link.is_some() && !member.is_myself() && !member.flags.has(super::Flag::Handshake)
}
