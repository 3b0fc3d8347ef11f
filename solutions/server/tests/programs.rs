//! The programs as somebody starts them who has a question, or who mistypes.
//!
//! These tests stand in this package for one more reason: so that `cargo test` builds the programs together with the
//! tests, and the system tests find them (`HA_BIN_DIR`).

use std::process::{Command, Output};

fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).output().expect("it starts")
}

#[test]
fn each_program_says_who_it_is() {
    for (name, program) in [
        ("ha-server", env!("CARGO_BIN_EXE_ha-server")),
        ("ha-cli", env!("CARGO_BIN_EXE_ha-cli")),
        ("ha-proxy", env!("CARGO_BIN_EXE_ha-proxy")),
    ] {
        let output = run(program, &["--version"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{name}: {output:?}");
        assert!(text.starts_with(name) && text.contains(env!("CARGO_PKG_VERSION")), "{name}: {text}");
    }
}

#[test]
fn a_wrong_directive_ends_the_start_with_its_line() {
    let output = run(env!("CARGO_BIN_EXE_ha-server"), &["--port", "0", "--prot", "7000"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(">>> 'prot \"7000\"'\nBad directive or wrong number of arguments"), "{text}");
}
