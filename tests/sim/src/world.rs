//! A world of hosts on one thread: virtual time, one seed, faults.
//!
//! Nothing here happens by itself. Whatever happens next is the earliest of what is queued (bytes that arrive,
//! faults, deadlines of hosts); it happens to one host; then every invariant is checked. Two runs with the same
//! seed, hosts and faults are equal, event by event, with and without a trace.
//!
//! What is simulated, and how far:
//! - *Connections* are TCP as a program sees it ([`net`](self)): ordered bytes, cut anywhere, held back by a
//!   partition rather than lost, with a bounded buffer.
//! - *A crash* kills a process, not its machine: peers get a reset (or what was sent, then the end), and files
//!   keep what was synced ([`Disk`]).
//! - *A pause* stops a process while its kernel goes on: connections are still accepted, bytes pile up.
//! - *Clocks* differ by whole jumps; they don't drift. A clock that is set back does not prolong the sleep that a
//!   process is in: how long that takes was decided before.

mod disk;
mod fault;
mod host;
mod net;
mod repair;
mod step;
mod wires;

use std::any::Any;

use core_types::{Broken, Millis, Rng};

use crate::Trace;
pub use disk::Disk;
pub use fault::{Fault, FaultMix, FaultPlan};
pub use host::{Boot, Conn, Host, Input, Io};
use net::{Address, Event, Net};

/// A host's place in the world, in the order in which hosts were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub usize);

/// How the network behaves when nothing is broken.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The shortest and the longest time a segment takes.
    pub latency: (Millis, Millis),
    /// In so many of 100 cases, a write arrives in more than one piece.
    pub split_percent: u64,
    /// How many bytes one direction of a connection holds before it takes no more.
    pub buffer: usize,
    /// How many bytes a second one host can send, over all its connections; `None` is without limit.
    pub bandwidth: Option<u64>,
    /// When somebody who connects gives up, if nobody answers.
    pub connect_timeout: Millis,
    /// What the hosts' clocks show when the run begins.
    pub epoch: Millis,
}

impl Default for Profile {
    fn default() -> Profile {
        Profile {
            latency: (Millis(1), Millis(5)),
            split_percent: 25,
            buffer: 64 * 1024,
            bandwidth: None,
            connect_timeout: Millis::from_secs(120),
            epoch: Millis::ZERO,
        }
    }
}

impl Profile {
    /// Every message takes one millisecond and arrives whole: for transcripts that people read.
    pub fn calm() -> Profile {
        Profile { latency: (Millis(1), Millis(1)), split_percent: 0, ..Profile::default() }
    }
}

type Factory = Box<dyn FnMut(&Boot) -> Box<dyn Host>>;
type Invariant<'t> = Box<dyn FnMut(&World<'t>) -> Result<(), Broken> + 't>;

struct Slot {
    /// The process; `None` while it is down.
    host: Option<Box<dyn Host>>,
    factory: Factory,
    disk: Disk,
    rng: Rng,
    /// How far this host's clock is from virtual time.
    skew: i64,
    paused: bool,
    restarts: u32,
    /// When it died last.
    died_at: Option<Millis>,
    /// What its kernel holds for it while it is paused.
    held: Vec<Event>,
    /// Connections on which it doesn't want to read now.
    choked: Vec<Conn>,
    last_tick: Millis,
    ticks: u32,
    /// When the process wants a tick, by its clock; it changes only by what happens to the process.
    deadline: Option<Millis>,
}

/// The simulated world. See the [module](self).
pub struct World<'t> {
    net: Net<'t>,
    slots: Vec<Slot>,
    invariants: Vec<Invariant<'t>>,
    steps: u64,
    stepped: HostId,
}

/// A host that is ticked and asks for the same tick again would stop time.
const TICKS_AT_ONE_TIME: u32 = 1000;

impl<'t> World<'t> {
    /// An empty world whose whole future follows from `seed`. With a trace, everything is recorded there.
    pub fn new(seed: u64, profile: Profile, trace: Option<&'t mut Trace>) -> World<'t> {
        let net = Net::new(Rng::new(seed), profile, trace);
        World { net, slots: Vec::new(), invariants: Vec::new(), steps: 0, stepped: HostId(0) }
    }

    /// Adds a host that listens on `ports`; [`World::start_all`] starts it. `factory` makes the process, now
    /// and after each crash.
    pub fn add<H: Host>(
        &mut self,
        name: &str,
        ports: &[u16],
        mut factory: impl FnMut(&Boot) -> H + 'static,
    ) -> HostId {
        let id = HostId(self.slots.len());
        if let Some(trace) = self.net.trace.as_deref_mut() {
            trace.host(name);
        }
        let number = id.0 + 1;
        let ip = format!("10.0.{}.{}", number >> 8, number & 255);
        self.net.addresses.push(Address { name: name.into(), ip, ports: ports.to_vec() });
        self.net.wires.add_host();
        let rng = self.net.rng.fork();
        self.slots.push(Slot {
            host: None,
            factory: Box::new(move |boot| Box::new(factory(boot))),
            disk: Disk::default(),
            rng,
            skew: i64::try_from(self.net.profile.epoch.0).unwrap_or(i64::MAX),
            paused: false,
            restarts: 0,
            died_at: None,
            held: Vec::new(),
            choked: Vec::new(),
            last_tick: Millis::ZERO,
            ticks: 0,
            deadline: None,
        });
        id
    }

    /// Starts a host that is not running: for the first time, or after a crash.
    ///
    /// # Errors
    /// If an invariant doesn't hold afterwards.
    pub fn start(&mut self, id: HostId) -> Result<(), Broken> {
        if self.slots[id.0].host.is_some() {
            return Ok(());
        }
        let now = self.clock(id);
        let address = &self.net.addresses[id.0];
        let slot = &mut self.slots[id.0];
        let boot = Boot {
            seed: slot.rng.next_u64(),
            now,
            name: address.name.clone(),
            ip: address.ip.clone(),
            restarts: slot.restarts,
            disk: slot.disk.clone(),
        };
        slot.host = Some((slot.factory)(&boot));
        slot.restarts += 1;
        self.step(id, Input::Start)
    }

    /// Starts every host that is not running.
    ///
    /// # Errors
    /// If an invariant doesn't hold afterwards.
    pub fn start_all(&mut self) -> Result<(), Broken> {
        (0..self.slots.len()).try_for_each(|index| self.start(HostId(index)))
    }

    /// A rule about the whole world, checked after every step.
    pub fn always(&mut self, rule: impl FnMut(&World<'t>) -> Result<(), Broken> + 't) {
        self.invariants.push(Box::new(rule));
    }

    /// Queues the faults of a plan. Times that have passed mean now.
    pub fn plan(&mut self, plan: &FaultPlan) {
        for &(time, fault) in &plan.faults {
            let index = self.net.faults.len() as u32;
            self.net.faults.push(fault);
            self.net.at(time, Event::Fault { index });
        }
    }

    /// Virtual time.
    pub fn now(&self) -> Millis {
        self.net.now
    }

    /// A host's clock.
    pub fn clock(&self, id: HostId) -> Millis {
        Millis(self.net.now.0.saturating_add_signed(self.slots[id.0].skew))
    }

    /// How many events have been handled.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The host that handled the last event: an invariant need not look at the others again.
    pub fn last_stepped(&self) -> HostId {
        self.stepped
    }

    /// All hosts.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.slots.len()).map(HostId)
    }

    /// A host's name.
    pub fn name(&self, id: HostId) -> &str {
        &self.net.addresses[id.0].name
    }

    /// The process on a host, if it runs and is an `H`.
    pub fn get<H: Host>(&self, id: HostId) -> Option<&H> {
        let host: &dyn Any = self.slots[id.0].host.as_deref()?;
        host.downcast_ref()
    }

    /// True while the process runs, paused or not.
    pub fn is_up(&self, id: HostId) -> bool {
        self.slots[id.0].host.is_some()
    }

    /// How often the process on a host has been started.
    pub fn starts(&self, id: HostId) -> u32 {
        self.slots[id.0].restarts
    }

    /// When the process on a host last crashed.
    pub fn died_at(&self, id: HostId) -> Option<Millis> {
        self.slots[id.0].died_at
    }

    /// A host's address, by which others can connect to it as well as by its name.
    pub fn ip(&self, id: HostId) -> &str {
        &self.net.addresses[id.0].ip
    }

    /// True while the process runs, but stands still.
    pub fn is_paused(&self, id: HostId) -> bool {
        self.slots[id.0].paused
    }

    /// The host at the other end of one of `id`'s connections.
    pub fn peer(&self, id: HostId, conn: Conn) -> HostId {
        let hosts = self.net.links[conn.link as usize].hosts;
        HostId(if hosts[0] == id.0 { hosts[1] } else { hosts[0] })
    }

    /// True while both ends of a connection regard it as theirs.
    pub fn is_open(&self, conn: Conn) -> bool {
        self.net.links[conn.link as usize].open == [true, true]
    }

    /// True if nothing gets from one host to the other.
    pub fn is_blocked(&self, from: HostId, to: HostId) -> bool {
        self.net.blocked.contains(&(from.0, to.0))
    }

    /// A host's files.
    pub fn disk(&self, id: HostId) -> &Disk {
        &self.slots[id.0].disk
    }

    /// The trace, to add remarks to.
    pub fn trace(&mut self) -> Option<&mut Trace> {
        self.net.trace.as_deref_mut()
    }

    /// A remark about the whole run, if one is recorded.
    pub fn note(&mut self, text: &str) {
        let at = self.net.now;
        if let Some(trace) = self.net.trace.as_deref_mut() {
            trace.note(at, None, text);
        }
    }

    /// Lets a test act through a host: `act` gets the process and its access to the world. `None` if the host is
    /// down or is no `H`. It counts as an event: invariants are checked. It works on a paused host too.
    ///
    /// # Errors
    /// If an invariant doesn't hold afterwards.
    pub fn act<H: Host, R>(
        &mut self,
        id: HostId,
        act: impl FnOnce(&mut H, &mut Io<'_, '_>) -> R,
    ) -> Result<Option<R>, Broken> {
        let mut result = None;
        self.enter(id, |host, io| {
            let host: &mut dyn Any = host;
            result = host.downcast_mut::<H>().map(|host| act(host, io));
        })?;
        Ok(result)
    }

    /// Lets time pass until `until`.
    ///
    /// # Errors
    /// The first invariant that doesn't hold.
    pub fn run_until(&mut self, until: Millis) -> Result<(), Broken> {
        while self.run_one(until)? {}
        self.net.now = self.net.now.max(until);
        Ok(())
    }

    /// Lets time pass for so long.
    ///
    /// # Errors
    /// The first invariant that doesn't hold.
    pub fn run_for(&mut self, time: Millis) -> Result<(), Broken> {
        self.run_until(self.net.now + time)
    }

    /// Lets time pass until `condition` holds, and says when that was. It must come true within `limit`.
    ///
    /// # Errors
    /// The first invariant that doesn't hold; or `what` as a rule, if the time is up.
    pub fn run_to(
        &mut self,
        limit: Millis,
        what: &str,
        mut condition: impl FnMut(&World<'t>) -> bool,
    ) -> Result<Millis, Broken> {
        let begin = self.net.now;
        let until = begin + limit;
        loop {
            if condition(self) {
                return Ok(self.net.now.since(begin));
            }
            if !self.run_one(until)? {
                return Err(Broken::new(what, format!("still not so after {limit}")));
            }
        }
    }
}

#[cfg(test)]
mod tests;
