//! One event after another: which is next, whom it meets, and what follows from it.

use core_types::{Broken, Millis};

use super::net::{Event, Item, Link};
use super::{Conn, Host, HostId, Input, Io, TICKS_AT_ONE_TIME, World};
use crate::trace;

impl World<'_> {
    /// Handles the next event if it is due by `until`. False if there is none.
    pub(super) fn run_one(&mut self, until: Millis) -> Result<bool, Broken> {
        let tick = self.next_tick();
        let queued = self.net.next_time();
        if let Some(time) = queued.filter(|&time| tick.is_none_or(|(tick, _)| time <= tick)) {
            if time > until {
                return Ok(false);
            }
            let (time, event) = self.net.pop().expect("it was just seen");
            self.net.now = time;
            self.dispatch(event)?;
            return Ok(true);
        }
        let Some((time, id)) = tick.filter(|&(time, _)| time <= until) else { return Ok(false) };
        self.net.now = time;
        let slot = &mut self.slots[id.0];
        slot.ticks = if slot.last_tick == time { slot.ticks + 1 } else { 0 };
        slot.last_tick = time;
        if slot.ticks > TICKS_AT_ONE_TIME {
            let detail = format!("{} was ticked {TICKS_AT_ONE_TIME} times at {time}", self.name(id));
            return Err(Broken::new("a tick moves the deadline on", detail));
        }
        self.step(id, Input::Tick)?;
        Ok(true)
    }

    fn next_tick(&self) -> Option<(Millis, HostId)> {
        let running = self.hosts().filter(|id| !self.is_paused(*id));
        running.filter_map(|id| Some((self.wakes_at(id)?, id))).min()
    }

    /// When a process wants its next tick, in virtual time.
    pub(super) fn wakes_at(&self, id: HostId) -> Option<Millis> {
        let slot = &self.slots[id.0];
        let deadline = slot.deadline.filter(|_| slot.host.is_some())?;
        let time = Millis(deadline.0.saturating_add_signed(slot.skew.saturating_neg()));
        Some(time.max(self.net.now))
    }

    fn dispatch(&mut self, event: Event) -> Result<(), Broken> {
        match event {
            Event::Fault { index } => match self.net.faults.get(index as usize).copied() {
                Some(fault) => self.inflict(fault),
                None => Ok(()),
            },
            Event::Wake { host } => {
                let id = HostId(host as usize);
                if self.hold(id, event) {
                    return Ok(());
                }
                self.step(id, Input::Tick)
            }
            Event::Syn { link, attempt } => {
                let to = self.net.links[link as usize].hosts[1];
                self.net.syn(link, attempt, self.slots[to].host.is_some());
                Ok(())
            }
            Event::Refuse { link, why } => {
                let id = HostId(self.net.links[link as usize].hosts[0]);
                if self.hold(id, event) || !self.net.refuse(link, why) {
                    return Ok(());
                }
                self.step(id, Input::Refused { conn: Conn { link, end: 0 }, why })
            }
            Event::Accept { link } => {
                let Link { hosts, open, port, .. } = &self.net.links[link as usize];
                let (id, open, port) = (HostId(hosts[1]), open[1], *port);
                if self.hold(id, event) || !open {
                    return Ok(());
                }
                let conn = Conn { link, end: 1 };
                let peer = self.net.address(conn, 0);
                self.net.links[link as usize].accepted = true;
                self.net.schedule(link, 0);
                self.step(id, Input::Accepted { conn, port, peer: &peer })
            }
            Event::Writable { link, end } => {
                let Link { hosts, open, .. } = &self.net.links[link as usize];
                let (id, open) = (HostId(hosts[usize::from(end)]), open[usize::from(end)]);
                if self.hold(id, event) || !open {
                    return Ok(());
                }
                self.step(id, Input::Writable { conn: Conn { link, end } })
            }
            Event::Deliver { link, from } => self.deliver(link, usize::from(from)),
        }
    }

    /// Keeps an event back for a host that stands still.
    fn hold(&mut self, id: HostId, event: Event) -> bool {
        let slot = &mut self.slots[id.0];
        if slot.paused {
            slot.held.push(event);
        }
        slot.paused
    }

    fn deliver(&mut self, link: u32, from: usize) -> Result<(), Broken> {
        let to = 1 - from;
        let found = &mut self.net.links[link as usize];
        let (hosts, id) = (found.hosts, HostId(found.hosts[to]));
        found.streams[from].scheduled = false;
        let Some((arrival, head)) = found.streams[from].items.front() else { return Ok(()) };
        let is_bytes = matches!(head, Item::Bytes(_));
        if *arrival > self.net.now {
            self.net.schedule(link, from);
            return Ok(());
        }
        // Whoever ends these conditions schedules the stream again.
        let untold = to == 1 && found.open[to] && !found.accepted;
        if untold || self.net.blocked.contains(&(hosts[from], hosts[to])) || self.slots[id.0].paused {
            return Ok(());
        }
        if !found.open[to] {
            self.net.discard(link, from, "nobody has this connection any more");
            return Ok(());
        }
        let conn = Conn { link, end: to as u8 };
        let slot = &mut self.slots[id.0];
        if is_bytes && slot.host.as_ref().is_some_and(|host| !host.accepts_input(conn)) {
            slot.choked.push(conn);
            return Ok(());
        }
        match self.net.take_arrived(link, from) {
            None => Ok(()),
            Some(Item::Open) => {
                self.net.links[link as usize].connecting = false;
                self.step(id, Input::Connected { conn })
            }
            Some(Item::Bytes(bytes)) => self.step(id, Input::Received { conn, bytes: &bytes }),
            Some(Item::End { reset }) => {
                // The other end is closed already, or has an end of its own coming.
                let ended = &mut self.net.links[link as usize];
                ended.open[to] = false;
                let connecting = std::mem::take(&mut ended.connecting);
                self.net.record_end_arrived(link, from);
                if connecting {
                    let why = if reset { "Connection reset by peer" } else { "Connection refused" };
                    return self.step(id, Input::Refused { conn, why });
                }
                self.step(id, Input::Closed { conn })
            }
        }
    }

    pub(super) fn step(&mut self, id: HostId, input: Input<'_>) -> Result<(), Broken> {
        self.enter(id, |host, io| host.handle(input, io))
    }

    /// Takes a process out of its slot, lets `body` act on it, and does everything that follows from that.
    pub(super) fn enter(
        &mut self,
        id: HostId,
        body: impl FnOnce(&mut dyn Host, &mut Io<'_, '_>),
    ) -> Result<(), Broken> {
        let now = self.clock(id);
        let slot = &mut self.slots[id.0];
        let Some(mut host) = slot.host.take() else { return Ok(()) };
        let before = self.net.trace.as_ref().and_then(|trace| Some((trace.events.len(), host.state()?)));
        let mut io = Io { net: &mut self.net, disk: &mut slot.disk, me: id.0, now, exit: false };
        body(&mut *host, &mut io);
        let exit = io.exit;
        slot.deadline = host.next_deadline();
        let checked = host.check_invariants();
        let at = self.net.now;
        if let Some(trace) = self.net.trace.as_deref_mut()
            && let (Some((position, before)), Some(after)) = (before, host.state())
            && before != after
        {
            // Shown before what it sends: it is the new state that speaks.
            let (host, label) = (self.net.addresses[id.0].name.clone(), format!("{before} ⇨ {after}"));
            trace.events.insert(position, trace::Event { at, kind: trace::Kind::State { host, label } });
        }
        let choked = std::mem::take(&mut slot.choked);
        for conn in choked {
            if host.accepts_input(conn) {
                self.net.schedule(conn.link, usize::from(1 - conn.end));
            } else {
                slot.choked.push(conn);
            }
        }
        if exit {
            for conn in self.conns_of(id.0) {
                self.net.close(conn);
            }
        } else {
            self.slots[id.0].host = Some(host);
        }
        self.steps += 1;
        self.stepped = id;
        checked
            .map_err(|broken| Broken::new(broken.rule, format!("{} ({})", broken.detail, self.name(id))))?;
        let mut invariants = std::mem::take(&mut self.invariants);
        let kept = invariants.iter_mut().try_for_each(|rule| rule(self));
        self.invariants = invariants;
        kept
    }
}
