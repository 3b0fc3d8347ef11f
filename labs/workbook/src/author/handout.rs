//! `cargo workbook author handout DIR`: a copy for a class, in which no answer can be read.
//!
//! It holds what git tracks, without its history, and differs from it so:
//!
//! - a solution's source is what its starter is, with the body sealed where the starter says `todo!` (see
//!   [`crate::handout`]): the tests in it, which know too much, are gone;
//! - of a solution's tests only the score stays, because others may hold whole answers (chapter 10's do);
//! - known wrong answers keep their names and what is wrong with them, and lose their code, which is nearly right;
//! - every lab is at its start, whatever has been written in it here;
//! - what only authors need is left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::author::{check, generate, leaks};
use crate::exercises;
use crate::handout::{self, Handout};
use crate::region;
use crate::repo::{self, Lab, Repo};

/// Checks for authors, which build each wrong answer.
const LEFT_OUT: [&str; 1] = [".ci"];

/// What differs from the repository, by path from the root. None: the copy does not have it.
type Changes = BTreeMap<PathBuf, Option<String>>;

/// How much was taken out.
#[derive(Default)]
struct Count {
    files: usize,
    sealed: usize,
    removed: usize,
}

/// Makes the copy, searches it, and builds and scores it if `try_it`. True if there is nothing to complain about.
pub(crate) fn handout(repo: &Repo, target: &Path, key: Option<&str>, try_it: bool) -> Result<bool, String> {
    let target = std::path::absolute(target).map_err(|error| format!("{}: {error}", target.display()))?;
    let count = make(repo, &target, &Handout::with_key(key))?;
    println!("\n  A handout of {} files is in {}", count.files, target.display());
    println!("  {} bodies are sealed, the code of {} known mistakes is gone.", count.sealed, count.removed);
    if !leaks::report(repo, &target)? {
        return Ok(false);
    }
    println!(
        "  `solution` and `diff` show {}.",
        match key {
            Some(_) => "an answer that is not earned to whoever has the key",
            None => "an answer when the learner's own passes, and not before (see --key)",
        }
    );
    if !try_it {
        println!("  Not tried: add --try to build it and to score every lab and solution in it.\n");
        return Ok(true);
    }
    println!("  Building it and scoring every lab and solution in it:");
    check::check(&Repo::open(&target)?)
}

/// Writes the copy.
fn make(repo: &Repo, target: &Path, handout: &Handout) -> Result<Count, String> {
    if target.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!("{} is not empty; a handout needs a directory of its own", target.display()));
    }
    let mut count = Count::default();
    let mut changes = Changes::new();
    let tracked = tracked(repo)?;
    // A lab in the making is none yet.
    for lab in repo.labs.iter().filter(|lab| tracked.iter().any(|path| path.starts_with(&lab.solution))) {
        solution(repo, lab, &tracked, &mut changes, &mut count)?;
        changes.extend(generate::files(repo, lab)?.into_iter().map(|(path, text)| (path, Some(text))));
    }
    let lock = repo::read(&repo.path("Cargo.lock"))?;
    changes.insert("Cargo.lock".into(), Some(with_seals(&lock, &repo.labs)));
    for path in &tracked {
        let from = repo.path(path);
        let is_left_out = LEFT_OUT.iter().any(|room| path.starts_with(room));
        // What git tracks may be gone all the same.
        if !is_left_out && !changes.contains_key(path) && from.is_file() {
            copy(&from, &target.join(path))?;
            count.files += 1;
        }
    }
    for (path, text) in &changes {
        if let Some(text) = text {
            repo::write(&target.join(path), text)?;
            count.files += 1;
        }
    }
    repo::write(&target.join(handout::FILE), &handout.text()?)?;
    Ok(count)
}

/// What git tracks, from the root.
fn tracked(repo: &Repo) -> Result<Vec<PathBuf>, String> {
    let output =
        Command::new("git").args(["ls-files", "-z"]).current_dir(&repo.root).output().map_err(|error| {
            format!("a handout is a copy of what git tracks, and git does not run: {error}")
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("a handout is a copy of what git tracks: {}", said.trim()));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

/// Keeps the permissions.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let complain = |error: std::io::Error| format!("cannot copy {}: {error}", from.display());
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(complain)?;
    }
    fs::copy(from, to).map(|_| ()).map_err(complain)
}

/// One room of answers.
fn solution(
    repo: &Repo,
    lab: &Lab,
    tracked: &[PathBuf],
    changes: &mut Changes,
    count: &mut Count,
) -> Result<(), String> {
    for path in tracked.iter().filter(|path| path.starts_with(&lab.solution)) {
        let inside = path.strip_prefix(&lab.solution).map_err(|error| error.to_string())?;
        let change = match inside.components().next() {
            _ if !repo.path(path).is_file() => None,
            Some(room) if room.as_os_str() == "src" && !generate::is_for_tests(inside) => {
                Some(sealed(path, &repo::read(&repo.path(path))?, count)?)
            }
            // The score's shim is among the generated files.
            Some(room) if ["src", "tests"].iter().any(|name| room.as_os_str() == *name) => None,
            _ if inside == Path::new("Cargo.toml") => Some(with_dependency(&repo::read(&repo.path(path))?)),
            _ => continue,
        };
        changes.insert(path.clone(), change);
    }
    for mut exercise in exercises::load(repo, lab)? {
        for mistake in &mut exercise.mistakes {
            mistake.body = None;
            count.removed += 1;
        }
        let text = toml::to_string_pretty(&exercise)
            .map_err(|error| format!("cannot write {}: {error}", exercise.id))?;
        let path = lab.solution.join("exercises").join(format!("{}.toml", exercise.id));
        changes.insert(path, Some(text));
    }
    Ok(())
}

/// A source of a solution with its bodies sealed.
fn sealed(path: &Path, text: &str, count: &mut Count) -> Result<String, String> {
    let text = generate::without_tests(text);
    let regions = region::parse(path, &text)?;
    count.sealed += regions.len();
    Ok(region::replace(&text, &regions, |region| {
        Some(handout::sealed(&region.body(&text).join("\n"), &region.indent))
    }))
}

/// A manifest that knows the macro.
fn with_dependency(manifest: &str) -> String {
    let head = "[dependencies]\n";
    match manifest.contains(head) {
        true => manifest.replacen(head, &format!("{head}seal.workspace = true\n"), 1),
        false => format!("{manifest}\n{head}seal.workspace = true\n"),
    }
}

/// The lock file with what [`with_dependency`] adds, so that `--locked` holds for the copy too.
fn with_seals(lock: &str, labs: &[Lab]) -> String {
    let mut out = lock.to_string();
    for lab in labs {
        let head = format!("name = \"{}\"\n", lab.solution_package());
        let Some(start) = out.find(&head) else { continue };
        let end = out[start..].find("\n\n").map_or(out.len(), |length| start + length);
        let package = &out[start..end];
        let mut lines: Vec<&str> = package.lines().collect();
        match lines.iter().position(|line| *line == "dependencies = [") {
            None => lines.extend(["dependencies = [", " \"seal\",", "]"]),
            Some(list) => {
                let behind = lines[list + 1..].iter().position(|line| *line == "]" || *line > " \"seal\",");
                lines.insert(list + 1 + behind.unwrap_or(0), " \"seal\",");
            }
        }
        let package = lines.join("\n");
        out.replace_range(start..end, &package);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(id: u32) -> Lab {
        let room = |name: &str| PathBuf::from(name);
        Lab {
            id,
            lab: room("labs/lab-0-wire"),
            solution: room("solutions/wire"),
            title: "The wire".into(),
            layer: true,
        }
    }

    #[test]
    fn the_lock_file_knows_the_macro_in_its_place() {
        let lock = "version = 4\n\n[[package]]\nname = \"solution-0\"\nversion = \"0.1.0\"\ndependencies = [\n \"bytes\",\n \
                    \"sim\",\n]\n\n[[package]]\nname = \"solution-1\"\nversion = \"0.1.0\"\n";
        let expected = lock.replace(" \"sim\"", " \"seal\",\n \"sim\"").replace(
            "solution-1\"\nversion = \"0.1.0\"\n",
            "solution-1\"\nversion = \"0.1.0\"\ndependencies = [\n \"seal\",\n]",
        );
        assert_eq!(with_seals(lock, &[lab(0), lab(1), lab(7)]).trim_end(), expected.trim_end());
    }

    #[test]
    fn a_manifest_gets_the_macro() {
        assert_eq!(
            with_dependency("[dependencies]\na = 1\n"),
            "[dependencies]\nseal.workspace = true\na = 1\n"
        );
        assert!(with_dependency("[package]\n").ends_with("\n[dependencies]\nseal.workspace = true\n"));
    }

    #[test]
    fn a_source_keeps_all_but_bodies_and_tests() {
        let text = "/// Documented.\npub fn one() -> u8 {\n    // <exercise 0.1>\n    1 + 0\n    // </exercise>\n}\n\n\
                    #[cfg(test)]\nmod tests {\n    // One.\n}\n";
        let mut count = Count::default();
        let shut = sealed(Path::new("a.rs"), text, &mut count).expect("a good region");
        assert!(
            shut.starts_with(
                "/// Documented.\npub fn one() -> u8 {\n    // <exercise 0.1>\n    seal::open!("
            )
        );
        assert!(shut.ends_with("    )\n    // </exercise>\n}\n") && !shut.contains("1 + 0"), "{shut}");
        assert_eq!(count.sealed, 1);
    }

    /// The whole repository, as a class would get it. Where there is no git, or in a handout, there is none to make.
    #[test]
    fn a_handout_of_this_repository_gives_no_answer_away() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the repository");
        let repo = Repo::open(root).expect("a repository");
        if Handout::load(&repo).expect("readable").is_some() || tracked(&repo).is_err() {
            println!("skipped: a handout is made of the full repository, in git");
            return;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let count = make(&repo, folder.path(), &Handout::with_key(None)).expect("a handout");
        let declared: usize = repo.labs.iter().map(|lab| exercises::load(&repo, lab).unwrap().len()).sum();
        assert!(count.sealed >= declared && declared > 0, "{} of {declared}", count.sealed);
        assert_eq!(leaks::find(&repo, folder.path()), Ok(Vec::new()));
        assert!(!folder.path().join(".git").exists() && !folder.path().join(".ci").exists());
        // Another one is not made over it.
        assert!(make(&repo, folder.path(), &Handout::with_key(None)).is_err());
        // And it is a repository like any other, with the same exercises and the same starters.
        let copy = Repo::open(folder.path()).expect("the copy is a repository");
        assert!(Handout::load(&copy).expect("readable").is_some());
        for (ours, theirs) in repo.labs.iter().zip(&copy.labs) {
            assert_eq!(generate::files(&copy, theirs), generate::files(&repo, ours));
        }
    }
}
