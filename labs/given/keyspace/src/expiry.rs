use core_types::Millis;

use crate::Keyspace;

/// A key that the active expiry cycle has deleted. The replicas must be told with a `DEL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The database it was in.
    pub db: usize,
    /// Its name.
    pub key: Box<[u8]>,
}

/// Keys looked at before the cycle asks whether a database is worth more of its time
/// (`ACTIVE_EXPIRE_CYCLE_KEYS_PER_LOOP` in Redis's `expire.c`).
const SAMPLE: usize = 20;

/// It goes on in the same database while more than this percentage of a sample was expired
/// (`ACTIVE_EXPIRE_CYCLE_ACCEPTABLE_STALE`, in force since Redis 6).
const ACCEPTABLE_STALE: usize = 10;

impl Keyspace {
    /// Deletes keys whose time is up although nobody asks for them.
    ///
    /// In every database it looks at 20 keys with an expiry, and goes on there while more than 10 % of
    /// them were dead. It looks at no more than `budget` keys in all, where Redis watches the clock, so
    /// that a run can be replayed; the next call continues with the database after the one where this
    /// call stopped. What it deletes is added to `deleted`. Only a master calls this: a replica waits
    /// for its master's `DEL`.
    pub fn active_expire(&mut self, now: Millis, budget: usize, deleted: &mut Vec<Deleted>) {
        let mut left = budget;
        for _ in 0..self.databases() {
            if left == 0 {
                return;
            }
            let db = self.expire_next;
            self.expire_next = (db + 1) % self.databases();
            loop {
                let sample = SAMPLE.min(left);
                let (seen, dead) = self.expire_sample(db, now, sample, deleted);
                left -= seen;
                if left == 0 || seen < SAMPLE || dead * 100 <= seen * ACCEPTABLE_STALE {
                    break;
                }
            }
        }
    }

    /// Looks at up to `sample` keys; returns how many it saw, and how many of them it deleted.
    fn expire_sample(
        &mut self,
        index: usize,
        now: Millis,
        sample: usize,
        deleted: &mut Vec<Deleted>,
    ) -> (usize, usize) {
        let db = self.db_mut(index);
        let sample = sample.min(db.volatile_len());
        let mut dead = 0;
        for _ in 0..sample {
            // Downward, as SCAN walks, so that no key is overlooked for ever.
            if db.expire_cursor == 0 || db.expire_cursor > db.volatile_len() {
                db.expire_cursor = db.volatile_len();
            }
            let Some(place) = db.expire_cursor.checked_sub(1) else { break };
            db.expire_cursor = place;
            let position = db.volatile_at(place);
            let (key, entry) = db.at(position);
            if entry.is_expired(now) {
                let key: Box<[u8]> = key.into();
                db.remove_at(position);
                deleted.push(Deleted { db: index, key });
                dead += 1;
            }
        }
        (sample, dead)
    }
}
