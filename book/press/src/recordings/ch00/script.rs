//! What happens on one wire, written down in any order and played in the order of time.

use core_types::{Millis, show_bytes};
use sim::Trace;

/// Messages and remarks, each with its time.
#[derive(Default)]
pub(super) struct Script {
    steps: Vec<(u64, Step)>,
    messages: Vec<Message>,
}

struct Message {
    from: &'static str,
    to: &'static str,
    label: String,
    id: u64,
}

enum Step {
    Send(usize),
    Receive(usize),
    Note(Option<&'static str>, String),
}

impl Script {
    /// A message that leaves at one time and arrives at another.
    pub(super) fn message(
        &mut self,
        sent: u64,
        arrives: u64,
        from: &'static str,
        to: &'static str,
        label: String,
    ) {
        let index = self.messages.len();
        self.messages.push(Message { from, to, label, id: 0 });
        self.steps.push((sent, Step::Send(index)));
        self.steps.push((arrives, Step::Receive(index)));
    }

    /// A remark beside a host, or about the whole run.
    pub(super) fn note(&mut self, at: u64, host: Option<&'static str>, label: impl Into<String>) {
        self.steps.push((at, Step::Note(host, label.into())));
    }

    /// The run. Steps of the same moment keep the order in which they were written down.
    pub(super) fn play(mut self, title: &str) -> Trace {
        let mut trace = Trace::new(title);
        trace.host("client");
        trace.host("server");
        self.steps.sort_by_key(|(at, _)| *at);
        for (at, step) in self.steps {
            let at = Millis(at);
            match step {
                Step::Send(index) => {
                    let message = &mut self.messages[index];
                    message.id = trace.send(at, message.from, message.to, message.label.as_str());
                }
                Step::Receive(index) => trace.receive(at, self.messages[index].id),
                Step::Note(host, label) => trace.note(at, host, label),
            }
        }
        trace
    }
}

/// Bytes as they are shown: long ones by their beginning and their length.
pub(super) fn show(bytes: &[u8]) -> String {
    let shown = match bytes.len() {
        ..=64 => show_bytes(bytes),
        length => format!("{}… ({length} bytes)", show_bytes(&bytes[..48])),
    };
    shown.replace("\\\"", "\"")
}
