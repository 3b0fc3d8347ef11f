//! `ha-cli`'s ways to look at a server beside `redis-cli`'s, on the same data, on a server of ours and on a real one.

use std::path::Path;
use std::process::Command;

use system::{Kind, Server, bounded, ha_cli, redis_tool_or_skip};

/// What a program prints, and whether it ended well.
fn run(program: &Path, server: &Server, args: &[&str]) -> (String, bool) {
    let mut command = Command::new(program);
    command.args(["-p", &server.port_text()]).args(args).env_remove("REDISCLI_AUTH");
    let output = bounded::output(&mut command);
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

/// A data set with one clearly biggest key of each type, and names that have to be quoted.
fn fill(server: &Server) {
    let long = "x".repeat(5000);
    for number in 0..300 {
        server.run(&format!("SET plain:{number} {number}"));
        server.run(&format!("RPUSH list:{} {number}", number % 7));
        server.run(&format!("SADD set:{} {number}", number % 11));
        server.run(&format!("HSET hash:{} f{number} {number}", number % 5));
        server.run(&format!("ZADD zset:{} {number} m{number}", number % 3));
    }
    server.run(&format!("SET long {long}"));
    server.run("RPUSH list:3 a b c d e f");
    server.run("SADD set:4 a b c d e f");
    server.run("HSET hash:2 a 1 b 2 c 3");
    server.run("ZADD zset:1 1 a 2 b 3 c");
    server.run(r#"SET "a \"name\"" 1"#);
}

#[test]
fn the_same_is_found_as_by_redis_cli() {
    let Some(real) = redis_tool_or_skip("the_same_is_found_as_by_redis_cli", "redis-cli") else { return };
    for kind in [Kind::Ours, Kind::Redis] {
        let server = Server::start(kind, &["--maxmemory-policy", "allkeys-lfu"]);
        fill(&server);
        for _ in 0..500 {
            server.run("GET plain:77");
        }
        let ways: [&[&str]; 7] = [
            &["--bigkeys"],
            &["--bigkeys", "--pattern", "plain:1*"],
            &["--memkeys"],
            &["--memkeys-samples", "0"],
            &["--hotkeys"],
            &["--scan"],
            &["--scan", "--pattern", "list:*"],
        ];
        for way in ways {
            let [ours, theirs] = [&ha_cli(), &real].map(|program| run(program, &server, way));
            // Nobody has a stream, and the kinds without a key come in an order of chance from redis-cli.
            let sorted = |text: &str| {
                let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
                lines.sort();
                lines
            };
            assert_eq!(sorted(&ours.0), sorted(&theirs.0), "{kind:?} {way:?}");
            assert_eq!(ours.1, theirs.1, "{kind:?} {way:?}");
        }
        let (found, _) = run(&ha_cli(), &server, &["--hotkeys"]);
        let hottest = found.lines().find(|line| line.starts_with("hot key found")).expect("a hot key");
        assert!(hottest.ends_with("\"plain:77\""), "{found}");
    }
}

#[test]
fn without_a_policy_that_counts_hot_keys_are_refused_as_by_redis_cli() {
    let name = "without_a_policy_that_counts_hot_keys_are_refused_as_by_redis_cli";
    let Some(real) = redis_tool_or_skip(name, "redis-cli") else { return };
    let server = Server::start(Kind::Ours, &[]);
    server.run("SET k v");
    let [ours, theirs] = [&ha_cli(), &real].map(|program| run(program, &server, &["--hotkeys"]));
    assert_eq!((ours.0.trim_end(), ours.1), (theirs.0.trim_end(), false));
    assert!(!theirs.1);
}

#[test]
fn a_measurement_into_a_pipe_is_one_line_of_numbers() {
    let server = Server::start(Kind::Ours, &[]);
    let (line, well) = run(&ha_cli(), &server, &["--latency", "-i", "0.2"]);
    let numbers: Vec<f64> = line.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    let [least, most, average, count] = numbers[..] else { panic!("{line:?}") };
    assert!(well && least <= average && average <= most && count >= 1.0, "{line:?}");
}
