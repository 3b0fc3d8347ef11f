//! Where things are in the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository and its labs.
pub(crate) struct Repo {
    /// The directory with the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// In order of their numbers.
    pub(crate) labs: Vec<Lab>,
}

/// The rooms of one chapter.
#[derive(Clone, Debug)]
pub(crate) struct Lab {
    /// The chapter's number.
    pub(crate) id: u32,
    /// The learner's crate, for example `labs/lab-0-wire`, from the root.
    pub(crate) lab: PathBuf,
    /// The reference answers, for example `solutions/wire`, from the root.
    pub(crate) solution: PathBuf,
    /// "The wire".
    pub(crate) title: String,
    /// Whether a node can run its answers: `ha-server` has a feature of that name.
    pub(crate) layer: bool,
}

impl Lab {
    /// `lab-0`.
    pub(crate) fn package(&self) -> String {
        format!("lab-{}", self.id)
    }

    /// `solution-0`.
    pub(crate) fn solution_package(&self) -> String {
        format!("solution-{}", self.id)
    }

    /// `tests/lab-0`, from the root.
    pub(crate) fn suite(&self) -> PathBuf {
        Path::new("tests").join(self.package())
    }
}

impl Repo {
    /// Finds the repository around the current directory, or else around this program's source.
    pub(crate) fn find() -> Result<Repo, String> {
        let here = std::env::current_dir().map_err(|error| format!("no current directory: {error}"))?;
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut candidates = here.ancestors().chain(built_in.ancestors());
        let root = candidates
            .find(|path| {
                path.join("Cargo.toml").is_file()
                    && path.join("labs").is_dir()
                    && path.join("solutions").is_dir()
            })
            .ok_or("run this inside the workbook's repository")?;
        Repo::open(root)
    }

    /// Opens the repository at `root`. A lab is a pair of directories: `labs/lab-N-room` and `solutions/room`.
    pub(crate) fn open(root: &Path) -> Result<Repo, String> {
        let mut labs = Vec::new();
        let layers = layers(root)?;
        for directory in sorted_entries(&root.join("labs"))? {
            let name = file_name(&directory);
            let Some((id, room)) = name.strip_prefix("lab-").and_then(|rest| rest.split_once('-')) else {
                continue;
            };
            let Ok(id) = id.parse() else { continue };
            let solution = Path::new("solutions").join(room);
            if !root.join(&solution).is_dir() {
                return Err(format!("labs/{name} has no counterpart {}", solution.display()));
            }
            let title = title(&root.join(&solution).join("Cargo.toml"))?;
            let lab = Path::new("labs").join(&name);
            labs.push(Lab { id, lab, solution, title, layer: layers.contains(&format!("lab-{id}")) });
        }
        labs.sort_by_key(|lab| lab.id);
        Ok(Repo { root: root.to_path_buf(), labs })
    }

    /// The lab of this number, or an explanation that names those there are.
    pub(crate) fn lab(&self, id: u32) -> Result<&Lab, String> {
        self.labs.iter().find(|lab| lab.id == id).ok_or_else(|| {
            let known: Vec<_> = self.labs.iter().map(|lab| lab.id.to_string()).collect();
            format!("there is no lab {id}. The labs so far: {}", known.join(", "))
        })
    }

    /// The lab of an exercise: `0.3` belongs to lab 0.
    pub(crate) fn lab_of(&self, exercise: &str) -> Result<&Lab, String> {
        let lab = exercise.split_once('.').filter(|_| crate::region::is_id(exercise));
        let lab = lab.and_then(|(lab, _)| lab.parse().ok());
        self.lab(lab.ok_or_else(|| format!("\"{exercise}\" is no exercise; one looks like 0.3"))?)
    }

    /// An absolute path.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }
}

/// The features of `ha-server`: a lab that is none of them has answers that are no part of a node.
fn layers(root: &Path) -> Result<Vec<String>, String> {
    let manifest = root.join("solutions/server/Cargo.toml");
    if !manifest.exists() {
        return Ok(Vec::new());
    }
    let value = table(&manifest)?;
    let features = value.get("features").and_then(|features| features.as_table());
    Ok(features.map_or(Vec::new(), |features| features.keys().cloned().collect()))
}

fn table(manifest: &Path) -> Result<toml::Table, String> {
    read(manifest)?.parse().map_err(|error| format!("{}: {error}", manifest.display()))
}

/// "Chapter 0, the wire: reference answers" is about "The wire".
fn title(manifest: &Path) -> Result<String, String> {
    let value = table(manifest)?;
    let description =
        value.get("package").and_then(|package| package.get("description")).and_then(|text| text.as_str());
    let named = description.and_then(|text| text.split_once(", ")).map_or("", |(_, rest)| rest);
    let named = named.split(':').next().unwrap_or_default().trim();
    let mut letters = named.chars();
    Ok(letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect()))
}

/// Reads a file; the error names it.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Writes a file and the directories above it; the error names it.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let complain = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(complain)?;
    }
    fs::write(path, text).map_err(complain)
}

/// What is in a directory, by name.
pub(crate) fn sorted_entries(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let complain = |error| format!("cannot read {}: {error}", directory.display());
    let entries = fs::read_dir(directory).map_err(complain)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(complain)?;
    paths.sort();
    Ok(paths)
}

/// All `.rs` files below a directory, relative to it, by name.
pub(crate) fn rust_files(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_path_buf()];
    while let Some(next) = left.pop() {
        for path in sorted_entries(&next)? {
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && let Ok(relative) = path.strip_prefix(directory)
            {
                found.push(relative.to_path_buf());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// With forward slashes on every system, for messages and generated files.
pub(crate) fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The last part of a path.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
