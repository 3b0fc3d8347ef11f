// 8.8 and 8.9: which slots move.

/// Slots as ranges.
fn show_slots(slots: &[Slot]) -> String {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for slot in slots.iter().map(|slot| slot.number()) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == slot => *last = slot,
            _ => ranges.push((slot, slot)),
        }
    }
    let shown: Vec<String> = ranges
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    shown.join(" ")
}

/// Nodes A, B, … with so many slots each, from 0 on without a gap.
fn shares(counts: &[u16]) -> Vec<Share<char>> {
    let mut next = 0;
    let mut shares = Vec::new();
    for (name, &count) in ('A'..).zip(counts) {
        let slots: SlotSet = (next..next + count).filter_map(Slot::new).collect();
        next += count;
        shares.push(Share::new(name, slots));
    }
    shares
}

fn show_shares(shares: &[Share<char>]) -> String {
    let show = |share: &Share<char>| {
        let weight = if share.weight == 1.0 { String::new() } else { format!(" (weight {})", share.weight) };
        format!("{} {}{weight}", share.node, share.slots.len())
    };
    shares.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn plan_reshard(trace: &mut Trace, shares: &[Share<char>], count: usize) -> Result<(), Broken> {
    let picks = lab::reshard(shares, count);
    let mut parts: Vec<(char, Vec<Slot>)> = Vec::new();
    for Pick { slot, from } in &picks {
        match parts.last_mut() {
            Some((node, slots)) if node == from => slots.push(*slot),
            _ => parts.push((*from, vec![*slot])),
        }
    }
    let parts: Vec<String> =
        parts.iter().map(|(node, slots)| format!("{node} {}: {}", slots.len(), show_slots(slots))).collect();
    let shown = if parts.is_empty() { "nothing".to_string() } else { parts.join("; ") };
    trace.call(format!("{count} of {}", show_shares(shares)), shown);
    let mut seen = BTreeSet::new();
    for pick in &picks {
        let has = shares.iter().any(|share| share.node == pick.from && share.slots.contains(pick.slot));
        if !has || !seen.insert(pick.slot) {
            let detail = format!("slot {} from {}", pick.slot, pick.from);
            return Err(Broken::new("Each slot is taken once, from who has it.", detail));
        }
    }
    if picks.len() > count {
        let detail = format!("{} of {count}", picks.len());
        return Err(Broken::new("No more slots are taken than were asked for.", detail));
    }
    Ok(())
}

fn reshards(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "a reshard plan");
    for (counts, count) in [
        (&[5462, 5461, 5461][..], 4096),
        (&[5462, 5461, 5461], 0),
        (&[5461, 5462, 5461], 1),
        (&[5461, 5462, 5461], 2),
        (&[5461, 5462, 5461], 3),
        (&[5461, 5461, 5462], 100),
        (&[5000], 1000),
        (&[100, 300, 200], 300),
        (&[10, 10, 10, 10], 3),
        (&[10, 0, 10], 5),
        (&[0, 0], 5),
        (&[3, 2], 5),
        (&[3, 2], 9),
        (&[1, 2, 4, 8], 10),
    ] {
        plan_reshard(trace, &shares(counts), count)?;
    }
    let odd = Share::new('A', (0..200).map(|n| slot(n * 3)).collect());
    let even = Share::new('B', [4, 7, 1000, 16383].map(slot).into_iter().collect());
    plan_reshard(trace, &[odd, even], 5)
}

fn reshard_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "a reshard plan");
    let mut rng = Rng::new(seed);
    let nodes = rng.between(1, 6);
    let mut shares: Vec<Share<char>> =
        ('A'..).take(nodes as usize).map(|name| Share::new(name, SlotSet::new())).collect();
    for number in 0..rng.between(10, 2000) as u16 {
        let node = rng.below(nodes) * rng.below(nodes) / nodes;
        shares[node as usize].slots.insert(slot(number));
    }
    plan_reshard(trace, &shares, rng.below(1000) as usize)
}

fn plan_rebalance(trace: &mut Trace, shares: &[Share<char>], threshold: f32) -> Result<(), Broken> {
    let portions = lab::rebalance(shares, threshold);
    let shown: Vec<String> =
        portions.iter().map(|Portion { from, to, count }| format!("{count} from {from} to {to}")).collect();
    let shown = if shown.is_empty() { "nothing".to_string() } else { shown.join(", ") };
    trace.call(format!("{}; threshold {threshold} %", show_shares(shares)), shown);
    let gives = |name| portions.iter().any(|portion| portion.from == name);
    if let Some(both) = portions.iter().find(|portion| gives(portion.to)) {
        return Err(Broken::new("Nobody takes and gives.", format!("{} does", both.to)));
    }
    Ok(())
}

fn weighted(counts: &[u16], weights: &[f32]) -> Vec<Share<char>> {
    let mut shares = shares(counts);
    for (share, &weight) in shares.iter_mut().zip(weights) {
        share.weight = weight;
    }
    shares
}

fn rebalances(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "a rebalance plan");
    let even = [1.0; 6];
    for (counts, weights, threshold) in [
        (&[5462, 5461, 5461][..], &even[..], 2.0),
        (&[5462, 5461, 5461, 0], &even, 2.0),
        (&[16384, 0, 0], &even, 2.0),
        (&[8192, 8192, 0], &even, 2.0),
        (&[5600, 5400, 5384], &even, 2.0),
        (&[5600, 5400, 5384], &even, 5.0),
        (&[16384, 0], &even, 0.0),
        (&[8192, 8192], &[1.0, 3.0], 2.0),
        (&[5462, 5461, 5461], &[0.0, 1.0, 1.0], 2.0),
        (&[4096, 4096, 4096, 4096], &[1.0, 1.0, 2.0, 4.0], 2.0),
        (&[6000, 5000, 3000, 2384], &even, 2.0),
        (&[4000, 4000, 4000, 4000, 384], &even, 2.0),
        // This one, and the same nodes with equal weights above, come out as redis-cli 7.0.15 plans them.
        (&[6000, 5000, 3000, 2384], &[0.0, 1.0, 1.0, 4.0], 2.0),
        (&[16384], &even, 2.0),
        (&[], &even, 2.0),
        (&[8192, 8192], &[0.0, 0.0], 2.0),
    ] {
        plan_rebalance(trace, &weighted(counts, weights), threshold)?;
    }
    Ok(())
}

/// Whether the parts come out the same in whatever order one multiplies and divides.
fn clear_parts(weights: &[f32]) -> bool {
    let total: f32 = weights.iter().sum();
    weights.iter().all(|&weight| {
        let part = 16384.0 * f64::from(weight) / f64::from(total);
        part.fract() == 0.0 && (total as u32).is_power_of_two() || (0.01..0.99).contains(&part.fract())
    })
}

fn rebalance_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "a rebalance plan");
    let mut rng = Rng::new(seed);
    let nodes = rng.between(1, 6) as usize;
    let mut counts = vec![0_u16; nodes];
    let mut left = Slot::COUNT;
    for count in &mut counts[1..] {
        *count = if rng.chance(20) { 0 } else { rng.below(u64::from(left) / 2 + 1) as u16 };
        left -= *count;
    }
    counts[0] = left;
    let weights: Vec<f32> =
        (0..nodes).map(|_| *rng.pick(&[1.0, 1.0, 1.0, 2.0, 3.0, 0.0]).unwrap_or(&1.0)).collect();
    if clear_parts(&weights) {
        let threshold = *rng.pick(&[2.0, 2.0, 10.0, 0.5]).unwrap_or(&2.0);
        plan_rebalance(trace, &weighted(&counts, &weights), threshold)?;
    }
    Ok(())
}
