// 8.1 to 8.3: what a node does with a command.

/// A read of one key.
fn read() -> Asked {
    Asked::about([slot(9252)], false)
}

fn write() -> Asked {
    Asked { write: true, ..read() }
}

/// Node A, which has the slot.
fn view() -> View<char> {
    View { me: 'A', my_master: None, owner: Some('A'), moving: Moving::STABLE, serving: Serving::All }
}

fn show_asked(asked: &Asked) -> String {
    let mut text = match (asked.migrate, asked.write) {
        (true, _) => "MIGRATE".to_string(),
        (_, true) => "write".to_string(),
        _ => "read".to_string(),
    };
    for (flag, word) in [
        (asked.several, " of several keys"),
        (asked.crosses, " in two slots"),
        (asked.asking, ", ASKING"),
        (asked.read_only, ", READONLY"),
    ] {
        if flag {
            text += word;
        }
    }
    text
}

fn show_view(view: &View<char>) -> String {
    let mut text = match view.owner {
        None => "nobody's slot".to_string(),
        Some(owner) if owner == view.me => "my slot".to_string(),
        Some(owner) => format!("{owner}'s slot"),
    };
    if let Some(master) = view.my_master {
        text += &format!(", I am a replica of {master}");
    }
    if let Some(to) = view.moving.to {
        text += &format!(", MIGRATING to {to}");
    }
    if let Some(from) = view.moving.from {
        text += &format!(", IMPORTING from {from}");
    }
    match view.serving {
        Serving::All => {}
        Serving::Reads => text += ", cluster down, reads allowed",
        Serving::Nothing => text += ", cluster down",
    }
    text
}

fn refuse(trace: &mut Trace, asked: &Asked, view: &View<char>) {
    let refused = lab::refused(asked, view);
    let shown = refused.map_or("may be answered".to_string(), |route| route.to_string());
    trace.call(format!("{}; {}", show_asked(asked), show_view(view)), shown);
}

fn refusals(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "may this node answer at all?");
    let (read, write, mine) = (read(), write(), view());
    let two = Asked { several: true, crosses: true, ..read };
    let down = |serving| View { serving, ..mine };
    for (asked, view) in [
        (read, mine),
        (read, View { owner: Some('B'), ..mine }),
        (read, View { owner: None, ..mine }),
        (two, mine),
        (Asked { several: true, ..read }, mine),
        (two, View { owner: None, ..mine }),
        (read, down(Serving::Nothing)),
        (write, down(Serving::Nothing)),
        (read, down(Serving::Reads)),
        (write, down(Serving::Reads)),
        (two, down(Serving::Nothing)),
        (read, View { owner: None, serving: Serving::Nothing, ..mine }),
        (write, View { owner: Some('B'), ..down(Serving::Reads) }),
        (Asked { asking: true, ..write }, down(Serving::Nothing)),
    ] {
        refuse(trace, &asked, &view);
    }
    Ok(())
}

fn any_asked(rng: &mut Rng) -> Asked {
    let several = rng.chance(40);
    let migrate = rng.chance(10);
    Asked {
        slot: Some(slot(9252)),
        crosses: several && rng.chance(30),
        several,
        write: migrate || rng.chance(50),
        migrate,
        asking: rng.chance(30),
        read_only: rng.chance(30),
    }
}

fn any_view(rng: &mut Rng) -> View<char> {
    View {
        me: 'A',
        my_master: if rng.chance(30) { Some(*rng.pick(&['B', 'C']).unwrap_or(&'B')) } else { None },
        owner: rng.pick(&[None, Some('A'), Some('A'), Some('B'), Some('B'), Some('C')]).copied().flatten(),
        moving: Moving {
            to: if rng.chance(40) { perhaps(rng, &['B', 'C']) } else { None },
            from: if rng.chance(40) { perhaps(rng, &['B', 'C']) } else { None },
        },
        serving: *rng
            .pick(&[Serving::All, Serving::All, Serving::Reads, Serving::Nothing])
            .unwrap_or(&Serving::All),
    }
}

fn refusal_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "may this node answer at all?");
    let mut rng = Rng::new(seed);
    refuse(trace, &any_asked(&mut rng), &any_view(&mut rng));
    Ok(())
}

fn rest(trace: &mut Trace, asked: &Asked, view: &View<char>) {
    let route = lab::at_rest(asked, view);
    trace.call(format!("{}; {}", show_asked(asked), show_view(view)), route.to_string());
}

fn at_rest(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "who serves a slot that is at rest?");
    let mine = view();
    let theirs = View { owner: Some('B'), ..mine };
    let replica = View { my_master: Some('B'), ..theirs };
    let other = View { my_master: Some('C'), ..theirs };
    let open = |asked: Asked| Asked { read_only: true, ..asked };
    for (asked, view) in [
        (read(), mine),
        (write(), mine),
        (read(), theirs),
        (write(), theirs),
        (read(), replica),
        (open(read()), replica),
        (open(write()), replica),
        (write(), replica),
        (open(read()), other),
        (open(read()), theirs),
        (open(write()), mine),
        (Asked { asking: true, ..read() }, theirs),
    ] {
        rest(trace, &asked, &view);
    }
    Ok(())
}

fn at_rest_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "who serves a slot that is at rest?");
    let mut rng = Rng::new(seed);
    let asked = Asked { migrate: false, crosses: false, ..any_asked(&mut rng) };
    let view = View { moving: Moving::STABLE, serving: Serving::All, ..any_view(&mut rng) };
    if view.owner.is_some() {
        rest(trace, &asked, &view);
    }
    Ok(())
}

/// One decision. Whether keys are looked up is only looked at where the slot is at rest.
fn ask_moving(trace: &mut Trace, asked: &Asked, view: &View<char>, held: Held) -> Result<(), Broken> {
    let looked = Cell::new(false);
    let route = lab::on_the_move(asked, view, || {
        looked.set(true);
        held
    });
    let Held { present, missing } = held;
    // An owner that goes on as at rest serves. Whoever answers so at once has decided the same.
    let mine = view.owner == Some(view.me);
    let serves = route == Some(lab::Route::Serve) || (route.is_none() && mine);
    let shown = match route {
        _ if serves => "serve".to_string(),
        None => "as at rest".to_string(),
        Some(route) => route.to_string(),
    };
    trace.call(format!("{}, {present} here, {missing} not; {}", show_asked(asked), show_view(view)), shown);
    if looked.get() && view.moving == Moving::STABLE {
        return Err(Broken::new(
            "Keys are looked up only where the slot is on the move.",
            "the slot has no mark, and the keys were looked up",
        ));
    }
    Ok(())
}

fn moving_slots(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "a slot on the move");
    let here = Held { present: 1, missing: 0 };
    let gone = Held { present: 0, missing: 1 };
    let both = Held { present: 2, missing: 0 };
    let half = Held { present: 1, missing: 1 };
    let none = Held { present: 0, missing: 2 };
    let leaving = View { moving: Moving { to: Some('B'), from: None }, ..view() };
    let arriving = View { moving: Moving { to: None, from: Some('B') }, owner: Some('B'), ..view() };
    let asking = |asked: Asked| Asked { asking: true, ..asked };
    let pair = Asked { several: true, ..read() };
    let migrate = Asked { migrate: true, ..write() };
    for (asked, view, held) in [
        (read(), view(), gone),
        (read(), leaving, here),
        (write(), leaving, here),
        (read(), leaving, gone),
        (write(), leaving, gone),
        (pair, leaving, both),
        (pair, leaving, half),
        (pair, leaving, none),
        (migrate, leaving, half),
        (read(), arriving, here),
        (read(), arriving, gone),
        (asking(read()), arriving, here),
        (asking(write()), arriving, gone),
        (asking(pair), arriving, both),
        (asking(pair), arriving, half),
        (asking(pair), arriving, none),
        (asking(read()), arriving, none),
        (migrate, arriving, half),
        (asking(read()), leaving, gone),
        (asking(read()), view(), gone),
        (read(), View { owner: Some('B'), ..leaving }, gone),
        (Asked { read_only: true, ..read() }, arriving, gone),
    ] {
        ask_moving(trace, &asked, &view, held)?;
    }
    Ok(())
}

fn moving_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "a slot on the move");
    let mut rng = Rng::new(seed);
    let asked = Asked { crosses: false, ..any_asked(&mut rng) };
    let mut view = View { serving: Serving::All, ..any_view(&mut rng) };
    // A node that is not the owner may still have the mark of a move that is over; an owner has at most the other one.
    if view.owner == Some('A') {
        view.moving.from = None;
    }
    if view.owner.is_none() {
        view.owner = Some('B');
    }
    let keys = if asked.several { rng.between(2, 4) } else { 1 } as usize;
    let missing = rng.below(keys as u64 + 1) as usize;
    ask_moving(trace, &asked, &view, Held { present: keys - missing, missing })
}
