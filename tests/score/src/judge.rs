//! Runs the scenarios of one exercise and says what came of them. This happens in the child process.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::Path;

use core_types::Broken;
use sim::trace::Trace;

use crate::compare::{self, Gutter, Timeline, Window};
use crate::verdict::{Outcome, Verdict};
use crate::{Check, fingerprint, snapshot};

/// Which run: the fixed scenario, or one of the family.
pub(crate) type Seed = Option<u64>;

/// What to run, and how much of it to show.
pub(crate) struct Plan<'a> {
    pub(crate) subject: &'a Check,
    pub(crate) reference: &'a Check,
    pub(crate) snapshots: &'a Path,
    /// Only this member of the family.
    pub(crate) only: Seed,
    pub(crate) window: Window,
}

/// How a run ended. The trace is whole only after `Ended(Ok)`.
enum End {
    Ended(Result<(), Broken>),
    Panicked { message: String, place: String },
}

/// Judges one exercise. `starting` is called before each run of the answer.
pub(crate) fn judge(plan: &Plan<'_>, mut starting: impl FnMut(Seed)) -> Outcome {
    let Some(family) = &plan.reference.family else {
        if plan.only.is_some() {
            return Outcome::Failed(Box::new(Verdict {
                rule: "There is nothing to replay.".into(),
                happened: "This exercise has one fixed scenario and no seeds. Leave out --seed.".into(),
                ..Verdict::default()
            }));
        }
        return judge_fixed(plan, &mut starting).unwrap_or(Outcome::Passed { timeline: Timeline::new() });
    };
    if let Some(seed) = plan.only {
        return match judge_seed(plan, seed, &mut starting) {
            (_, Some(outcome)) => outcome,
            (trace, None) => Outcome::Passed { timeline: compare::whole_timeline(&trace, plan.window) },
        };
    }
    if let Some(outcome) = judge_fixed(plan, &mut starting) {
        return outcome;
    }
    for seed in 0..family.seeds {
        if let (_, Some(outcome)) = judge_seed(plan, seed, &mut starting) {
            return outcome;
        }
    }
    Outcome::Passed { timeline: Timeline::new() }
}

fn judge_fixed(plan: &Plan<'_>, starting: &mut impl FnMut(Seed)) -> Option<Outcome> {
    let (expected, end) = run(plan.reference.scenario);
    if let Some(outcome) = fault_of_reference(end, None) {
        return Some(outcome);
    }
    if let Err(complaint) = snapshot::check(plan.snapshots, plan.reference.id, &expected.to_text()) {
        let advice = "Authors write it by: INSTA_UPDATE=always cargo test -p solution-N".to_string();
        return Some(Outcome::Failed(Box::new(Verdict::workbook(complaint, vec![advice]))));
    }
    starting(None);
    let (yours, end) = run(plan.subject.scenario);
    // Where the rules leave a choice, they leave it here too: the suite alone judges.
    let agree = plan.reference.family.as_ref().is_none_or(|family| family.agree);
    compare_runs(plan, None, &yours, end, Some(&expected), agree)
}

fn judge_seed(plan: &Plan<'_>, seed: u64, starting: &mut impl FnMut(Seed)) -> (Trace, Option<Outcome>) {
    let (Some(theirs), Some(ours)) = (&plan.reference.family, &plan.subject.family) else {
        return (Trace::default(), None);
    };
    let mut expected = None;
    if theirs.agree {
        let (trace, end) = run(|trace| (theirs.run)(seed, trace));
        if let Some(outcome) = fault_of_reference(end, Some(seed)) {
            return (trace, Some(outcome));
        }
        expected = Some(trace);
    }
    starting(Some(seed));
    let (yours, end) = run(|trace| (ours.run)(seed, trace));
    let outcome = compare_runs(plan, Some(seed), &yours, end, expected.as_ref(), theirs.agree);
    (yours, outcome)
}

/// The verdict on one run; nothing if it is as it should be.
fn compare_runs(
    plan: &Plan<'_>,
    seed: Seed,
    yours: &Trace,
    end: End,
    expected: Option<&Trace>,
    agree: bool,
) -> Option<Outcome> {
    let parting = expected.filter(|_| agree).and_then(|expected| {
        let parting = compare::first_parting(&yours.lines(), &expected.lines())?;
        let ended = match end {
            End::Panicked { .. } => "(panicked here)",
            End::Ended(_) => "(nothing more)",
        };
        let timeline = compare::parted_timeline(yours, expected, parting.index, ended, plan.window);
        Some((parting, timeline))
    });
    // A run that is judged by itself is shown by itself.
    let last = if agree { plan.window } else { plan.window.of_a_story() };
    let mut verdict = Verdict { seed, ..Verdict::default() };
    match end {
        End::Panicked { message, place } => {
            if let Some(reached) = unwritten(&message) {
                return Some(Outcome::NotStarted { reached: reached.to_string() });
            }
            verdict.happened = format!("Your answer panicked at {place}:");
            verdict.details = message.lines().map(str::to_string).collect();
            verdict.fingerprint = fingerprint::of_panic(&message);
            verdict.timeline = match parting {
                Some((_, timeline)) => timeline,
                None => compare::last_timeline(yours, last),
            };
        }
        End::Ended(Err(broken)) => {
            verdict.happened = "What was seen:".to_string();
            verdict.details = broken.detail.lines().map(str::to_string).collect();
            verdict.fingerprint = fingerprint::of_broken(&broken);
            verdict.rule = broken.rule;
            verdict.timeline = match parting {
                Some((_, timeline)) => timeline,
                None => compare::last_timeline(yours, last),
            };
        }
        End::Ended(Ok(())) => {
            let (parting, timeline) = parting?;
            verdict.happened = "Your run and the reference part here:".to_string();
            verdict.fingerprint = fingerprint::of_parting(&parting);
            verdict.timeline = timeline;
        }
    }
    // What the run is about, and often in which unit its numbers are.
    if !yours.title.is_empty() && !verdict.timeline.is_empty() {
        verdict.timeline.insert(0, (Gutter::Remark, format!("# {}", yours.title)));
    }
    Some(Outcome::Failed(Box::new(verdict)))
}

/// The reference must never fail. If it does, say so instead of blaming the learner.
fn fault_of_reference(end: End, seed: Seed) -> Option<Outcome> {
    let during = seed.map_or("the fixed scenario".to_string(), |seed| format!("seed {seed}"));
    let details = match end {
        End::Ended(Ok(())) => return None,
        End::Ended(Err(broken)) => vec![broken.to_string()],
        End::Panicked { message, place } => vec![format!("panicked at {place}: {message}")],
    };
    let happened = format!("The reference answer itself fails in {during}:");
    Some(Outcome::Failed(Box::new(Verdict::workbook(happened, details))))
}

fn run(scenario: impl FnOnce(&mut Trace) -> Result<(), Broken>) -> (Trace, End) {
    let mut trace = Trace::default();
    let end = match catch_unwind(AssertUnwindSafe(|| scenario(&mut trace))) {
        Ok(result) => End::Ended(result),
        Err(payload) => {
            let (message, place) = LAST_PANIC.take().unwrap_or_else(|| {
                // Raised without the hook: `resume_unwind`, or a panic of another thread passed on.
                (text_of(payload.as_ref()), "an unknown place".into())
            });
            End::Panicked { message, place }
        }
    };
    (trace, end)
}

thread_local! {
    static LAST_PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// A panic hook that prints nothing and remembers the message and the place.
pub(crate) fn remember_panic(info: &PanicHookInfo<'_>) {
    let message = text_of(info.payload());
    let mut place = info.location().map_or("an unknown place".into(), |at| tidy(&at.to_string()));
    if !is_ours(&place) {
        // The panic was raised inside a library: the learner wants to know who called it.
        let backtrace = Backtrace::force_capture().to_string();
        if let Some(caller) = caller_in(&backtrace) {
            place = caller;
        }
    }
    LAST_PANIC.set(Some((message, place)));
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let literal = payload.downcast_ref::<&str>().map(|text| (*text).to_string());
    let text = literal.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_string())
}

/// The exercise named by the panic of a body that nobody has written: `todo!("lab 1.3: Six steps")`.
fn unwritten(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not yet implemented: lab ")?;
    let id = &rest[..rest.find(':').unwrap_or(rest.len())];
    id.split_once('.').filter(|(lab, number)| is_number(lab) && is_number(number)).map(|_| id)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Rooms in which an answer can be: a lab, or a solution while authors try it.
fn is_ours(place: &str) -> bool {
    ["labs/lab-", "solutions/", "mistakes/"].iter().any(|room| place.starts_with(room))
}

/// With forward slashes, and from the repository's root on if it lies below it.
fn tidy(place: &str) -> String {
    let place = place.trim().replace('\\', "/");
    let start = ["labs/lab-", "solutions/", "mistakes/"].iter().filter_map(|room| place.find(room)).min();
    start.map_or(place.clone(), |start| place[start..].to_string())
}

/// The first frame of a printed backtrace that lies in an answer.
fn caller_in(backtrace: &str) -> Option<String> {
    let places = backtrace.lines().filter_map(|line| line.trim().strip_prefix("at "));
    places.map(tidy).find(|place| is_ours(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_rules_leave_a_choice_the_fixed_run_is_not_compared() {
        fn yours(trace: &mut Trace) -> Result<(), Broken> {
            trace.call("my way", "done");
            Ok(())
        }
        fn theirs(trace: &mut Trace) -> Result<(), Broken> {
            trace.call("their way", "done");
            Ok(())
        }
        fn late(trace: &mut Trace) -> Result<(), Broken> {
            (0..40).for_each(|row| trace.call(format!("row {row}"), "done"));
            Err(Broken::new("it is done early", "it was done late"))
        }
        let check = |scenario: fn(&mut Trace) -> Result<(), Broken>, agree| Check {
            id: "9.1",
            scenario,
            family: Some(crate::Family { seeds: 0, run: |_, _| Ok(()), agree }),
        };
        let outcome = |scenario, agree| {
            let (subject, reference) = (check(scenario, agree), check(theirs, agree));
            let (yours, end) = run(subject.scenario);
            let (expected, _) = run(reference.scenario);
            let snapshots = Path::new("");
            let plan = Plan {
                subject: &subject,
                reference: &reference,
                snapshots,
                only: None,
                window: Window::SHORT,
            };
            compare_runs(&plan, None, &yours, end, Some(&expected), agree)
        };
        assert_eq!(outcome(yours, false), None);
        assert!(matches!(outcome(yours, true), Some(Outcome::Failed(_))));
        let Some(Outcome::Failed(verdict)) = outcome(late, false) else { panic!("it is late") };
        assert_eq!(verdict.details, ["it was done late"]);
        let last = verdict.timeline.last().map(|(_, line)| line.as_str());
        assert!(last.is_some_and(|line| line.ends_with("row 39 ⇒ done")), "{last:?}");
        assert!(verdict.timeline.len() > 10, "the story is shown: {:?}", verdict.timeline);
    }

    #[test]
    fn a_body_nobody_has_written_names_its_exercise() {
        assert_eq!(unwritten("not yet implemented: lab 1.3: Six steps"), Some("1.3"));
        assert_eq!(unwritten("not yet implemented: lab 10.12"), Some("10.12"));
        assert_eq!(unwritten("not yet implemented"), None);
        assert_eq!(unwritten("not yet implemented: lab report"), None);
        assert_eq!(unwritten("index out of bounds"), None);
    }

    #[test]
    fn places_start_at_the_repository() {
        assert_eq!(tidy("/home/x/repo/labs/lab-0-wire/src/a.rs:3:4"), "labs/lab-0-wire/src/a.rs:3:4");
        assert_eq!(tidy(r"C:\x\labs\lab-0-wire\src\a.rs:3:4"), "labs/lab-0-wire/src/a.rs:3:4");
        assert_eq!(tidy("/elsewhere/bytes/src/b.rs:1:2"), "/elsewhere/bytes/src/b.rs:1:2");
        let backtrace = "   0: bytes::panic\n             at /x/bytes/src/b.rs:1:2\n   1: lab_0::f\n             \
            at ./labs/lab-0-wire/src/a.rs:9:5\n   2: lab_0::g\n             at ./labs/lab-0-wire/src/g.rs:1:1\n";
        assert_eq!(caller_in(backtrace).as_deref(), Some("labs/lab-0-wire/src/a.rs:9:5"));
    }
}
