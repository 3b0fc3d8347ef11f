use std::borrow::Cow;

use core_types::{Args, ArgsBuf, ExpiredKey, Millis, Protocol, Reply};

use crate::{Keyspace, Value, WrongType, errors};

/// What a command works with: the data, the moment, and where its answer goes.
pub struct Ctx<'a> {
    /// The data set.
    pub keyspace: &'a mut Keyspace,
    /// The database the connection has selected.
    pub db: usize,
    /// The time at which the command runs; it does not pass while it runs.
    pub now: Millis,
    /// What becomes of a key whose time is up.
    pub expired: ExpiredKey,
    /// The protocol of the connection, where the shape of a reply depends on it.
    pub protocol: Protocol,
    /// False where a command must not wait: inside a transaction, and in the stream of a master. It then
    /// replies at once what it would reply at its deadline.
    pub may_block: bool,
    /// Takes exactly one reply; none, if the command waits.
    pub reply: &'a mut dyn Reply,
    /// Takes what the command changed.
    pub effects: &'a mut Effects,
}

/// What a command changed, and what the replicas must be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// How many changes were made. With none there is nothing to tell.
    pub dirty: u64,
    /// `DEL`s of keys that were found expired. They go to the replicas before the command itself.
    pub before: Vec<ArgsBuf>,
    /// The same for keys of other databases (`MOVE` and `COPY` look into one), with the database's number.
    /// They are not among what [`told`](Effects::told) returns, which is for the command's own database.
    pub elsewhere: Vec<(usize, ArgsBuf)>,
    /// What the replicas must be told. `None`: the command as it came, if `dirty` is above zero.
    /// Redis rewrites what would have another result on a replica: a relative time becomes an absolute
    /// one, a float increment becomes its result.
    pub instead: Option<Vec<ArgsBuf>>,
    /// Keys that were read and found.
    pub hits: u64,
    /// Keys that were read and not found.
    pub misses: u64,
    /// Keys that were deleted because their time was up.
    pub expired: u64,
    /// The command found nothing to take and waits. It has not replied.
    pub wait: Option<Wait>,
    /// Keys that have become a list or a sorted set: whoever waits for them gets a try.
    pub ready: Vec<(usize, Box<[u8]>)>,
}

/// What a client waits for.
///
/// When one of the keys is [`ready`](Effects::ready), whoever runs the node runs the very same command
/// again for the client, in the order in which clients began to wait. It may come to wait once more (the
/// key may be gone again); the first deadline is then the one that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Any of these keys, in the database the client has selected.
    pub keys: Vec<Box<[u8]>>,
    /// The moment at which it gives up, if ever.
    pub deadline: Option<Millis>,
    /// What it then replies.
    pub on_timeout: TimeoutReply,
}

/// The reply of a client that has waited in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutReply {
    /// No value.
    Null,
    /// No list of values.
    NullArray,
}

impl TimeoutReply {
    /// Writes it.
    pub fn write(self, reply: &mut dyn Reply) {
        match self {
            TimeoutReply::Null => reply.null(),
            TimeoutReply::NullArray => reply.null_array(),
        }
    }
}

impl Effects {
    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.dirty = 0;
        self.before.clear();
        self.elsewhere.clear();
        self.instead = None;
        (self.hits, self.misses, self.expired) = (0, 0, 0);
        self.wait = None;
        self.ready.clear();
    }

    /// Has the replicas told `command` in place of what the client sent.
    pub(crate) fn tell<'a>(&mut self, command: impl IntoIterator<Item = &'a [u8]>) {
        self.instead = Some(vec![ArgsBuf::from_parts(command)]);
    }

    /// All commands that the replicas must be told, in order; `command` is the one that ran. Those for
    /// other databases ([`elsewhere`](Effects::elsewhere)) go first.
    pub fn told<'a>(&'a self, command: Args<'a>) -> impl Iterator<Item = Args<'a>> {
        let as_it_came = (self.instead.is_none() && self.dirty > 0).then_some(command);
        let instead = self.instead.iter().flatten();
        self.before.iter().chain(instead).map(ArgsBuf::as_args).chain(as_it_came)
    }
}

impl Ctx<'_> {
    /// Looks for a key and settles what is to be done if its time is up. Counts neither hit nor miss.
    #[inline]
    pub(crate) fn find_in(&mut self, db: usize, key: &[u8]) -> Option<usize> {
        let position = self.keyspace.db(db).find(key)?;
        if self.is_gone(db, position) {
            if self.expired == ExpiredKey::Delete {
                self.expire(db, key);
            }
            return None;
        }
        Some(position)
    }

    /// True if a client must not see the key at `position` any more.
    #[inline]
    pub(crate) fn is_gone(&self, db: usize, position: usize) -> bool {
        self.keyspace.db(db).at(position).1.is_expired(self.now) && self.expired != ExpiredKey::Keep
    }

    /// Deletes a key whose time is up, and tells.
    pub(crate) fn expire(&mut self, db: usize, key: &[u8]) {
        self.keyspace.db_mut(db).remove(key);
        let del = ArgsBuf::from_parts([b"DEL", key]);
        if db == self.db {
            self.effects.before.push(del);
        } else {
            self.effects.elsewhere.push((db, del));
        }
        self.effects.expired += 1;
    }

    /// Looks for a key to read it, and counts a hit or a miss.
    #[inline]
    pub(crate) fn read(&mut self, key: &[u8]) -> Option<usize> {
        let found = self.peek(key);
        if let Some(position) = found {
            let now = self.now;
            self.keyspace.db_mut(self.db).touch(position, now);
        }
        found
    }

    /// As [`read`](Ctx::read), for a command that asks about a key and does not use its value.
    #[inline]
    pub(crate) fn peek(&mut self, key: &[u8]) -> Option<usize> {
        let found = self.find_in(self.db, key);
        match found {
            Some(_) => self.effects.hits += 1,
            None => self.effects.misses += 1,
        }
        found
    }

    /// Looks for a key to change it.
    #[inline]
    pub(crate) fn write(&mut self, key: &[u8]) -> Option<usize> {
        self.write_in(self.db, key)
    }

    /// As [`write`](Ctx::write), in any database.
    ///
    /// A hidden key does not outlive a write: a replica that takes writes from clients starts anew with
    /// it, as Redis does, and tells nobody, for its own replicas follow the master.
    #[inline]
    pub(crate) fn write_in(&mut self, db: usize, key: &[u8]) -> Option<usize> {
        let found = self.find_in(db, key);
        match found {
            Some(position) => {
                let now = self.now;
                self.keyspace.db_mut(db).touch(position, now);
            }
            None if self.expired == ExpiredKey::Hide => {
                self.keyspace.db_mut(db).remove(key);
            }
            None => {}
        }
        found
    }

    /// Notes that a client that waits for `key` may find something there now: to be called by every
    /// command that makes a key a list or a sorted set.
    pub(crate) fn make_ready(&mut self, db: usize, key: &[u8]) {
        self.effects.ready.push((db, key.into()));
    }

    /// As [`make_ready`](Ctx::make_ready), if a client can wait for what `key` holds.
    pub(crate) fn announce(&mut self, db: usize, key: &[u8]) {
        let value = self.keyspace.db(db).get(key).map(|entry| &entry.value);
        if matches!(value, Some(Value::List(_) | Value::Zset(_))) {
            self.make_ready(db, key);
        }
    }

    /// Waits for one of `keys`, or replies `at_once` if this is no place to wait.
    ///
    /// Redis replies a null array to everybody whose time is up, also where the command has one value
    /// as its reply; clients of RESP2 can tell.
    pub(crate) fn wait<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k [u8]>,
        deadline: Option<Millis>,
        at_once: TimeoutReply,
    ) {
        if self.may_block {
            let keys = keys.map(Into::into).collect();
            self.effects.wait = Some(Wait { keys, deadline, on_timeout: TimeoutReply::NullArray });
        } else {
            at_once.write(self.reply);
        }
    }

    /// Deletes the key at `position` if its value has lost its last element.
    pub(crate) fn drop_if_empty(&mut self, position: usize) {
        let db = self.keyspace.db_mut(self.db);
        if db.at(position).1.value.is_empty_collection() {
            db.remove_at(position);
        }
    }

    /// Counts one change.
    pub(crate) fn changed(&mut self) {
        self.effects.dirty += 1;
    }
}

/// What a handler comes to: it has replied, or the text of the error to reply.
pub(crate) type Outcome = Result<(), Refusal>;

/// The text of an error reply, its code first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) Cow<'static, str>);

impl From<&'static str> for Refusal {
    fn from(text: &'static str) -> Refusal {
        Refusal(Cow::Borrowed(text))
    }
}

impl From<String> for Refusal {
    fn from(text: String) -> Refusal {
        // It may quote what the client sent, and an error is one line.
        Refusal(Cow::Owned(text.replace(['\r', '\n'], " ")))
    }
}

impl From<WrongType> for Refusal {
    fn from(_: WrongType) -> Refusal {
        errors::WRONG_TYPE.into()
    }
}

/// Runs a handler and replies with its error, if any.
#[inline]
pub(crate) fn run(ctx: &mut Ctx<'_>, args: Args<'_>, handler: impl Fn(&mut Ctx<'_>, Args<'_>) -> Outcome) {
    if let Err(Refusal(text)) = handler(ctx, args) {
        ctx.reply.error(&text);
    }
}
