use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of `ha-server`, up to date.
pub(crate) fn ha_server() -> PathBuf {
    ours("ha-server")
}

/// The path of `ha-cli`, up to date.
pub fn ha_cli() -> PathBuf {
    ours("ha-cli")
}

/// The path of `ha-proxy`, up to date.
pub(crate) fn ha_proxy() -> PathBuf {
    ours("ha-proxy")
}

fn ours(name: &str) -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    let dir = DIR.get_or_init(|| match std::env::var_os("HA_BIN_DIR") {
        Some(dir) => dir.into(),
        None => build(),
    });
    dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Builds our programs beside the program that runs right now: `target/debug/deps/test-…` and
/// `target/release/bench` both lie below a profile's directory.
fn build() -> PathBuf {
    let me = std::env::current_exe().expect("a running program has a path");
    let profile_dir = me
        .ancestors()
        .find(|dir| dir.ends_with("debug") || dir.ends_with("release"))
        .expect("cargo builds into a directory `debug` or `release`");
    let target_dir = profile_dir.parent().expect("the target directory");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "server", "--target-dir"]).arg(target_dir);
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    if profile_dir.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "`cargo build -p server` failed");
    profile_dir.to_owned()
}

/// The path of `valkey-server`, if there is one: the environment variable `HA_VALKEY_SERVER` names it, or it is on `PATH`.
pub fn valkey_server() -> Option<PathBuf> {
    match std::env::var_os("HA_VALKEY_SERVER") {
        Some(path) => Some(PathBuf::from(path)),
        None => redis_tool("valkey-server"),
    }
}

/// The same for a test that cannot do without. `None`: the test is to return. It is skipped by name whatever
/// `HA_REQUIRE_REDIS` says, since some systems that have a package of Redis have none of Valkey.
pub fn valkey_or_skip(test: &str) -> Option<PathBuf> {
    let found = valkey_server();
    if found.is_none() {
        skipped(test, "valkey-server");
    }
    found
}

/// The path of a program that comes with Redis, if it is installed.
pub fn redis_tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// The same for a test that cannot do without. `None`: the test is to return.
///
/// # Panics
/// If the program is missing and `HA_REQUIRE_REDIS=1` is set.
pub fn redis_tool_or_skip(test: &str, name: &str) -> Option<PathBuf> {
    let found = redis_tool(name);
    if found.is_none() {
        let required = std::env::var("HA_REQUIRE_REDIS").is_ok_and(|value| value == "1");
        assert!(!required, "{test} needs {name}, which was not found, and HA_REQUIRE_REDIS=1 is set");
        skipped(test, name);
    }
    found
}

/// Says so past the test harness, which would keep it to itself.
fn skipped(test: &str, name: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {name} not found");
}
