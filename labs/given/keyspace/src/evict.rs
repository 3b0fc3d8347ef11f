use core_types::Millis;

use crate::Keyspace;

/// Which of a few keys drawn at random has to go when memory is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evict {
    /// The one that nobody has used for the longest time.
    LeastRecentlyUsed,
    /// Any.
    Random,
    /// The one that is used least often. Wants a count to be kept: [`Usage::Frequency`](crate::Usage).
    LeastFrequentlyUsed,
    /// The one that expires first.
    SoonestToExpire,
}

impl Keyspace {
    /// Draws up to `samples` keys from each database, among those that expire if `volatile`, and names
    /// the one to evict. `None`: there is no such key. The caller deletes it and tells the replicas.
    ///
    /// Redis keeps the best candidates of earlier draws in a pool besides, and so comes a little closer to
    /// the true order. Time of use is kept in seconds, by both.
    pub fn draw_victim(
        &mut self,
        by: Evict,
        volatile: bool,
        samples: usize,
        now: Millis,
    ) -> Option<(usize, Box<[u8]>)> {
        let mut best: Option<(u64, usize, Box<[u8]>)> = None;
        for index in 0..self.databases() {
            let count = if volatile { self.db(index).volatile_len() } else { self.db(index).len() };
            for _ in 0..samples.min(count) {
                let drawn = self.rng.below(count as u64) as usize;
                let db = self.db(index);
                let position = if volatile { db.volatile_at(drawn) } else { drawn };
                let (key, entry) = db.at(position);
                let rank = match by {
                    Evict::LeastRecentlyUsed => u64::from(entry.touched),
                    Evict::SoonestToExpire => entry.expire_at().unwrap_or(Millis(u64::MAX)).0,
                    Evict::LeastFrequentlyUsed => u64::from(db.frequency(position, now).unwrap_or(0)),
                    Evict::Random => 0,
                };
                if best.as_ref().is_none_or(|(least, ..)| rank < *least) {
                    best = Some((rank, index, key.into()));
                }
            }
        }
        best.map(|(_, db, key)| (db, key))
    }
}
