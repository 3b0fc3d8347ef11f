//! How faults are inflicted and repaired.

use core_types::{Broken, Millis};

use super::net::Event;
use super::{Conn, Fault, HostId, World};

impl<'t> World<'t> {
    /// Safety first, then liveness: repairs everything (partitions, pauses, crashes), then `condition` must come
    /// true within `limit`. Faults of the plan that are still to come don't happen.
    ///
    /// # Errors
    /// As [`World::run_to`].
    pub fn heal_and_settle(
        &mut self,
        limit: Millis,
        what: &str,
        condition: impl FnMut(&World<'t>) -> bool,
    ) -> Result<Millis, Broken> {
        self.heal_all()?;
        self.run_to(limit, what, condition)
    }

    /// Repairs everything, and cancels the faults of the plan that are still to come. Clocks stay as they are.
    ///
    /// # Errors
    /// If an invariant doesn't hold afterwards.
    pub fn heal_all(&mut self) -> Result<(), Broken> {
        self.net.faults.clear();
        if !self.net.blocked.is_empty() {
            self.record_fault("all partitions heal".into());
        }
        for (from, to) in self.net.blocked.clone() {
            self.net.set_blocked(from, to, false);
        }
        if !self.net.wires.is_usual() {
            self.record_fault("all links are fast again".into());
            self.net.wires.make_usual();
        }
        for id in self.hosts() {
            if self.slots[id.0].paused {
                self.inflict(Fault::Resume(id))?;
            }
            self.inflict(Fault::Restart(id))?;
        }
        Ok(())
    }

    /// Breaks or repairs something now.
    ///
    /// # Errors
    /// If an invariant doesn't hold afterwards.
    pub fn inflict(&mut self, fault: Fault) -> Result<(), Broken> {
        match fault {
            Fault::Partition(a, b) => {
                self.record_fault(format!("partition: {} | {}", self.name(a), self.name(b)));
                self.net.set_blocked(a.0, b.0, true);
                self.net.set_blocked(b.0, a.0, true);
            }
            Fault::OneWay(a, b) => {
                self.record_fault(format!("nothing gets from {} to {}", self.name(a), self.name(b)));
                self.net.set_blocked(a.0, b.0, true);
            }
            Fault::Heal(a, b) => {
                self.record_fault(format!("healed: {} and {}", self.name(a), self.name(b)));
                self.net.set_blocked(a.0, b.0, false);
                self.net.set_blocked(b.0, a.0, false);
            }
            Fault::Pause(id) => {
                if self.slots[id.0].host.is_some() && !self.slots[id.0].paused {
                    self.slots[id.0].paused = true;
                    self.record_fault(format!("{} stands still", self.name(id)));
                }
            }
            Fault::Resume(id) => {
                if std::mem::take(&mut self.slots[id.0].paused) {
                    self.record_fault(format!("{} goes on", self.name(id)));
                    for event in std::mem::take(&mut self.slots[id.0].held) {
                        self.net.at(self.net.now, event);
                    }
                    for conn in self.conns_of(id.0) {
                        self.net.schedule(conn.link, usize::from(1 - conn.end));
                    }
                }
            }
            Fault::Crash(id) => self.crash(id),
            Fault::Restart(id) => {
                if self.slots[id.0].host.is_none() {
                    let (at, name) = (self.net.now, &self.net.addresses[id.0].name);
                    if let Some(trace) = self.net.trace.as_deref_mut() {
                        trace.up(at, name);
                    }
                    return self.start(id);
                }
            }
            Fault::Reset(a, b) => {
                self.record_fault(format!("reset: {} and {}", self.name(a), self.name(b)));
                self.net.reset_between(a.0, b.0);
            }
            Fault::Slow(a, b, latency) => {
                self.record_fault(format!("slow, {latency}: {} and {}", self.name(a), self.name(b)));
                let latency = (Millis(latency.0 / 2), latency);
                self.set_latency(a, b, latency);
            }
            Fault::Fast(a, b) => {
                self.record_fault(format!("fast again: {} and {}", self.name(a), self.name(b)));
                self.net.wires.set_latency(a.0, b.0, None);
                self.net.wires.set_latency(b.0, a.0, None);
            }
            Fault::ClockJump(id, by) => {
                self.record_fault(format!("the clock of {} jumps by {by}ms", self.name(id)));
                if let Some(wake) = self.wakes_at(id).filter(|_| by < 0) {
                    self.net.at(wake, Event::Wake { host: id.0 as u32 });
                }
                let slot = &mut self.slots[id.0];
                slot.skew = slot.skew.saturating_add(by);
            }
        }
        Ok(())
    }

    fn record_fault(&mut self, text: String) {
        let at = self.net.now;
        if let Some(trace) = self.net.trace.as_deref_mut() {
            trace.fault(at, text);
        }
    }

    fn crash(&mut self, id: HostId) {
        if self.slots[id.0].host.take().is_none() {
            return;
        }
        let (at, name) = (self.net.now, &self.net.addresses[id.0].name);
        if let Some(trace) = self.net.trace.as_deref_mut() {
            trace.down(at, name);
        }
        let now = self.net.now;
        let slot = &mut self.slots[id.0];
        slot.died_at = Some(now);
        slot.paused = false;
        slot.held.clear();
        slot.choked.clear();
        slot.disk.crash(&mut slot.rng);
        for conn in self.conns_of(id.0) {
            self.net.abort(conn);
            // What was held for it in its kernel dies with it.
            self.net.schedule(conn.link, usize::from(1 - conn.end));
        }
    }

    pub(super) fn conns_of(&self, host: usize) -> Vec<Conn> {
        let mut conns = Vec::new();
        for (link, found) in self.net.links.iter().enumerate() {
            for end in 0..2 {
                if found.open[end] && found.hosts[end] == host {
                    conns.push(Conn { link: link as u32, end: end as u8 });
                }
            }
        }
        conns
    }
}
