//! Starters, shims and catalogues: everything that is made from the solutions.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::author::catalog;
use crate::exercises::{self, Exercise};
use crate::region;
use crate::repo::{self, Lab, Repo};

/// Files by their path from the root, with what they should hold.
pub(crate) type Files = BTreeMap<PathBuf, String>;

/// `cargo workbook author generate`.
pub(crate) fn generate(repo: &Repo) -> Result<(), String> {
    let mut written = 0;
    for lab in &repo.labs {
        for (path, text) in files(repo, lab)? {
            let absolute = repo.path(&path);
            if fs::read_to_string(&absolute).is_ok_and(|old| old == text) {
                continue;
            }
            repo::write(&absolute, &text)?;
            println!("  wrote {}", repo::slashes(&path));
            written += 1;
        }
        for path in left_over(repo, lab)? {
            fs::remove_file(repo.path(&path))
                .map_err(|error| format!("cannot remove {}: {error}", path.display()))?;
            println!("  removed {}, which has no counterpart any more", repo::slashes(&path));
            written += 1;
        }
    }
    if written == 0 {
        println!("  Everything is up to date.");
    }
    Ok(())
}

/// All generated files of one lab.
pub(crate) fn files(repo: &Repo, lab: &Lab) -> Result<Files, String> {
    let exercises = exercises::load(repo, lab)?;
    let mut files = starters(repo, lab, &exercises)?;
    files.insert(lab.lab.join("tests/score.rs"), shim(lab, &lab.package()));
    files.insert(lab.solution.join("tests/score.rs"), shim(lab, &lab.solution_package()));
    files.insert(lab.suite().join("catalog.json"), catalog::text(repo, lab, &exercises)?);
    Ok(files)
}

/// Sources in a lab that no source of the solution gives rise to.
pub(crate) fn left_over(repo: &Repo, lab: &Lab) -> Result<Vec<PathBuf>, String> {
    let wanted = files(repo, lab)?;
    let source = lab.lab.join("src");
    let there = repo::rust_files(&repo.path(&source))?.into_iter().map(|file| source.join(file));
    Ok(there.filter(|path| !wanted.contains_key(path)).collect())
}

/// The learner's sources.
fn starters(repo: &Repo, lab: &Lab, exercises: &[Exercise]) -> Result<Files, String> {
    let mut files = Files::new();
    let mut seen = Vec::new();
    let source = lab.solution.join("src");
    for file in repo::rust_files(&repo.path(&source))? {
        if is_for_tests(&file) {
            continue;
        }
        let path = source.join(&file);
        let text = repo::read(&repo.path(&path))?;
        let regions = region::parse(&path, &text)?;
        for region in &regions {
            let exercise = exercises.iter().find(|exercise| exercise.id == region.id);
            let exercise = exercise.ok_or_else(|| {
                let place = format!("{}:{}", repo::slashes(&path), region.open + 1);
                format!("{place}: no exercises/{}.toml declares this region", region.id)
            })?;
            seen.push((exercise.id.clone(), path.clone()));
        }
        files.insert(lab.lab.join("src").join(&file), starter(lab, &path, &text, exercises)?);
    }
    for exercise in exercises {
        let expected = lab.solution.join(&exercise.file);
        if !seen.iter().any(|(id, path)| *id == exercise.id && *path == expected) {
            return Err(format!(
                "{}/exercises/{}.toml: no region `// <exercise {}>` in {}",
                repo::slashes(&lab.solution),
                exercise.id,
                exercise.id,
                repo::slashes(&expected)
            ));
        }
    }
    Ok(files)
}

/// One file of a solution as the learner gets it.
pub(crate) fn starter(
    lab: &Lab,
    path: &Path,
    solution: &str,
    exercises: &[Exercise],
) -> Result<String, String> {
    let text = without_tests(solution);
    let regions = region::parse(path, &text)?;
    let text = region::replace(&text, &regions, |region| {
        let exercise = exercises.iter().find(|exercise| exercise.id == region.id)?;
        Some(format!("{}{}\n", region.indent, unwritten(exercise)))
    });
    let text = text
        .replace(&format!("solution_{}", lab.id), &format!("lab_{}", lab.id))
        .replace(&format!("solution-{}", lab.id), &lab.package())
        .replace("reference answers", "your answers");
    let crate_root = path.file_name().is_some_and(|name| name == "lib.rs");
    Ok(if crate_root { with_allowances(&text) } else { text })
}

/// The body of an exercise that nobody has written.
pub(crate) fn unwritten(exercise: &Exercise) -> String {
    let title =
        exercise.title.replace('\\', "\\\\").replace('"', "\\\"").replace('{', "{{").replace('}', "}}");
    format!("todo!(\"lab {}: {title}\")", exercise.id)
}

/// A file of unit tests, which is a solution's own.
pub(crate) fn is_for_tests(file: &Path) -> bool {
    let file = file.strip_prefix("src").unwrap_or(file);
    file.starts_with("tests") || file.ends_with("tests.rs")
}

/// A solution's unit tests are its own: they need what a lab does not depend on.
pub(crate) fn without_tests(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let module = line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.starts_with("mod "));
        if !module {
            let _ = writeln!(out, "{line}");
            continue;
        }
        let inline = lines.next().is_some_and(|line| line.ends_with('{'));
        if inline {
            for line in lines.by_ref() {
                if line == "}" {
                    break;
                }
            }
        }
    }
    format!("{}\n", out.trim_end())
}

/// The crate's own lints, behind the documentation at its head.
fn with_allowances(text: &str) -> String {
    const ALLOWANCES: &str = "\
// Bodies between `// <exercise N.M>` and `// </exercise>` are yours; the rest is given. This crate starts from
// generated code: `cargo workbook reset N.M` puts a body back.
// While bodies are missing, what they will use looks unused or odd. Delete these two lines when you are done.
#![allow(unused)]
#![allow(clippy::all, clippy::todo)]
";
    let head = text.lines().take_while(|line| line.starts_with("//!")).count();
    let mut out = String::new();
    for line in text.lines().take(head) {
        let _ = writeln!(out, "{line}");
    }
    let rest: Vec<_> = text.lines().skip(head).collect();
    let _ = write!(out, "\n{ALLOWANCES}\n{}\n", rest.join("\n").trim_matches('\n'));
    out
}

/// `tests/score.rs` of a lab or of a solution.
pub(crate) fn shim(lab: &Lab, package: &str) -> String {
    let id = lab.id;
    let name = package.replace('-', "_");
    format!(
        r#"//! Scores the answers of this crate: `cargo test -p {package}`. The suite is in tests/lab-{id}.
//! Generated by `cargo workbook author generate`.

mod subject {{
    use {name} as lab;
    include!("../../../tests/lab-{id}/suite.rs");
}}

mod reference {{
    use solution_{id} as lab;
    include!("../../../tests/lab-{id}/suite.rs");
}}

fn main() -> std::process::ExitCode {{
    score::main(score::Lab {{
        id: {id},
        package: "{package}",
        catalog: include_str!("../../../tests/lab-{id}/catalog.json"),
        subject: subject::suite(),
        reference: reference::suite(),
    }})
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab() -> Lab {
        Lab {
            id: 0,
            lab: "labs/lab-0-wire".into(),
            solution: "solutions/wire".into(),
            title: "The wire".into(),
            layer: true,
        }
    }

    fn exercise(id: &str, title: &str) -> Exercise {
        Exercise {
            id: id.into(),
            title: title.into(),
            points: 10,
            file: "src/lib.rs".into(),
            chapter: "ch.html#a".into(),
            rule: "r".into(),
            hints: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    #[test]
    fn a_starter_keeps_everything_but_the_answers_and_the_tests() {
        let solution = "\
//! Chapter 0: reference answers

use std::fmt;

/// Documented.
pub fn twice(n: u8) -> u8 {
    // <exercise 0.1>
    fn helper(n: u8) -> u8 {
        n
    }
    helper(n) + n
    // </exercise>
}

#[cfg(test)]
mod tests {
    #[test]
    fn t() {
        assert_eq!(solution_0::twice(1), 2);
    }
}
";
        let exercises = [exercise("0.1", "Say \"twice\"")];
        let text = starter(&lab(), Path::new("solutions/wire/src/lib.rs"), solution, &exercises).unwrap();
        let expected = "\
//! Chapter 0: your answers

// Bodies between `// <exercise N.M>` and `// </exercise>` are yours; the rest is given. This crate starts from
// generated code: `cargo workbook reset N.M` puts a body back.
// While bodies are missing, what they will use looks unused or odd. Delete these two lines when you are done.
#![allow(unused)]
#![allow(clippy::all, clippy::todo)]

use std::fmt;

/// Documented.
pub fn twice(n: u8) -> u8 {
    // <exercise 0.1>
    todo!(\"lab 0.1: Say \\\"twice\\\"\")
    // </exercise>
}
";
        assert_eq!(text, expected);
        let module =
            starter(&lab(), Path::new("solutions/wire/src/a.rs"), "use std::fmt;\n", &exercises).unwrap();
        assert_eq!(module, "use std::fmt;\n");
    }

    #[test]
    fn a_broken_marker_is_named_by_file_and_line() {
        let error =
            starter(&lab(), Path::new("solutions/wire/src/a.rs"), "fn f() {\n// <exercise 0.1>\n}\n", &[]);
        assert_eq!(
            error,
            Err("solutions/wire/src/a.rs:2: the region 0.1 has no end: `// </exercise>` is missing".into())
        );
    }
}
