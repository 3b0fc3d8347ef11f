//! How fast bytes travel: latency between hosts, and how much each host can send.

use std::collections::BTreeMap;

use core_types::{Millis, Rng};

use super::{HostId, Profile, World};

/// With a limited uplink a long write is cut into pieces of this size, so that connections share the uplink.
const PIECE: usize = 16 * 1024;

/// The network between the hosts, as far as it is a matter of speed.
pub(super) struct Wires {
    usual: (Millis, Millis),
    bandwidth: Option<u64>,
    /// Ordered pairs of hosts with a latency of their own.
    between: BTreeMap<(usize, usize), (Millis, Millis)>,
    uplinks: Vec<Uplink>,
    /// Bytes handed to connections, by ordered pair of hosts.
    sent: BTreeMap<(usize, usize), u64>,
}

/// What a host sends through: one card, whatever number of connections.
struct Uplink {
    /// Bytes a second; `None` is without limit.
    bandwidth: Option<u64>,
    /// Microseconds, because a small segment takes less than a millisecond.
    busy_until: u64,
}

impl Wires {
    pub(super) fn new(profile: &Profile) -> Wires {
        Wires {
            usual: profile.latency,
            bandwidth: profile.bandwidth,
            between: BTreeMap::new(),
            uplinks: Vec::new(),
            sent: BTreeMap::new(),
        }
    }

    pub(super) fn add_host(&mut self) {
        self.uplinks.push(Uplink { bandwidth: self.bandwidth, busy_until: 0 });
    }

    /// How long a segment takes from one host to another, once it is on its way.
    pub(super) fn latency(&self, rng: &mut Rng, from: usize, to: usize) -> Millis {
        let (low, high) = self.between.get(&(from, to)).copied().unwrap_or(self.usual);
        Millis(rng.between(low.0, high.0.max(low.0)))
    }

    /// When the last of `bytes`, written now, has left the host: its uplink serves first come, first served.
    pub(super) fn departure(&mut self, now: Millis, from: usize, bytes: usize) -> Millis {
        let Some(uplink) = self.uplinks.get_mut(from) else { return now };
        let Some(bandwidth) = uplink.bandwidth else { return now };
        let takes = (bytes as u64).saturating_mul(1_000_000) / bandwidth.max(1);
        uplink.busy_until = uplink.busy_until.max(now.0 * 1000).saturating_add(takes);
        Millis(uplink.busy_until.div_ceil(1000))
    }

    /// The longest segment that leaves a host in one go.
    pub(super) fn longest(&self, from: usize) -> usize {
        match self.uplinks.get(from) {
            Some(Uplink { bandwidth: Some(_), .. }) => PIECE,
            _ => usize::MAX,
        }
    }

    pub(super) fn count(&mut self, from: usize, to: usize, bytes: usize) {
        *self.sent.entry((from, to)).or_default() += bytes as u64;
    }

    pub(super) fn set_latency(&mut self, from: usize, to: usize, latency: Option<(Millis, Millis)>) {
        match latency {
            Some(latency) => drop(self.between.insert((from, to), latency)),
            None => drop(self.between.remove(&(from, to))),
        }
    }

    pub(super) fn is_usual(&self) -> bool {
        self.between.is_empty()
    }

    pub(super) fn make_usual(&mut self) {
        self.between.clear();
    }
}

impl World<'_> {
    /// What this host can send, in bytes a second, over all its connections; `None` is without limit.
    pub fn set_bandwidth(&mut self, id: HostId, bandwidth: Option<u64>) {
        self.net.wires.uplinks[id.0].bandwidth = bandwidth;
    }

    /// The shortest and the longest time that a segment takes between two hosts, in either direction.
    pub fn set_latency(&mut self, a: HostId, b: HostId, latency: (Millis, Millis)) {
        self.net.wires.set_latency(a.0, b.0, Some(latency));
        self.net.wires.set_latency(b.0, a.0, Some(latency));
    }

    /// Bytes that this host has handed to connections.
    pub fn sent(&self, id: HostId) -> u64 {
        self.net.wires.sent.iter().filter(|((from, _), _)| *from == id.0).map(|(_, bytes)| bytes).sum()
    }

    /// Bytes that one host has handed to its connections with another.
    pub fn sent_between(&self, from: HostId, to: HostId) -> u64 {
        self.net.wires.sent.get(&(from.0, to.0)).copied().unwrap_or(0)
    }
}
