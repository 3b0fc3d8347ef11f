//! `cargo workbook author mistakes`: proof that each known wrong answer is caught and named.
//!
//! One crate per lab is generated under `target/mistakes`: the solution, with each region turned into a `match` over
//! the environment variable `SCORE_MISTAKE`. It is built once and run once as it is (everything passes), then once for
//! each mistake (exactly its exercise fails, and the fingerprint is the recorded one).
//!
//! The run as it is also tells which exercises come through which regions. A mistake makes no difference to an exercise that
//! never comes to it, so those are left out: in a lab whose answers stand each for itself that is most of the work.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use toml::Table;

use crate::author::{catalog, generate};
use crate::exercises::{self, Exercise};
use crate::region;
use crate::repo::{self, Lab, Repo};
use crate::scoring::cargo;

/// A mistake that loops is waited for this long, each time. There is none at present, and whole nodes are slow beside other
/// work: what is only slow must not look like a loop.
const TIMEOUT_MS: &str = "60000";

/// True if every mistake is caught and named.
pub(crate) fn mistakes(repo: &Repo, lab: &Lab, record: bool) -> Result<bool, String> {
    let exercises = exercises::load(repo, lab)?;
    println!("\n  Lab {} · {}", lab.id, lab.title);
    let crate_dir = write_crate(repo, lab, &exercises)?;
    let program = build(repo, &crate_dir)?;
    let runner = Runner { program, crate_dir, snapshots: repo.path(lab.suite()).join("snapshots") };
    let (clean, reached) = runner.run_as_it_is(&exercises)?;
    let mut good = true;
    for exercise in clean["exercises"].as_array().into_iter().flatten() {
        if exercise["state"] != "passed" {
            println!(
                "  ✗ without a mistake, {} is {}: {}",
                exercise["id"], exercise["state"], exercise["happened"]
            );
            good = false;
        }
    }
    let recorded = catalog::read(repo, lab)?;
    let mut found: BTreeMap<(String, String), String> = BTreeMap::new();
    for exercise in &exercises {
        for mistake in &exercise.mistakes {
            let name = format!("{}/{}", exercise.id, mistake.name);
            let untouched = exercises.iter().map(|other| other.id.as_str()).filter(|other| {
                *other != exercise.id && !reached.contains(&((*other).to_string(), exercise.id.clone()))
            });
            let outcome = caught(&runner.run_with(&name, untouched)?, &exercise.id);
            let expected = recorded.fingerprint(&exercise.id, &mistake.name);
            let complaint = match &outcome {
                Err(complaint) => Some(complaint.clone()),
                Ok(print) => twin(&found, &exercise.id, print)
                    .or_else(|| (!record && print != expected).then(|| unnamed(expected, print))),
            };
            match complaint {
                Some(complaint) => {
                    println!("  ✗ {name}: {complaint}");
                    good = false;
                }
                None => println!("  ✓ {name}"),
            }
            if let Ok(print) = outcome {
                found.insert((exercise.id.clone(), mistake.name.clone()), print);
            }
        }
    }
    if record {
        let print = |id: &str, name: &str| {
            found.get(&(id.to_string(), name.to_string())).cloned().unwrap_or_default()
        };
        let path = lab.suite().join("catalog.json");
        repo::write(&repo.path(&path), &catalog::text_with(lab, &exercises, print))?;
        println!("  Recorded {} fingerprints in {}.", found.len(), repo::slashes(&path));
    }
    Ok(good)
}

/// The fingerprint of the failure, if exactly this exercise failed.
fn caught(report: &Value, id: &str) -> Result<String, String> {
    let mut print = Err("the exercise is not in the suite".to_string());
    for exercise in report["exercises"].as_array().into_iter().flatten() {
        let other = exercise["id"].as_str().unwrap_or_default();
        let state = exercise["state"].as_str().unwrap_or_default();
        match (other == id, state) {
            (true, "passed") => return Err("is not caught: the exercise passes".to_string()),
            (true, "failed") => print = Ok(exercise["fingerprint"].as_str().unwrap_or_default().to_string()),
            (true, _) => return Err(format!("the exercise is {state} instead of failed")),
            (false, "passed") => {}
            (false, _) => return Err(format!("also turns {other} red ({state})")),
        }
    }
    match print {
        Ok(print) if print.is_empty() => {
            Err("fails without a fingerprint: a fault of the suite?".to_string())
        }
        other => other,
    }
}

/// Another mistake of the exercise that leaves the same fingerprint.
fn twin(found: &BTreeMap<(String, String), String>, id: &str, print: &str) -> Option<String> {
    let same = found.iter().find(|((other, _), seen)| other == id && *seen == print);
    same.map(|((_, name), _)| format!("cannot be told from {name}: both leave \"{print}\""))
}

fn unnamed(expected: &str, print: &str) -> String {
    if expected.is_empty() {
        return "its fingerprint is not recorded; run `cargo workbook author mistakes --record`".to_string();
    }
    format!(
        "its fingerprint has changed; look at it, then record again\n      was {expected}\n      is  {print}"
    )
}

struct Runner {
    program: PathBuf,
    crate_dir: PathBuf,
    snapshots: PathBuf,
}

impl Runner {
    /// Runs the suite without a mistake. Returns the score report, and which exercise comes through whose region.
    fn run_as_it_is(&self, exercises: &[Exercise]) -> Result<(Value, BTreeSet<(String, String)>), String> {
        let marks = self.crate_dir.join("reached");
        let _ = fs::remove_dir_all(&marks);
        fs::create_dir_all(&marks).map_err(|error| format!("{}: {error}", marks.display()))?;
        let report = self.run(self.command().env("SCORE_REACHED", &marks))?;
        let ids = || exercises.iter().map(|exercise| &exercise.id);
        let pairs = ids().flat_map(|runs| ids().map(move |region| (runs.clone(), region.clone())));
        let reached =
            pairs.filter(|(runs, region)| marks.join(format!("{runs} {region}")).exists()).collect();
        Ok((report, reached))
    }

    /// Runs the suite with a mistake, without some exercises, and returns the score report.
    fn run_with<'a>(&self, mistake: &str, without: impl Iterator<Item = &'a str>) -> Result<Value, String> {
        let mut command = self.command();
        command.env("SCORE_MISTAKE", mistake);
        without.for_each(|id| {
            command.args(["--skip", id]);
        });
        self.run(&mut command)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.crate_dir).env("SCORE_JSON", self.report());
        command.env("SCORE_SNAPSHOTS", &self.snapshots);
        command.env("SCORE_TIMEOUT_MS", env::var_os("SCORE_TIMEOUT_MS").unwrap_or(TIMEOUT_MS.into()));
        command.env_remove("SCORE_MISTAKE").env_remove("SCORE_REACHED");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn run(&self, command: &mut Command) -> Result<Value, String> {
        let json = self.report();
        let _ = fs::remove_file(&json);
        command.status().map_err(|error| format!("cannot run {}: {error}", self.program.display()))?;
        serde_json::from_str(&repo::read(&json)?).map_err(|error| format!("{}: {error}", json.display()))
    }

    fn report(&self) -> PathBuf {
        self.crate_dir.join("score.json")
    }
}

/// Where builds go: the same place as the workspace's, so that what comes from the registry is built once.
fn target(repo: &Repo) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| repo.path("target"), |path| repo.path(PathBuf::from(path)))
}

fn write_crate(repo: &Repo, lab: &Lab, exercises: &[Exercise]) -> Result<PathBuf, String> {
    let directory = target(repo).join("mistakes").join(lab.package());
    let source = lab.solution.join("src");
    let mut used = Vec::new();
    for file in repo::rust_files(&repo.path(&source))? {
        let path = source.join(&file);
        let text = repo::read(&repo.path(&path))?;
        let mut text = with_mistakes(&path, &text, exercises, &mut used)?;
        if file == Path::new("lib.rs") {
            text = with_switch(&text);
        }
        write_if_changed(&directory.join("src").join(&file), &text)?;
    }
    for exercise in exercises {
        for mistake in &exercise.mistakes {
            let name = format!("{}/{}", exercise.id, mistake.name);
            if !used.contains(&name) {
                return Err(format!(
                    "{name}: no region of {} takes it; give `region` if the exercise has several",
                    exercise.file
                ));
            }
        }
    }
    let package = format!("mistakes-{}", lab.id);
    let suite = format!("{}/", repo::slashes(&repo.root));
    let shim = generate::shim(lab, &package).replace("../../../", &suite);
    write_if_changed(&directory.join("tests/score.rs"), &shim)?;
    write_if_changed(&directory.join("Cargo.toml"), &manifest(repo, lab, &package)?)?;
    // The workspace's versions. Cargo adds and drops entries of its own, so a copy tells whether ours have changed.
    let lock = repo::read(&repo.path("Cargo.lock"))?;
    let copy = directory.join("workspace.lock");
    if !fs::read_to_string(&copy).is_ok_and(|old| old == lock) {
        repo::write(&directory.join("Cargo.lock"), &lock)?;
        repo::write(&copy, &lock)?;
    }
    Ok(directory)
}

/// An unchanged file keeps its time, so that nothing is built again.
fn write_if_changed(path: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) { Ok(()) } else { repo::write(path, text) }
}

/// Turns each region into a choice between its mistakes and its own body.
fn with_mistakes(
    path: &Path,
    text: &str,
    exercises: &[Exercise],
    used: &mut Vec<String>,
) -> Result<String, String> {
    let regions = region::parse(path, text)?;
    Ok(region::replace(text, &regions, |region| {
        let exercise = exercises.iter().find(|exercise| exercise.id == region.id)?;
        let alone = regions.iter().filter(|other| other.id == region.id).count() == 1;
        let indent = &region.indent;
        let mut out = format!("{indent}match crate::mistake(\"{}\") {{\n", region.id);
        for mistake in &exercise.mistakes {
            let here = match &mistake.region {
                Some(label) => region.label.as_ref() == Some(label),
                None => alone && path.ends_with(&exercise.file),
            };
            if here {
                let name = format!("{}/{}", exercise.id, mistake.name);
                let body = region::reindent(
                    mistake.body.as_deref().unwrap_or_default(),
                    &format!("{indent}        "),
                );
                let _ = write!(out, "{indent}    \"{name}\" => {{\n{body}{indent}    }}\n");
                used.push(name);
            }
        }
        let own = region.body(text).join("\n");
        let _ = write!(out, "{indent}    _ => {{\n{own}\n{indent}    }}\n{indent}}}\n");
        Some(out)
    }))
}

fn with_switch(text: &str) -> String {
    let head = text.lines().take_while(|line| line.starts_with("//!")).count();
    let mut lines: Vec<_> = text.lines().collect();
    lines.insert(head, "#![allow(warnings, clippy::all)]");
    lines.join("\n") + "\n" + SWITCH
}

/// What each region asks: which mistake to make. If `SCORE_REACHED` names a directory, it leaves a mark there the first time
/// that the scored exercise comes to a region.
const SWITCH: &str = r#"
fn mistake(region: &'static str) -> &'static str {
    use std::collections::BTreeSet;
    use std::sync::{LazyLock, Mutex};
    static NAME: LazyLock<String> = LazyLock::new(|| std::env::var("SCORE_MISTAKE").unwrap_or_default());
    static MARKS: LazyLock<Option<String>> = LazyLock::new(|| {
        Some(format!("{}/{}", std::env::var("SCORE_REACHED").ok()?, std::env::var("SCORE_CHILD").ok()?))
    });
    static REACHED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    if let Some(marks) = &*MARKS {
        if REACHED.lock().is_ok_and(|mut reached| reached.insert(region)) {
            std::fs::write(format!("{marks} {region}"), "").expect("a mark can be left");
        }
    }
    &NAME
}
"#;

/// The lab's own dependencies, as a workspace of its own.
fn manifest(repo: &Repo, lab: &Lab, package: &str) -> Result<String, String> {
    let parse = |path: &Path| -> Result<Table, String> {
        repo::read(path)?.parse().map_err(|error| format!("{}: {error}", path.display()))
    };
    let root = parse(&repo.path("Cargo.toml"))?;
    let own = parse(&repo.path(&lab.lab).join("Cargo.toml"))?;
    let shared = root["workspace"]["dependencies"].as_table().cloned().unwrap_or_default();
    let mut dependencies = Table::new();
    for section in ["dependencies", "dev-dependencies"] {
        for (name, wanted) in own.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
            let mut entry = match shared.get(name) {
                Some(toml::Value::Table(table)) => table.clone(),
                Some(version) => Table::from_iter([("version".to_string(), version.clone())]),
                None => return Err(format!("{name} is not among the workspace's dependencies")),
            };
            if let Some(features) = wanted.get("features") {
                entry.insert("features".into(), features.clone());
            }
            if let Some(path) = entry.get("path").and_then(toml::Value::as_str) {
                let path = repo.path(path).to_string_lossy().into_owned();
                entry.insert("path".into(), path.into());
            }
            dependencies.insert(name.clone(), entry.into());
        }
    }
    // What is optimised for the workspace's tests is so here: a mistake has no more time than an answer.
    let profile = root["profile"]["dev"].get("package").cloned().unwrap_or_else(|| Table::new().into());
    let mut all = Table::new();
    all.insert("dependencies".into(), dependencies.into());
    let dev = Table::from_iter([
        ("debug".to_string(), "line-tables-only".into()),
        ("package".to_string(), profile),
    ]);
    all.insert("profile".into(), Table::from_iter([("dev".to_string(), dev.into())]).into());
    Ok(format!(
        "# Generated by `cargo workbook author mistakes`.\n[workspace]\n\n[package]\nname = \"{package}\"\n\
         version = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[lib]\ntest = false\ndoctest = false\n\n\
         [[test]]\nname = \"score\"\nharness = false\n\n{all}"
    ))
}

/// Builds the suite and returns the path of its program.
fn build(repo: &Repo, directory: &Path) -> Result<PathBuf, String> {
    let mut command = cargo();
    command.current_dir(&repo.root).args(["test", "--quiet", "--no-run", "--test", "score"]);
    command.args(["--message-format", "json-render-diagnostics", "--manifest-path"]);
    command.arg(directory.join("Cargo.toml")).arg("--target-dir").arg(target(repo));
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("the mistakes do not compile; their code is in {}", directory.display()));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let program = messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    program.ok_or_else(|| "cargo built no test program".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_becomes_a_choice() {
        let exercise: Exercise = toml::from_str(
            r#"
            id = "0.1"
            title = "t"
            points = 1
            file = "src/a.rs"
            chapter = "c"
            rule = "r"
            hints = []
            [[mistakes]]
            name = "zero"
            why = "w"
            body = "if x > 1 {\n    return 0;\n}\n0"
            "#,
        )
        .unwrap();
        let text = "fn f(x: u8) -> u8 {\n    // <exercise 0.1>\n    x\n    // </exercise>\n}\n";
        let mut used = Vec::new();
        let out = with_mistakes(Path::new("s/src/a.rs"), text, &[exercise], &mut used).unwrap();
        let expected = "fn f(x: u8) -> u8 {\n    // <exercise 0.1>\n    match crate::mistake(\"0.1\") {\n        \"0.1/zero\" => {\n            \
            if x > 1 {\n                return 0;\n            }\n            0\n        }\n        _ => {\n    x\n        }\n    }\n    \
            // </exercise>\n}\n";
        assert_eq!(out, expected);
        assert_eq!(used, ["0.1/zero"]);
    }

    #[test]
    fn exactly_the_exercise_of_the_mistake_may_fail() {
        let report = |a: &str, b: &str| {
            serde_json::json!({"exercises": [
                {"id": "0.1", "state": a, "fingerprint": "f"}, {"id": "0.2", "state": b, "fingerprint": "g"}]})
        };
        assert_eq!(caught(&report("failed", "passed"), "0.1"), Ok("f".into()));
        assert_eq!(
            caught(&report("passed", "passed"), "0.1"),
            Err("is not caught: the exercise passes".into())
        );
        assert_eq!(caught(&report("failed", "failed"), "0.1"), Err("also turns 0.2 red (failed)".into()));
    }
}
