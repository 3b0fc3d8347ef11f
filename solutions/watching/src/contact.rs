//! What a sentinel remembers of its talk with one instance, and which answers count as life.

use core_types::{Frame, Millis};

// ANCHOR: contact
/// The times that judge an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Since when the connection for commands stands.
    pub connected_at: Option<Millis>,
    /// When the oldest `PING` was sent that has had no answer which
    /// proves life. `None`: all is answered.
    pub unanswered_since: Option<Millis>,
    /// When the last `PING` was sent.
    pub pinged_at: Millis,
    /// When the last answer to a `PING` came, whatever it said.
    pub heard_at: Millis,
    /// When the last answer came that proves life.
    pub alive_at: Millis,
    /// When the last answer to an `INFO` came.
    pub info_at: Option<Millis>,
    /// When the last hello was taken: the answer to its `PUBLISH` came.
    pub hello_at: Millis,
}
// ANCHOR_END: contact

impl Contact {
    /// An instance that was just heard of. It is given the benefit of the doubt, but the clock runs: until
    /// it has answered once, the time since now counts as silence.
    pub fn new(now: Millis) -> Contact {
        Contact {
            connected_at: None,
            unanswered_since: Some(now),
            pinged_at: now,
            heard_at: now,
            alive_at: now,
            info_at: None,
            hello_at: now,
        }
    }

    /// The connection for commands is there.
    pub fn connected(&mut self, now: Millis) {
        self.connected_at = Some(now);
    }

    /// The connection for commands is gone. What was asked on it is never answered.
    pub fn disconnected(&mut self) {
        self.connected_at = None;
    }

    /// A `PING` was sent.
    ///
    /// Silence counts from the *first* `PING` that was not answered. Whoever counts from the last one never
    /// sees a dead instance, since the next `PING` always comes before the time is up.
    pub fn pinged(&mut self, now: Millis) {
        // <exercise 4.2 pinged>
        self.pinged_at = now;
        self.unanswered_since.get_or_insert(now);
        // </exercise>
    }

    /// An answer to a `PING` came.
    ///
    /// It proves life if it is `PONG`, or an error whose code is `LOADING` (it reads its file, and will be
    /// there) or `MASTERDOWN` (a replica without its master that does not serve old data; not its fault). Any
    /// other answer is noted as heard and proves nothing: something speaks there, but no instance that can
    /// serve.
    pub fn answered(&mut self, now: Millis, reply: &Frame) {
        // <exercise 4.2 answered>
        self.heard_at = now;
        let proves_life = match reply {
            Frame::Simple(text) => text == "PONG",
            Frame::Error(text) => {
                matches!(text.split(' ').next(), Some("LOADING" | "MASTERDOWN"))
            }
            _ => false,
        };
        if proves_life {
            self.alive_at = now;
            self.unanswered_since = None;
        }
        // </exercise>
    }

    /// An answer to an `INFO` came.
    pub fn informed(&mut self, now: Millis) {
        self.info_at = Some(now);
    }

    /// A hello was taken: it has been published.
    pub fn greeted(&mut self, now: Millis) {
        self.hello_at = now;
    }
}
