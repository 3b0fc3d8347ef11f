//! From bytes to executed commands, and from what they changed to the replication stream.

use core_types::{Args, LogLevel, Origin, Reply};
use keyspace::{Ctx, Deleted, Flags};

use crate::Node;
use crate::conn::{Conn, Input, Kind};
use crate::layers::one_replica::{CommandTraits, Gate, expired_key, may_run};
use crate::layers::wire::{Encoder, Limits};
use crate::node::STOP_READING;
use crate::replication::Discard;
use crate::table::{self, Command, Run};

impl Node {
    /// Executes every complete command at the front of `buffer` and returns how many bytes they took.
    pub(crate) fn execute_all(&mut self, conn: &mut Conn, input: &mut Input, buffer: &[u8]) -> usize {
        let mut used = 0;
        conn.throttled = false;
        while used < buffer.len() && !conn.closing {
            if conn.out.len() >= STOP_READING && matches!(conn.kind, Kind::Client) {
                conn.throttled = true;
                break;
            }
            let rest = &buffer[used..];
            let limits = Limits {
                bulk: self.config.proto_max_bulk_len as i64,
                authenticated: conn.authenticated,
                ..Limits::DEFAULT
            };
            match input.decoder.decode(rest, &limits) {
                Ok(Some(length)) => {
                    let args = input.decoder.args(rest);
                    if !args.is_empty() {
                        self.execute(conn, args);
                    }
                    used += length;
                }
                Ok(None) => break,
                Err(error) => {
                    // The stream is out of step for good: answer, and hang up.
                    self.log(
                        LogLevel::Verbose,
                        format!("Protocol error ({error}) from client: {}", conn.addr),
                    );
                    self.encoder(conn).error(&format!("ERR Protocol error: {error}"));
                    self.close_taken(conn);
                    return buffer.len();
                }
            }
        }
        used
    }

    pub(crate) fn encoder<'a>(&mut self, conn: &'a mut Conn) -> Encoder<'a> {
        Encoder::new(&mut conn.out, conn.protocol)
    }

    /// One command of a client: the checks in Redis's order, then the command.
    fn execute(&mut self, conn: &mut Conn, args: Args<'_>) {
        let before = conn.out.len();
        match self.admit(conn, args) {
            Ok(command) => {
                conn.last_command = command.spec.name;
                self.stats.commands_processed += 1;
                match command.run {
                    Run::Data(handler) => {
                        let mut reply = Encoder::new(&mut conn.out, conn.protocol);
                        let mut ctx = Ctx {
                            keyspace: &mut self.keyspace,
                            db: conn.db,
                            now: self.now,
                            expired: expired_key(&self.replication.role, Origin::Client),
                            protocol: conn.protocol,
                            reply: &mut reply,
                            effects: &mut self.effects,
                        };
                        handler(&mut ctx, args);
                        self.after_data(conn.db, args);
                    }
                    Run::Node(handler) => handler(self, conn, args),
                }
            }
            Err(text) => self.encoder(conn).error(&text),
        }
        if conn.out.get(before) == Some(&b'-') {
            self.stats.error_replies += 1;
        }
        if let Kind::Replica(replica) = &mut conn.kind {
            // A replica hears its stream and nothing else: Redis, too, drops replies to replicas. What the
            // command released of the stream comes only now, so that it does not go with the reply.
            if conn.replica_mute {
                conn.out.truncate(before);
            }
            for bytes in replica.released.drain(..) {
                conn.out.extend_from_slice(&bytes);
            }
        }
    }

    /// May this client run this command now?
    fn admit(&self, conn: &Conn, args: Args<'_>) -> Result<&'static Command, String> {
        let Some(command) = table::lookup(args.name()) else {
            return Err(unknown_command(args));
        };
        let spec = &command.spec;
        if !spec.accepts(args.len()) {
            return Err(format!("ERR wrong number of arguments for '{}' command", spec.name));
        }
        if !conn.authenticated && !spec.flags.contains(Flags::NO_AUTH) {
            return Err("NOAUTH Authentication required.".into());
        }
        if self.replication.is_replica() {
            let gate = Gate {
                role_is_replica: true,
                read_only: self.config.replica_read_only,
                link_up: self.replication.link_is_online(),
                serve_stale: self.config.replica_serve_stale_data,
                loading: false,
            };
            let traits = CommandTraits {
                write: spec.flags.contains(Flags::WRITE),
                while_stale: spec.flags.contains(Flags::STALE),
                while_loading: spec.flags.contains(Flags::LOADING),
            };
            may_run(&gate, Origin::Client, traits).map_err(|refusal| refusal.to_string())?;
        }
        Ok(command)
    }

    /// One command of our master's stream. It was executed there, so nobody hears a reply.
    pub(crate) fn execute_from_master(&mut self, db: usize, args: Args<'_>) {
        if WITHOUT_EFFECT.iter().any(|name| args.is(0, name)) {
            return;
        }
        let Some(command) = table::lookup(args.name()) else {
            return self.cannot_apply(args, "the command is not known here");
        };
        self.stats.commands_processed += 1;
        match command.run {
            Run::Data(handler) => {
                if db >= self.keyspace.databases() {
                    return self.cannot_apply(args, "the database does not exist here");
                }
                if !command.spec.accepts(args.len()) {
                    return self.cannot_apply(args, "wrong number of arguments");
                }
                let mut reply = Discard::default();
                let mut ctx = Ctx {
                    keyspace: &mut self.keyspace,
                    db,
                    now: self.now,
                    expired: expired_key(&self.replication.role, Origin::MasterLink),
                    protocol: core_types::Protocol::Resp2,
                    reply: &mut reply,
                    effects: &mut self.effects,
                };
                handler(&mut ctx, args);
                // Replicas of this replica get the master's own bytes, so there is nothing to add.
                self.effects.clear();
                if let Some(error) = reply.error {
                    self.cannot_apply(args, &error);
                }
            }
            // What touches no data has no effect here.
            Run::Node(_) => {}
        }
    }

    /// A replica that cannot do what its master did no longer holds the same data. Redis logs it as
    /// critical and goes on; so do we.
    fn cannot_apply(&mut self, args: Args<'_>, why: &str) {
        let name = String::from_utf8_lossy(args.name()).into_owned();
        self.log(
            LogLevel::Warning,
            format!("== CRITICAL == This replica cannot apply '{name}' from its master: {why}"),
        );
    }

    /// Counts what a data command did, and tells the replicas.
    pub(crate) fn after_data(&mut self, db: usize, args: Args<'_>) {
        let effects = &mut self.effects;
        self.stats.keyspace_hits += std::mem::take(&mut effects.hits);
        self.stats.keyspace_misses += std::mem::take(&mut effects.misses);
        self.stats.expired_keys += std::mem::take(&mut effects.expired);
        let changed = effects.dirty > 0 || !effects.before.is_empty();
        if changed {
            self.replication.dirty += effects.dirty;
            if self.replication.is_feeding() {
                for command in effects.told(args) {
                    self.replication.append(Some(db), command);
                }
            }
        }
        effects.clear();
    }

    /// Deletes a few keys whose time is up, on a master. A replica waits for its master's `DEL`.
    pub(crate) fn expire_some(&mut self) {
        if self.replication.is_replica() {
            return;
        }
        let mut deleted = Vec::new();
        self.keyspace.active_expire(self.now, EXPIRE_BUDGET, &mut deleted);
        for Deleted { db, key } in deleted {
            self.stats.expired_keys += 1;
            if self.replication.is_feeding() {
                let del = core_types::ArgsBuf::from_parts([b"DEL".as_slice(), &key]);
                self.replication.append(Some(db), del.as_args());
            }
        }
    }
}

/// What a master's stream may hold besides commands on data: the brackets of a transaction, whose
/// commands are applied as they come, and messages, for which there are no subscribers yet.
const WITHOUT_EFFECT: [&str; 4] = ["MULTI", "EXEC", "PUBLISH", "SPUBLISH"];

/// How many keys one round of active expiry may look at.
const EXPIRE_BUDGET: usize = 2_000;

fn unknown_command(args: Args<'_>) -> String {
    // `processCommand` in Redis's server.c: the name up to 128 bytes, then arguments until the list of
    // them, quotes and blanks included, has 128.
    const MOST: usize = 128;
    let mut list = String::new();
    for arg in args.iter().skip(1) {
        if list.len() >= MOST {
            break;
        }
        let piece = shown(arg, MOST - list.len());
        list.push_str(&format!("'{piece}' "));
    }
    format!("ERR unknown command '{}', with args beginning with: {list}", shown(args.name(), MOST))
}

fn shown(bytes: &[u8], most: usize) -> String {
    // To Redis these are C strings, which end at a NUL byte.
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end.min(most)]).into_owned()
}
