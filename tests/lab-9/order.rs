// 9.4: raise, note, save, send.

fn show_step(step: Step) -> String {
    match step {
        Step::Raise(epoch) => format!("raise to {epoch}"),
        Step::Note(epoch) => format!("note the vote of {epoch}"),
        Step::Save => "save".into(),
        Step::Send(epoch) => format!("send the vote of {epoch}"),
    }
}

fn show_steps(trace: &mut Trace, current: u64, heard: u64, verdict: Answer) -> Vec<Step> {
    let result = steps(Epoch(current), Epoch(heard), verdict);
    let shown: Vec<String> = result.iter().copied().map(show_step).collect();
    let word = match verdict {
        Answer::Grant(epoch) => format!("yes, for {epoch}"),
        Answer::Refuse(_) => "no".into(),
    };
    trace.call(
        format!("current epoch {current}, a request of epoch {heard}, the answer is {word}"),
        if shown.is_empty() { "nothing".into() } else { shown.join(", ") },
    );
    result
}

fn orders(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "what a voter does, in order");
    show_steps(trace, 7, 8, Answer::Grant(Epoch(8)));
    show_steps(trace, 8, 8, Answer::Grant(Epoch(8)));
    show_steps(trace, 7, 8, Answer::Refuse(Refusal::MasterIsUp));
    show_steps(trace, 8, 8, Answer::Refuse(Refusal::AlreadyVoted(Epoch(8))));
    show_steps(trace, 8, 7, Answer::Refuse(Refusal::OldEpoch { asked: Epoch(7), current: Epoch(8) }));
    Ok(())
}

/// What a voter knows; and, as a copy, what its disk knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Notes {
    current: Epoch,
    voted: Epoch,
}

/// Candidates ask one voter, which crashes between two steps now and then. The votes themselves are given by the rule of 9.3.
fn order_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "a voter that crashes");
    let mut rng = Rng::new(seed);
    let mut memory = Notes { current: Epoch(5), voted: Epoch(rng.between(3, 5)) };
    let mut disk = memory;
    let mut given: BTreeMap<Epoch, char> = BTreeMap::new();
    for _ in 0..rng.between(2, 8) {
        let candidate = ['a', 'b', 'c'][rng.below(3) as usize];
        let heard = Epoch(memory.current.0 + rng.below(2));
        let current = memory.current.max(heard);
        let verdict = if memory.voted < current {
            Answer::Grant(current)
        } else {
            Answer::Refuse(Refusal::AlreadyVoted(current))
        };
        trace.note(Millis::ZERO, None, format!("{candidate} asks"));
        let todo = show_steps(trace, memory.current.0, heard.0, verdict);
        let crash_after = rng.chance(50).then(|| rng.below(5) as usize);
        for (done, step) in todo.into_iter().enumerate() {
            if crash_after == Some(done) {
                break;
            }
            match step {
                Step::Raise(epoch) => memory.current = epoch,
                Step::Note(epoch) => memory.voted = epoch,
                Step::Save => disk = memory,
                Step::Send(epoch) => {
                    trace.note(Millis::ZERO, None, format!("{candidate} has the vote of epoch {epoch}"));
                    if let Some(other) = given.insert(epoch, candidate) {
                        let detail = format!("epoch {epoch}: {other}, and then {candidate}");
                        return Err(Broken::new(
                            "A voter votes once in an epoch, also across a crash.",
                            detail,
                        ));
                    }
                }
            }
        }
        if crash_after.is_some() {
            memory = disk;
            trace.note(Millis::ZERO, None, "crash; what it knows now is what its disk knows".to_string());
        }
    }
    Ok(())
}
