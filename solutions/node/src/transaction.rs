//! `MULTI`, `EXEC` and `WATCH`: commands that run together, or not at all.
//!
//! A transaction is a queue on the connection. Since the node runs one command at a time, running the
//! queue in one go is all the isolation there is to give. `WATCH` adds the other half: the transaction
//! is called off if a watched key was written by anybody since.
//!
//! # Differences from Redis
//!
//! A watched key counts as written when a write command that names it changed *something*: after
//! `LMPOP 2 a b LEFT`, which takes from `a` alone, Redis lets a transaction that watches `b` pass, and we
//! call it off. The client then tries again, as it must be prepared to anyway.

use core_types::{Args, ArgsBuf, Reply};
use keyspace::{CommandSpec, Flags};

use crate::conn::Conn;
use crate::table;
use crate::{ConnId, Node};

/// The commands that a connection has queued since `MULTI`.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    commands: Vec<ArgsBuf>,
    /// A command could not even be queued; `EXEC` will refuse the rest.
    refused: bool,
}

impl Transaction {
    /// The queued commands.
    pub(crate) fn commands(&self) -> impl Iterator<Item = Args<'_>> {
        self.commands.iter().map(ArgsBuf::as_args)
    }

    /// How many commands are queued.
    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }

    /// True if one of the commands may change data.
    pub(crate) fn writes(&self) -> bool {
        let mut commands = self.commands.iter().filter_map(|command| table::lookup(command.as_args().name()));
        commands.any(|command| command.spec.flags.contains(Flags::WRITE))
    }

    /// True if one of the commands may change data, or has to be told to the replicas.
    pub(crate) fn may_write(&self) -> bool {
        self.commands.iter().filter_map(|command| table::lookup(command.as_args().name())).any(|command| {
            command.spec.flags.contains(Flags::WRITE) || command.spec.flags.contains(Flags::MAY_REPLICATE)
        })
    }

    /// True if one of the commands needs memory that may not be there.
    pub(crate) fn may_grow(&self) -> bool {
        let mut commands = self.commands.iter().filter_map(|command| table::lookup(command.as_args().name()));
        commands.any(|command| command.spec.flags.contains(Flags::DENYOOM))
    }
}

/// Commands that run at once although a transaction is open.
const NEVER_QUEUED: [&str; 6] = ["exec", "discard", "multi", "watch", "quit", "reset"];

impl Node {
    /// True if the command was queued, and answered so.
    pub(crate) fn queue(&mut self, conn: &mut Conn, spec: &CommandSpec, args: Args<'_>) -> bool {
        let Some(transaction) = &mut conn.transaction else { return false };
        if NEVER_QUEUED.contains(&spec.name) {
            return false;
        }
        if spec.flags.contains(Flags::NO_MULTI) {
            transaction.refused = true;
            self.encoder(conn).error("ERR Command not allowed inside a transaction");
            return true;
        }
        transaction.commands.push(args.to_buf());
        self.encoder(conn).simple("QUEUED");
        true
    }

    /// A command was refused; a transaction it belongs to must not run without it.
    pub(crate) fn refuse_transaction(conn: &mut Conn) {
        if let Some(transaction) = &mut conn.transaction {
            transaction.refused = true;
        }
    }

    /// Keys of database `db` may have changed: transactions that watch them are called off.
    pub(crate) fn touch_written(&mut self, db: usize, args: Args<'_>) {
        if self.watchers.is_empty() {
            return;
        }
        let Some(command) = table::lookup(args.name()) else { return };
        if !command.spec.flags.contains(Flags::WRITE) {
            return;
        }
        match command.spec.name {
            "flushall" => self.touch_all(None),
            "flushdb" => self.touch_all(Some(db)),
            "swapdb" => self.touch_all(None),
            _ => {
                for place in written_places(command.spec, args) {
                    self.touch_key(db, &args[place]);
                }
            }
        }
    }

    /// This key has changed.
    pub(crate) fn touch_key(&mut self, db: usize, key: &[u8]) {
        if self.watchers.is_empty() {
            return;
        }
        let place = (db, Box::<[u8]>::from(key));
        let watched: Vec<ConnId> =
            self.watchers.get(&place).map(|ids| ids.iter().copied().collect()).unwrap_or_default();
        let exists = self.keyspace.db(db).find(key).is_some();
        for id in watched {
            self.call_off(id, &place, exists);
        }
    }

    fn touch_all(&mut self, db: Option<usize>) {
        let watched: Vec<_> = self
            .watchers
            .iter()
            .filter(|((watched, _), _)| db.is_none_or(|db| db == *watched))
            .flat_map(|(place, ids)| ids.iter().map(|id| (*id, place.clone())))
            .collect();
        for (id, place) in watched {
            let exists = self.keyspace.db(place.0).find(&place.1).is_some();
            self.call_off(id, &place, exists);
        }
    }

    /// Calls off the transaction of a connection that watches `place`. A key that was not there when the
    /// watch began and is not there now has not changed: a write in between would have called it off.
    fn call_off(&mut self, id: ConnId, place: &(usize, Box<[u8]>), exists: bool) {
        let Some(conn) = self.conns.get_mut(id) else {
            // The connection that runs right now is taken out, so what concerns it is noted for later.
            self.broke_own_watch = true;
            return;
        };
        let existed =
            conn.watched.iter().any(|(db, key, existed)| *existed && (*db, key) == (place.0, &place.1));
        conn.watch_broken |= existed || exists;
    }

    pub(crate) fn unwatch_all(&mut self, conn: &mut Conn) {
        for (db, name, _) in conn.watched.drain(..) {
            let key = (db, name);
            if let Some(ids) = self.watchers.get_mut(&key) {
                ids.remove(&conn.id);
                if ids.is_empty() {
                    self.watchers.remove(&key);
                }
            }
        }
        conn.watch_broken = false;
    }
}

/// Which arguments name keys that the command writes. Most write all they name; these read some.
fn written_places(spec: &CommandSpec, args: Args<'_>) -> Vec<usize> {
    match spec.name {
        "copy" => vec![2],
        "bitop" => vec![2],
        "sinterstore" | "sunionstore" | "sdiffstore" | "zinterstore" | "zunionstore" | "zdiffstore"
        | "zrangestore" => vec![1],
        "sort" => {
            (2..args.len().saturating_sub(1)).filter(|&at| args.is(at, "store")).map(|at| at + 1).collect()
        }
        "lmpop" | "zmpop" => numbered_keys(args, 1),
        "blmpop" | "bzmpop" => numbered_keys(args, 2),
        _ => spec.keys.places(args.len()).collect(),
    }
}

/// `… numkeys key [key …] …` with the number at this place.
fn numbered_keys(args: Args<'_>, at: usize) -> Vec<usize> {
    let count = args.get(at).and_then(|number| std::str::from_utf8(number).ok()?.parse::<usize>().ok());
    (at + 1..(at + 1).saturating_add(count.unwrap_or(0)).min(args.len())).collect()
}

/// `MULTI`
pub(crate) fn multi(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    if conn.transaction.is_some() {
        return node.encoder(conn).error("ERR MULTI calls can not be nested");
    }
    conn.transaction = Some(Transaction::default());
    node.encoder(conn).simple("OK");
}

/// `DISCARD`
pub(crate) fn discard(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    if conn.transaction.take().is_none() {
        return node.encoder(conn).error("ERR DISCARD without MULTI");
    }
    node.unwatch_all(conn);
    node.encoder(conn).simple("OK");
}

/// `EXEC`
pub(crate) fn exec(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    let Some(transaction) = conn.transaction.take() else {
        return node.encoder(conn).error("ERR EXEC without MULTI");
    };
    let watched_key_expired = conn.watched.iter().any(|(db, key, existed)| {
        // A key that was alive when the watch began and is dead now has changed, even if nobody looked.
        *existed && node.keyspace.db(*db).get(key).is_none_or(|entry| entry.is_expired(node.now))
    });
    let broken = conn.watch_broken || watched_key_expired;
    node.unwatch_all(conn);
    if transaction.refused {
        return node.encoder(conn).error("EXECABORT Transaction discarded because of previous errors.");
    }
    if broken {
        return node.encoder(conn).null_array();
    }
    node.encoder(conn).array(transaction.commands.len());
    node.begin_unit();
    node.run_queue(conn, transaction.commands.into_iter());
}

/// `WATCH key …`
pub(crate) fn watch(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if conn.transaction.is_some() {
        return node.encoder(conn).error("ERR WATCH inside MULTI is not allowed");
    }
    for key in args.iter().skip(1) {
        let name = (conn.db, Box::<[u8]>::from(key));
        if conn.watched.iter().any(|(db, known, _)| (*db, known) == (name.0, &name.1)) {
            continue;
        }
        let alive = node.keyspace.db(conn.db).get(key).is_some_and(|entry| !entry.is_expired(node.now));
        node.watchers.entry(name.clone()).or_default().insert(conn.id);
        conn.watched.push((name.0, name.1, alive));
    }
    node.encoder(conn).simple("OK");
}

/// `UNWATCH`
pub(crate) fn unwatch(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    node.unwatch_all(conn);
    node.encoder(conn).simple("OK");
}

impl Node {
    /// Runs what is left of a transaction, up to its end, or to a command that waits for another node.
    pub(crate) fn run_queue(&mut self, conn: &mut Conn, mut commands: std::vec::IntoIter<ArgsBuf>) {
        while let Some(command) = commands.next() {
            let args = command.as_args();
            // What was allowed when it was queued may not be any more: the role can have changed meanwhile.
            match table::resolve(args, self.sentinel.is_some())
                .and_then(|call| self.admit(conn, call).map(|()| call))
            {
                Ok(call) => self.run(conn, call, args, false),
                Err(text) => self.encoder(conn).error(&text),
            }
            if self.put_aside(&mut commands) {
                return;
            }
        }
        self.end_unit();
        self.serve_waiting();
    }

    /// From here to `end_unit` commands are one to the replicas.
    pub(crate) fn begin_unit(&mut self) {
        self.unit = Some(Vec::new());
    }

    pub(crate) fn in_unit(&self) -> bool {
        self.unit.is_some()
    }

    /// Tells the replicas what ran since `begin_unit`: one command as it is, several between `MULTI` and
    /// `EXEC`, so that a replica applies all of them or none.
    pub(crate) fn end_unit(&mut self) {
        let Some(commands) = self.unit.take() else { return };
        let Some(&(first, _)) = commands.first() else { return };
        let together = commands.len() > 1;
        let bracket = |word: &str| ArgsBuf::from_parts([word]);
        if together {
            self.tell(first, bracket("MULTI").as_args());
        }
        for (db, command) in &commands {
            self.tell(*db, command.as_args());
        }
        if together {
            // In the database that is selected by then, so that no SELECT comes before it.
            let last = commands.last().map_or(first, |(db, _)| *db);
            self.tell(last, bracket("EXEC").as_args());
        }
    }

    /// Tells the replicas one command, or notes it to be told with the rest of its unit.
    pub(crate) fn propagate(&mut self, db: usize, command: Args<'_>) {
        if !self.is_telling() {
            return;
        }
        match &mut self.unit {
            Some(unit) => unit.push((db, command.to_buf())),
            None => self.tell(db, command),
        }
    }
}
