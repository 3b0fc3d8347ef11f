//! The learner's layers inside the real node.
//!
//! This needs a server built from an untouched lab, which is no part of a usual build. `.ci/run` makes one
//! (`cargo build -p server --features lab-1`) and names its directory in `HA_UNWRITTEN_DIR`. With all
//! layers taken from solved labs, the other tests of this crate are run once more, by `HA_BIN_DIR`.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use system::{Client, bounded, free_port, wait};

#[test]
fn an_unwritten_exercise_ends_the_node_with_one_line_that_names_it() {
    let Some(dir) = std::env::var_os("HA_UNWRITTEN_DIR").map(PathBuf::from) else {
        // Past the test harness, which would keep it to itself.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED an_unwritten_exercise_ends_the_node_with_one_line_that_names_it: HA_UNWRITTEN_DIR is not set"
        );
        return;
    };
    let port = free_port();
    let program = dir.join(format!("ha-server{}", std::env::consts::EXE_SUFFIX));
    let child = Command::new(&program)
        .args(["--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    // What needs no exercise works as ever; the first command on data asks what to do with expired keys.
    wait::until("an answer", || {
        Client::connect(port).is_ok_and(|mut client| client.try_call(&["PING"]).is_ok())
    });
    let _ = Client::connect(port).expect("it listens").try_call(&["SET", "k", "v"]);

    let output = bounded::end_of(child);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("exercise 1.8 is not written yet ("), "{said}");
    assert!(said.contains("cargo test -p lab-1"), "{said}");
}
