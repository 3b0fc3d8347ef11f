//! Clients that wait: for an element of a list or of a sorted set, or for replicas (`WAIT`).
//!
//! A command that finds nothing to take says so by [`Effects::wait`](keyspace::Effects) and replies
//! nothing. Its client is put aside with the whole command. When one of its keys gets something, the
//! command simply runs again, for that key; clients that wait for the same key get their turn in the order
//! in which they began to wait. That keeps the commands free of any memory of having waited.

use std::collections::VecDeque;

use core_types::{Args, ArgsBuf, Millis};
use keyspace::{TimeoutReply, Value, Wait};

use crate::conn::{Conn, Kind, Replies};
use crate::layers::offsets;
use crate::table;
use crate::{ConnId, Node};

/// A command that waits on a connection.
#[derive(Debug)]
pub(crate) struct Blocked {
    command: ArgsBuf,
    keys: Vec<(usize, Box<[u8]>)>,
    deadline: Option<Millis>,
    on_timeout: OnTimeout,
}

/// What a client that has waited in vain is told.
#[derive(Debug)]
enum OnTimeout {
    /// What its command says.
    Fixed(TimeoutReply),
    /// How many replicas have acknowledged: it waits for those.
    Acks(offsets::Wait),
}

impl Blocked {
    /// The keys it waits for.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.iter().map(|(_, key)| &**key)
    }

    /// What it waits for, if that is acknowledgements.
    pub(crate) fn acks(&self) -> Option<&offsets::Wait> {
        match &self.on_timeout {
            OnTimeout::Acks(wait) => Some(wait),
            OnTimeout::Fixed(_) => None,
        }
    }
}

impl Node {
    /// The command has nothing to take: its client waits.
    pub(crate) fn block(&mut self, conn: &mut Conn, wait: Wait, args: Args<'_>) {
        let keys: Vec<_> = wait.keys.into_iter().map(|key| (conn.db, key)).collect();
        for key in &keys {
            let queue = self.waiting.entry(key.clone()).or_default();
            if !queue.contains(&conn.id) {
                queue.push_back(conn.id);
            }
        }
        conn.blocked = Some(Blocked {
            command: args.to_buf(),
            keys,
            deadline: wait.deadline,
            on_timeout: OnTimeout::Fixed(wait.on_timeout),
        });
        self.blocked_clients += 1;
    }

    /// The client waits for replicas to acknowledge what it has written.
    pub(crate) fn block_for_acks(&mut self, conn: &mut Conn, wait: offsets::Wait, args: Args<'_>) {
        conn.blocked = Some(Blocked {
            command: args.to_buf(),
            keys: Vec::new(),
            deadline: wait.deadline,
            on_timeout: OnTimeout::Acks(wait),
        });
        self.blocked_clients += 1;
    }

    /// Keys have got something: whoever waits for them gets a try, until nobody can be served any more.
    pub(crate) fn serve_waiting(&mut self) {
        if self.ready.is_empty() || self.in_unit() {
            return;
        }
        while let Some(key) = self.ready.pop_front() {
            let Some(queue) = self.waiting.get(&key) else { continue };
            for id in queue.clone() {
                self.try_again(id, &key);
            }
        }
    }

    /// Databases have been exchanged: what is waited for may be there now.
    pub(crate) fn recheck_waiting(&mut self) {
        let there = self.waiting.keys().filter(|(db, key)| self.keyspace.db(*db).find(key).is_some());
        self.ready.extend(there.cloned());
    }

    /// Runs the command of a waiting client again, for the one key that has got something. What another of
    /// its keys may hold by now came later, and has its own turn.
    fn try_again(&mut self, id: ConnId, key: &(usize, Box<[u8]>)) {
        let Some(mut conn) = self.conns.take(id) else { return };
        if let Some(blocked) = conn.blocked.take() {
            let attempt = attempt(blocked.command.as_args(), &key.1);
            let later = self.pass_over(key.0, blocked.command.as_args(), key);
            let fits = !later
                && self.keyspace.db(key.0).get(&key.1).is_some_and(|entry| {
                    let sorted =
                        blocked.command.as_args().name().get(1).is_some_and(|byte| byte | 32 == b'z');
                    matches!((&entry.value, sorted), (Value::List(_), false) | (Value::Zset(_), true))
                });
            let begin = conn.out.len();
            let tried = fits.then(|| table::resolve(attempt.as_args(), false).ok()).flatten();
            if let Some(call) = tried {
                self.run(&mut conn, call, attempt.as_args(), true);
            }
            if tried.is_none() || conn.blocked.is_some() {
                // In vain. It keeps its place in all queues, and its deadline.
                self.blocked_clients -= usize::from(conn.blocked.is_some());
                conn.blocked = Some(blocked);
            } else {
                conn.blocked = Some(blocked);
                self.unblock(&mut conn);
                if conn.replies == Replies::Off {
                    conn.out.truncate(begin);
                }
            }
        }
        let resumed = conn.blocked.is_none();
        self.finish(conn);
        if resumed {
            self.resume.push_back(id);
        }
    }

    /// Takes the client out of all queues.
    pub(crate) fn unblock(&mut self, conn: &mut Conn) -> Option<Blocked> {
        let blocked = conn.blocked.take()?;
        self.blocked_clients -= 1;
        for key in &blocked.keys {
            if let Some(queue) = self.waiting.get_mut(key) {
                queue.retain(|waiting| *waiting != conn.id);
                if queue.is_empty() {
                    self.waiting.remove(key);
                }
            }
        }
        Some(blocked)
    }

    /// Answers those whose deadline has come.
    pub(crate) fn end_waits(&mut self) {
        if self.blocked_clients == 0 {
            return;
        }
        let now = self.now;
        let late = |conn: &&Conn| {
            conn.blocked.as_ref().and_then(|blocked| blocked.deadline).is_some_and(|deadline| now >= deadline)
        };
        let due: Vec<ConnId> = self.conns.iter().filter(late).map(|conn| conn.id).collect();
        for id in due {
            self.give_up(id, None);
        }
    }

    /// How many clients wait no longer than to some moment.
    pub(crate) fn clients_with_deadline(&self) -> usize {
        let deadlines = self.conns.iter().filter_map(|conn| conn.blocked.as_ref()?.deadline);
        deadlines.count()
    }

    /// When the next wait ends.
    pub(crate) fn wait_deadline(&self) -> Option<Millis> {
        if self.blocked_clients == 0 {
            return None;
        }
        self.conns.iter().filter_map(|conn| conn.blocked.as_ref()?.deadline).min()
    }

    /// Ends a wait: with the reply for a wait in vain, or with an error.
    pub(crate) fn give_up(&mut self, id: ConnId, error: Option<&str>) -> bool {
        let Some(mut conn) = self.conns.take(id) else { return false };
        let blocked = self.unblock(&mut conn);
        if let Some(blocked) = &blocked {
            let acks = blocked.acks().map(|wait| self.acks_so_far(wait));
            let mut reply = self.encoder(&mut conn);
            match (error, &blocked.on_timeout) {
                (Some(text), _) => core_types::Reply::error(&mut reply, text),
                (None, OnTimeout::Fixed(answer)) => answer.write(&mut reply),
                (None, OnTimeout::Acks(_)) => {
                    core_types::Reply::integer(&mut reply, acks.unwrap_or(0) as i64);
                }
            }
        }
        self.finish(conn);
        self.resume.push_back(id);
        blocked.is_some()
    }

    /// Ends a wait with a reply of its own.
    pub(crate) fn answer_waiting(&mut self, id: ConnId, answer: impl FnOnce(&mut dyn core_types::Reply)) {
        let Some(mut conn) = self.conns.take(id) else { return };
        if self.unblock(&mut conn).is_some() {
            answer(&mut self.encoder(&mut conn));
        }
        self.finish(conn);
        self.resume.push_back(id);
    }

    /// A node that becomes a replica sends away whoever waits for a write to happen here.
    pub(crate) fn send_waiting_away(&mut self) {
        let waiting: Vec<ConnId> = self
            .conns
            .iter()
            .filter(|conn| conn.blocked.is_some() && matches!(conn.kind, Kind::Client))
            // In Redis this comes after `MIGRATE`, so it has its answer.
            .filter(|conn| !self.is_migrating(conn.id))
            .map(|conn| conn.id)
            .collect();
        for id in waiting {
            self.give_up(id, Some("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"));
            self.close(id);
        }
    }

    /// Goes on with what clients sent while they waited.
    pub(crate) fn resume_clients(&mut self) {
        if std::mem::replace(&mut self.resuming, true) {
            return;
        }
        while let Some(id) = self.resume.pop_front() {
            if self.conns.get(id).is_some_and(|conn| !conn.waits() && !conn.input.pending.is_empty()) {
                let now = self.now;
                self.receive(now, id, &[]);
            }
        }
        self.resuming = false;
    }
}

/// The same command for one of its keys alone.
fn attempt(command: Args<'_>, key: &[u8]) -> ArgsBuf {
    let words: Vec<&[u8]> = command.iter().collect();
    let last = words.len() - 1;
    match words[0].to_ascii_lowercase().as_slice() {
        b"blpop" | b"brpop" | b"bzpopmin" | b"bzpopmax" => ArgsBuf::from_parts([words[0], key, words[last]]),
        b"blmpop" | b"bzmpop" => {
            // The command has run before, so the number is one, and the keys are there.
            let count =
                std::str::from_utf8(words[2]).ok().and_then(|count| count.parse().ok()).unwrap_or(1usize);
            let options = &words[3 + count.min(last - 2)..];
            ArgsBuf::from_parts([&[words[0], words[1], b"1", key], options].concat())
        }
        _ => command.to_buf(),
    }
}

/// Who waits for a key, first come first.
pub(crate) type Queue = VecDeque<ConnId>;
