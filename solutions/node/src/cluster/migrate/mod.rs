//! `MIGRATE`: keys to another node, and away from here once that node has them.
//!
//! The keys are sent as `RESTORE` commands over a connection that is kept for a while (a *courier*); for each that
//! the other side has taken, the key is deleted here, and our replicas hear of a `DEL`.
//!
//! # What happens meanwhile
//!
//! Redis stands still until the last answer is there, at most for the command's timeout at each step. This node goes
//! on serving; only the client that sent `MIGRATE` waits. So that no write is lost, a command that may write one of the
//! *keys under way* waits for the end, with all its client has sent behind it. Reads are served: the value here is the
//! true one until the key is deleted, and nobody is sent to the other side for a key that is here. A blocked client
//! whose turn would write such a key keeps its place and has its turn at the end. What the time deletes meanwhile (an
//! expired key, an evicted one) is deleted here and not there, as if `MIGRATE` had been a moment earlier.
//!
//! # Differences from Redis
//!
//! - The node serves on, as said. A key under way is written a little later than it would be there. Commands that change
//!   whose data these are, or all of them at once (`FLUSHALL`, `SWAPDB`, `REPLICAOF`, `FAILOVER`, `SHUTDOWN`), wait for
//!   the end, and so does a replica that asks for our place (`CLUSTER FAILOVER`).
//! - Inside `MULTI` this node stands still, too; see [`standstill`](crate::standstill).
//! - What the bus brings does not wait. The keys of a slot that is lost meanwhile arrive all the same, as if `MIGRATE`
//!   had been first. If another node has taken our place, nothing is deleted, and the client is told how its keys have
//!   fared: as in Redis, where the `DEL` would have been one of the writes that such a failover loses.

mod courier;

use std::collections::{BTreeMap, BTreeSet};

use core_types::{Args, ArgsBuf, Endpoint, Millis, NodeId, Reply};
use keyspace::{TimeoutReply, Wait, rdb};

pub(crate) use courier::{Courier, Ended, Journey};

use super::commands::integer_at;
use crate::conn::Conn;
use crate::table::{self, Call};
use crate::{ConnId, Node};

/// A key of a database.
type Place = (usize, Box<[u8]>);

/// All that is being moved, and the connections that wait for more.
#[derive(Default)]
pub(crate) struct Migrations {
    /// Keys under way: not to be written.
    under_way: BTreeSet<Place>,
    journeys: BTreeMap<ConnId, Journey>,
    /// Couriers without work, by where they are, with the time of their last.
    idle: BTreeMap<Endpoint, Vec<(ConnId, Millis)>>,
    /// Waiting clients whose turn would have written a key under way: the keys that woke them.
    passed_over: Vec<Place>,
    /// Journeys that are over while writes are suspended: what is to be deleted must wait for the end of that.
    arrived: Vec<Journey>,
    /// A replica wants our place (`MFSTART`, on this connection): when all keys are home.
    pause_wanted: Option<(ConnId, NodeId)>,
}

/// Commands that no key under way may outlast: they change whose data these are, or where each is.
const AFTER_ALL: [&str; 7] =
    ["flushall", "flushdb", "swapdb", "replicaof", "slaveof", "failover", "shutdown"];

impl Migrations {
    /// Connections that are kept for the next time (`INFO stats`).
    pub(crate) fn cached(&self) -> usize {
        self.idle.values().map(Vec::len).sum()
    }
}

/// What `MIGRATE` was asked for.
struct Request {
    to: Endpoint,
    db: i64,
    timeout: Millis,
    copy: bool,
    replace: bool,
    /// User, if not the default one, and password.
    auth: Option<(Option<Vec<u8>>, Vec<u8>)>,
    keys: Vec<Box<[u8]>>,
}

/// `MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS key …]`
pub(crate) fn migrate(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let request = match parse(args) {
        Ok(request) => request,
        Err(text) => return node.encoder(conn).error(&text),
    };
    let alive =
        |key: &[u8]| node.keyspace.db(conn.db).get(key).is_some_and(|entry| !entry.is_expired(node.now));
    let keys: Vec<Box<[u8]>> = request.keys.iter().filter(|key| alive(key)).cloned().collect();
    if keys.is_empty() {
        return node.encoder(conn).simple("NOKEY");
    }
    if node.in_unit() {
        node.stand_still(conn);
    }
    node.block(conn, Wait { keys: Vec::new(), deadline: None, on_timeout: TimeoutReply::Null }, args);
    node.set_out(conn.id, conn.db, Request { keys, ..request });
}

fn parse(args: Args<'_>) -> Result<Request, String> {
    const SYNTAX: &str = "ERR syntax error";
    let (mut copy, mut replace, mut auth, mut keys) = (false, false, None, None);
    let mut place = 6;
    while place < args.len() {
        let more = args.len() - 1 - place;
        if args.is(place, "copy") {
            copy = true;
        } else if args.is(place, "replace") {
            replace = true;
        } else if args.is(place, "auth") {
            let password = args.get(place + 1).ok_or(SYNTAX)?;
            auth = Some((None, password.to_vec()));
            place += 1;
        } else if args.is(place, "auth2") {
            if more < 2 {
                return Err(SYNTAX.into());
            }
            auth = Some((Some(args[place + 1].to_vec()), args[place + 2].to_vec()));
            place += 2;
        } else if args.is(place, "keys") {
            if !args[3].is_empty() {
                return Err(
                    "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
                        .into(),
                );
            }
            keys = Some(args.iter().skip(place + 1).map(Box::from).collect());
            break;
        } else {
            return Err(SYNTAX.into());
        }
        place += 1;
    }
    let timeout = integer_at(args, 5)?;
    let db = integer_at(args, 4)?;
    let port = crate::layers::wire::parse_integer(&args[2]).and_then(|port| u16::try_from(port).ok());
    Ok(Request {
        // A port that cannot be is a node that cannot be reached.
        to: Endpoint::new(String::from_utf8_lossy(&args[1]), port.unwrap_or(0)),
        db,
        timeout: if timeout <= 0 { Millis::from_secs(1) } else { Millis(timeout as u64) },
        copy,
        replace,
        auth,
        keys: keys.unwrap_or_else(|| vec![Box::from(&args[3])]),
    })
}

impl Node {
    /// Encodes the keys and gives them to a courier.
    fn set_out(&mut self, client: ConnId, from_db: usize, request: Request) {
        let restore = if self.cluster.is_some() { "RESTORE-ASKING" } else { "RESTORE" };
        let mut commands: Vec<ArgsBuf> = Vec::new();
        let db = self.keyspace.db(from_db);
        for key in &request.keys {
            let Some(entry) = db.get(key) else { continue };
            let left = entry.expire_at().map_or(0, |at| at.since(self.now).0.max(1));
            let (left, payload) = (left.to_string(), rdb::dump(&entry.value));
            let mut command =
                ArgsBuf::from_parts([restore.as_bytes(), &key[..], left.as_bytes(), &payload[..]]);
            if request.replace {
                command.push(b"REPLACE");
            }
            commands.push(command);
        }
        self.migrations.under_way.extend(request.keys.iter().map(|key| (from_db, key.clone())));
        let mut journey = Journey::new(client, from_db, request, commands);
        journey.on_replica = self.replication.is_replica();
        self.give_to_courier(journey, true);
    }

    /// True if the command has to wait: it may write a key under way, or what it does concerns them all.
    #[inline]
    pub(crate) fn waits_for_migration(&self, conn: &Conn, call: Call, args: Args<'_>) -> bool {
        !self.migrations.under_way.is_empty() && self.writes_under_way(conn, call, args)
    }

    #[cold]
    fn writes_under_way(&self, conn: &Conn, call: Call, args: Args<'_>) -> bool {
        if call.spec.name == "exec" {
            let Some(transaction) = &conn.transaction else { return false };
            let mut db = conn.db;
            return transaction.commands().any(|args| {
                if args.is(0, "select") {
                    let chosen = args.get(1).and_then(crate::layers::wire::parse_integer);
                    db = chosen.and_then(|number| usize::try_from(number).ok()).unwrap_or(db);
                }
                table::resolve(args, false).is_ok_and(|call| self.comes_after(db, call, args))
            });
        }
        conn.transaction.is_none() && self.comes_after(conn.db, call, args)
    }

    fn comes_after(&self, db: usize, call: Call, args: Args<'_>) -> bool {
        let name = call.spec.name;
        AFTER_ALL.contains(&name)
            || (name == "migrate" && self.migrations.pause_wanted.is_some())
            || self.names_under_way(db, call, args)
    }

    fn names_under_way(&self, db: usize, call: Call, args: Args<'_>) -> bool {
        call.spec.flags.contains(keyspace::Flags::WRITE)
            && call.spec.key_places(args).any(|place| self.is_under_way(db, &args[place]))
    }

    fn is_under_way(&self, db: usize, key: &[u8]) -> bool {
        self.migrations.under_way.contains(&(db, Box::from(key)))
    }

    /// A waiting client's turn has come by this key, but its command would write a key under way: later.
    pub(crate) fn pass_over(&mut self, db: usize, command: Args<'_>, woken_by: &Place) -> bool {
        if self.migrations.under_way.is_empty() {
            return false;
        }
        let Ok(call) = table::resolve(command, false) else { return false };
        let later = self.names_under_way(db, call, command);
        if later {
            self.migrations.passed_over.push(woken_by.clone());
        }
        later
    }

    /// A replica asks for our place while keys are under way: what is deleted for them belongs before the offset that it
    /// will be told. True if it has to wait.
    pub(crate) fn pauses_later(&mut self, conn: ConnId, replica: NodeId) -> bool {
        let later = !self.migrations.under_way.is_empty();
        if later {
            self.migrations.pause_wanted = Some((conn, replica));
        }
        later
    }

    /// Does this client wait for keys on their way?
    pub(crate) fn is_migrating(&self, client: ConnId) -> bool {
        let migrations = &self.migrations;
        migrations.journeys.values().chain(&migrations.arrived).any(|journey| journey.client == client)
    }

    /// The end of a journey: what has arrived is deleted here, the client is answered, and whoever waited goes on.
    pub(crate) fn come_home(&mut self, journey: Journey) {
        if self.arrived_too_early(journey.client) {
            return self.let_wait(journey);
        }
        if self.is_paused() && !journey.arrived.is_empty() && !self.replication.is_replica() {
            // A delete is a write, and writes are suspended.
            return self.migrations.arrived.push(journey);
        }
        for key in &journey.keys {
            self.migrations.under_way.remove(&(journey.db, key.clone()));
        }
        if !journey.copy && (journey.on_replica || !self.replication.is_replica()) {
            self.delete_arrived(journey.db, &journey.arrived);
        }
        if self.migrations.under_way.is_empty()
            && let Some((conn, replica)) = self.migrations.pause_wanted.take()
        {
            self.hear_pause_wanted(conn, replica);
        }
        let answer = |reply: &mut dyn Reply| match &journey.failure {
            None => reply.simple("OK"),
            Some(text) => reply.error(text),
        };
        if self.stands_still() {
            self.go_on(answer);
        } else {
            self.answer_waiting(journey.client, answer);
        }
        self.release_postponed();
        let woken = std::mem::take(&mut self.migrations.passed_over);
        self.ready.extend(woken);
        self.serve_waiting();
        self.resume_clients();
    }

    fn delete_arrived(&mut self, db: usize, keys: &[Box<[u8]>]) {
        let mut del = ArgsBuf::from_parts(["DEL"]);
        for key in keys {
            // It may have expired meanwhile.
            if self.keyspace.db_mut(db).remove(key).is_some() {
                self.replication.dirty += 1;
                del.push(key);
            }
        }
        if del.as_args().len() > 1 {
            self.touch_written(db, del.as_args());
            self.propagate(db, del.as_args());
        }
    }

    /// Time passes: journeys that take too long end, and so do connections that nobody needs.
    pub(crate) fn migrate_tick(&mut self) {
        if !self.migrations.arrived.is_empty() && !self.is_paused() {
            let arrived = std::mem::take(&mut self.migrations.arrived);
            arrived.into_iter().for_each(|journey| self.come_home(journey));
        }
        let now = self.now;
        let late = |(id, journey): (&ConnId, &Journey)| (now >= journey.deadline).then_some(*id);
        let due: Vec<ConnId> = self.migrations.journeys.iter().filter_map(late).collect();
        for id in due {
            self.courier_failed(id, Ended::Silent);
            self.close(id);
        }
    }

    /// When `migrate_tick` is wanted next.
    pub(crate) fn migrate_deadline(&self) -> Option<Millis> {
        self.migrations.journeys.values().map(|journey| journey.deadline).min()
    }
}
