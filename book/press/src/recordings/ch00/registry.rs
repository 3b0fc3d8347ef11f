//! The smallest system with all four questions in it: a service registry with heartbeats.

use core_types::Millis;
use sim::Trace;

/// Each instance reports this often.
const BEAT: u64 = 1000;
/// An instance that has been silent for longer than this is struck off.
const SILENCE: Millis = Millis(2500);
/// From one host to another.
const WIRE: u64 = 40;
/// How long the caller waits for an answer before it tries elsewhere.
const PATIENCE: u64 = 400;

/// What the registry knows: who reported, and when last.
#[derive(Default)]
struct Registry {
    seen: Vec<(&'static str, Millis)>,
    turn: usize,
}

impl Registry {
    /// True if this instance was not listed before.
    fn beat(&mut self, now: Millis, name: &'static str) -> bool {
        match self.seen.iter_mut().find(|(known, _)| *known == name) {
            Some((_, last)) => {
                *last = now;
                false
            }
            None => {
                self.seen.push((name, now));
                true
            }
        }
    }

    /// Strikes off who has been silent for too long.
    fn sweep(&mut self, now: Millis) -> Vec<&'static str> {
        let silent = |last: Millis| now.since(last) > SILENCE;
        let gone = self.seen.iter().filter(|(_, last)| silent(*last)).map(|(name, _)| *name).collect();
        self.seen.retain(|(_, last)| !silent(*last));
        gone
    }

    /// Whose turn it is.
    fn pick(&mut self) -> &'static str {
        let (name, _) = self.seen[self.turn % self.seen.len()];
        self.turn += 1;
        name
    }
}

/// Something on its way or due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Beat(&'static str),
    BeatArrives(&'static str, u64),
    Sweep,
    Ask,
    AskArrives(u64),
    Told(&'static str, u64),
    CallArrives(&'static str, u64),
    Answered(u64),
    OutOfPatience(&'static str),
    Pause,
    Resume,
}

/// Two instances of a service, one of which stops for a while without dying.
pub(super) fn registry() -> Trace {
    let mut trace = Trace::new("A service registry");
    for host in ["caller", "registry", "billing-1", "billing-2"] {
        trace.host(host);
    }
    let mut registry = Registry::default();
    let mut due: std::collections::BTreeSet<(u64, Due)> = std::collections::BTreeSet::new();
    due.extend((0..8).map(|n| (n * BEAT, Due::Beat("billing-1"))));
    due.extend((0..8).map(|n| (n * BEAT + 100, Due::Beat("billing-2"))));
    due.extend((0..16).map(|n| (n * 500 + 50, Due::Sweep)));
    due.extend([1500, 2500, 5500, 7500].map(|at| (at, Due::Ask)));
    due.extend([(2300, Due::Pause), (6600, Due::Resume)]);
    let mut paused = false;
    while let Some((at, event)) = due.pop_first() {
        let now = Millis(at);
        let mut then = |after: u64, event| due.insert((at + after, event));
        match event {
            Due::Beat("billing-2") if paused => {}
            Due::Beat(name) => {
                let id = trace.send(now, name, "registry", "beat");
                then(WIRE, Due::BeatArrives(name, id));
            }
            Due::BeatArrives(name, id) => {
                trace.receive(now, id);
                if registry.beat(now, name) {
                    trace.state(now, "registry", format!("lists {name}"));
                }
            }
            Due::Sweep => {
                for name in registry.sweep(now) {
                    trace.state(now, "registry", format!("strikes off {name}"));
                }
            }
            Due::Ask => {
                let id = trace.send(now, "caller", "registry", "who does billing?");
                then(WIRE, Due::AskArrives(id));
            }
            Due::AskArrives(id) => {
                trace.receive(now, id);
                let name = registry.pick();
                let id = trace.send(now, "registry", "caller", name);
                then(WIRE, Due::Told(name, id));
            }
            Due::Told(name, id) => {
                trace.receive(now, id);
                let id = trace.send(now, "caller", name, "bill 17");
                then(WIRE, Due::CallArrives(name, id));
            }
            Due::CallArrives(name, id) if paused && name == "billing-2" => {
                trace.lose(now, id, "nobody reads it");
                then(PATIENCE, Due::OutOfPatience("billing-1"));
            }
            Due::CallArrives(name, id) => {
                trace.receive(now, id);
                let id = trace.send(now, name, "caller", "done");
                then(WIRE, Due::Answered(id));
            }
            Due::Answered(id) => trace.receive(now, id),
            Due::OutOfPatience(other) => {
                trace.note(now, Some("caller"), "no answer: tries another one");
                let id = trace.send(now, "caller", other, "bill 17");
                then(WIRE, Due::CallArrives(other, id));
            }
            Due::Pause => {
                paused = true;
                trace.note(now, Some("billing-2"), "stops for a while; it is not dead");
            }
            Due::Resume => {
                paused = false;
                trace.note(now, Some("billing-2"), "goes on");
            }
        }
    }
    trace
}
