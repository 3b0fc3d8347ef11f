// 9.7: whose slot it is.

/// Slots 1 to 9: for each its owner and the epoch of that owner's configuration.
type Owners<'a> = &'a [(u16, char, u64)];

fn owner_of(owners: Owners<'_>, slot: Slot) -> Option<(NodeId, Epoch)> {
    owners
        .iter()
        .find(|(number, ..)| *number == slot.number())
        .map(|&(_, owner, epoch)| (id(owner), Epoch(epoch)))
}

fn show_owners(owners: Owners<'_>) -> String {
    list(owners.iter().map(|(number, owner, epoch)| format!("{number}:{owner}@{epoch}")))
}

fn show_claim(trace: &mut Trace, owners: Owners<'_>, by: char, epoch: u64, claimed: &[u16], moving: &[u16]) {
    let set = slot_set(claimed.iter().copied());
    let importing = |slot: Slot| moving.contains(&slot.number());
    let taken = won(&set, id(by), Epoch(epoch), |slot| owner_of(owners, slot), importing);
    let text = format!("owners {}; {by} claims {} in epoch {epoch}", show_owners(owners), list(claimed));
    let moves = if moving.is_empty() { String::new() } else { format!(" (we import {})", list(moving)) };
    trace.call(format!("{text}{moves}"), format!("wins {}", list(taken)));
    let update = behind(&set, id(by), Epoch(epoch), |slot| owner_of(owners, slot));
    trace.call(text, update.map_or("no update".into(), |owner| format!("UPDATE about {}", letter(&owner))));
}

fn show_loss(trace: &mut Trace, loss: Loss, may_migrate: bool) {
    let text = format!(
        "lost {} of our slots, {} left; the claimant claims {} in all{}",
        loss.lost,
        loss.left,
        loss.claimed,
        if may_migrate { "" } else { "; replicas may not wander" }
    );
    trace.call(text, if follows(&loss, may_migrate) { "follow it" } else { "stay" });
}

fn claims(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "claims");
    let owners: Owners<'_> = &[(1, 'a', 4), (2, 'b', 9), (3, 'c', 1)];
    for (by, epoch, claimed, moving) in [
        ('c', 5, vec![0, 1, 2, 3], vec![]),
        ('c', 4, vec![1], vec![]),
        ('c', 3, vec![1, 2], vec![]),
        ('c', 10, vec![1, 2], vec![]),
        ('c', 10, vec![1, 2], vec![2]),
        ('c', 5, vec![0], vec![0]),
        ('a', 2, vec![1], vec![]),
        ('a', 3, vec![1, 2], vec![]),
        ('d', 0, vec![0, 1, 2, 3], vec![]),
    ] {
        show_claim(trace, owners, by, epoch, &claimed, &moving);
    }
    let lost = Loss { lost: 10, left: 0, claimed: 10 };
    for (loss, may_migrate) in [
        (lost, true),
        (lost, false),
        (Loss { claimed: 30, ..lost }, true),
        (Loss { claimed: 30, ..lost }, false),
        (Loss { left: 1, ..lost }, true),
        (Loss { lost: 0, left: 0, claimed: 5 }, true),
        (Loss { lost: 0, left: 0, claimed: 0 }, false),
    ] {
        show_loss(trace, loss, may_migrate);
    }
    Ok(())
}

/// Claims with any epochs; and then the news of one configuration in any order, which must end the same everywhere.
fn claim_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "claims");
    let mut rng = Rng::new(seed);
    let mut owners: Vec<(u16, char, u64)> = Vec::new();
    let epochs: BTreeMap<char, u64> = ['a', 'b', 'c', 'd'].map(|name| (name, rng.below(6))).into();
    for number in 1..=6 {
        if rng.chance(80) {
            let name = ['a', 'b', 'c'][rng.below(3) as usize];
            owners.push((number, name, epochs[&name]));
        }
    }
    let by = ['a', 'b', 'c', 'd'][rng.below(4) as usize];
    let claimed: Vec<u16> = (1..=6).filter(|_| rng.chance(60)).collect();
    let moving: Vec<u16> = (1..=6).filter(|_| rng.chance(10)).collect();
    show_claim(trace, &owners, by, rng.below(8), &claimed, &moving);
    let loss =
        Loss { lost: rng.below(3) as usize, left: rng.below(2) as usize, claimed: rng.below(4) as usize };
    show_loss(trace, loss, rng.chance(50));
    any_order_ends_the_same(&mut rng)
}

fn any_order_ends_the_same(rng: &mut Rng) -> Result<(), Broken> {
    // Each epoch was given to one node, and says which slots it has.
    let news: Vec<(char, u64, Vec<u16>)> = (1..=4)
        .map(|epoch| {
            let name = ['a', 'b', 'c', 'd'][epoch as usize - 1];
            (name, epoch, (1..=6).filter(|_| rng.chance(50)).collect())
        })
        .collect();
    let mut ends: BTreeSet<Vec<(u16, char, u64)>> = BTreeSet::new();
    for _ in 0..3 {
        let mut owners: BTreeMap<u16, (char, u64)> = BTreeMap::new();
        let mut left = news.clone();
        while !left.is_empty() {
            let (by, epoch, claimed) = left.remove(rng.below(left.len() as u64) as usize);
            let owner =
                |slot: Slot| owners.get(&slot.number()).map(|&(name, epoch)| (id(name), Epoch(epoch)));
            for slot in won(&slot_set(claimed), id(by), Epoch(epoch), owner, |_| false) {
                owners.insert(slot.number(), (by, epoch));
            }
        }
        ends.insert(owners.into_iter().map(|(slot, (name, epoch))| (slot, name, epoch)).collect());
    }
    if ends.len() > 1 {
        let detail = "the same claims, heard in another order, gave a slot another owner";
        return Err(Broken::new("In whatever order claims arrive, the greatest epoch has the slot.", detail));
    }
    Ok(())
}
