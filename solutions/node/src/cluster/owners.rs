//! Who owns which slot, in two bytes a slot.

use core_types::{NodeId, Slot, SlotSet};

/// The owner of each slot. Ids stand in a small list, and a slot holds a place in it, so that the whole is
/// 32 KiB and not twenty times that.
#[derive(Debug)]
pub(crate) struct Owners {
    /// For each slot, one more than the owner's place in `ids`; 0 for nobody.
    places: Box<[u16]>,
    /// An owner and how many slots it has. A place without slots is free.
    ids: Vec<(NodeId, u16)>,
    assigned: usize,
}

impl Default for Owners {
    fn default() -> Owners {
        Owners { places: vec![0; Slot::COUNT as usize].into(), ids: Vec::new(), assigned: 0 }
    }
}

impl Owners {
    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<NodeId> {
        let place = self.places[slot.index()].checked_sub(1)?;
        Some(self.ids[usize::from(place)].0)
    }

    pub(crate) fn set(&mut self, slot: Slot, owner: Option<NodeId>) {
        if let Some(place) = self.places[slot.index()].checked_sub(1) {
            self.ids[usize::from(place)].1 -= 1;
            self.assigned -= 1;
        }
        self.places[slot.index()] = match owner {
            None => 0,
            Some(id) => {
                let place = self.place_of(id);
                self.ids[place].1 += 1;
                self.assigned += 1;
                // There are no more owners than slots.
                place as u16 + 1
            }
        };
    }

    fn place_of(&mut self, id: NodeId) -> usize {
        let known = self.ids.iter().position(|(other, count)| *other == id && *count > 0);
        let place = known.or_else(|| self.ids.iter().position(|(_, count)| *count == 0));
        let place = place.unwrap_or_else(|| {
            self.ids.push((id, 0));
            self.ids.len() - 1
        });
        self.ids[place].0 = id;
        place
    }

    /// Takes all its slots from this owner.
    pub(crate) fn drop_owner(&mut self, id: NodeId) {
        let Some(place) = self.ids.iter().position(|(other, count)| *other == id && *count > 0) else {
            return;
        };
        self.places.iter_mut().filter(|at| usize::from(**at) == place + 1).for_each(|at| *at = 0);
        self.assigned -= usize::from(std::mem::take(&mut self.ids[place].1));
    }

    /// The first of these slots that this member does not own.
    pub(crate) fn missing(&self, id: NodeId, slots: &SlotSet) -> Option<Slot> {
        let place = self.ids.iter().position(|(other, count)| *other == id && *count > 0);
        // Nobody has place 0.
        let place = place.map_or(0, |place| place as u16 + 1);
        slots.iter().find(|slot| place == 0 || self.places[slot.index()] != place)
    }

    pub(crate) fn rename(&mut self, old: NodeId, new: NodeId) {
        for (id, _) in &mut self.ids {
            if *id == old {
                *id = new;
            }
        }
    }

    /// How many slots have an owner.
    pub(crate) fn assigned(&self) -> usize {
        self.assigned
    }
}

#[cfg(test)]
mod tests {
    use core_types::Rng;

    use super::*;

    #[test]
    fn agrees_with_a_plain_table_through_any_changes() {
        let mut rng = Rng::new(7);
        let names: Vec<NodeId> = (0..9).map(|_| NodeId::random(&mut rng)).collect();
        let mut owners = Owners::default();
        let mut plain: Vec<Option<NodeId>> = vec![None; Slot::COUNT as usize];
        for step in 0..20_000 {
            let slot = Slot::new((rng.next_u64() % u64::from(Slot::COUNT)) as u16).unwrap();
            let name = names[(rng.next_u64() % 9) as usize];
            if step % 1_000 == 999 {
                owners.drop_owner(name);
                plain.iter_mut().filter(|owner| **owner == Some(name)).for_each(|owner| *owner = None);
            } else {
                let owner = (!rng.next_u64().is_multiple_of(5)).then_some(name);
                owners.set(slot, owner);
                plain[slot.index()] = owner;
            }
        }
        assert!(Slot::all().all(|slot| owners.get(slot) == plain[slot.index()]));
        assert_eq!(owners.assigned(), plain.iter().flatten().count());
        for name in &names {
            let theirs: SlotSet = Slot::all().filter(|slot| plain[slot.index()] == Some(*name)).collect();
            assert_eq!(owners.missing(*name, &theirs), None);
            let strange = Slot::all().find(|slot| !theirs.contains(*slot));
            let more: SlotSet = theirs.iter().chain(strange).collect();
            assert_eq!(owners.missing(*name, &more), strange);
        }
        assert!(owners.ids.len() <= names.len());
    }
}
