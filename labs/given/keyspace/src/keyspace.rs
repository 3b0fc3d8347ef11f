use core_types::{Broken, Rng};

use crate::{Db, Entry};

/// All databases of one node.
#[derive(Clone, Debug)]
pub struct Keyspace {
    databases: Vec<Db>,
    /// For `RANDOMKEY`.
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
        Keyspace { databases: vec![Db::new(hash_seed); databases], rng, expire_next: 0 }
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
