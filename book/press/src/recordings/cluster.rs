//! A few nodes of one cluster and their clients, by name, for the runs of chapters 7 and 9.
//!
//! Every node starts from a `nodes.conf` that names them all, so that a run begins with a cluster that knows itself. The
//! ids have the order of the names' places, and wherever an id or an address would stand, a name is shown.

use std::fmt::Write;

use core_types::{ArgsBuf, Endpoint, LogLevel, Millis, Slot};
use node::config::Config;
use node::{ClusterView, MemberView};
use sim::nodes::experiments::run_id;
use sim::nodes::{Client, NodeHost};
use sim::trace::{Event, Kind};
use sim::{Fault, HostId, Profile, Trace, World};

const PORT: u16 = 7000;
const BUS_PORT: u16 = 17_000;
/// The node timeout of all runs.
pub(super) const TIMEOUT: Millis = Millis(1000);

/// Who is in the cluster.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// A master with an equal share of the slots.
    Master,
    /// A replica of the node of this name.
    Of(&'static str),
    /// Nobody knows it yet.
    Stranger,
}

/// The world of one run. Let go of it (`end`) before the trace is used.
pub(super) struct Town<'t> {
    pub(super) world: World<'t>,
    names: Vec<&'static str>,
    hosts: Vec<HostId>,
}

impl<'t> Town<'t> {
    /// The nodes of a cluster, in the order of their ids. `epochs`: the configuration epoch of each master, in their order.
    pub(super) fn new(
        trace: &'t mut Trace,
        parts: &[(&'static str, Part)],
        epochs: &[u64],
        tune: impl Fn(&mut Config) + Clone + 'static,
    ) -> Town<'t> {
        let profile = Profile { epoch: Millis(1_700_000_000_000), ..Profile::calm() };
        let mut world = World::new(1, profile, Some(trace));
        let text = nodes_file(parts, epochs);
        let hosts = parts.iter().enumerate().map(|(place, (name, part))| {
            let mut config = Config {
                port: PORT,
                cluster_enabled: true,
                cluster_node_timeout: TIMEOUT,
                repl_diskless_sync_delay: Millis::ZERO,
                loglevel: LogLevel::Debug,
                ..Config::default()
            };
            tune(&mut config);
            let who = line_head(place);
            let file = match part {
                Part::Stranger => {
                    format!("{who} myself,master - 0 0 0 connected\nvars currentEpoch 0 lastVoteEpoch 0\n")
                }
                _ => text.replace(&who, &format!("{who} myself,")).replace("myself, ", "myself,"),
            };
            world.add(name, &[PORT, BUS_PORT], move |boot| {
                let node = NodeHost::with_files(config.clone(), boot).with_log(LogLevel::Debug);
                node.with_file("nodes.conf", &file)
            })
        });
        let hosts = hosts.collect();
        Town { world, names: parts.iter().map(|(name, _)| *name).collect(), hosts }
    }

    /// A client of a node. It starts with it.
    pub(super) fn client(&mut self, name: &str, of: &str) -> HostId {
        let target = Endpoint::new(of, PORT);
        self.world.add(name, &[], move |boot| Client::new(target.clone(), boot))
    }

    /// Starts everybody, at moments that are no multiple of anything, and lets them get to know each other.
    pub(super) fn start(&mut self) {
        for host in self.world.hosts() {
            self.world.start(host).expect("no rule is broken");
            self.wait(37);
        }
        self.wait(6000);
    }

    pub(super) fn host(&self, name: &str) -> HostId {
        self.hosts[self.place(name)]
    }

    fn place(&self, name: &str) -> usize {
        self.names.iter().position(|known| *known == name).expect("it is one of the nodes")
    }

    pub(super) fn wait(&mut self, millis: u64) {
        self.world.run_for(Millis(millis)).expect("no rule is broken");
    }

    /// Lets time pass until `condition` holds.
    pub(super) fn wait_to(&mut self, what: &str, condition: impl Fn(&Town<'_>) -> bool) {
        let begin = self.now();
        while !condition(self) {
            self.wait(1);
            assert!(self.now().since(begin) < Millis::from_secs(30), "{what}");
        }
    }

    pub(super) fn now(&self) -> Millis {
        self.world.now()
    }

    /// What a node thinks of another one.
    pub(super) fn view(&self, of: &str, member: &str) -> Option<MemberView<'_>> {
        let id = run_id(self.place(member));
        self.cluster(of)?.members().find(|member| member.id().as_str() == id)
    }

    /// What a node knows of the cluster.
    pub(super) fn cluster(&self, of: &str) -> Option<ClusterView<'_>> {
        self.world.get::<NodeHost>(self.host(of))?.node().cluster_view()
    }

    /// An operator's word to a node. It is shown as a remark.
    pub(super) fn order(&mut self, name: &str, command: &str) -> String {
        let said = self.world.act(self.host(name), |node: &mut NodeHost, io| node.order(io, command));
        said.expect("no rule is broken").unwrap_or_default()
    }

    /// Sends a command. No time passes.
    pub(super) fn say(&mut self, client: HostId, command: &str) {
        let sent = self.world.act(client, |client: &mut Client, io| {
            client.send_command(io, ArgsBuf::from_parts(command.split(' ').collect::<Vec<_>>()))
        });
        assert_eq!(sent.expect("no rule is broken"), Some(true), "the client has a connection");
    }

    pub(super) fn crash(&mut self, name: &str) {
        let host = self.host(name);
        self.world.inflict(Fault::Crash(host)).expect("no rule is broken");
    }

    /// Nothing gets through any more between the two sides. The trace says it once, in these words.
    pub(super) fn cut(&mut self, one: &[&str], other: &[&str], words: &str) {
        self.all_of(one, other, words, Fault::Partition);
    }

    /// It does again.
    pub(super) fn mend(&mut self, one: &[&str], other: &[&str], words: &str) {
        self.all_of(one, other, words, Fault::Heal);
    }

    fn all_of(&mut self, one: &[&str], other: &[&str], words: &str, fault: fn(HostId, HostId) -> Fault) {
        let at = self.now();
        let trace = self.world.trace().expect("it is recorded");
        trace.fault(at, words);
        let before = trace.events.len();
        for (left, right) in one.iter().flat_map(|left| other.iter().map(move |right| (left, right))) {
            let fault = fault(self.host(left), self.host(right));
            self.world.inflict(fault).expect("no rule is broken");
        }
        let trace = self.world.trace().expect("it is recorded");
        let mut place = 0;
        trace.events.retain(|event| {
            place += 1;
            place <= before || !matches!(event.kind, Kind::Fault { .. })
        });
    }

    /// A remark beside a node.
    pub(super) fn note(&mut self, name: &str, text: &str) {
        let at = self.now();
        self.world.trace().expect("it is recorded").note(at, Some(name), text);
    }

    /// Lets go of the world.
    pub(super) fn end(self) {
        drop(self.world);
    }
}

fn line_head(place: usize) -> String {
    format!("{} 10.0.0.{}:{PORT}@{BUS_PORT}", run_id(place), place + 1)
}

fn nodes_file(parts: &[(&str, Part)], epochs: &[u64]) -> String {
    let place_of = |name: &str| parts.iter().position(|(known, _)| *known == name).expect("its master");
    let masters: Vec<usize> =
        (0..parts.len()).filter(|place| matches!(parts[*place].1, Part::Master)).collect();
    let rank = |place: usize| masters.iter().position(|master| *master == place).expect("a master");
    let (mut text, slots) = (String::new(), usize::from(Slot::COUNT));
    for (place, (_, part)) in parts.iter().enumerate() {
        let head = line_head(place);
        let _ = match part {
            Part::Master => {
                let rank = rank(place);
                let (first, last) = (rank * slots / masters.len(), (rank + 1) * slots / masters.len() - 1);
                writeln!(text, "{head} master - 0 0 {} connected {first}-{last}", epochs[rank])
            }
            Part::Of(master) => {
                let master = place_of(master);
                writeln!(text, "{head} slave {} 0 0 {} connected", run_id(master), epochs[rank(master)])
            }
            Part::Stranger => Ok(()),
        };
    }
    let newest = epochs.iter().max().copied().unwrap_or(0);
    let _ = writeln!(text, "vars currentEpoch {newest} lastVoteEpoch 0");
    text
}

/// Puts names where ids and addresses stand, in everything that was said.
pub(super) fn with_names(trace: &mut Trace, names: &[&str]) {
    let named = |label: &mut String| {
        for (place, name) in names.iter().enumerate() {
            let id = run_id(place);
            for long in [id.as_str(), &format!("{}..", &id[..8]), &id[..8]] {
                *label = label.replace(long, name);
            }
            *label = label.replace(&format!("10.0.0.{}:{PORT}", place + 1), name);
            *label = label.replace(&format!("10.0.0.{} {PORT}", place + 1), name);
        }
    };
    for event in &mut trace.events {
        match &mut event.kind {
            Kind::Send { label, .. } | Kind::State { label, .. } => named(label),
            Kind::Note { host: Some(_), label } => named(label),
            _ => {}
        }
    }
}

/// Shows of the messages those that `keep` wants, in its words, by time, sender, receiver and label; and of the remarks those
/// that `log` wants, in its words.
pub(super) fn show(
    trace: &mut Trace,
    mut keep: impl FnMut(Millis, &str, &str, &str) -> Option<String>,
    mut log: impl FnMut(Millis, &str, &str) -> Option<String>,
) {
    let mut shown: Vec<u64> = Vec::new();
    let events = std::mem::take(&mut trace.events);
    for Event { at, kind } in events {
        let kind = match kind {
            Kind::Send { id, from, to, label } => match keep(at, &from, &to, &label) {
                // Counted anew, so that the file does not change with what is left out.
                Some(label) => {
                    shown.push(id);
                    Kind::Send { id: shown.len() as u64 - 1, from, to, label }
                }
                None => continue,
            },
            Kind::Receive { id } | Kind::Drop { id, .. } if !shown.contains(&id) => continue,
            // A cable held it back, and when it is mended nobody wants it any more: it is shown as lost where it was sent, by
            // `never_arrives`.
            Kind::Drop { why, .. } if why.starts_with("nobody has this connection") => continue,
            Kind::Receive { id } => Kind::Receive { id: place_in(&shown, id) },
            Kind::Drop { id, why } => Kind::Drop { id: place_in(&shown, id), why },
            Kind::Note { host: Some(host), label } => match log(at, &host, &label) {
                Some(label) => Kind::Note { host: Some(host), label },
                None => continue,
            },
            Kind::State { .. } => continue,
            other => other,
        };
        trace.events.push(Event { at, kind });
    }
}

fn place_in(shown: &[u64], id: u64) -> u64 {
    shown.iter().position(|known| *known == id).expect("it is shown") as u64
}
