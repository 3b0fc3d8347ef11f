//! `ha-cli --tally`: it must find what is lost, and nothing else.

use std::process::{Child, Command, Stdio};

use core_types::Frame;
use system::{Cluster, Kind, Server, both, bounded, ha_cli, wait};

/// A tally at work. It writes often enough, and leaves the machine to others.
fn start(words: &[&str]) -> Child {
    let mut command = Command::new(ha_cli());
    command.args(words).args(["--tally", "-i", "0.001"]).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
}

/// Ctrl-C, and what it prints; and whether it is content.
fn stop(tally: Child) -> (String, bool) {
    let interrupt = Command::new("kill").args(["-INT", &tally.id().to_string()]).status();
    assert!(interrupt.is_ok_and(|status| status.success()), "kill runs");
    let output = bounded::end_of(tally);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (text.into_owned(), output.status.success())
}

/// A number of the account.
fn figure(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{text}"));
    line.split([' ', ',']).find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

fn keys(server: &Server) -> i64 {
    match server.run("DBSIZE") {
        Frame::Integer(count) => count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tally_of_a_cluster_is_even_and_leaves_nothing_behind() {
    for kind in both("a_tally_of_a_cluster_is_even_and_leaves_nothing_behind") {
        let cluster = Cluster::masters(&[kind; 3], &[]);
        let port = cluster.servers[1].port_text();
        let tally = start(&["-c", "-p", &port]);
        wait::until("all lists", || cluster.servers.iter().map(keys).sum::<i64>() == 16);
        let (text, well) = stop(tally);
        assert!(well, "{text}");
        assert!(figure(&text, "acknowledged") >= 16, "{text}");
        assert_eq!(figure(&text, "acknowledged"), figure(&text, "there"), "{text}");
        for nothing in ["refused", "not sent", "without an answer", "lost"] {
            assert_eq!(figure(&text, nothing), 0, "{text}");
        }
        assert_eq!(cluster.servers.iter().map(keys).sum::<i64>(), 0);
    }
}

#[test]
fn a_tally_finds_what_a_restart_without_a_file_has_lost() {
    let mut server = Server::start(Kind::Ours, &[]);
    let tally = start(&["-p", &server.port_text()]);
    wait::until("all lists", || keys(&server) == 16);
    server.kill();
    server.restart();
    wait::until("all lists again", || keys(&server) == 16);
    let (text, well) = stop(tally);
    assert!(!well, "{text}");
    assert!(figure(&text, "lost") >= 16, "{text}");
    assert_eq!(figure(&text, "acknowledged"), figure(&text, "there") + figure(&text, "lost"), "{text}");
    assert!(text.contains("acknowledged again, after"), "{text}");
    assert_eq!(keys(&server), 16, "they stay, to be looked at");
    // And the next one does not count them as its own.
    let (text, well) = {
        let output = bounded::end_of(start(&["-p", &server.port_text()]));
        (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.success())
    };
    assert!(!well && text.contains("exists already"), "{text}");
}
