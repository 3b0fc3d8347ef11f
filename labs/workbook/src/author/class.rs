//! `cargo workbook author class FILE…`: what a class has scored, as one table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::exercises;
use crate::repo;

/// What `cargo workbook score --json` prints of one lab. Fields that are not needed here are left alone.
#[derive(Debug, Deserialize)]
struct Report {
    lab: u32,
    points: u64,
    of: u64,
    #[serde(default)]
    exercises: Vec<Exercise>,
    /// The lab came to no score, usually because it does not compile.
    #[serde(default)]
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Exercise {
    id: String,
    title: String,
    points: u64,
    of: u64,
    /// `passed`, `failed`, `not-started`.
    state: String,
    /// The known wrong answer that it is.
    #[serde(default)]
    mistake: Option<String>,
}

/// The file of a learner: several labs, or one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum File {
    Several(Vec<Report>),
    One(Report),
}

struct Learner {
    name: String,
    labs: BTreeMap<u32, Report>,
}

/// Reads the files and prints the table.
pub(crate) fn class(files: &[PathBuf], csv: bool) -> Result<(), String> {
    let mut learners = files.iter().map(|file| Learner::read(file)).collect::<Result<Vec<_>, _>>()?;
    learners.sort_by(|a, b| a.name.cmp(&b.name));
    let lines = if csv { rows(&learners) } else { tables(&learners) };
    for line in lines {
        println!("{line}");
    }
    Ok(())
}

impl Learner {
    fn read(path: &Path) -> Result<Learner, String> {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Learner::parse(&name, &repo::read(path)?).map_err(|error| {
            format!(
                "{}: {error}. It should hold what `cargo workbook score --all --json` prints",
                path.display()
            )
        })
    }

    fn parse(name: &str, text: &str) -> Result<Learner, String> {
        let reports = match serde_json::from_str(text).map_err(|_| "this is no score".to_string())? {
            File::Several(reports) => reports,
            File::One(report) => vec![report],
        };
        let labs = reports.into_iter().map(|report| (report.lab, report)).collect();
        Ok(Learner { name: name.to_string(), labs })
    }

    fn points(&self) -> u64 {
        self.labs.values().map(|report| report.points).sum()
    }

    fn exercises(&self) -> impl Iterator<Item = &Exercise> {
        self.labs.values().flat_map(|report| &report.exercises)
    }
}

/// Learners by labs, then where the class is stuck.
fn tables(learners: &[Learner]) -> Vec<String> {
    let mut labs: BTreeMap<u32, u64> = BTreeMap::new();
    for report in learners.iter().flat_map(|learner| learner.labs.values()) {
        let of = labs.entry(report.lab).or_default();
        *of = report.of.max(*of);
    }
    let width = learners.iter().map(|learner| learner.name.chars().count()).max().unwrap_or(0).max(7);
    let head: String = labs.keys().map(|lab| format!("{lab:>6}")).collect();
    let mut lines = vec![String::new(), format!("  {:<width$}{head}   points", "lab")];
    for learner in learners {
        let cells: String = labs
            .keys()
            .map(|lab| match learner.labs.get(lab) {
                None => format!("{:>6}", ""),
                Some(Report { error: Some(_), .. }) => format!("{:>6}", "✗"),
                Some(report) if report.exercises.iter().all(|exercise| exercise.state == "not-started") => {
                    format!("{:>6}", "·")
                }
                Some(report) => format!("{:>6}", report.points),
            })
            .collect();
        lines.push(format!("  {:<width$}{cells}{:>9}", learner.name, learner.points()));
    }
    let of: String = labs.values().map(|of| format!("{of:>6}")).collect();
    lines.push(format!("  {:<width$}{of}{:>9}", "of", labs.values().sum::<u64>()));
    lines.push(format!("  {:<width$}  · not begun   ✗ does not compile", ""));
    lines.extend(stuck(learners));
    lines.push(String::new());
    lines
}

/// The exercises that somebody tries and does not pass, with the known mistakes that they make.
fn stuck(learners: &[Learner]) -> Vec<String> {
    let mut tries: BTreeMap<(u32, u32), Vec<&Exercise>> = BTreeMap::new();
    for exercise in learners.iter().flat_map(Learner::exercises).filter(|one| one.state != "not-started") {
        tries.entry(exercises::number(&exercise.id)).or_default().push(exercise);
    }
    let mut lines = Vec::new();
    for tried in tries.values() {
        let failed: Vec<_> = tried.iter().filter(|exercise| exercise.state != "passed").collect();
        let Some(first) = failed.first() else { continue };
        let mut mistakes: BTreeMap<&str, usize> = BTreeMap::new();
        for mistake in failed.iter().filter_map(|exercise| exercise.mistake.as_deref()) {
            *mistakes.entry(mistake).or_default() += 1;
        }
        let mut mistakes: Vec<_> = mistakes.into_iter().collect();
        mistakes.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        let mistakes: Vec<_> = mistakes.iter().map(|(name, times)| format!("{name} ({times})")).collect();
        let (stuck, passed) = (failed.len(), tried.len() - failed.len());
        let line = format!("  {:<5} {}: {stuck} stuck, {passed} through", first.id, first.title);
        lines.push(match mistakes.is_empty() {
            true => line,
            false => format!("{line}; {}", mistakes.join(", ")),
        });
    }
    if !lines.is_empty() {
        lines.insert(0, "\n  Where they are stuck".to_string());
    }
    lines
}

/// One line for each learner and exercise.
fn rows(learners: &[Learner]) -> Vec<String> {
    let mut lines = vec!["learner,lab,exercise,state,points,of,mistake".to_string()];
    for learner in learners {
        for (lab, report) in &learner.labs {
            let name = quoted(&learner.name);
            if report.error.is_some() {
                lines.push(format!("{name},{lab},,does not compile,0,{},", report.of));
            }
            for exercise in &report.exercises {
                let Exercise { id, points, of, state, mistake, .. } = exercise;
                let mistake = mistake.as_deref().unwrap_or_default();
                lines.push(format!("{name},{lab},{id},{state},{points},{of},{mistake}"));
            }
        }
    }
    lines
}

/// A file's name may hold anything.
fn quoted(text: &str) -> String {
    match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learner(name: &str, states: [(&str, Option<&str>); 2]) -> Learner {
        let exercises: Vec<_> = (1..)
            .zip(states)
            .map(|(number, (state, mistake))| {
                serde_json::json!({"id": format!("0.{number}"), "title": format!("Number {number}"), "of": 10,
                    "points": if state == "passed" { 10 } else { 0 }, "state": state, "rule": null, "mistake": mistake})
            })
            .collect();
        let points = states.iter().filter(|(state, _)| *state == "passed").count() * 10;
        let report = serde_json::json!([
            {"lab": 0, "points": points, "of": 20, "exercises": exercises},
            {"lab": 1, "points": 0, "of": 30, "exercises": [], "error": "it comes to no score"}]);
        Learner::parse(name, &report.to_string()).expect("a score")
    }

    fn three() -> Vec<Learner> {
        vec![
            learner("anna", [("passed", None), ("failed", Some("off-by-one"))]),
            learner("ben, b", [("passed", None), ("failed", Some("off-by-one"))]),
            learner("carl", [("not-started", None), ("not-started", None)]),
        ]
    }

    #[test]
    fn a_class_is_one_table() {
        let expected = "
  lab         0     1   points
  anna       10     ✗       10
  ben, b     10     ✗       10
  carl        ·     ✗        0
  of         20    30       50
           · not begun   ✗ does not compile

  Where they are stuck
  0.2   Number 2: 2 stuck, 0 through; off-by-one (2)
";
        assert_eq!(tables(&three()).join("\n"), expected);
    }

    #[test]
    fn a_spreadsheet_gets_a_line_for_each_exercise() {
        let lines = rows(&three()[1..2]);
        assert_eq!(
            lines,
            [
                "learner,lab,exercise,state,points,of,mistake",
                "\"ben, b\",0,0.1,passed,10,10,",
                "\"ben, b\",0,0.2,failed,0,10,off-by-one",
                "\"ben, b\",1,,does not compile,0,30,"
            ]
        );
    }

    #[test]
    fn one_lab_alone_is_a_score_and_anything_else_is_not() {
        assert!(Learner::parse("x", "{\"lab\": 3, \"points\": 1, \"of\": 2, \"exercises\": []}").is_ok());
        for text in ["", "[null]", "{}", "[{\"lab\": 3}]"] {
            assert_eq!(Learner::parse("x", text).err().as_deref(), Some("this is no score"), "{text}");
        }
    }
}
