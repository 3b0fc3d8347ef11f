//! What happened in a run, in order, and the ways to show it.
//!
//! A [`Trace`] is a list of events. A *timed* one comes out of the simulator or a scripted machine:
//! messages, state changes, faults. A *table* ([`Trace::table`]) has no time; it lists calls of plain
//! functions with what they returned.
//!
//! Three shapes: text ([`Trace::to_text`], for snapshots, verdicts and transcripts in the book), a
//! space-time diagram ([`Trace::to_svg`]) and JSON (`to_json`, behind the feature `json`).

#[cfg(feature = "json")]
mod json;
mod svg;
mod text;
mod watch;

use core_types::Millis;

#[cfg(feature = "json")]
pub use json::JsonError;
pub use svg::SvgOptions;
pub use watch::watch;

/// One run, as somebody watching all hosts at once would tell it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Trace {
    /// What this run shows, in a few words.
    pub title: String,
    /// The hosts in the order in which they are shown. Builders add a host when they first meet it;
    /// call [`Trace::host`] first to choose the order.
    pub hosts: Vec<String>,
    /// True for a table of calls, where time means nothing.
    pub timeless: bool,
    /// What happened, in order; `at` never decreases.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in virtual time since the start of the run.
    pub at: Millis,
    /// What.
    pub kind: Kind,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message leaves `from`. What becomes of it is told by a later `Receive` or `Drop`.
    Send {
        /// Names the message within this trace.
        id: u64,
        /// The host that sends.
        from: String,
        /// The host it is meant for.
        to: String,
        /// The message as a person reads it.
        label: String,
    },
    /// A message arrives.
    Receive {
        /// The message.
        id: u64,
    },
    /// A message is lost and will never arrive.
    Drop {
        /// The message.
        id: u64,
        /// What swallowed it, in a few words; may be empty.
        why: String,
    },
    /// A host changes its state: `A ⇨ B`.
    State {
        /// The host.
        host: String,
        /// The change.
        label: String,
    },
    /// A remark: a log line of one host, or prose about the whole run.
    Note {
        /// The host it belongs to, if it belongs to one.
        host: Option<String>,
        /// The remark.
        label: String,
    },
    /// A plain function was called.
    Call {
        /// The call as one would write it.
        input: String,
        /// What it returned.
        output: String,
    },
    /// Something is broken or repaired from outside: a partition, a heal, a clock that jumps.
    Fault {
        /// What.
        label: String,
    },
    /// A host crashes.
    Down {
        /// The host.
        host: String,
    },
    /// A host that was down starts again.
    Up {
        /// The host.
        host: String,
    },
}

impl Trace {
    /// An empty timed trace.
    pub fn new(title: impl Into<String>) -> Trace {
        Trace { title: title.into(), ..Trace::default() }
    }

    /// An empty table of calls.
    pub fn table(title: impl Into<String>) -> Trace {
        Trace { title: title.into(), timeless: true, ..Trace::default() }
    }

    /// Makes `host` known, behind those already known. Does nothing if it is.
    pub fn host(&mut self, host: &str) {
        if !self.hosts.iter().any(|known| known == host) {
            self.hosts.push(host.to_string());
        }
    }

    /// Adds an event as it is.
    pub fn push(&mut self, at: Millis, kind: Kind) {
        self.events.push(Event { at, kind });
        watch::happened();
    }

    /// Adds a row to a table of calls (in a timed trace: at the time of the last event).
    pub fn call(&mut self, input: impl Into<String>, output: impl Into<String>) {
        let at = self.now();
        self.push(at, Kind::Call { input: input.into(), output: output.into() });
    }

    /// A message leaves. Returns the id to give to [`Trace::receive`] or [`Trace::lose`].
    pub fn send(&mut self, at: Millis, from: &str, to: &str, label: impl Into<String>) -> u64 {
        self.host(from);
        self.host(to);
        let id = self.events.len() as u64;
        self.push(at, Kind::Send { id, from: from.into(), to: to.into(), label: label.into() });
        id
    }

    /// A message arrives.
    pub fn receive(&mut self, at: Millis, id: u64) {
        self.push(at, Kind::Receive { id });
    }

    /// A message is lost. `why` may be empty.
    pub fn lose(&mut self, at: Millis, id: u64, why: impl Into<String>) {
        self.push(at, Kind::Drop { id, why: why.into() });
    }

    /// A message leaves and arrives in the same moment.
    pub fn message(&mut self, at: Millis, from: &str, to: &str, label: impl Into<String>) {
        let id = self.send(at, from, to, label);
        self.receive(at, id);
    }

    /// A host changes its state; `label` says how, for example `Connecting ⇨ Handshake`.
    pub fn state(&mut self, at: Millis, host: &str, label: impl Into<String>) {
        self.host(host);
        self.push(at, Kind::State { host: host.into(), label: label.into() });
    }

    /// A remark beside one host, or about the whole run.
    pub fn note(&mut self, at: Millis, host: Option<&str>, label: impl Into<String>) {
        if let Some(host) = host {
            self.host(host);
        }
        self.push(at, Kind::Note { host: host.map(str::to_string), label: label.into() });
    }

    /// Something is broken or repaired from outside.
    pub fn fault(&mut self, at: Millis, label: impl Into<String>) {
        self.push(at, Kind::Fault { label: label.into() });
    }

    /// A host crashes.
    pub fn down(&mut self, at: Millis, host: &str) {
        self.host(host);
        self.push(at, Kind::Down { host: host.into() });
    }

    /// A host that was down starts again.
    pub fn up(&mut self, at: Millis, host: &str) {
        self.host(host);
        self.push(at, Kind::Up { host: host.into() });
    }

    /// Cuts off what happened before `begin`, and counts time from there. A message that was on its way is cut too.
    /// The last thing to do to a trace: ids of messages sent afterwards could be taken.
    pub fn begin_at(&mut self, begin: Millis) {
        self.events.retain(|event| event.at >= begin);
        self.events.iter_mut().for_each(|event| event.at = event.at.since(begin));
    }

    /// The time of the last event.
    pub fn now(&self) -> Millis {
        self.events.last().map_or(Millis::ZERO, |event| event.at)
    }
}
