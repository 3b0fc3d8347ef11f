//! What mdBook says while it works.
//!
//! mdBook logs much that is wrong and carries on. A collector of our own, instead of a logging crate, lets
//! `check` turn those lines into problems.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A warning or an error that mdBook logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// True for an error, false for a warning.
    pub is_error: bool,
    /// The message.
    pub message: String,
}

/// Runs `work` and collects the warnings and errors that it logs on this thread.
pub fn collect<T>(work: impl FnOnce() -> T) -> (T, Vec<Logged>) {
    let logged = Arc::new(Mutex::new(Vec::new()));
    let collector = Collector { logged: Arc::clone(&logged) };
    let result = tracing::subscriber::with_default(collector, work);
    let logged = std::mem::take(&mut *logged.lock().expect("nobody panics while holding it"));
    (result, logged)
}

struct Collector {
    logged: Arc<Mutex<Vec<Logged>>>,
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The order of levels is one of verbosity: ERROR is the least.
        *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let is_error = *event.metadata().level() == Level::ERROR;
        let logged = Logged { is_error, message: message.0 };
        self.logged.lock().expect("nobody panics while holding it").push(logged);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The text of an event, and its other fields behind it.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_errors_are_kept_and_the_rest_is_not() {
        let ((), logged) = collect(|| {
            tracing::info!("building");
            tracing::warn!("odd {}", 1);
            tracing::error!("bad");
        });
        let logged: Vec<_> = logged.iter().map(|line| (line.is_error, line.message.as_str())).collect();
        assert_eq!(logged, [(false, "odd 1"), (true, "bad")]);
    }
}
