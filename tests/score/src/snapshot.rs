//! The recorded transcript of each fixed scenario, kept by insta in `tests/lab-N/snapshots`.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Where the snapshots of a lab are, or an explanation.
///
/// Cargo sets `INSTA_WORKSPACE_ROOT` (see `.cargo/config.toml`); a binary started by hand finds the
/// repository from the directory it is in. `SCORE_SNAPSHOTS` overrides both.
pub(crate) fn directory(lab: u32) -> Result<PathBuf, String> {
    if let Some(path) = env::var_os("SCORE_SNAPSHOTS") {
        return Ok(PathBuf::from(path));
    }
    let root = root(lab).ok_or_else(|| {
        format!("cannot find tests/lab-{lab} from here: run it by `cargo test` in the repository")
    })?;
    Ok(root.join("tests").join(format!("lab-{lab}")).join("snapshots"))
}

/// The repository's root: the directory that holds `tests/lab-N`.
pub(crate) fn root(lab: u32) -> Option<PathBuf> {
    let suite = Path::new("tests").join(format!("lab-{lab}"));
    let named = env::var_os("INSTA_WORKSPACE_ROOT").map(PathBuf::from);
    let here = env::current_dir().ok();
    let above = here.iter().flat_map(|path| path.ancestors().map(Path::to_path_buf));
    named.into_iter().chain(above).find(|path| path.join(&suite).is_dir())
}

/// Compares with the snapshot, or writes it if insta is told to (`INSTA_UPDATE=always`, authors only).
pub(crate) fn check(directory: &Path, id: &str, text: &str) -> Result<(), String> {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(directory);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let outcome = catch_unwind(AssertUnwindSafe(|| settings.bind(|| insta::assert_snapshot!(id, text))));
    outcome.map_err(|_| {
        let file = directory.join(format!("{id}.snap"));
        if file.exists() {
            format!("the reference's own run differs from {}", file.display())
        } else {
            format!("there is no snapshot {}", file.display())
        }
    })
}
