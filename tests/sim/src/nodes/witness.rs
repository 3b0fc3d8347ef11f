//! Somebody who writes numbered marks and waits for replicas to have them: what `WAIT` promises, taken at its word.

use core_types::{ArgsBuf, Broken, Endpoint, Frame, Millis, Rng};

use super::Client;
use crate::world::{Boot, Host, Input, Io};

/// A client that sets the key [`MARK`](Witness::MARK) to 1, 2, 3, … and after each asks `WAIT`.
pub struct Witness {
    client: Client,
    rng: Rng,
    /// How many replicas it asks for.
    replicas: u64,
    /// How long it lets the node wait for them.
    patience: Millis,
    next: Option<Millis>,
    mark: u64,
    /// How many replies of the client's have been looked at.
    read: u64,
    /// The mark that was set, and whether the node said that it did.
    set: Option<u64>,
    confirmed: Vec<(u64, u64)>,
}

impl Witness {
    /// The key that holds the newest mark, in database 0.
    pub const MARK: &'static [u8] = b"mark";

    /// Writes to `target`, and asks for so many replicas each time, for so long.
    pub fn new(target: Endpoint, replicas: u64, patience: Millis, password: &str, boot: &Boot) -> Witness {
        Witness {
            client: Client::new(target, boot).with_password(password),
            rng: Rng::new(boot.seed ^ 0x9a7c),
            replicas,
            patience,
            next: Some(boot.now),
            mark: 0,
            read: 0,
            set: None,
            confirmed: Vec::new(),
        }
    }

    /// The command that sets a mark.
    pub fn command(mark: u64) -> ArgsBuf {
        let mark = mark.to_string();
        ArgsBuf::from_parts([b"SET".as_slice(), Witness::MARK, mark.as_bytes()])
    }

    /// Marks that were set, each with the number of replicas that the node said have it.
    pub fn confirmed(&self) -> &[(u64, u64)] {
        &self.confirmed
    }

    /// No more marks.
    pub fn stop(&mut self) {
        self.next = None;
    }

    /// Turns to another node.
    pub fn retarget(&mut self, io: &mut Io<'_, '_>, target: Endpoint) {
        self.client.retarget(io, target);
        self.set = None;
    }

    fn read_replies(&mut self) {
        let news = (self.client.answered - self.read) as usize;
        self.read = self.client.answered;
        let replies = &self.client.replies;
        for (command, reply) in replies.iter().skip(replies.len().saturating_sub(news)) {
            let args = command.as_args();
            match reply {
                Frame::Simple(_) if args.is(0, "SET") => {
                    self.set = std::str::from_utf8(&args[2]).ok().and_then(|mark| mark.parse().ok());
                }
                Frame::Integer(count) if args.is(0, "WAIT") => {
                    let count = u64::try_from(*count).unwrap_or(0);
                    self.confirmed.extend(self.set.take().map(|mark| (mark, count)));
                }
                _ => self.set = None,
            }
        }
    }
}

impl Host for Witness {
    fn handle(&mut self, input: Input<'_>, io: &mut Io<'_, '_>) {
        self.client.handle(input, io);
        self.read_replies();
        if self.next.is_some_and(|next| io.now() >= next) {
            self.next = Some(io.now() + Millis(self.rng.between(100, 1500)));
            if self.client.is_connected() && self.client.sent == self.client.answered {
                self.mark += 1;
                self.client.send_command(io, Witness::command(self.mark));
                let (replicas, patience) = (self.replicas.to_string(), self.patience.0.to_string());
                self.client.send_command(io, ArgsBuf::from_parts(["WAIT", &replicas, &patience]));
            }
        }
    }

    fn next_deadline(&self) -> Option<Millis> {
        self.next.into_iter().chain(self.client.next_deadline()).min()
    }

    fn check_invariants(&self) -> Result<(), Broken> {
        self.client.check_invariants()
    }
}
