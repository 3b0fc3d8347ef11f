use crate::Compact;
use crate::dense::{Dense, Slot};
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

/// Values by field, in the order in which the fields came.
#[derive(Clone, Debug)]
pub struct Fields(Dense<Field>);

#[derive(Clone, Debug)]
struct Field {
    name: Box<[u8]>,
    value: Box<[u8]>,
    hash: u32,
}

impl Slot for Field {
    #[inline]
    fn key(&self) -> &[u8] {
        &self.name
    }

    #[inline]
    fn hash(&self) -> u32 {
        self.hash
    }
}

impl Fields {
    /// Gives a field a value. True if the field is new.
    fn set(&mut self, name: &[u8], value: &[u8]) -> bool {
        let hash = self.0.hash(name);
        match self.0.find_hashed(name, hash) {
            Some(position) => {
                self.0.at_mut(position).value = value.into();
                false
            }
            None => {
                self.0.push(Field { name: name.into(), value: value.into(), hash });
                true
            }
        }
    }
}

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
            Hash::Table(table) => table.0.len(),
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
                let texts: usize = table.0.iter().map(|field| field.name.len() + field.value.len()).sum();
                size_of::<Fields>() + table.0.memory() + texts
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
            Hash::Table(table) => table.0.get(field).map(|field| Item::Bytes(&field.value)),
        }
    }

    /// True if there is such a field.
    pub fn contains(&self, field: &[u8]) -> bool {
        match self {
            Hash::Packed(packed) => find(packed, field).is_some(),
            Hash::Table(table) => table.0.find(field).is_some(),
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
            Hash::Table(table) => table.set(field, value),
        }
    }

    fn make_table(&mut self, seed: u64) {
        if let Hash::Packed(packed) = self {
            let mut table = Fields(Dense::new(seed));
            let mut items = packed.iter();
            while let (Some(field), Some(value)) = (items.next(), items.next()) {
                table.set(&field.to_vec(), &value.to_vec());
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
                let found = table.0.find(field);
                found.map(|position| table.0.swap_remove(position)).is_some()
            }
        }
    }

    /// Fields and values in the order of the hash.
    pub fn iter(&self) -> impl Iterator<Item = (Item<'_>, Item<'_>)> {
        let (packed, table) = match self {
            Hash::Packed(packed) => (Some(packed.iter()), None),
            Hash::Table(table) => (None, Some(table.0.iter())),
        };
        let mut packed = packed.into_iter().flatten();
        let pairs = std::iter::from_fn(move || Some((packed.next()?, packed.next()?)));
        let rows = table.into_iter().flatten();
        pairs.chain(rows.map(|field| (Item::Bytes(&field.name), Item::Bytes(&field.value))))
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
                let field = table.0.at(index);
                (Item::Bytes(&field.name), Item::Bytes(&field.value))
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
