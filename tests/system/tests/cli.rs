//! `ha-cli` beside `redis-cli`, on the same server.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use system::{Kind, Server, ha_cli, redis_tool_or_skip};

/// What a program prints and how it ends, with `input` on its standard input.
fn run(program: &Path, args: &[&str], input: &str) -> (String, String, bool) {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("REDISCLI_AUTH");
    let mut child = command.spawn().expect("it runs");
    // It may well not read: then it has hung up.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.success())
}

/// Both programs with the same words; `setup` comes first, in its own connection.
fn assert_same(server: &Server, real: &Path, setup: &[&str], cases: &[(&[&str], &str)]) {
    let port = server.port_text();
    let mut differences = String::new();
    for (args, input) in cases {
        let args: Vec<&str> = ["-p", &port].into_iter().chain(args.iter().copied()).collect();
        let [left, right] = [&ha_cli(), real].map(|program| {
            setup.iter().for_each(|command| drop(server.run(command)));
            run(program, &args, input)
        });
        if left != right {
            differences += &format!("\n{args:?} < {input:?}\n   ours:  {left:?}\n   redis: {right:?}");
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn output_is_that_of_redis_cli() {
    let Some(real) = redis_tool_or_skip("output_is_that_of_redis_cli", "redis-cli") else { return };
    let server = Server::start(Kind::Ours, &["--databases", "16"]);
    let setup = ["FLUSHALL", "SET k v", "SET n 1", "MSET a 1 b 2 c 3"];
    let pretty = "--no-raw";
    assert_same(
        &server,
        &real,
        &setup,
        &[
            (&["PING"], ""),
            (&[pretty, "PING"], ""),
            (&["GET", "k"], ""),
            (&[pretty, "GET", "k"], ""),
            (&["GET", "absent"], ""),
            (&[pretty, "GET", "absent"], ""),
            (&["INCR", "n"], ""),
            (&[pretty, "INCR", "n"], ""),
            (&[pretty, "ECHO", "tab\t quote\" back\\slash \u{7}\u{8} é\r\n"], ""),
            (&["MGET", "a", "b", "absent", "c"], ""),
            (&[pretty, "MGET", "a", "b", "absent", "c"], ""),
            (&[pretty, "MGET", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a"], ""),
            (&["KEYS", "nosuch"], ""),
            (&[pretty, "KEYS", "nosuch"], ""),
            (&["NOSUCH", "a"], ""),
            (&[pretty, "NOSUCH", "a"], ""),
            (&["-e", "NOSUCH", "a"], ""),
            (&["ROLE"], ""),
            (&[pretty, "ROLE"], ""),
            (&[pretty, "SCAN", "0", "MATCH", "k*", "COUNT", "100"], ""),
            (&["SCAN", "0", "MATCH", "k*", "COUNT", "100"], ""),
            (&["-3", "CONFIG", "GET", "hz"], ""),
            (&["-3", pretty, "CONFIG", "GET", "hz"], ""),
            (&["-3", pretty, "GET", "absent"], ""),
            (&["-2", pretty, "CONFIG", "GET", "hz"], ""),
            (&["-n", "3", "SET", "three", "3"], ""),
            (&["-n", "99", "GET", "k"], ""),
            (&["-r", "3", "INCR", "n"], ""),
            (&["-r", "2", "-i", "0.01", pretty, "INCR", "n"], ""),
            (&["-x", "SET", "k"], "from\nstdin\n"),
            (&[], "SET k \"a b\"\nGET k\n\nNOSUCH\nGET n\n"),
            (&[pretty], "SET k \"a b\"\nGET k\nSELECT 3\nDBSIZE\n"),
            (&["-a", "secret", "PING"], ""),
            (&["--no-auth-warning", "-a", "secret", "PING"], ""),
        ],
    );
}

#[test]
fn passwords_and_users_are_given() {
    let Some(real) = redis_tool_or_skip("passwords_and_users_are_given", "redis-cli") else { return };
    // Our server's readiness is known by its NOAUTH.
    let server = Server::start(Kind::Ours, &["--requirepass", "secret"]);
    assert_same(
        &server,
        &real,
        &[],
        &[
            (&["PING"], ""),
            (&["-a", "secret", "PING"], ""),
            (&["-a", "wrong", "PING"], ""),
            (&["--user", "default", "--pass", "secret", "PING"], ""),
            (&["--user", "nobody", "--pass", "secret", "PING"], ""),
            (&[], "PING\nAUTH secret\nPING\n"),
        ],
    );
}

#[test]
fn a_server_that_is_not_there() {
    let Some(real) = redis_tool_or_skip("a_server_that_is_not_there", "redis-cli") else { return };
    let port = system::free_port().to_string();
    let [ours, theirs] = [&ha_cli(), &real].map(|program| run(program, &["-p", &port, "PING"], ""));
    assert_eq!(ours, theirs);
}
