use foldhash::fast::FixedState;
use indexmap::IndexMap;

use crate::Compact;
use crate::packed::{At, Item, Packed};

/// A hash: fields, each with a value.
///
/// A short one is a single piece of memory that is searched from the front; beyond the bounds of
/// [`Compact`] it becomes a table, and stays one. The table is dense and in a definite order for the
/// reasons that [`Db`](crate::Db) gives, and `HSCAN` walks it in the same way.
#[derive(Clone, Debug)]
pub enum Hash {
    /// Field, value, field, value.
    Packed(Packed),
    /// Values by field.
    Table(Box<Fields>),
}

/// Values by field.
pub type Fields = IndexMap<Box<[u8]>, Box<[u8]>, FixedState>;

impl Default for Hash {
    fn default() -> Hash {
        Hash::new()
    }
}

impl Hash {
    /// A hash without fields.
    pub fn new() -> Hash {
        Hash::Packed(Packed::new())
    }

    /// The name `OBJECT ENCODING` answers.
    pub(crate) fn encoding(&self) -> &'static str {
        match self {
            Hash::Packed(_) => "listpack",
            Hash::Table(_) => "hashtable",
        }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        match self {
            Hash::Packed(packed) => packed.len() / 2,
            Hash::Table(table) => table.len(),
        }
    }

    /// True without any field.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes it takes beyond the entry that holds it.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Hash::Packed(packed) => packed.size(),
            Hash::Table(table) => {
                let texts: usize = table.iter().map(|(field, value)| field.len() + value.len()).sum();
                // A slot holds both, the hash and, in the index, its own number.
                let slot = size_of::<(Box<[u8]>, Box<[u8]>, u64, usize)>();
                size_of::<Fields>() + table.capacity() * slot + texts
            }
        }
    }

    /// The value of a field.
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Item<'_>> {
        match self {
            Hash::Packed(packed) => {
                let at = packed.next(find(packed, field)?)?;
                Some(packed.get(at))
            }
            Hash::Table(table) => table.get(field).map(|value| Item::Bytes(value)),
        }
    }

    /// True if there is such a field.
    pub fn contains(&self, field: &[u8]) -> bool {
        match self {
            Hash::Packed(packed) => find(packed, field).is_some(),
            Hash::Table(table) => table.contains_key(field),
        }
    }

    /// Gives a field a value. True if the field is new. A table that has to be made hashes with `seed`.
    pub fn set(&mut self, field: &[u8], value: &[u8], bounds: &Compact, seed: u64) -> bool {
        if field.len().max(value.len()) > bounds.hash_value {
            self.make_table(seed);
        }
        match self {
            Hash::Packed(packed) => {
                let new = match find(packed, field) {
                    Some(at) => {
                        let at = packed.next(at).expect("a field has a value");
                        packed.replace(at, Item::new(value));
                        false
                    }
                    None => {
                        packed.push_back(Item::new(field));
                        packed.push_back(Item::new(value));
                        true
                    }
                };
                if packed.len() / 2 > bounds.hash_entries {
                    self.make_table(seed);
                }
                new
            }
            Hash::Table(table) => match table.get_mut(field) {
                Some(old) => {
                    *old = value.into();
                    false
                }
                None => table.insert(field.into(), value.into()).is_none(),
            },
        }
    }

    fn make_table(&mut self, seed: u64) {
        if let Hash::Packed(packed) = self {
            let mut table = Fields::with_capacity_and_hasher(packed.len() / 2, FixedState::with_seed(seed));
            let mut items = packed.iter();
            while let (Some(field), Some(value)) = (items.next(), items.next()) {
                table.insert(field.to_vec().into(), value.to_vec().into());
            }
            *self = Hash::Table(Box::new(table));
        }
    }

    /// Takes a field out. True if it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match self {
            Hash::Packed(packed) => match find(packed, field) {
                Some(at) => {
                    packed.remove(at, 2);
                    true
                }
                None => false,
            },
            Hash::Table(table) => {
                let removed = table.swap_remove(field).is_some();
                if table.len() < table.capacity() / 8 {
                    table.shrink_to(2 * table.len());
                }
                removed
            }
        }
    }

    /// Fields and values in the order of the hash.
    pub fn iter(&self) -> impl Iterator<Item = (Item<'_>, Item<'_>)> {
        let (packed, table) = match self {
            Hash::Packed(packed) => (Some(packed.iter()), None),
            Hash::Table(table) => (None, Some(table.iter())),
        };
        let mut packed = packed.into_iter().flatten();
        let pairs = std::iter::from_fn(move || Some((packed.next()?, packed.next()?)));
        let rows = table.into_iter().flatten();
        pairs.chain(rows.map(|(field, value)| (Item::Bytes(field), Item::Bytes(value))))
    }

    /// The field and value at a place in the order of the hash.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn at(&self, index: usize) -> (Item<'_>, Item<'_>) {
        match self {
            Hash::Packed(packed) => {
                let field = packed.nth(2 * index).expect("a place below the number of fields");
                let value = packed.next(field).expect("a field has a value");
                (packed.get(field), packed.get(value))
            }
            Hash::Table(table) => {
                let (field, value) = table.get_index(index).expect("a place below the number of fields");
                (Item::Bytes(field), Item::Bytes(value))
            }
        }
    }
}

/// Where a field lies.
#[inline]
fn find(packed: &Packed, field: &[u8]) -> Option<At> {
    packed.find(Item::new(field), packed.first()?, 2)
}

/// Equal if they hold the same fields with equal values, in any order.
impl PartialEq for Hash {
    fn eq(&self, other: &Hash) -> bool {
        let text = |item: Item<'_>| item.to_vec();
        self.len() == other.len()
            && self.iter().all(|(field, value)| other.get(&text(field)).map(text) == Some(text(value)))
    }
}

impl Eq for Hash {}
