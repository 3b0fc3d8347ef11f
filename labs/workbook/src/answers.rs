//! `hint`, `reset`, `solution` and `diff`: between the learner's regions and the given ones.

use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use colored::Colorize;

use crate::author::generate;
use crate::exercises::{self, Exercise};
use crate::handout::{self, Handout};
use crate::progress::Progress;
use crate::region::{self, Region};
use crate::repo::{self, Lab, Repo};

const RUNGS: [&str; 3] = ["A nudge", "The rule", "A sketch"];

/// One more rung each time; `all` shows every rung.
pub(crate) fn hint(repo: &Repo, id: &str, all: bool) -> Result<(), String> {
    let (_, exercise) = exercises::find(repo, id)?;
    let mut progress = Progress::load(repo)?;
    let entry = progress.exercise(id);
    let rungs = exercise.hints.len();
    entry.hints = if all { rungs } else { (entry.hints + 1).min(rungs) };
    let shown = entry.hints;
    progress.save(repo)?;
    println!("\n  {}\n", format!("{} {}", exercise.id, exercise.title).bold());
    for (number, text) in exercise.hints.iter().take(shown).enumerate() {
        let name = RUNGS.get(number).unwrap_or(&"More");
        println!("  {}", name.dimmed());
        for line in text.trim().lines().flat_map(wrapped) {
            println!("      {line}");
        }
        println!();
    }
    if shown < rungs {
        println!("  {} more. Try first, then: cargo workbook hint {id}\n", rungs - shown);
    } else {
        println!("  That was the last. The book has the rest: {}\n", exercise.chapter);
    }
    Ok(())
}

/// Prose in lines that fit; a sketch, which is indented, stays as it is.
fn wrapped(line: &str) -> Vec<String> {
    const WIDTH: usize = 84;
    if line.starts_with(' ') || line.chars().count() <= WIDTH {
        return vec![line.to_string()];
    }
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_string());
        } else {
            let space = if lines[last].is_empty() { "" } else { " " };
            lines[last].push_str(space);
            lines[last].push_str(word);
        }
    }
    lines
}

/// Puts back one exercise (`0.3`) or a whole lab (`0`).
pub(crate) fn reset(repo: &Repo, what: &str, yes: bool) -> Result<(), String> {
    if let Ok(id) = what.parse() {
        let lab = repo.lab(id)?;
        let files = generate::files(repo, lab)?;
        let sources = files.into_iter().filter(|(path, _)| path.starts_with(lab.lab.join("src"))).collect();
        let ids = exercises::load(repo, lab)?.into_iter().map(|exercise| exercise.id).collect();
        return put_back(repo, &format!("lab {id}"), lab, ids, sources, yes);
    }
    let (lab, exercise) = exercises::find(repo, what)?;
    let path = lab.lab.join(&exercise.file);
    let text = repo::read(&repo.path(&path))?;
    let regions = region::parse(&path, &text)?;
    if !regions.iter().any(|region| region.id == what) {
        return Err(missing_marker(&path, what));
    }
    let text = region::replace(&text, &regions, |region| {
        (region.id == what).then(|| format!("{}{}\n", region.indent, generate::unwritten(&exercise)))
    });
    put_back(repo, &format!("exercise {what}"), &lab, vec![exercise.id], vec![(path, text)], yes)
}

fn missing_marker(path: &Path, id: &str) -> String {
    let file = repo::slashes(path);
    let lab = id.split('.').next().unwrap_or_default();
    format!(
        "{file} has no region `// <exercise {id}>` … `// </exercise>` any more. \
         Write the two comment lines around the body again, or put the whole lab back: cargo workbook reset {lab}"
    )
}

fn put_back(
    repo: &Repo,
    what: &str,
    lab: &Lab,
    ids: Vec<String>,
    files: Vec<(PathBuf, String)>,
    yes: bool,
) -> Result<(), String> {
    let old = |path: &Path| fs::read_to_string(repo.path(path)).unwrap_or_default();
    let changed: Vec<_> = files.into_iter().filter(|(path, text)| old(path) != *text).collect();
    if changed.is_empty() {
        println!("  {what} is as it was at the start; nothing to do.");
        return Ok(());
    }
    for (path, _) in &changed {
        println!("  {}", repo::slashes(path));
    }
    if !yes && !confirm(&format!("Put back {what}? A copy of what you wrote is kept. [y/N] "))? {
        println!("  Left as it is.");
        return Ok(());
    }
    let backup = backup(repo, changed.iter().map(|(path, _)| path.as_path()))?;
    for (path, text) in &changed {
        repo::write(&repo.path(path), text)?;
    }
    let mut progress = Progress::load(repo)?;
    for id in ids {
        progress.exercise(&id).state = "not-started".to_string();
    }
    let _ = fs::remove_file(crate::progress::last_score(repo, lab));
    progress.save(repo)?;
    println!("  Put back {what}. What you wrote is in {}", backup.display());
    Ok(())
}

fn confirm(question: &str) -> Result<bool, String> {
    print!("  {question}");
    io::stdout().flush().map_err(|error| error.to_string())?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| format!("cannot read your answer: {error}"))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Copies files to `progress-backup/N`, the first number that is free.
fn backup<'a>(repo: &Repo, files: impl Iterator<Item = &'a Path>) -> Result<PathBuf, String> {
    let all = Path::new("progress-backup");
    // Git need not know about it, whatever its own settings are.
    repo::write(&repo.path(all).join(".gitignore"), "*\n")?;
    let free = (1..).map(|number| all.join(format!("{number:03}"))).find(|path| !repo.path(path).exists());
    let directory = free.ok_or("no free number in progress-backup")?;
    for file in files {
        repo::write(&repo.path(&directory).join(file), &repo::read(&repo.path(file))?)?;
    }
    Ok(directory)
}

/// Someone gives up, perhaps with the key of a handout.
pub(crate) type GivesUp<'a> = Option<Option<&'a str>>;

/// Shows the reference answer of an exercise that passes, or to someone who gives up.
pub(crate) fn solution(repo: &Repo, id: &str, gives_up: GivesUp<'_>) -> Result<(), String> {
    let (lab, exercise) = exercises::find(repo, id)?;
    let mut progress = Progress::load(repo)?;
    if !progress.passed(id) {
        let Some(key) = gives_up else {
            return Err(format!(
                "{id} does not pass yet (or was not scored since it does). A hint helps more: cargo workbook hint {id}. \
                 If you want to see the answer anyway: cargo workbook solution {id} --give-up"
            ));
        };
        may_give_up(repo, key)?;
        progress.exercise(id).gave_up = true;
        progress.save(repo)?;
    }
    let path = lab.solution.join(&exercise.file);
    println!("\n  {} {}, {}\n", exercise.id, exercise.title, repo::slashes(&path));
    for (_, body) in regions_of(repo, &path, id)? {
        println!("{}", region::reindent(&body, "      "));
    }
    Ok(())
}

/// In the full repository everybody may.
fn may_give_up(repo: &Repo, key: Option<&str>) -> Result<(), String> {
    Handout::load(repo)?.map_or(Ok(()), |handout| handout.may_give_up(key))
}

/// What to compare with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Other<'a> {
    Starter,
    /// Where the exercise passes, or everywhere.
    Reference(GivesUp<'a>),
}

/// Compares the learner's regions with others.
pub(crate) fn diff(repo: &Repo, id: u32, other: Other<'_>) -> Result<(), String> {
    let lab = repo.lab(id)?;
    let progress = Progress::load(repo)?;
    if let Other::Reference(Some(key)) = other {
        may_give_up(repo, key)?;
    }
    let starter = matches!(other, Other::Starter);
    for exercise in exercises::load(repo, lab)? {
        let heading = format!("{} {}", exercise.id, exercise.title);
        if matches!(other, Other::Reference(None)) && !progress.passed(&exercise.id) {
            println!("  {}  (does not pass yet; the reference stays hidden)", heading.dimmed());
            continue;
        }
        println!("  {}", heading.bold());
        let others = if starter {
            starter_bodies(repo, lab, &exercise)?
        } else {
            reference_bodies(repo, lab, &exercise)?
        };
        for (name, yours) in regions_of(repo, &lab.lab.join(&exercise.file), &exercise.id)? {
            let other = others.iter().find(|(other, _)| *other == name).map_or("", |(_, body)| body);
            for (mark, line) in line_diff(&region::reindent(other, ""), &region::reindent(&yours, "")) {
                match mark {
                    '-' => println!("    {}", format!("- {line}").red()),
                    '+' => println!("    {}", format!("+ {line}").green()),
                    _ => println!("      {line}"),
                }
            }
        }
        println!();
    }
    let other = if starter { "the starter" } else { "the reference" };
    println!("  {} {other}   {} yours", "-".red(), "+".green());
    Ok(())
}

type Bodies = Vec<(String, String)>;

fn reference_bodies(repo: &Repo, lab: &Lab, exercise: &Exercise) -> Result<Bodies, String> {
    regions_of(repo, &lab.solution.join(&exercise.file), &exercise.id)
}

fn starter_bodies(repo: &Repo, lab: &Lab, exercise: &Exercise) -> Result<Bodies, String> {
    let names = reference_bodies(repo, lab, exercise)?;
    Ok(names.into_iter().map(|(name, _)| (name, generate::unwritten(exercise))).collect())
}

/// The bodies of an exercise in a file, by the names of their regions.
fn regions_of(repo: &Repo, path: &Path, id: &str) -> Result<Bodies, String> {
    let text = repo::read(&repo.path(path))?;
    let regions = region::parse(path, &text)?;
    let body = |region: &Region| {
        let body = handout::unsealed(&region.body(&text).join("\n"))?;
        Ok::<_, String>((region.name(), body))
    };
    let bodies: Bodies =
        regions.iter().filter(|region| region.id == id).map(body).collect::<Result<_, _>>()?;
    if bodies.is_empty() { Err(missing_marker(path, id)) } else { Ok(bodies) }
}

/// Line by line, by the longest common subsequence: bodies are short.
fn line_diff<'a>(old: &'a str, new: &'a str) -> Vec<(char, &'a str)> {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let mut longest = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            longest[a][b] = if old[a] == new[b] {
                longest[a + 1][b + 1] + 1
            } else {
                longest[a + 1][b].max(longest[a][b + 1])
            };
        }
    }
    let (mut a, mut b) = (0, 0);
    let mut lines = Vec::new();
    while a < old.len() || b < new.len() {
        if a < old.len() && b < new.len() && old[a] == new[b] {
            lines.push((' ', old[a]));
            (a, b) = (a + 1, b + 1);
        } else if b == new.len() || (a < old.len() && longest[a + 1][b] >= longest[a][b + 1]) {
            lines.push(('-', old[a]));
            a += 1;
        } else {
            lines.push(('+', new[b]));
            b += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small repository of its own in the temporary directory.
    struct Sandbox(PathBuf);

    impl Sandbox {
        fn new(name: &str) -> Sandbox {
            let root = std::env::temp_dir().join(format!("workbook-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            let solution =
                "//! Docs.\n\npub fn one() -> u8 {\n    // <exercise 0.1>\n    1\n    // </exercise>\n}\n";
            let toml = "id = \"0.1\"\ntitle = \"One\"\npoints = 5\nfile = \"src/lib.rs\"\nchapter = \"a.html#b\"\n\
                        rule = \"r\"\nhints = [\"h\"]\n";
            for (path, text) in [
                ("Cargo.toml", ""),
                (
                    "solutions/wire/Cargo.toml",
                    "[package]\ndescription = \"Chapter 0, the wire: reference answers\"\n",
                ),
                ("solutions/wire/src/lib.rs", solution),
                ("solutions/wire/exercises/0.1.toml", toml),
                ("labs/lab-0-wire/src/lib.rs", &solution.replace("    1\n", "    2\n")),
            ] {
                repo::write(&root.join(path), text).unwrap();
            }
            Sandbox(root)
        }
    }

    impl Drop for Sandbox {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_reset_puts_the_region_back_and_loses_nothing() {
        let sandbox = Sandbox::new("reset");
        let repo = Repo::open(&sandbox.0).unwrap();
        assert_eq!(repo.labs[0].title, "The wire");
        reset(&repo, "0.1", true).unwrap();
        let file = repo.path("labs/lab-0-wire/src/lib.rs");
        let text = repo::read(&file).unwrap();
        assert!(
            text.contains("    // <exercise 0.1>\n    todo!(\"lab 0.1: One\")\n    // </exercise>\n"),
            "{text}"
        );
        let kept = repo::read(&repo.path("progress-backup/001/labs/lab-0-wire/src/lib.rs")).unwrap();
        assert!(kept.contains("    2\n"));
        reset(&repo, "0", true).unwrap();
        assert!(repo::read(&file).unwrap().contains("#![allow(unused)]"));
        assert!(repo.path("progress-backup/002").is_dir());
    }

    #[test]
    fn what_does_not_exist_is_explained() {
        let sandbox = Sandbox::new("explain");
        let repo = Repo::open(&sandbox.0).unwrap();
        let error = |result: Result<(), String>| result.unwrap_err();
        assert_eq!(error(hint(&repo, "7.1", false)), "there is no lab 7. The labs so far: 0");
        assert_eq!(error(hint(&repo, "0.9", false)), "lab 0 has no exercise 0.9. It has: 0.1");
        assert_eq!(error(reset(&repo, "x", true)), "\"x\" is no exercise; one looks like 0.3");
        assert!(error(solution(&repo, "0.1", None)).starts_with("0.1 does not pass yet"));
        repo::write(&repo.path("labs/lab-0-wire/src/lib.rs"), "pub fn one() -> u8 {\n    2\n}\n").unwrap();
        assert!(error(reset(&repo, "0.1", true)).contains("has no region `// <exercise 0.1>`"));
    }

    #[test]
    fn a_difference_keeps_what_both_have() {
        let lines = line_diff("a\nb\nc\n", "a\nx\nc\nd\n");
        assert_eq!(lines, [(' ', "a"), ('-', "b"), ('+', "x"), (' ', "c"), ('+', "d")]);
        assert!(line_diff("", "").is_empty());
    }
}
