//! The harness from outside: a tiny lab whose answers go wrong in every way there is, and the screen each one gets.
//!
//! The test program is the fake lab itself: with `SCORE_FAKE=kind` it scores that kind of answer, and without it
//! starts itself once for each kind.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::{env, hint};

use core_types::{Broken, Millis, Rng};
use libtest_mimic::{Arguments, Failed, Trial};
use sim::trace::Trace;

const CATALOG: &str = r#"{
    "lab": 9,
    "title": "A tiny lab",
    "layer": true,
    "exercises": [
        {
            "id": "9.1", "title": "Twice", "points": 10, "file": "labs/lab-9-tiny/src/twice.rs",
            "rule": "Twice a number is the number added to itself.", "chapter": "ch09.html#twice",
            "mistakes": [
                {"name": "squares", "why": "multiplies the number by itself", "fingerprint": "parts | twice 1 ⇒ 1 | twice 1 ⇒ 2"}
            ]
        },
        {
            "id": "9.2", "title": "Whoever asks gets an answer", "points": 20, "file": "labs/lab-9-tiny/src/answer.rs",
            "rule": "Every question is answered once.", "chapter": "ch09.html#answers",
            "mistakes": [
                {"name": "forgets", "why": "answers the first question only", "fingerprint": "broken | Every question is answered | question 1 got no answer"}
            ]
        }
    ]
}"#;

/// The answers: one pair of functions for each kind.
trait Answer {
    fn twice(number: u64) -> u64 {
        number + number
    }
    fn answers(questions: u64) -> Vec<u64> {
        (0..questions).collect()
    }
}

struct Right;
impl Answer for Right {}

struct Untouched;
impl Answer for Untouched {
    #[expect(clippy::todo, reason = "what a starter holds")]
    fn twice(_: u64) -> u64 {
        todo!("lab 9.1: Twice")
    }
    fn answers(questions: u64) -> Vec<u64> {
        vec![Self::twice(questions)]
    }
}

struct Squares;
impl Answer for Squares {
    fn twice(number: u64) -> u64 {
        number * number
    }
}

struct Unlucky;
impl Answer for Unlucky {
    fn twice(number: u64) -> u64 {
        if number > 900 { 0 } else { number + number }
    }
}

struct Forgets;
impl Answer for Forgets {
    fn answers(_: u64) -> Vec<u64> {
        vec![0]
    }
}

struct Panics;
impl Answer for Panics {
    fn twice(number: u64) -> u64 {
        println!("twice of {number}?");
        [0, 2, 4][number as usize]
    }
}

struct Loops;
impl Answer for Loops {
    fn twice(number: u64) -> u64 {
        while hint::black_box(number) == 3 {}
        number + number
    }
}

struct Deep;
impl Answer for Deep {
    fn twice(number: u64) -> u64 {
        fn down(depth: u64) -> u64 {
            let below = if hint::black_box(depth) == u64::MAX { 0 } else { down(depth + 1) };
            hint::black_box(below) + 1
        }
        if number == 3 { down(0) } else { number + number }
    }
}

struct Hungry;
impl Answer for Hungry {
    fn twice(number: u64) -> u64 {
        let mut hoard = Vec::new();
        while hint::black_box(number) == 3 {
            hoard.push(vec![1u8; 1 << 20]);
        }
        number + number
    }
}

struct Exits;
impl Answer for Exits {
    fn answers(_: u64) -> Vec<u64> {
        std::process::exit(3)
    }
}

fn table<A: Answer>(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("twice");
    for number in [0, 1, 2, 3, 40] {
        trace.call(format!("twice {number}"), A::twice(number).to_string());
    }
    Ok(())
}

fn any_number<A: Answer>(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("twice of any number");
    let mut rng = Rng::new(seed);
    for _ in 0..4 {
        let number = rng.below(1000);
        trace.call(format!("twice {number}"), A::twice(number).to_string());
    }
    Ok(())
}

fn conversation<A: Answer>(trace: &mut Trace) -> Result<(), Broken> {
    for question in 0..3 {
        trace.message(Millis(question), "asker", "oracle", format!("question {question}"));
    }
    let answers = A::answers(3);
    for (at, answer) in (10..).zip(&answers) {
        trace.message(Millis(at), "oracle", "asker", format!("answer {answer}"));
    }
    match (0..3).find(|question| !answers.contains(question)) {
        Some(missed) => {
            Err(Broken::new("Every question is answered", format!("question {missed} got no answer")))
        }
        None => Ok(()),
    }
}

fn suite<A: Answer>() -> Vec<score::Check> {
    let family = score::Family { seeds: 50, run: any_number::<A>, agree: true };
    vec![
        score::Check { id: "9.1", scenario: table::<A>, family: Some(family) },
        score::Check { id: "9.2", scenario: conversation::<A>, family: None },
    ]
}

fn fake(kind: &str) -> ExitCode {
    let subject = match kind {
        "right" | "author" => suite::<Right>(),
        "untouched" => suite::<Untouched>(),
        "squares" => suite::<Squares>(),
        "unlucky" => suite::<Unlucky>(),
        "forgets" => suite::<Forgets>(),
        "panics" => suite::<Panics>(),
        "loops" => suite::<Loops>(),
        "deep" => suite::<Deep>(),
        "hungry" => suite::<Hungry>(),
        "exits" => suite::<Exits>(),
        _ => return ExitCode::from(99),
    };
    // `SCORE_FAKE=author INSTA_UPDATE=always cargo test -p score --test verdicts` writes fake/*.snap: only the
    // reference may.
    let package = if kind == "author" { "solution-9" } else { "lab-9" };
    score::main(score::Lab { id: 9, package, catalog: CATALOG, subject, reference: suite::<Right>() })
}

fn main() -> ExitCode {
    if let Ok(kind) = env::var("SCORE_FAKE") {
        return fake(&kind);
    }
    let screens: &[(&str, &str, &[&str], i32)] = &[
        ("right", "right", &[], 0),
        ("untouched", "untouched", &[], 101),
        ("known_mistake", "squares", &[], 101),
        ("fails_for_some_seeds", "unlucky", &[], 101),
        ("replays_a_seed", "unlucky", &["9.1", "--seed", "1"], 101),
        ("replays_a_seed_that_passes", "right", &["9.1", "--seed", "7"], 0),
        ("replays_without_family", "right", &["9.2", "--seed", "7"], 101),
        ("rule_broken", "forgets", &[], 101),
        ("panics", "panics", &[], 101),
        ("loops", "loops", &[], 101),
        ("overflows_the_stack", "deep", &[], 101),
        ("eats_memory", "hungry", &[], 101),
        ("exits", "exits", &[], 101),
        ("one_exercise", "squares", &["9.2"], 0),
        ("no_such_exercise", "right", &["9.7"], 0),
        ("list", "right", &["--list"], 0),
        ("list_for_tools", "right", &["--list", "--format", "terse"], 0),
        ("bad_seed", "right", &["--seed", "seven"], 2),
    ];
    let mut trials: Vec<Trial> = screens
        .iter()
        .map(|&(name, kind, arguments, code)| Trial::test(name, move || screen(name, kind, arguments, code)))
        .collect();
    trials.push(Trial::test("json_report", json_report));
    trials.push(Trial::test("a_missing_snapshot_is_not_the_learners_fault", missing_snapshot));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn command(kind: &str) -> Result<Command, Failed> {
    let mut command = Command::new(env::current_exe()?);
    command.env("SCORE_FAKE", kind).env("SCORE_SNAPSHOTS", here().join("fake")).env("NO_COLOR", "1");
    command.env("SCORE_MEMORY_MB", "64").env_remove("SCORE_JSON").env_remove("CLICOLOR_FORCE");
    if kind == "loops" {
        command.env("SCORE_TIMEOUT_MS", "2000");
    }
    Ok(command)
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn screen(name: &str, kind: &str, arguments: &[&str], code: i32) -> Result<(), Failed> {
    let Output { status, stdout, stderr } = command(kind)?.args(arguments).output()?;
    let text = String::from_utf8(stdout)? + &String::from_utf8(stderr)?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(here().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, masked(&text)));
    if status.code() != Some(code) {
        return Err(format!("ended with {status} instead of {code}").into());
    }
    Ok(())
}

/// Without what differs from run to run: times, and lines of this file.
fn masked(text: &str) -> String {
    let masked = text.lines().map(|line| {
        let line = line.split(" finished in ").next().unwrap_or(line);
        match line.split_once("verdicts.rs:") {
            Some((place, _)) => format!("{place}verdicts.rs:LINE"),
            None => line.to_string(),
        }
    });
    masked.collect::<Vec<_>>().join("\n")
}

fn json_report() -> Result<(), Failed> {
    let path = env::temp_dir().join(format!("score-verdicts-{}.json", std::process::id()));
    command("squares")?.env("SCORE_JSON", &path).output()?;
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    std::fs::remove_file(&path)?;
    let expected = serde_json::json!({
        "lab": 9, "points": 20, "of": 30,
        "exercises": [
            {
                "id": "9.1", "title": "Twice", "points": 0, "of": 10, "state": "failed",
                "rule": "Twice a number is the number added to itself.",
                "fingerprint": "parts | twice 1 ⇒ 1 | twice 1 ⇒ 2", "mistake": "squares",
                "happened": "Your run and the reference part here:", "details": [],
            },
            {
                "id": "9.2", "title": "Whoever asks gets an answer", "points": 20, "of": 20, "state": "passed",
                "rule": null,
            },
        ],
    });
    if report != expected {
        return Err(format!("{report:#}").into());
    }
    Ok(())
}

fn missing_snapshot() -> Result<(), Failed> {
    let nowhere = here().join("no-such-directory");
    let output = command("right")?.env("SCORE_SNAPSHOTS", nowhere).output()?;
    let text = String::from_utf8(output.stdout)?;
    for part in ["This is a fault of the workbook", "there is no snapshot", "2 failed"] {
        if !text.contains(part) {
            return Err(format!("no \"{part}\" in:\n{text}").into());
        }
    }
    Ok(())
}
