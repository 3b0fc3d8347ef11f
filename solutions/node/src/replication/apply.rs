//! The stream: applied here, and passed on unchanged.

use core_types::{Args, ArgsBuf, LogLevel};

use crate::Node;
use crate::conn::Input;
use crate::layers::one_replica::Apply;
use crate::layers::trees::Relay;
use crate::layers::wire::Limits;

/// What has arrived of the stream and is not applied.
#[derive(Default)]
pub(super) struct Received {
    /// Bytes that do not make a whole command yet.
    input: Input,
    /// Between `MULTI` and `EXEC`: the commands so far, with their sizes in bytes. They are applied and
    /// counted at the `EXEC`, so that no offset stands for half a transaction.
    transaction: Option<Vec<(ArgsBuf, usize)>>,
    /// The sum of those sizes.
    queued: usize,
    /// What goes on to our own replicas.
    relay: Relay,
}

impl Received {
    /// How many bytes that is.
    pub(super) fn len(&self) -> usize {
        self.input.pending.len() + self.queued
    }

    /// The link is gone: they will be asked for again.
    pub(super) fn forget(&mut self) {
        self.input = Input::default();
        self.transaction = None;
        self.queued = 0;
        self.relay.reset();
    }
}

impl Node {
    /// Applies bytes of the stream, and passes them on.
    pub(super) fn apply_stream(&mut self, data: &[u8]) {
        let Some(upstream) = &mut self.replication.upstream else { return };
        let conn = upstream.conn;
        let mut input = std::mem::take(&mut upstream.received.input);
        if input.pending.is_empty() {
            let used = self.apply_commands(&mut input, data);
            input.pending.extend_from_slice(&data[used..]);
        } else {
            input.pending.extend_from_slice(data);
            let pending = std::mem::take(&mut input.pending);
            let used = self.apply_commands(&mut input, &pending);
            input.pending = pending;
            let _ = input.pending.split_to(used);
        }
        // What the stream held may have ended the link; then the rest of it is void.
        if let Some(upstream) = self.replication.upstream.as_mut()
            && upstream.conn.is_some()
            && upstream.conn == conn
        {
            upstream.received.input = input;
        }
    }

    fn apply_commands(&mut self, input: &mut Input, buffer: &[u8]) -> usize {
        let mut used = 0;
        // Up to here the relay has been shown what came.
        let mut shown = 0;
        let mut broken = None;
        while used < buffer.len() {
            let rest = &buffer[used..];
            match input.decoder.decode(rest, &Limits::DEFAULT) {
                Ok(Some(length)) => {
                    let args = input.decoder.args(rest);
                    if rest[0] != b'*' && !args.is_empty() {
                        // A master sends an empty line at most. Anything else, and we have lost our place.
                        broken = Some("a line where a command should begin".to_string());
                        break;
                    }
                    let Some(upstream) = &mut self.replication.upstream else { return used };
                    if args.is(0, "MULTI") && upstream.received.transaction.is_none() {
                        // What came before is applied, and what follows is not until the EXEC.
                        self.pass_on(&buffer[shown..used]);
                        shown = used;
                    }
                    self.apply_or_queue(args, length);
                    used += length;
                }
                Ok(None) => break,
                Err(error) => {
                    broken = Some(error.to_string());
                    break;
                }
            }
        }
        self.pass_on(&buffer[shown..used]);
        if let Some(error) = broken {
            self.log(LogLevel::Warning, format!("Protocol error from master: {error}"));
            // Where the bytes make no sense the offset does not, either.
            self.doubt_position();
            self.close_link_and_retry();
        }
        used
    }

    fn apply_or_queue(&mut self, args: Args<'_>, length: usize) {
        let Some(upstream) = &mut self.replication.upstream else { return };
        let received = &mut upstream.received;
        if let Some(mut commands) = received.transaction.take() {
            commands.push((args.to_buf(), length));
            received.queued += length;
            if !args.is(0, "EXEC") {
                received.transaction = Some(commands);
                return;
            }
            received.queued = 0;
            self.begin_unit();
            for (command, length) in &commands {
                self.apply_one(command.as_args(), *length);
            }
            self.end_unit();
        } else if args.is(0, "MULTI") {
            received.transaction = Some(vec![(args.to_buf(), length)]);
            received.queued = length;
        } else {
            self.apply_one(args, length);
        }
    }

    fn apply_one(&mut self, args: Args<'_>, length: usize) {
        let Some(upstream) = &mut self.replication.upstream else { return };
        match upstream.reader.apply(args, length) {
            Apply::Run { db } => self.execute_from_master(db, args),
            Apply::Nothing => {}
            Apply::Ack(offset) => self.acknowledge(offset),
        }
    }

    /// Passes the master's bytes on, unchanged, so that offsets agree in the whole tree.
    fn pass_on(&mut self, bytes: &[u8]) {
        let Some(upstream) = &mut self.replication.upstream else { return };
        let open = upstream.received.transaction.is_some();
        upstream.received.relay.applied(bytes, open, &mut self.replication.stream);
    }
}
