use crate::dense::{Dense, Slot};
use crate::intset::IntSet;
use crate::keyspace::Compact;
use crate::packed::Item;
use crate::value::Digits;

/// A set.
///
/// It begins as a sorted sequence of numbers and becomes a hash table with the first member that is no
/// number, or when there are too many; it never goes back. The table is dense and ordered like a
/// database, and for the same reasons: see [`Db`](crate::Db).
#[derive(Clone, Debug)]
pub enum Set {
    /// Not too many members, and all of them numbers.
    Ints(IntSet),
    /// Any members.
    Members(Box<Members>),
}

/// The members of a large set in the order in which they came.
#[derive(Clone, Debug)]
pub struct Members(Dense<Member>);

#[derive(Clone, Debug)]
struct Member {
    text: Box<[u8]>,
    hash: u32,
}

impl Slot for Member {
    #[inline]
    fn key(&self) -> &[u8] {
        &self.text
    }

    #[inline]
    fn hash(&self) -> u32 {
        self.hash
    }
}

impl Members {
    /// Adds a member. False if it was there already.
    fn insert(&mut self, text: &[u8]) -> bool {
        let hash = self.0.hash(text);
        let new = self.0.find_hashed(text, hash).is_none();
        if new {
            self.0.push(Member { text: text.into(), hash });
        }
        new
    }

    fn remove(&mut self, text: &[u8]) -> bool {
        let found = self.0.find(text);
        found.map(|position| self.0.swap_remove(position)).is_some()
    }
}

impl Set {
    /// A set that holds nothing.
    pub fn new() -> Set {
        Set::Ints(IntSet::new())
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        match self {
            Set::Ints(ints) => ints.len(),
            Set::Members(members) => members.0.len(),
        }
    }

    /// True without any member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True if `member` is in the set.
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        match self {
            Set::Ints(ints) => matches!(Item::new(member), Item::Int(number) if ints.contains(number)),
            Set::Members(members) => members.0.find(member).is_some(),
        }
    }

    /// As [`contains`](Set::contains), for the member of another set.
    #[inline]
    pub(crate) fn contains_item(&self, member: Item<'_>) -> bool {
        match (self, member) {
            (Set::Ints(ints), Item::Int(number)) => ints.contains(number),
            _ => self.contains(member.as_bytes(&mut Digits::default())),
        }
    }

    /// Adds a member. False if it was there already. `compact` says how long the set may stay small,
    /// `seed` is for its hash table.
    pub fn add(&mut self, member: &[u8], compact: &Compact, seed: u64) -> bool {
        if let Set::Ints(ints) = self {
            match Item::new(member) {
                Item::Int(number) if ints.len() < compact.set_intset || ints.contains(number) => {
                    return ints.insert(number);
                }
                _ => self.grow(seed),
            }
        }
        let Set::Members(members) = self else { unreachable!("it has just grown") };
        members.insert(member)
    }

    /// Becomes a hash table.
    fn grow(&mut self, seed: u64) {
        let Set::Ints(ints) = self else { return };
        let mut members = Members(Dense::new(seed));
        let mut digits = Digits::default();
        ints.iter().for_each(|number| {
            members.insert(digits.write(number));
        });
        *self = Set::Members(Box::new(members));
    }

    /// Takes a member out. False if it was not there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Set::Ints(ints) => matches!(Item::new(member), Item::Int(number) if ints.remove(number)),
            Set::Members(members) => members.remove(member),
        }
    }

    /// Takes the member at `index` out, as bytes.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn take(&mut self, index: usize) -> Box<[u8]> {
        match self {
            Set::Ints(ints) => {
                let number = ints.at(index);
                ints.remove(number);
                Digits::default().write(number).into()
            }
            Set::Members(members) => members.0.swap_remove(index).text,
        }
    }

    /// The member at `index`, in the set's order.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn at(&self, index: usize) -> Item<'_> {
        match self {
            Set::Ints(ints) => Item::Int(ints.at(index)),
            Set::Members(members) => Item::Bytes(&members.0.at(index).text),
        }
    }

    /// The members in the set's order. Of a large one they all come as bytes, numbers too.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Item<'_>> {
        (0..self.len()).map(|index| self.at(index))
    }

    /// About how many bytes it takes beyond the entry that holds it.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Set::Ints(ints) => size_of::<i64>() * ints.len(),
            Set::Members(members) => {
                members.0.memory() + members.0.iter().map(|member| member.text.len()).sum::<usize>()
            }
        }
    }

    /// The name `OBJECT ENCODING` answers.
    pub(crate) fn encoding(&self) -> &'static str {
        match self {
            Set::Ints(_) => "intset",
            Set::Members(_) => "hashtable",
        }
    }
}

impl Default for Set {
    fn default() -> Set {
        Set::new()
    }
}

/// Equal if they hold the same members, however and in whatever order.
impl PartialEq for Set {
    fn eq(&self, other: &Set) -> bool {
        self.len() == other.len() && self.iter().all(|member| other.contains_item(member))
    }
}

impl Eq for Set {}
