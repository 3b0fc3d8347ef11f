use foldhash::fast::FixedState;
use indexmap::IndexSet;

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
pub type Members = IndexSet<Box<[u8]>, FixedState>;

impl Set {
    /// A set that holds nothing.
    pub fn new() -> Set {
        Set::Ints(IntSet::new())
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        match self {
            Set::Ints(ints) => ints.len(),
            Set::Members(members) => members.len(),
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
            Set::Members(members) => members.contains(member),
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
                _ => self.grow(1, seed),
            }
        }
        let Set::Members(members) = self else { unreachable!("it has just grown") };
        if members.contains(member) {
            return false;
        }
        members.insert(member.into())
    }

    /// Becomes a hash table with room for so many more members.
    fn grow(&mut self, more: usize, seed: u64) {
        let Set::Ints(ints) = self else { return };
        let mut members = Members::with_capacity_and_hasher(ints.len() + more, FixedState::with_seed(seed));
        let mut digits = Digits::default();
        ints.iter().for_each(|number| {
            members.insert(digits.write(number).into());
        });
        *self = Set::Members(Box::new(members));
    }

    /// Takes a member out. False if it was not there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Set::Ints(ints) => matches!(Item::new(member), Item::Int(number) if ints.remove(number)),
            Set::Members(members) => members.swap_remove(member),
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
            Set::Members(members) => members.swap_remove_index(index).expect("an index below the length"),
        }
    }

    /// The member at `index`, in the set's order.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn at(&self, index: usize) -> Item<'_> {
        match self {
            Set::Ints(ints) => Item::Int(ints.at(index)),
            Set::Members(members) => Item::Bytes(&members[index]),
        }
    }

    /// The members in the set's order. Of a large one they all come as bytes, numbers too.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Item<'_>> {
        (0..self.len()).map(|index| self.at(index))
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
