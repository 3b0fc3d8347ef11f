//! `cargo workbook author check`: what CI asks of every lab.

use std::collections::BTreeSet;
use std::fs;

use crate::author::generate;
use crate::exercises::{self, Exercise};
use crate::handout::Handout;
use crate::repo::{self, Lab, Repo};
use crate::scoring;

/// Prints every complaint; true if there is none.
pub(crate) fn check(repo: &Repo) -> Result<bool, String> {
    let mut complaints = Vec::new();
    let is_handout = Handout::load(repo)?.is_some();
    for lab in &repo.labs {
        let before = complaints.len();
        generated(repo, lab, &mut complaints)?;
        declared(&exercises::load(repo, lab)?, lab, !is_handout, &mut complaints);
        untouched_is_red(repo, lab, &mut complaints)?;
        solution_is_green(repo, lab, &mut complaints)?;
        let word = if complaints.len() == before { "good" } else { "BAD" };
        println!("  lab {} {}: {word}", lab.id, lab.title);
    }
    for complaint in &complaints {
        println!("  ✗ {complaint}");
    }
    Ok(complaints.is_empty())
}

/// What is on the disk equals what would be generated.
fn generated(repo: &Repo, lab: &Lab, complaints: &mut Vec<String>) -> Result<(), String> {
    for (path, expected) in generate::files(repo, lab)? {
        let shown = repo::slashes(&path);
        match fs::read_to_string(repo.path(&path)) {
            Err(_) => complaints.push(format!("{shown} is missing; run `cargo workbook author generate`")),
            Ok(found) => {
                if let Some((line, found, expected)) = first_difference(&found, &expected) {
                    complaints.push(format!(
                        "{shown}:{line} is not what the solution gives rise to (generate again, or reset the lab):\n      \
                         found     {found}\n      generated {expected}"
                    ));
                }
            }
        }
    }
    for path in generate::left_over(repo, lab)? {
        complaints.push(format!("{} has no counterpart in the solution", repo::slashes(&path)));
    }
    Ok(())
}

/// The first line (from 1) in which two texts differ, with both lines.
fn first_difference(found: &str, expected: &str) -> Option<(usize, String, String)> {
    if found == expected {
        return None;
    }
    let (mut a, mut b) = (found.lines(), expected.lines());
    for number in 1.. {
        match (a.next(), b.next()) {
            (None, None) => return Some((number, "(the line breaks at the end)".into(), String::new())),
            (a, b) if a != b => {
                let text = |line: Option<&str>| line.unwrap_or("(end of file)").to_string();
                return Some((number, text(a), text(b)));
            }
            _ => {}
        }
    }
    None
}

/// Everything that a learner will see is there.
fn declared(exercises: &[Exercise], lab: &Lab, with_code: bool, complaints: &mut Vec<String>) {
    if exercises.is_empty() {
        complaints.push(format!("lab {} has no exercises", lab.id));
    }
    for exercise in exercises {
        let mut complain = |what: &str| {
            let room = repo::slashes(&lab.solution);
            complaints.push(format!("{room}/exercises/{}.toml: {what}", exercise.id));
        };
        if exercise.points == 0 {
            complain("is worth no points");
        }
        if exercise.hints.len() != 3 || exercise.hints.iter().any(|hint| hint.trim().is_empty()) {
            complain("needs three hints: a nudge, the rule, a sketch");
        }
        if exercise.mistakes.len() < 2 {
            complain("needs at least two known mistakes");
        }
        let names: BTreeSet<_> = exercise.mistakes.iter().map(|mistake| &mistake.name).collect();
        if names.len() < exercise.mistakes.len() {
            complain("has two mistakes of the same name");
        }
        if exercise.mistakes.iter().any(|mistake| mistake.why.trim().is_empty()) {
            complain("has a mistake without a why");
        }
        if with_code && exercise.mistakes.iter().any(|mistake| mistake.body.is_none()) {
            complain("has a mistake without a body");
        }
        if !exercise
            .chapter
            .split_once('#')
            .is_some_and(|(page, anchor)| page.ends_with(".html") && !anchor.is_empty())
        {
            complain("`chapter` should look like ch00-the-wire.html#lengths-are-claims");
        }
        if exercise.rule.trim().is_empty() || exercise.title.trim().is_empty() {
            complain("needs a title and a rule");
        }
        if exercise.id.split('.').next() != Some(&lab.id.to_string()) {
            complain("belongs to another lab");
        }
    }
}

fn untouched_is_red(repo: &Repo, lab: &Lab, complaints: &mut Vec<String>) -> Result<(), String> {
    let package = lab.package();
    let Some(report) = scoring::run_suite(repo, &package, false)? else {
        complaints.push(format!("`cargo test -p {package}` comes to no score"));
        return Ok(());
    };
    if report["points"] != 0 {
        complaints.push(format!("untouched, {package} scores {} points", report["points"]));
    }
    for exercise in report["exercises"].as_array().into_iter().flatten() {
        if exercise["state"] != "not-started" {
            complaints.push(format!(
                "untouched, {} is {} instead of not-started",
                exercise["id"], exercise["state"]
            ));
        }
    }
    let declared = exercises::load(repo, lab)?;
    let scored = report["exercises"].as_array().map_or(0, Vec::len);
    if scored != declared.len() {
        complaints.push(format!("{package} scores {scored} exercises, but {} are declared", declared.len()));
    }
    Ok(())
}

fn solution_is_green(repo: &Repo, lab: &Lab, complaints: &mut Vec<String>) -> Result<(), String> {
    let package = lab.solution_package();
    let Some(report) = scoring::run_suite(repo, &package, false)? else {
        complaints.push(format!("`cargo test -p {package}` comes to no score"));
        return Ok(());
    };
    for exercise in report["exercises"].as_array().into_iter().flatten() {
        if exercise["state"] != "passed" {
            complaints.push(format!(
                "{package}: {} is {}: {}",
                exercise["id"], exercise["state"], exercise["happened"]
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named_by_its_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some((2, "b".into(), "c".into())));
        assert_eq!(first_difference("a\n", "a\nc\n"), Some((2, "(end of file)".into(), "c".into())));
        assert_eq!(first_difference("a", "a\n").map(|found| found.0), Some(2));
    }
}
