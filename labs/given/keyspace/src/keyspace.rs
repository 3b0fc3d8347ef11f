use core_types::{Broken, Rng};

use crate::{Db, Entry};

/// Up to which size values are kept in a compact form. The names are those of Redis's directives, and so
/// are the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compact {
    /// `hash-max-listpack-entries`: fields of a hash.
    pub hash_entries: usize,
    /// `hash-max-listpack-value`: bytes of its longest field or value.
    pub hash_value: usize,
    /// `list-max-listpack-size`: above zero, elements of a list's node; -1 to -5, its size: 4, 8, 16, 32
    /// or 64 KiB.
    pub list_node: i32,
    /// `set-max-intset-entries`: members of a set of numbers.
    pub set_intset: usize,
    /// `zset-max-listpack-entries`: members of a sorted set.
    pub zset_entries: usize,
    /// `zset-max-listpack-value`: bytes of its longest member.
    pub zset_value: usize,
}

impl Default for Compact {
    fn default() -> Compact {
        Compact {
            hash_entries: 512,
            hash_value: 64,
            list_node: -2,
            set_intset: 512,
            zset_entries: 128,
            zset_value: 64,
        }
    }
}

/// All databases of one node.
#[derive(Clone, Debug)]
pub struct Keyspace {
    databases: Vec<Db>,
    /// Up to where values keep their compact forms.
    pub compact: Compact,
    /// Makes collisions hard to construct in the hash tables of values; nothing else depends on it.
    pub(crate) hash_seed: u64,
    /// For `RANDOMKEY`, `SPOP` and other commands that draw.
    pub(crate) rng: Rng,
    /// The database with which the next active expiry cycle begins.
    pub(crate) expire_next: usize,
}

impl Keyspace {
    /// Empty databases. The same seed and the same commands give the same replies and the same order.
    ///
    /// # Panics
    /// Without at least one database: a connection starts in database 0.
    pub fn new(databases: usize, seed: u64) -> Keyspace {
        assert!(databases > 0, "a node has at least one database");
        let mut rng = Rng::new(seed);
        let hash_seed = rng.next_u64();
        Keyspace {
            databases: vec![Db::new(hash_seed); databases],
            compact: Compact::default(),
            hash_seed,
            rng,
            expire_next: 0,
        }
    }

    /// Keeps from now on an index of the keys by slots of a cluster, in database 0: a cluster has no other.
    pub fn index_slots(&mut self, slot_of: crate::SlotOf) {
        self.databases[0].index_slots(slot_of);
    }

    /// Keeps this about the use of keys from now on.
    pub fn set_usage(&mut self, usage: crate::Usage) {
        self.databases.iter_mut().for_each(|db| db.set_usage(usage));
    }

    /// How many databases there are.
    pub fn databases(&self) -> usize {
        self.databases.len()
    }

    /// One database.
    ///
    /// # Panics
    /// If there is no such database. `SELECT` checks what a client asks for.
    #[inline]
    pub fn db(&self, index: usize) -> &Db {
        &self.databases[index]
    }

    /// One database, to change it.
    ///
    /// # Panics
    /// As [`db`](Keyspace::db).
    #[inline]
    pub fn db_mut(&mut self, index: usize) -> &mut Db {
        &mut self.databases[index]
    }

    /// How many keys database `index` holds.
    pub fn len(&self, index: usize) -> usize {
        self.db(index).len()
    }

    /// True if no database holds a key.
    pub fn is_empty(&self) -> bool {
        self.databases.iter().all(Db::is_empty)
    }

    /// Exchanges the contents of two databases.
    ///
    /// # Panics
    /// If there is no such database.
    pub fn swap(&mut self, a: usize, b: usize) {
        self.databases.swap(a, b);
    }

    /// Forgets every key. Returns how many there were.
    pub fn flush_all(&mut self) -> usize {
        let keys = self.databases.iter().map(Db::len).sum();
        self.databases.iter_mut().filter(|db| !db.is_empty()).for_each(Db::clear);
        keys
    }

    /// Every database number, key and entry, in order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8], &Entry)> {
        self.databases
            .iter()
            .enumerate()
            .flat_map(|(index, db)| db.iter().map(move |(key, entry)| (index, key, entry)))
    }

    /// What must hold between commands.
    pub fn check_invariants(&self) -> Result<(), Broken> {
        self.databases.iter().try_for_each(Db::check_invariants)
    }
}

/// Equal if they hold the same data: databases, keys, values and expiry, in any order.
impl PartialEq for Keyspace {
    fn eq(&self, other: &Keyspace) -> bool {
        self.databases == other.databases
    }
}

impl Eq for Keyspace {}
