// 8.4: ASKING is for one command.

fn say(trace: &mut Trace, says: &mut Says, name: &str, dealt: Dealt, in_transaction: bool) {
    says.after(dealt, in_transaction);
    let shown = match (says.asking, says.read_only) {
        (false, false) => "nothing",
        (true, false) => "asking",
        (false, true) => "read only",
        (true, true) => "asking, read only",
    };
    trace.call(name, shown);
}

fn asking(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "what a connection has said");
    let mut says = Says::default();
    for (name, dealt, multi) in [
        ("GET", Dealt::Other, false),
        ("ASKING", Dealt::Asking, false),
        ("GET", Dealt::Other, false),
        ("GET", Dealt::Other, false),
        ("ASKING", Dealt::Asking, false),
        ("ASKING", Dealt::Asking, false),
        ("a command that is unknown", Dealt::Other, false),
        ("READONLY", Dealt::ReadOnly, false),
        ("GET", Dealt::Other, false),
        ("ASKING", Dealt::Asking, false),
        ("GET", Dealt::Other, false),
        ("ASKING", Dealt::Asking, false),
        ("READWRITE", Dealt::ReadWrite, false),
        ("ASKING", Dealt::Asking, false),
        ("READONLY", Dealt::ReadOnly, false),
        ("ASKING", Dealt::Asking, false),
        ("RESET", Dealt::Reset, false),
        ("ASKING", Dealt::Asking, false),
        ("MULTI", Dealt::Other, true),
        ("GET, queued", Dealt::Other, true),
        ("SET, queued", Dealt::Other, true),
        ("EXEC", Dealt::Other, false),
        ("MULTI", Dealt::Other, true),
        ("ASKING, queued", Dealt::Other, true),
        ("EXEC", Dealt::Other, false),
    ] {
        say(trace, &mut says, name, dealt, multi);
    }
    Ok(())
}

fn asking_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "what a connection has said");
    let mut rng = Rng::new(seed);
    let (mut says, mut multi) = (Says::default(), false);
    for _ in 0..20 {
        let (name, dealt) = match rng.below(8) {
            0 | 1 if multi => ("ASKING, queued", Dealt::Other),
            0 | 1 => ("ASKING", Dealt::Asking),
            2 if !multi => ("READONLY", Dealt::ReadOnly),
            3 if !multi => ("READWRITE", Dealt::ReadWrite),
            4 if !multi => {
                multi = true;
                ("MULTI", Dealt::Other)
            }
            4 | 5 if multi => {
                multi = false;
                ("EXEC", Dealt::Other)
            }
            6 if rng.chance(30) => {
                multi = false;
                ("RESET", Dealt::Reset)
            }
            _ => ("GET", Dealt::Other),
        };
        say(trace, &mut says, name, dealt, multi);
    }
    Ok(())
}
