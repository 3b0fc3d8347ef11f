//! What others tell of others.

use std::net::IpAddr;

use bus::{Gossip, GossipList, node_flag};
use core_types::{Millis, NodeId};

use crate::Node;
use crate::cluster::{Flag, Flags, Member};
use crate::layers::gossip::handshake::worth_meeting;
use crate::layers::gossip::rumour::{Belief, Known, Rumour, merge};

/// What is believed of a member that we hear of for the first time. The rest concerns the teller's own contact with it.
const HEARSAY: u16 = node_flag::MASTER
    | node_flag::REPLICA
    | node_flag::MAYBE_FAIL
    | node_flag::FAIL
    | node_flag::MIGRATE_TO
    | node_flag::NO_FAILOVER;

impl Node {
    /// The gossip of a heartbeat. `teller` is the member that sends it; `None` for a stranger that asks to be taken in,
    /// whom `MEET` makes worth believing that much.
    pub(super) fn hear_gossip(&mut self, gossip: &GossipList<'_>, teller: Option<NodeId>) {
        let cluster = self.cluster.as_ref();
        let votes = teller.and_then(|id| cluster?.member(&id)).is_some_and(Member::is_voter);
        for entry in gossip.iter() {
            self.hear_rumour(&entry, teller, votes);
        }
    }

    fn hear_rumour(&mut self, entry: &Gossip<'_>, teller: Option<NodeId>, votes: bool) {
        let (now, timeout) = (self.now, self.config.cluster_node_timeout);
        let Some(cluster) = &mut self.cluster else { return };
        let Some(member) = cluster.member_mut(&entry.id) else {
            return self.hear_of_stranger(entry, teller);
        };
        let known = known_of(member, now, timeout);
        let failing = entry.flags & (node_flag::FAIL | node_flag::MAYBE_FAIL) != 0;
        let rumour = Rumour {
            failing,
            // This is asked of a thousand entries, and matters for those that we do not reach.
            no_address: known.failing && has_no_address(entry),
            same_address: !known.failing || same_address(member, entry),
            pong_received: Millis::from_secs(u64::from(entry.pong_received)),
        };
        let mut belief = merge(now, &rumour, &known, votes);
        // The opinion itself counts before what follows from it.
        if let Some((teller, failing)) = teller.zip(belief.report)
            && (failing || known.reported)
        {
            self.hear_opinion(teller, entry.id, failing);
            let Some(member) = self.cluster.as_mut().and_then(|cluster| cluster.member_mut(&entry.id)) else {
                return;
            };
            belief = merge(now, &rumour, &known_of(member, now, timeout), votes);
        }
        let Belief { heard, take_address, .. } = belief;
        if heard.is_none() && !take_address {
            return;
        }
        let Some(cluster) = &mut self.cluster else { return };
        let Some(member) = cluster.member_mut(&entry.id) else { return };
        if let Some(heard) = heard {
            member.pong_received = heard;
        }
        if take_address {
            member.ip = entry.ip.to_string();
            (member.port, member.bus_port) = (entry.port, entry.bus_port);
            member.flags.clear(Flag::NoAddress);
            cluster.must_save();
            self.cut_bus_link(entry.id);
        }
    }

    /// A member of the cluster that we have not heard of before. Its id is known, so there is no need of a handshake; and
    /// one could end with somebody else, who lives at that address by now.
    fn hear_of_stranger(&mut self, entry: &Gossip<'_>, teller: Option<NodeId>) {
        let now = self.now;
        let Some(cluster) = &mut self.cluster else { return };
        let forgotten = cluster.forgotten.get(&entry.id).is_some_and(|gone| now < gone.until);
        if !worth_meeting(teller.is_some(), has_no_address(entry), forgotten) {
            return;
        }
        let mut member = Member::new(entry.id, now);
        member.flags = Flags::from_bits(entry.flags & HEARSAY);
        member.ip = entry.ip.to_string();
        (member.port, member.bus_port) = (entry.port, entry.bus_port);
        cluster.add(member);
        cluster.todo.update_health = true;
        cluster.must_save();
    }

    /// Begins to get to know whoever lives at this address. `meet`: it shall take us in, too. Nothing happens if that
    /// is no address, or if a handshake with it is under way.
    pub(super) fn start_handshake(&mut self, ip: &str, port: u16, bus_port: u16, meet: bool) {
        let now = self.now;
        let Ok(address) = ip.parse::<IpAddr>() else { return };
        let ip = address.to_string();
        if port == 0 || bus_port == 0 {
            return;
        }
        let Some(cluster) = &mut self.cluster else { return };
        let same = |member: &Member| member.ip == ip && (member.port, member.bus_port) == (port, bus_port);
        if cluster.members().any(|member| member.flags.has(Flag::Handshake) && same(member)) {
            return;
        }
        let mut member = Member::new(NodeId::random(&mut self.rng), now);
        member.flags.set(Flag::Handshake);
        if meet {
            member.flags.set(Flag::Meet);
        }
        (member.ip, member.port, member.bus_port) = (ip, port, bus_port);
        cluster.add(member);
    }
}

fn known_of(member: &mut Member, now: Millis, timeout: Millis) -> Known {
    Known {
        myself: member.is_myself(),
        failing: member.has_failed() || member.may_have_failed(),
        waiting: member.ping_sent != Millis::ZERO,
        reported: member.fail_reports.count(now, timeout) > 0,
        pong_received: member.pong_received,
    }
}

/// The teller does not know where it is, or says what cannot be an address.
fn has_no_address(entry: &Gossip<'_>) -> bool {
    entry.flags & node_flag::NO_ADDRESS != 0 || entry.ip.parse::<IpAddr>().is_err() || entry.bus_port == 0
}

fn same_address(member: &Member, entry: &Gossip<'_>) -> bool {
    member.ip.eq_ignore_ascii_case(entry.ip) && (member.port, member.bus_port) == (entry.port, entry.bus_port)
}
