//! The result as JSON, for `cargo workbook` and the author tool.

use std::path::PathBuf;
use std::{env, fs};

use serde_json::{Value, json};

use crate::screen::Screen;
use crate::verdict::Outcome;
use crate::{knobs, snapshot};

/// Writes the result where `SCORE_JSON` says. A whole run of a lab is also kept in `target/score/lab-N.json`, so that
/// `cargo workbook` knows what `cargo test` has found.
pub(crate) fn write(screen: &Screen<'_>) -> Result<(), String> {
    let text = format!("{:#}\n", to_json(screen));
    if let Some(path) = env::var_os(knobs::JSON) {
        let path = PathBuf::from(path);
        return fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()));
    }
    let whole = screen.filtered_out == 0 && screen.seed.is_none();
    if whole
        && screen.package == format!("lab-{}", screen.lab)
        && let Some(root) = snapshot::root(screen.lab)
    {
        // A convenience: a read-only checkout is no reason to fail.
        let directory = root.join("target").join("score");
        let _ = fs::create_dir_all(&directory);
        let _ = fs::write(directory.join(format!("lab-{}.json", screen.lab)), text);
    }
    Ok(())
}

fn to_json(screen: &Screen<'_>) -> Value {
    let (points, of) = screen.points();
    let exercises = screen.rows.iter().map(|row| {
        let exercise = &row.exercise;
        let (rule, fingerprint) = match &row.outcome {
            Outcome::Failed(verdict) if verdict.rule.is_empty() => (&*exercise.rule, &*verdict.fingerprint),
            Outcome::Failed(verdict) => (&*verdict.rule, &*verdict.fingerprint),
            _ => ("", ""),
        };
        let mut value = json!({
            "id": exercise.id,
            "title": exercise.title,
            "points": if row.outcome.state() == "passed" { exercise.points } else { 0 },
            "of": exercise.points,
            "state": row.outcome.state(),
            "rule": if rule.is_empty() { Value::Null } else { rule.into() },
        });
        if !fingerprint.is_empty() {
            value["fingerprint"] = fingerprint.into();
            value["mistake"] = exercise.mistake(fingerprint).map(|mistake| mistake.name.clone()).into();
        }
        if let Outcome::Failed(verdict) = &row.outcome {
            value["happened"] = verdict.happened.clone().into();
            value["details"] = verdict.details.clone().into();
        }
        value
    });
    json!({
        "lab": screen.lab,
        "points": points,
        "of": of,
        "exercises": exercises.collect::<Vec<_>>(),
    })
}
