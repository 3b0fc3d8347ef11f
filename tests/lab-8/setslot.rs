// 8.5: CLUSTER SETSLOT.

fn show_state(state: &SlotState<char>) -> String {
    let mut text = match state.owner {
        None => "nobody's".to_string(),
        Some(owner) if owner == state.me => "mine".to_string(),
        Some(owner) => format!("{owner}'s"),
    };
    if let Some(to) = state.moving.to {
        text += &format!(", MIGRATING {to}");
    }
    if let Some(from) = state.moving.from {
        text += &format!(", IMPORTING {from}");
    }
    text
}

fn show_command(command: SetSlot<char>) -> String {
    match command {
        SetSlot::Migrating(to) => format!("MIGRATING {to}"),
        SetSlot::Importing(from) => format!("IMPORTING {from}"),
        SetSlot::Stable => "STABLE".into(),
        SetSlot::Node(owner) => format!("NODE {owner}"),
    }
}

fn set(trace: &mut Trace, state: &mut SlotState<char>, command: SetSlot<char>) -> Result<(), Broken> {
    let before = *state;
    let input = format!("{}, {} keys: {}", show_state(state), state.keys, show_command(command));
    let answer = state.set_slot(command);
    let output = match answer {
        Err(error) => format!("error: {error}"),
        Ok(effects) => {
            let mut text = show_state(state);
            for (flag, word) in [
                (effects.bump_epoch, "; a new epoch"),
                (effects.tell_all, "; tell all"),
                (effects.lost, "; one slot less"),
            ] {
                if flag {
                    text += word;
                }
            }
            text
        }
    };
    trace.call(input, output);
    if answer.is_err() && *state != before {
        let detail = format!(
            "{} was refused; before: {}; after: {}",
            show_command(command),
            show_state(&before),
            show_state(state)
        );
        return Err(Broken::new("What is refused changes nothing.", detail));
    }
    Ok(())
}

fn set_slots(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "CLUSTER SETSLOT at node A");
    let mine = SlotState { me: 'A', owner: Some('A'), moving: Moving::STABLE, keys: 3 };
    let theirs = SlotState { owner: Some('B'), keys: 0, ..mine };
    let leaving = SlotState { moving: Moving { to: Some('B'), from: None }, ..mine };
    let empty = SlotState { keys: 0, ..leaving };
    let arriving = SlotState { moving: Moving { to: None, from: Some('B') }, ..theirs };
    let filled = SlotState { keys: 3, ..arriving };
    for (state, command) in [
        (mine, SetSlot::Migrating('B')),
        (leaving, SetSlot::Migrating('C')),
        (theirs, SetSlot::Migrating('C')),
        (theirs, SetSlot::Importing('B')),
        (arriving, SetSlot::Importing('C')),
        (mine, SetSlot::Importing('B')),
        (SlotState { owner: None, ..theirs }, SetSlot::Importing('B')),
        (SlotState { owner: None, ..theirs }, SetSlot::Migrating('B')),
        (leaving, SetSlot::Stable),
        (filled, SetSlot::Stable),
        (leaving, SetSlot::Node('B')),
        (empty, SetSlot::Node('B')),
        (SlotState { keys: 0, ..mine }, SetSlot::Node('B')),
        (filled, SetSlot::Node('A')),
        (arriving, SetSlot::Node('A')),
        (filled, SetSlot::Node('C')),
        (theirs, SetSlot::Node('C')),
        (theirs, SetSlot::Node('A')),
        (mine, SetSlot::Node('A')),
        (leaving, SetSlot::Node('A')),
        (empty, SetSlot::Node('A')),
        (SlotState { owner: None, ..theirs }, SetSlot::Node('A')),
    ] {
        set(trace, &mut state.clone(), command)?;
    }
    trace.note(Millis::ZERO, None, "twice: the second time nothing is left to do");
    let mut state = filled;
    set(trace, &mut state, SetSlot::Node('A'))?;
    set(trace, &mut state, SetSlot::Node('A'))
}

fn set_slot_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "CLUSTER SETSLOT at node A");
    let mut rng = Rng::new(seed);
    let owner = rng.pick(&[None, Some('A'), Some('A'), Some('B')]).copied().flatten();
    let mut state = SlotState { me: 'A', owner, moving: Moving::STABLE, keys: 0 };
    for _ in 0..12 {
        if rng.chance(40) {
            state.keys = rng.below(3) as usize;
        }
        let node = *rng.pick(&['B', 'C']).unwrap_or(&'B');
        let command = match rng.below(5) {
            0 => SetSlot::Migrating(node),
            1 => SetSlot::Importing(node),
            2 if rng.chance(40) => SetSlot::Stable,
            3 => SetSlot::Node('A'),
            _ => SetSlot::Node(node),
        };
        set(trace, &mut state, command)?;
    }
    Ok(())
}
