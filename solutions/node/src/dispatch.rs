//! From bytes to executed commands, and from what they changed to the replication stream.

use core_types::{Args, ExpiredKey, LogLevel, Origin, Reply};
use keyspace::{Ctx, Deleted, Flags, Handler};

use crate::Node;
use crate::conn::{Conn, Input, Kind, Replies};
use crate::events::STOP_READING;
use crate::layers::one_replica::{CommandTraits, Gate, expired_key, may_run};
use crate::layers::wire::{Encoder, Limits};
use crate::pubsub::{Space, refused_to_subscriber};
use crate::replication::Discard;
use crate::table::{self, Call, Run};

impl Node {
    /// Executes every complete command at the front of `buffer` and returns how many bytes they took.
    pub(crate) fn execute_all(&mut self, conn: &mut Conn, input: &mut Input, buffer: &[u8]) -> usize {
        let mut used = 0;
        conn.throttled = false;
        self.meter_mark = self.meters.micros();
        while used < buffer.len() && !conn.closing && !conn.waits() {
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
                    if !args.is_empty() && !self.execute(conn, args) {
                        // It stays where it is, and is read again when its time has come.
                        break;
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

    /// One command of a client: the checks in Redis's order, then the command. False if it has to wait:
    /// then nothing has happened.
    fn execute(&mut self, conn: &mut Conn, args: Args<'_>) -> bool {
        let before = conn.out.len();
        let resolved = table::resolve(args, self.sentinel.is_some());
        if self.cluster.is_some()
            && let Ok(call) = &resolved
            && self.redirect(conn, *call, args)
        {
            self.withhold_reply(conn, before);
            return true;
        }
        let admitted = resolved.and_then(|call| {
            self.admit(conn, call)?;
            refused_to_subscriber(conn, call.spec.name).map_or(Ok(()), Err)?;
            self.make_room(conn, call.spec)?;
            Ok(call)
        });
        match admitted {
            Ok(call) => {
                if self.is_paused_for(conn, call.spec) || self.waits_for_migration(conn, call, args) {
                    conn.postponed = true;
                    return false;
                }
                if !self.queue(conn, call.command.spec, args) {
                    self.run(conn, call, args, true);
                    conn.spoken_at = self.replication.offset();
                    conn.watch_broken |= std::mem::take(&mut self.broke_own_watch);
                    self.serve_waiting();
                }
            }
            Err(_) if self.partition_command(conn, args) => {}
            Err(text) => self.refuse(conn, args, &text),
        }
        if self.cluster.is_some() {
            Node::dealt_with(conn, args);
        }
        self.withhold_reply(conn, before);
        if conn.replica_mute && conn.out.len() > before {
            self.drop_talking_replica(conn, args);
        }
        true
    }

    /// A replica hears its stream and nothing else: a reply in the middle of it would be read as a part of it.
    /// Redis drops a replica that makes it reply, and so do we.
    #[cold]
    fn drop_talking_replica(&mut self, conn: &mut Conn, args: Args<'_>) {
        let name = table::resolve(args, self.sentinel.is_some()).map_or("NULL", |call| call.spec.name);
        let text = format!(
            "Replica generated a reply to command '{name}', disconnecting it: id={} addr={}",
            conn.client_id, conn.addr
        );
        self.log(LogLevel::Warning, text);
        self.drop_taken(conn);
    }

    /// A command did not even run. A transaction it belongs to must not run without it.
    fn refuse(&mut self, conn: &mut Conn, args: Args<'_>, text: &str) {
        let is_sentinel = self.sentinel.is_some();
        if let Ok(call) = table::resolve(args, is_sentinel) {
            self.stats.command(call.index).rejected += 1;
        }
        Node::refuse_transaction(conn);
        let begin = conn.out.len();
        // To a sentinel it is no command at all.
        if args.is(0, "exec") && !is_sentinel {
            conn.transaction = None;
            self.unwatch_all(conn);
            let why = text.strip_prefix("ERR ").unwrap_or(text);
            let text = format!("EXECABORT Transaction discarded because of: {why}");
            self.encoder(conn).error(&text);
        } else {
            self.encoder(conn).error(text);
        }
        self.stats.count_error(&conn.out[begin + 1..]);
    }

    /// Takes back the reply that begins at `before`, if the client wants none.
    fn withhold_reply(&mut self, conn: &mut Conn, before: usize) {
        match conn.replies {
            Replies::On => {}
            Replies::Off => conn.out.truncate(before),
            Replies::SkipNext => {
                conn.out.truncate(before);
                conn.replies = Replies::Skip;
            }
            Replies::Skip => {
                conn.out.truncate(before);
                conn.replies = Replies::On;
            }
        }
    }

    /// Runs one command that has been admitted, and counts it.
    pub(crate) fn run(&mut self, conn: &mut Conn, call: Call, args: Args<'_>, may_block: bool) {
        conn.last_command = call.spec.name;
        self.stats.commands_processed += 1;
        let (begin, begun) = (conn.out.len(), self.meter_mark);
        match call.command.run {
            Run::Data(handler) => match self.refused_in_cluster(call.spec, args) {
                None => self.run_data(conn, handler, args, may_block),
                Some(text) => self.encoder(conn).error(text),
            },
            Run::Node(handler) => handler(self, conn, args),
        }
        self.meter_mark = self.meters.micros();
        let took = self.meter_mark.saturating_sub(begun) + std::mem::take(&mut self.stalled);
        let failed = conn.out.get(begin) == Some(&b'-');
        let counted = self.stats.command(call.index);
        counted.calls += 1;
        counted.micros += took;
        if failed {
            counted.failed += 1;
            self.stats.count_error(&conn.out[begin + 1..]);
        }
        if took as i64 >= self.config.slowlog_log_slower_than
            && self.config.slowlog_log_slower_than >= 0
            && !call.spec.flags.contains(Flags::SKIP_SLOWLOG)
        {
            self.slowlog.add(self.now, took, args, conn, self.config.slowlog_max_len);
        }
        if !self.monitors.is_empty()
            && !call.spec.flags.contains(Flags::ADMIN)
            && !call.spec.flags.contains(Flags::SKIP_MONITOR)
        {
            self.show_to_monitors(conn, conn.db, args);
        }
    }

    /// A command on data: run it, count it, tell the replicas, or wait.
    pub(crate) fn run_data(&mut self, conn: &mut Conn, handler: Handler, args: Args<'_>, may_block: bool) {
        let expired = match expired_key(&self.replication.role, Origin::Client) {
            // While writes are suspended nothing is added to the stream; the key is deleted later.
            ExpiredKey::Delete if self.is_paused() => ExpiredKey::Hide,
            policy => policy,
        };
        let mut reply = Encoder::new(&mut conn.out, conn.protocol);
        let mut ctx = Ctx {
            keyspace: &mut self.keyspace,
            db: conn.db,
            now: self.now,
            expired,
            protocol: conn.protocol,
            may_block,
            reply: &mut reply,
            effects: &mut self.effects,
        };
        handler(&mut ctx, args);
        let wait = self.effects.wait.take();
        self.after_data(conn.db, args);
        if let Some(wait) = wait {
            self.block(conn, wait, args);
        }
    }

    /// May this client run this command now? The error is the whole text for the client.
    pub(crate) fn admit(&self, conn: &Conn, call: Call) -> Result<(), String> {
        let spec = call.spec;
        if !conn.authenticated && !spec.flags.contains(Flags::NO_AUTH) {
            return Err("NOAUTH Authentication required.".into());
        }
        // A transaction that writes is a write.
        let queued = conn.transaction.as_ref().filter(|_| spec.name == "exec");
        let write = spec.flags.contains(Flags::WRITE) || queued.is_some_and(|queued| queued.writes());
        if (write || spec.name == "ping")
            && let Some(text) = self.disk_refusal()
        {
            return Err(text);
        }
        if write && let Some(text) = self.gate_refusal() {
            return Err(text);
        }
        let loading = self.persistence.is_loading();
        if self.replication.is_replica() || loading {
            let gate = Gate {
                role_is_replica: self.replication.is_replica(),
                read_only: self.config.replica_read_only,
                link_up: self.replication.link_is_online(),
                serve_stale: self.config.replica_serve_stale_data,
                loading,
            };
            let traits = CommandTraits {
                write,
                while_stale: spec.flags.contains(Flags::STALE),
                while_loading: spec.flags.contains(Flags::LOADING),
            };
            may_run(&gate, Origin::Client, traits).map_err(|refusal| refusal.to_string())?;
        }
        if conn.replica_mute
            && [Flags::WRITE, Flags::READONLY, Flags::MAY_REPLICATE]
                .iter()
                .any(|flag| spec.flags.contains(*flag))
        {
            return Err("ERR Replica can't interact with the keyspace".into());
        }
        Ok(())
    }

    /// One command of our master's stream. It was executed there, so nobody hears a reply.
    pub(crate) fn execute_from_master(&mut self, db: usize, args: Args<'_>) {
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
                    may_block: false,
                    reply: &mut reply,
                    effects: &mut self.effects,
                };
                handler(&mut ctx, args);
                // Replicas of this replica get the master's own bytes; only our files hear of it here.
                self.replication.dirty += self.effects.dirty;
                if self.persistence.aof.is_recording() {
                    let effects = std::mem::take(&mut self.effects);
                    for command in effects.told(args) {
                        self.propagate(db, command);
                    }
                    self.effects = effects;
                }
                self.effects.clear();
                if let Some(error) = reply.error {
                    self.cannot_apply(args, &error);
                }
            }
            Run::Node(_) if args.is(0, "PUBLISH") && args.len() == 3 => {
                self.publish(Space::Channel, &args[1], &args[2], None);
            }
            Run::Node(_) if args.is(0, "SPUBLISH") && args.len() == 3 => {
                self.publish(Space::Shard, &args[1], &args[2], None);
            }
            // What touches no data (the brackets of a transaction, too) has no effect here.
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
        let mut effects = std::mem::take(&mut self.effects);
        self.stats.keyspace_hits += effects.hits;
        self.stats.keyspace_misses += effects.misses;
        self.stats.expired_keys += effects.expired;
        if effects.dirty > 0 || !effects.before.is_empty() || !effects.elsewhere.is_empty() {
            self.replication.dirty += effects.dirty;
            for del in &effects.before {
                self.touch_written(db, del.as_args());
            }
            for (other, del) in &effects.elsewhere {
                self.touch_written(*other, del.as_args());
            }
            if effects.dirty > 0 {
                self.touch_written(db, args);
            }
            if self.is_telling() {
                let commands = effects.elsewhere.len() + effects.told(args).take(2).count();
                let alone = self.in_unit() || commands < 2;
                if !alone {
                    self.begin_unit();
                }
                for (other, del) in &effects.elsewhere {
                    self.propagate(*other, del.as_args());
                }
                for command in effects.told(args) {
                    self.propagate(db, command);
                }
                if !alone {
                    self.end_unit();
                }
            }
            self.ready.extend(effects.ready.drain(..));
            if self.blocked_clients > 0 && args.is(0, "SWAPDB") {
                self.recheck_waiting();
            }
        }
        effects.clear();
        self.effects = effects;
    }

    /// Deletes a few keys whose time is up, on a master. A replica waits for its master's `DEL`.
    pub(crate) fn expire_some(&mut self) {
        if self.replication.is_replica() || !self.active_expire || self.is_paused() {
            return;
        }
        let mut deleted = Vec::new();
        self.keyspace.active_expire(self.now, EXPIRE_BUDGET, &mut deleted);
        for Deleted { db, key } in deleted {
            self.stats.expired_keys += 1;
            let del = core_types::ArgsBuf::from_parts([b"DEL".as_slice(), &key]);
            self.touch_written(db, del.as_args());
            self.propagate(db, del.as_args());
        }
    }
}

/// How many keys one round of active expiry may look at.
const EXPIRE_BUDGET: usize = 2_000;
