use std::borrow::Cow;

use core_types::{Args, ArgsBuf, ExpiredKey, Millis, Protocol, Reply};

use crate::{Keyspace, WrongType, errors};

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
    /// Takes exactly one reply.
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
}

impl Effects {
    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.dirty = 0;
        self.before.clear();
        self.instead = None;
        (self.hits, self.misses, self.expired) = (0, 0, 0);
    }

    /// Has the replicas told `command` in place of what the client sent.
    pub(crate) fn tell<'a>(&mut self, command: impl IntoIterator<Item = &'a [u8]>) {
        self.instead = Some(vec![ArgsBuf::from_parts(command)]);
    }

    /// All commands that the replicas must be told, in order; `command` is the one that ran.
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
        self.effects.before.push(ArgsBuf::from_parts([b"DEL", key]));
        self.effects.expired += 1;
    }

    /// Looks for a key to read it, and counts a hit or a miss.
    #[inline]
    pub(crate) fn read(&mut self, key: &[u8]) -> Option<usize> {
        let found = self.peek(key);
        if let Some(position) = found {
            let now = self.now;
            self.keyspace.db_mut(self.db).at_mut(position).touch(now);
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
                self.keyspace.db_mut(db).at_mut(position).touch(now);
            }
            None if self.expired == ExpiredKey::Hide => {
                self.keyspace.db_mut(db).remove(key);
            }
            None => {}
        }
        found
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
