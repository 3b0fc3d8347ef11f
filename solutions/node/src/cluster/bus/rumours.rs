//! What others tell of others.

use std::net::IpAddr;

use bus::{Gossip, GossipList, node_flag};
use core_types::{LogLevel, Millis, NodeId};

use crate::Node;
use crate::cluster::{Flag, Flags, Member};
use crate::layers::gossip::rumour::{Belief, Known, Rumour, merge, worth_meeting};

/// A report that somebody fails holds for so many node timeouts (`CLUSTER_FAIL_REPORT_VALIDITY_MULT` in Redis's
/// `cluster.h`).
const REPORT_HOLDS: u64 = 2;

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
        for entry in gossip.iter() {
            let known = self.cluster.as_ref().and_then(|cluster| cluster.member(&entry.id)).is_some();
            if known {
                self.hear_rumour(&entry, teller);
            } else {
                self.hear_of_stranger(&entry, teller);
            }
        }
    }

    fn hear_rumour(&mut self, entry: &Gossip<'_>, teller: Option<NodeId>) {
        let now = self.now;
        let Some(cluster) = &mut self.cluster else { return };
        let from_master = teller.and_then(|id| cluster.member(&id)).is_some_and(Member::is_master);
        let holds = Millis(self.config.cluster_node_timeout.0.saturating_mul(REPORT_HOLDS));
        let Some(member) = cluster.member_mut(&entry.id) else { return };
        let failing = entry.flags & (node_flag::FAIL | node_flag::MAYBE_FAIL) != 0;
        let rumour = Rumour {
            failing,
            no_address: entry.flags & node_flag::NO_ADDRESS != 0,
            same_address: same_address(member, entry),
            pong_received: Millis::from_secs(u64::from(entry.pong_received)),
        };
        member.fail_reports.retain(|_, at| now.since(*at) <= holds);
        // The opinion itself counts before what follows from it.
        let said = merge(now, &rumour, &known_of(member), from_master).report;
        let change = teller.zip(said).and_then(|(teller, failing)| note_report(member, teller, failing, now));
        let Belief { heard, take_address, .. } = merge(now, &rumour, &known_of(member), from_master);
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
        if let (Some(teller), Some(text)) = (teller, change) {
            self.log(LogLevel::Verbose, format!("Node {teller} reported node {} {text}", entry.id));
        }
    }

    /// A member of the cluster that we have not heard of before. Its id is known, so there is no need of a handshake; and
    /// one could end with somebody else, who lives at that address by now.
    fn hear_of_stranger(&mut self, entry: &Gossip<'_>, teller: Option<NodeId>) {
        let now = self.now;
        let Some(cluster) = &mut self.cluster else { return };
        let no_address = entry.flags & node_flag::NO_ADDRESS != 0;
        let forgotten = cluster.forgotten.get(&entry.id).is_some_and(|until| now < *until);
        let address = entry.ip.parse::<IpAddr>().is_ok() && entry.bus_port != 0;
        if !worth_meeting(teller.is_some(), no_address || !address, forgotten) {
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

/// Notes what a master says of a member. Some words for the log, if that is news.
fn note_report(member: &mut Member, teller: NodeId, failing: bool, now: Millis) -> Option<&'static str> {
    match failing {
        true => member.fail_reports.insert(teller, now).is_none().then_some("as not reachable."),
        false => member.fail_reports.remove(&teller).map(|_| "is back online."),
    }
}

fn known_of(member: &Member) -> Known {
    Known {
        myself: member.is_myself(),
        failing: member.has_failed() || member.may_have_failed(),
        waiting: member.ping_sent != Millis::ZERO,
        reported: !member.fail_reports.is_empty(),
        pong_received: member.pong_received,
    }
}

fn same_address(member: &Member, entry: &Gossip<'_>) -> bool {
    member.ip.eq_ignore_ascii_case(entry.ip) && (member.port, member.bus_port) == (entry.port, entry.bus_port)
}
