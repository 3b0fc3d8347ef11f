//! A drill: the scene is set, a schedule is played, everything is repaired, and somebody looks.

use core_types::{Broken, Frame, Millis, Role};
use drill::{Event, Schedule};
use node::Node;
use node::layers::one_replica::LinkState;

use super::{Customer, Part, SHOP, Said, Scene};
use crate::Trace;
use crate::nodes::{NodeHost, rules};
use crate::trace::Kind;
use crate::world::{Fault, HostId, World};

/// A running drill.
pub struct Drill<'t> {
    /// The world, for whatever else a judge wants to see.
    pub world: World<'t>,
    hosts: Vec<(String, HostId, Part)>,
    /// When the scene was set.
    begin: Millis,
}

/// A write of a client, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// When it was typed.
    pub at: Millis,
    /// When the client had its `OK`; `None` if it never had.
    pub acknowledged: Option<Millis>,
    /// What the next `WAIT` on the same connection answered, if there was one before the next write.
    pub confirmed: Option<i64>,
}

/// Sentinels find each other by their second hello, and hear an `INFO` of everybody within ten seconds.
const ACQUAINTED: Millis = Millis::from_secs(60);

/// Faults that nobody has repaired are left alone for so long after the last event.
const AFTERMATH: Millis = Millis::from_secs(60);

/// And after the repair everybody has this long to agree.
const PATIENCE: Millis = Millis::from_secs(400);

/// How often a condition that costs something is looked at.
const GLANCE: Millis = Millis(50);

impl<'t> Drill<'t> {
    /// Builds the scene, starts everybody, and waits until all nodes are in sync and all sentinels know everybody. With a
    /// trace the run is recorded.
    ///
    /// # Errors
    /// A line of a file that a node does not take; or they do not come together, if the settings prevent it.
    pub fn set(scene: &Scene, seed: u64, trace: Option<&'t mut Trace>) -> Result<Drill<'t>, Broken> {
        scene.check()?;
        let (world, hosts) = scene.build(seed, trace);
        let mut drill = Drill::around(world, hosts);
        drill.start(|part| matches!(part, Part::Node { follows: None } | Part::Client { .. }))?;
        drill.fill(scene.data())?;
        drill.start(|part| matches!(part, Part::Node { .. }))?;
        if !scene.is_alone() {
            drill.world.run_for(Millis(1500))?;
            drill.start(|part| matches!(part, Part::Sentinel { .. }))?;
            drill.wait_until_all_agree(ACQUAINTED, "With nothing broken, everybody finds everybody.")?;
        }
        drill.begin_now();
        Ok(drill)
    }

    /// A drill in a world that somebody else has built. Nobody is started.
    pub fn around(world: World<'t>, hosts: Vec<(String, HostId, Part)>) -> Drill<'t> {
        Drill { world, hosts, begin: Millis::ZERO }
    }

    /// The scene is set now: times count from here.
    pub fn begin_now(&mut self) {
        self.begin = self.world.now();
    }

    /// Starts those that do not run yet.
    fn start(&mut self, which: impl Fn(&Part) -> bool) -> Result<(), Broken> {
        let wanted = |(_, id, part): &&(String, HostId, Part)| which(part) && !self.world.is_up(*id);
        let chosen: Vec<HostId> = self.hosts.iter().filter(wanted).map(|(_, id, _)| *id).collect();
        for id in chosen {
            self.world.start(id)?;
            // Sentinels that start in the same moment do everything in the same moment.
            self.world.run_for(Millis(130))?;
        }
        Ok(())
    }

    /// The first client gives its node a data set of so many bytes.
    fn fill(&mut self, bytes: u64) -> Result<(), Broken> {
        let client = self.hosts.iter().find(|(.., part)| matches!(part, Part::Client { .. }));
        let Some((_, client, _)) = client.filter(|_| bytes > 0) else { return Ok(()) };
        let client = *client;
        self.world.act(client, |customer: &mut Customer, io| customer.fill(io, bytes))?;
        let done = |world: &World<'_>| world.get::<Customer>(client).is_some_and(Customer::is_idle);
        self.world.run_to(PATIENCE, "The client fills its node.", done).map(drop)
    }

    /// Time since the scene was set.
    pub fn now(&self) -> Millis {
        self.world.now().since(self.begin)
    }

    /// When the scene was set, in the time of the trace.
    pub fn begin(&self) -> Millis {
        self.begin
    }

    /// The host of this name.
    ///
    /// # Panics
    /// If there is none: what a learner writes is checked before.
    pub fn id(&self, name: &str) -> HostId {
        self.hosts.iter().find(|(host, ..)| host == name).map(|(_, id, _)| *id).expect("a host of the scene")
    }

    /// The node on a host, if it is up.
    pub fn node(&self, name: &str) -> Option<&Node> {
        rules::node(&self.world, self.id(name))
    }

    /// The names of the data nodes.
    pub fn nodes(&self) -> Vec<&str> {
        let nodes = self.hosts.iter().filter(|(.., part)| matches!(part, Part::Node { .. }));
        nodes.map(|(name, ..)| name.as_str()).collect()
    }

    fn sentinels(&self) -> Vec<HostId> {
        let all = self.hosts.iter().filter(|(.., part)| matches!(part, Part::Sentinel { .. }));
        all.map(|(_, id, _)| *id).collect()
    }

    /// Plays a schedule; times count from the moment at which the scene was set.
    ///
    /// # Errors
    /// If a rule of the simulator's own breaks: that is nobody's fault but the workbook's.
    pub fn play(&mut self, schedule: &Schedule) -> Result<(), Broken> {
        for (time, event) in schedule.moments() {
            self.world.run_until(self.begin + *time)?;
            self.happen(event)?;
        }
        Ok(())
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// As [`play`](Drill::play).
    pub fn wait(&mut self, time: Millis) -> Result<(), Broken> {
        self.world.run_for(time)
    }

    /// Something happens now.
    ///
    /// # Errors
    /// As [`play`](Drill::play).
    pub fn happen(&mut self, event: &Event) -> Result<(), Broken> {
        match event {
            Event::Cut(..) => self.between(event, Fault::Partition),
            Event::CutOneWay(..) => self.between(event, Fault::OneWay),
            Event::Mend(..) => self.between(event, Fault::Heal),
            Event::Slow(_, _, latency) => {
                let latency = *latency;
                self.between(event, move |one, other| Fault::Slow(one, other, latency))
            }
            Event::Fast(..) => self.between(event, Fault::Fast),
            Event::MendAll => self.mend_all(),
            Event::Kill(host) => self.world.inflict(Fault::Crash(self.id(host))),
            Event::Restart(host) => self.world.inflict(Fault::Restart(self.id(host))),
            Event::Pause(host) => self.world.inflict(Fault::Pause(self.id(host))),
            Event::Resume(host) => self.world.inflict(Fault::Resume(self.id(host))),
            Event::Jump(host, by) => self.world.inflict(Fault::ClockJump(self.id(host), *by)),
            Event::Say(host, command) => self.say(host, command),
            Event::Load(host, rate) => {
                let (id, rate) = (self.id(host), *rate);
                self.in_words(event, |drill| {
                    drill.world.act(id, |customer: &mut Customer, io| customer.load(io, rate)).map(drop)
                })
            }
        }
    }

    fn say(&mut self, host: &str, command: &str) -> Result<(), Broken> {
        let id = self.id(host);
        let is_client =
            self.hosts.iter().any(|(name, _, part)| name == host && matches!(part, Part::Client { .. }));
        if is_client {
            self.world.act(id, |customer: &mut Customer, io| customer.say(io, command)).map(drop)
        } else {
            // An operator, at the machine itself.
            self.world.act(id, |node: &mut NodeHost, io| node.order(io, command)).map(drop)
        }
    }

    fn mend_all(&mut self) -> Result<(), Broken> {
        let all: Vec<HostId> = self.hosts.iter().map(|(_, id, _)| *id).collect();
        self.in_words(&Event::MendAll, |drill| {
            for (place, one) in all.iter().enumerate() {
                for other in &all[place + 1..] {
                    drill.world.inflict(Fault::Heal(*one, *other))?;
                    drill.world.inflict(Fault::Fast(*one, *other))?;
                }
            }
            Ok(())
        })
    }

    fn between(&mut self, event: &Event, fault: impl Fn(HostId, HostId) -> Fault) -> Result<(), Broken> {
        let names: Vec<String> = self.hosts.iter().map(|(name, ..)| name.clone()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let Some((one, other)) = event.sides(&names) else { return Ok(()) };
        self.in_words(event, |drill| {
            for left in &one {
                for right in other.iter().filter(|right| *right != left) {
                    drill.world.inflict(fault(drill.id(left), drill.id(right)))?;
                }
            }
            Ok(())
        })
    }

    /// The trace says once, in the event's own words, what happens between many pairs of hosts.
    fn in_words(
        &mut self,
        event: &Event,
        work: impl FnOnce(&mut Drill<'t>) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let at = self.world.now();
        let before = self.world.trace().map_or(0, |trace| {
            trace.fault(at, event.to_string());
            trace.events.len()
        });
        work(self)?;
        if let Some(trace) = self.world.trace() {
            let mut place = 0;
            trace.events.retain(|event| {
                place += 1;
                place <= before || !matches!(event.kind, Kind::Fault { .. })
            });
        }
        Ok(())
    }

    /// A minute passes as things are; then everything that is still broken is repaired, and everybody agrees again.
    ///
    /// # Errors
    /// If they don't within several minutes.
    pub fn calm_down(&mut self) -> Result<(), Broken> {
        self.world.run_for(AFTERMATH)?;
        self.world.note("everything is repaired");
        self.world.heal_all()?;
        self.wait_until_all_agree(PATIENCE, "Once everything is repaired, all agree on one master.")?;
        // What the last one to come back had to load has arrived; one more round of acknowledgements.
        self.world.run_for(Millis(2000))
    }

    fn wait_until_all_agree(&mut self, limit: Millis, what: &str) -> Result<(), Broken> {
        let end = self.world.now() + limit;
        while self.agreed().is_none() {
            if self.world.now() >= end {
                return Err(Broken::new(what, format!("it is not so after {} seconds", limit.as_secs())));
            }
            self.world.run_for(GLANCE)?;
        }
        Ok(())
    }

    /// The one master that all sentinels name and all other nodes follow; `None` while there is no such.
    pub fn agreed(&self) -> Option<&str> {
        let nodes = self.nodes();
        let master = self.only_master()?;
        let followers = nodes.iter().filter(|name| **name != master);
        let in_step = |name: &&&str| {
            self.node(name).is_some_and(|node| {
                matches!(node.role(), Role::Replica { of } if of.host == master)
                    && node.link_state() == Some(LinkState::Online)
            })
        };
        let sentinels = self.sentinels();
        let at_peace = |id: &HostId| {
            let watched = rules::node(&self.world, *id).and_then(|node| node.watched(SHOP));
            watched.is_some_and(|watched| {
                watched.address().host == master
                    && !watched.is_down()
                    && watched.failover().is_none()
                    && watched.hears_all()
                    && watched.sentinels() == sentinels.len()
                    && watched.replicas().filter(|replica| replica.info_at.is_some()).count() + 1
                        == nodes.len()
            })
        };
        (followers.clone().count() == followers.filter(in_step).count() && sentinels.iter().all(at_peace))
            .then_some(master)
    }

    /// The only node that calls itself a master.
    fn only_master(&self) -> Option<&str> {
        let is_master = |name: &&str| self.node(name).is_some_and(|node| *node.role() == Role::Master);
        let mut masters = self
            .hosts
            .iter()
            .map(|(name, ..)| name.as_str())
            .filter(|name| self.nodes().contains(name) && is_master(name));
        masters.next().filter(|_| masters.next().is_none())
    }

    /// Does a node hold this key in its first database?
    pub fn holds(&self, node: &str, key: &str) -> bool {
        self.node(node).is_some_and(|node| node.keyspace().db(0).get(key.as_bytes()).is_some())
    }

    /// All that a client was told to say, in order. Times count from the moment at which the scene was set.
    pub fn said(&self, client: &str) -> Vec<Said> {
        let id = self.id(client);
        // Nobody sets a client's clock, but it does not begin at zero.
        let ahead = self.world.clock(id).since(self.world.now()) + self.begin;
        let Some(customer) = self.world.get::<Customer>(id) else { return Vec::new() };
        let since = |said: &Said| Said {
            at: said.at.since(ahead),
            answer: said.answer.clone().map(|(at, frame)| (at.since(ahead), frame)),
            ..said.clone()
        };
        customer.said().iter().map(since).collect()
    }

    /// The `SET key value` commands of a client, and what it was told about each.
    pub fn writes(&self, client: &str) -> Vec<Write> {
        let mut writes: Vec<Write> = Vec::new();
        for said in self.said(client) {
            let words: Vec<&str> = said.command.split_whitespace().collect();
            match words.as_slice() {
                [set, key, value] if set.eq_ignore_ascii_case("SET") => {
                    let ok = said.answer.filter(|(_, frame)| matches!(frame, Frame::Simple(_)));
                    writes.push(Write {
                        key: (*key).into(),
                        value: (*value).into(),
                        at: said.at,
                        acknowledged: ok.map(|(at, _)| at),
                        confirmed: None,
                    });
                }
                [wait, ..] if wait.eq_ignore_ascii_case("WAIT") => {
                    if let (Some(write), Some((_, Frame::Integer(count)))) = (writes.last_mut(), said.answer)
                    {
                        write.confirmed = Some(count);
                    }
                }
                _ => {}
            }
        }
        writes
    }
}
