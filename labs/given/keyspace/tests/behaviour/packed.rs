//! Packed sequences against a vector.

use keyspace::{Digits, Item, Packed};
use proptest::prelude::*;

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        (-300i64..300).prop_map(|number| number.to_string().into_bytes()),
        (0u32..64).prop_map(|bits| (1i64 << bits).wrapping_neg().to_string().into_bytes()),
        (0u32..64).prop_map(|bits| (1i64 << bits).wrapping_sub(1).to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..10),
        // Around the lengths at which head or tail take a byte more.
        prop_oneof![120usize..135, 250usize..260, 16_370usize..16_390, 65_530usize..65_540]
            .prop_map(|length| vec![b'x'; length]),
    ]
}

#[derive(Clone, Debug)]
enum Change {
    Back(Vec<u8>),
    Front(Vec<u8>),
    Insert(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    Remove(usize, usize),
    Truncate(usize),
    DropFront(usize),
    RemoveEqual(Vec<u8>, usize, usize),
    Split(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = || 0usize..20;
    prop_oneof![
        4 => text().prop_map(Change::Back),
        4 => text().prop_map(Change::Front),
        4 => (place(), text()).prop_map(|(place, text)| Change::Insert(place, text)),
        3 => (place(), text()).prop_map(|(place, text)| Change::Replace(place, text)),
        2 => (place(), 0usize..4).prop_map(|(place, count)| Change::Remove(place, count)),
        1 => (0usize..30).prop_map(Change::Truncate),
        1 => (0usize..4).prop_map(Change::DropFront),
        1 => ((-2i64..3).prop_map(|number| number.to_string().into_bytes()), 0usize..2, 0usize..3)
            .prop_map(|(text, spared, limit)| Change::RemoveEqual(text, spared, limit)),
        1 => place().prop_map(Change::Split),
    ]
}

fn apply(packed: &mut Packed, model: &mut Vec<Vec<u8>>, change: &Change) {
    match change {
        Change::Back(text) => {
            packed.push_back(Item::new(text));
            model.push(text.clone());
        }
        Change::Front(text) => {
            packed.push_front(Item::new(text));
            model.insert(0, text.clone());
        }
        Change::Insert(place, text) => {
            let place = (*place).min(model.len());
            packed.insert(packed.nth(place).unwrap_or(packed.end()), Item::new(text));
            model.insert(place, text.clone());
        }
        Change::Replace(place, text) => {
            if let Some(at) = packed.nth(*place) {
                packed.replace(at, Item::new(text));
                model[*place] = text.clone();
            }
        }
        Change::Remove(place, count) => {
            if let Some(at) = packed.nth(*place) {
                packed.remove(at, *count);
                model.drain(place..&(place + count).min(model.len()));
            }
        }
        Change::Truncate(count) => {
            packed.truncate(*count);
            model.truncate(*count);
        }
        Change::DropFront(count) => {
            packed.drop_front(*count);
            model.drain(..(*count).min(model.len()));
        }
        Change::RemoveEqual(text, spared, limit) => {
            let removed = packed.remove_equal(Item::new(text), *spared, *limit);
            let (mut seen, mut gone) = (0, 0);
            model.retain(|other| {
                seen += usize::from(other == text);
                let goes = other == text && seen > *spared && gone < *limit;
                gone += usize::from(goes);
                !goes
            });
            assert_eq!(removed, gone);
        }
        Change::Split(place) => {
            let tail = packed.split_off(packed.nth(*place).unwrap_or(packed.end()));
            let model_tail: Vec<Vec<u8>> = model.drain((*place).min(model.len())..).collect();
            assert_eq!(tail.len(), model_tail.len());
            packed.append(&tail);
            model.extend(model_tail);
        }
    }
}

proptest! {
    #[test]
    fn a_packed_sequence_is_a_sequence(changes in prop::collection::vec(change(), 0..40)) {
        let (mut packed, mut model) = (Packed::new(), Vec::new());
        for change in &changes {
            apply(&mut packed, &mut model, change);
            prop_assert_eq!(packed.len(), model.len());
            let forward: Vec<Vec<u8>> = packed.iter().map(|item| item.to_vec()).collect();
            prop_assert_eq!(&forward, &model);
            let mut backward: Vec<Vec<u8>> = packed.iter().rev().map(|item| item.to_vec()).collect();
            backward.reverse();
            prop_assert_eq!(&backward, &model);
            let size: usize = packed.iter().map(|item| item.packed_size()).sum();
            prop_assert_eq!(packed.size(), if model.is_empty() { 0 } else { size + 4 });
        }
        // However it came about: equal content is equal.
        prop_assert_eq!(model.iter().map(|text| Item::new(text)).collect::<Packed>(), packed);
    }

    #[test]
    fn places_lead_to_every_element(texts in prop::collection::vec(text(), 0..30)) {
        let packed: Packed = texts.iter().map(|text| Item::new(text)).collect();
        for (index, (at, item)) in packed.places().enumerate() {
            prop_assert_eq!(packed.nth(index), Some(at));
            prop_assert_eq!(packed.get(at), item);
            prop_assert_eq!(item.text_len(), texts[index].len());
            let mut digits = Digits::default();
            prop_assert_eq!(item.as_bytes(&mut digits), &texts[index]);
            prop_assert_eq!(packed.prev(at), index.checked_sub(1).and_then(|index| packed.nth(index)));
            prop_assert_eq!(packed.next(at), packed.nth(index + 1));
            let first = texts.iter().position(|text| *text == texts[index]);
            prop_assert_eq!(packed.find(item, packed.first().unwrap(), 1), packed.nth(first.unwrap()));
        }
        prop_assert_eq!(packed.nth(texts.len()), None);
    }
}

#[test]
fn only_every_other_element_is_a_field() {
    let packed: Packed = ["a", "b", "b", "c"].iter().map(|text| Item::new(text.as_bytes())).collect();
    let first = packed.first().unwrap();
    assert_eq!(packed.find(Item::new(b"b"), first, 2), packed.nth(2));
    assert_eq!(packed.find(Item::new(b"c"), first, 2), None);
}
