// 10.10: what is wrong with the data, from few questions.

const HARMLESS: &str = "Only what holds up nobody is asked, and no more often than is allowed.";
const FOUND: &str = "The slots with the most keys, the key with the most memory and the key that is used most are three \
                     different things.";
const MOVABLE: &str =
    "A slot moves once, from the master that has it, to another one; and at most half of all memory moves.";
const EVEN: &str = "After the moves no master holds more memory than 110 % of an equal part, or of the heaviest slot if that \
                    is more.";

fn surveys(trace: &mut Trace) -> Result<(), Broken> {
    judge_survey(lab::skew::survey, 0, true, trace)?;
    trace.title = "uneven data".into();
    judged(trace, &[("slots, big key, hot key", "are found"), ("the memory, after the moves", "is even")]);
    Ok(())
}

fn surveys_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    judge_survey(lab::skew::survey, seed + 1, false, trace)
}

/// Commands that a survey may use: about four for each key.
fn budget(keys: usize) -> usize {
    keys * 4 + 100
}

/// Does this survey find what is wrong, and even it out? `for_real`: the moves are made.
pub(crate) fn judge_survey(
    look: impl Fn(&mut dyn Probe) -> Survey,
    seed: u64,
    for_real: bool,
    trace: &mut Trace,
) -> Result<(), Broken> {
    *trace = Trace::table("uneven data");
    let mut town = Town::build(seed)?;
    let budget = budget(town.keys);
    let masters = town.cluster.map().shards.len();
    trace.call(format!("{masters} masters, {} keys", town.keys), format!("{budget} commands"));
    let mut asker = Asker::new(&mut town.cluster, budget);
    let found = look(&mut asker);
    let (asked, refused, unfinished) = (asker.asked(), asker.refused().to_vec(), asker.unfinished());
    trace.call("asked", format!("{asked} commands"));
    let truth = town.cluster.truth();
    if let Some(why) = refused.first() {
        trace.call("the first one that was not sent", why);
        return Err(Broken::new(HARMLESS, why.clone()));
    }
    let judged = judge_findings(&truth, &found, trace);
    if let (Err(broken), Some(master)) = (&judged, unfinished) {
        trace.call(format!("SCAN at master {master}"), "its last cursor was not 0");
        return Err(Broken::new(
            broken.rule.clone(),
            "a walk was given up before its end: not all keys were seen",
        ));
    }
    judged?;
    judge_moves(&truth, masters, &found.moves, trace)?;
    if for_real {
        let loads = town.cluster.carry_out(&found.moves)?;
        trace.call("the moves are made", show_loads(&loads));
        if loads != truth.loads(masters, &found.moves) {
            return Err(Broken::new(
                "(a fault of the workbook)",
                "the moves had another outcome than was expected",
            ));
        }
    }
    Ok(())
}

fn judge_findings(truth: &Truth, found: &Survey, trace: &mut Trace) -> Result<(), Broken> {
    let keys = |slot: &Slot| truth.slots.get(slot).map_or(0, |(_, keys, _)| *keys);
    let show = |slots: &[Slot]| {
        let shown: Vec<String> = slots.iter().map(|slot| format!("{slot} ({} keys)", keys(slot))).collect();
        shown.join(", ")
    };
    let mut heavy = found.heavy.clone();
    heavy.sort_by_key(|slot| std::cmp::Reverse((keys(slot), *slot)));
    let most = truth.heavy(3);
    trace.call("your heavy slots", show(&heavy));
    if heavy != most {
        trace.call("the heavy slots", show(&most));
        return Err(Broken::new(FOUND, "these are not the three slots with the most keys"));
    }
    let (big, bytes) = &truth.big;
    trace.call("your big key", &found.big);
    if found.big != *big {
        trace.call("the big key", format!("{big}, {bytes} bytes"));
        return Err(Broken::new(FOUND, "this is not the key that takes the most memory"));
    }
    let (hot, counter) = &truth.hot;
    trace.call("your hot key", &found.hot);
    if found.hot != *hot {
        trace.call("the hot key", format!("{hot}, counter {counter}"));
        return Err(Broken::new(FOUND, "this is not the key that is used most"));
    }
    Ok(())
}

fn judge_moves(truth: &Truth, masters: usize, moves: &[Move], trace: &mut Trace) -> Result<(), Broken> {
    let total: u64 = truth.loads(masters, &[]).iter().sum();
    let mut moved = 0;
    for (place, one) in moves.iter().enumerate() {
        let Move { slot, from, to } = one;
        let complaint = match truth.slots.get(slot) {
            None => Some("a slot without keys is moved"),
            Some((owner, ..)) if owner != from => Some("a slot is moved from a master that does not have it"),
            Some(_) if from == to => Some("a slot is moved to where it is"),
            Some(_) if *to >= masters => Some("a slot is moved to a master that is not there"),
            Some(_) if moves[..place].iter().any(|other| other.slot == *slot) => {
                Some("a slot is moved twice")
            }
            Some((.., bytes)) => {
                moved += bytes;
                None
            }
        };
        if let Some(complaint) = complaint {
            trace.call(format!("slot {slot}, from {from} to {to}"), complaint);
            return Err(Broken::new(MOVABLE, complaint));
        }
    }
    let bound = truth.bound(masters);
    let before = truth.loads(masters, &[]);
    let after = truth.loads(masters, moves);
    trace.call("the masters' memory", show_loads(&before));
    trace.call(format!("after {} moves of {moved} bytes", moves.len()), show_loads(&after));
    if moved * 100 > total * survey::MOVED {
        return Err(Broken::new(MOVABLE, "more memory moves than that"));
    }
    let fullest = after.iter().max().copied().unwrap_or(0);
    if fullest * 100 > bound * (100 + survey::SLACK) {
        trace.call("the fullest may have", format!("{} bytes", bound * (100 + survey::SLACK) / 100));
        let was = before.iter().max().copied().unwrap_or(0);
        return Err(Broken::new(
            EVEN,
            if fullest >= was {
                "the fullest master is as full as before, or fuller"
            } else {
                "it is more even than it was, and not even enough"
            },
        ));
    }
    Ok(())
}

fn show_loads(loads: &[u64]) -> String {
    let shown: Vec<String> = loads.iter().map(|bytes| format!("{bytes} bytes")).collect();
    shown.join(", ")
}
