//! A slot that its owner names no more, and somebody else claims: by hand, or because the news came in another order.

use bus::{Body, Kind};

use crate::lone::{Lone, bits, id, pong};

/// The first friend has had ten slots in epoch 9, and names all but slot 0 from now on. Of the second we know nothing yet.
fn given_away() -> Lone {
    let mut lone = Lone::new();
    for (number, ip) in [(1, "10.0.0.7"), (2, "10.0.0.8")] {
        lone.befriend(number, ip);
    }
    let link = lone.link(id(1));
    lone.hear(link, &pong(id(1)).owning(0..10, 9));
    lone.hear(link, &pong(id(1)).owning(1..10, 9));
    lone
}

#[test]
fn it_stays_where_it_was_until_somebody_claims_it_in_whatever_epoch() {
    let mut lone = given_away();
    assert!(lone.story()[&id(1)].ends_with(" 0-9"), "clients are sent there: {:?}", lone.story());
    let link = lone.link(id(2));
    lone.hear(link, &pong(id(2)).owning(0..1, 3));
    assert!(lone.story()[&id(1)].ends_with(" 1-9"), "{:?}", lone.story());
    assert!(lone.story()[&id(2)].ends_with(" 0"), "{:?}", lone.story());
    // From now on it is as any other slot.
    lone.hear(link, &pong(id(2)).owning(0..2, 3));
    assert!(lone.story()[&id(2)].ends_with(" 0"), "slot 1 is still named: {:?}", lone.story());
}

#[test]
fn it_is_its_owners_again_when_that_one_names_it_again() {
    let mut lone = given_away();
    let link = lone.link(id(1));
    lone.hear(link, &pong(id(1)).owning(0..10, 9));
    let link = lone.link(id(2));
    lone.hear(link, &pong(id(2)).owning(0..1, 3));
    assert!(lone.story()[&id(1)].ends_with(" 0-9"), "{:?}", lone.story());
}

#[test]
fn nobody_is_told_that_it_is_still_the_owners() {
    let mut lone = given_away();
    let link = lone.link(id(2));
    lone.said(link);
    lone.hear(link, &pong(id(2)).owning(1..2, 3));
    let said = lone.said(link);
    let packets = said.packets();
    let update = packets.iter().find(|packet| packet.kind == Kind::Update).expect("it is told of slot 1");
    let Body::Update { node, slots, .. } = update.body else { panic!("{update:?}") };
    assert_eq!((node, slots), (id(1), &bits(1..10)));
}
