//! Starting and ending: what operators and other programs rely on.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use core_types::Frame;
use system::{Client, Kind, Server, bounded, redis_tool_or_skip, wait};

fn ha_server() -> PathBuf {
    system::ha_cli().with_file_name(format!("ha-server{}", std::env::consts::EXE_SUFFIX))
}

/// Starts our server with its output in a pipe.
fn start(args: &[&str]) -> Child {
    let mut command = Command::new(ha_server());
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it runs")
}

fn output(child: Child) -> String {
    String::from_utf8_lossy(&bounded::end_of(child).stdout).into_owned()
}

fn wait_for_answer(port: u16) {
    wait::until("an answer", || {
        Client::connect(port).is_ok_and(|mut client| client.try_call(&["PING"]).is_ok())
    });
}

#[test]
#[cfg(unix)]
fn signals_end_it_in_order() {
    for (signal, name) in [("-TERM", "SIGTERM"), ("-INT", "SIGINT")] {
        let dir = tempfile::tempdir().expect("a directory");
        let pid_file = dir.path().join("pid");
        let port = system::free_port();
        let mut child = start(&["--port", &port.to_string(), "--pidfile", &pid_file.to_string_lossy()]);
        wait_for_answer(port);
        let pid = child.id().to_string();
        assert_eq!(std::fs::read_to_string(&pid_file).expect("a pid file").trim(), pid);
        let killed = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(killed.success());
        assert!(bounded::status_of(&mut child).success(), "an ordered end has exit code 0");
        assert!(!pid_file.exists(), "the pid file is removed");
        let log = output(child);
        let lines = [
            "Server initialized",
            "Ready to accept connections",
            &format!("Received {name} scheduling shutdown..."),
            "User requested shutdown...",
            "bye bye...",
        ];
        let mut from = 0;
        for line in lines {
            from +=
                log[from..].find(line).unwrap_or_else(|| panic!("`{line}` is missing or too early:\n{log}"));
        }
        assert!(log.lines().all(|line| line.starts_with(&format!("{pid}:"))), "{log}");
    }
}

#[test]
fn it_ends_with_its_parent_if_asked_to() {
    let port = system::free_port();
    let mut command = Command::new(ha_server());
    command.args(["--port", &port.to_string()]).env("HA_EXIT_WITH_PARENT", "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    wait_for_answer(port);
    drop(child.stdin.take());
    assert!(bounded::status_of(&mut child).success());
}

#[test]
fn it_outlives_its_standard_input_otherwise() {
    let port = system::free_port();
    let mut child = start(&["--port", &port.to_string()]);
    drop(child.stdin.take());
    wait_for_answer(port);
    wait_for_answer(port);
    assert!(matches!(child.try_wait(), Ok(None)));
    child.kill().expect("it can be killed");
    bounded::status_of(&mut child);
}

#[test]
fn shutdown_ends_it() {
    let mut server = Server::start(Kind::Ours, &[]);
    let _ = server.client().try_call(&["SHUTDOWN", "NOSAVE"]);
    wait::until("the end", || !server.is_alive());
    server.wait_for_log("bye bye...");
}

#[test]
fn a_taken_port_gets_the_words_of_redis() {
    let Some(redis) = redis_tool_or_skip("a_taken_port_gets_the_words_of_redis", "redis-server") else {
        return;
    };
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    for bind in [&["--bind", "127.0.0.1"][..], &["--bind", "192.0.2.1"], &["--bind", ""]] {
        let said = [&ha_server(), &redis].map(|program| {
            let output = bounded::output(Command::new(program).args(["--port", &port]).args(bind));
            assert!(!output.status.success(), "{bind:?}");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let warnings = text.lines().filter_map(|line| line.split_once(":M ")?.1.split_once(" # "));
            warnings.map(|(_, text)| text.to_owned()).collect::<Vec<_>>()
        });
        assert!(!said[0].is_empty());
        assert_eq!(said[0], said[1], "{bind:?}");
    }
}

#[test]
fn configuration_comes_from_file_and_flags() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("node.conf");
    std::fs::write(&file, "# a node\nport 1\nmaxclients 77\nrequirepass \"a b\"\nlogfile \"the log\"\n")
        .expect("a file");
    let port = system::free_port();
    let file = file.to_string_lossy().into_owned();
    let here = dir.path().to_string_lossy().into_owned();
    let mut child = start(&[&file, "--port", &port.to_string(), "--dir", &here, "--save", "900", "1"]);
    wait_for_answer(port);
    let mut client = Client::connect(port).expect("it listens");
    assert_eq!(client.call(&["AUTH", "a b"]), Frame::Simple("OK".into()));
    let Frame::Array(found) = client.run("CONFIG GET maxclients save") else { panic!("a list") };
    assert_eq!(found.len(), 4);
    let log = std::fs::read_to_string(dir.path().join("the log")).expect("the log is a file in `dir`");
    assert!(log.contains("Configuration loaded"), "{log}");
    child.kill().expect("it can be killed");
    assert_eq!(output(child), "", "what goes into the file does not go to the terminal");
}
