//! `ha-cli` beside `redis-cli`, on the same server.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use system::{Kind, Server, bounded, ha_cli, redis_tool_or_skip, wait};

/// What a program prints and how it ends, with `input` on its standard input.
fn run(program: &Path, args: &[&str], input: &str) -> (String, String, bool) {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("REDISCLI_AUTH");
    let mut child = command.spawn().expect("it runs");
    // It may well not read: then it has hung up.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = bounded::end_of(child);
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
            (&["-d", ", ", "-D", ";", "MGET", "a", "absent", "c"], ""),
            (&["--csv", "MGET", "a", "absent", "c"], ""),
            (&["--csv", "NOSUCH"], ""),
            (&["--csv", "-3", "CONFIG", "GET", "hz"], ""),
            (&["--json", "MGET", "a", "absent", "c"], ""),
            (&["--json", "ECHO", "tab\t quote\" back\\slash \u{7}\u{8} é\r\n"], ""),
            (&["--json", "CONFIG", "GET", "hz"], ""),
            (&["--json", "-2", "CONFIG", "GET", "hz"], ""),
            (&["--json", "NOSUCH"], ""),
            (&["--quoted-json", "ECHO", "tab\t \u{7} é\r\n"], ""),
            (&["-X", "here", "SET", "k", "here"], "from\nstdin\n"),
            (&["-X", "here", "SET", "k", "there"], "from\nstdin\n"),
            (&[], "2 INCR n\nquit\nINCR n\n"),
            (&["-3"], "CLIENT TRACKING on\nGET k\nSET k w\nGET k\n"),
            (&["-3", "--show-pushes", "yes"], "CLIENT TRACKING on\nGET k\nSET k w\nGET k\n"),
            (&["-c"], "SET k w\nGET k\n"),
        ],
    );
}

#[test]
fn replies_of_all_types() {
    let Some(real) = redis_tool_or_skip("replies_of_all_types", "redis-cli") else { return };
    let Some(server) = system::redis_or_skip("replies_of_all_types", &["--enable-debug-command", "yes"])
    else {
        return;
    };
    let mut cases: Vec<(Vec<&str>, &str)> = Vec::new();
    for style in ["--raw", "--no-raw", "--csv", "--json"] {
        for protocol in ["-2", "-3"] {
            for kind in
                ["true", "false", "map", "set", "verbatim", "double", "null", "array", "integer", "string"]
            {
                cases.push((vec![style, protocol, "DEBUG", "PROTOCOL", kind], ""));
            }
        }
    }
    let cases: Vec<(&[&str], &str)> = cases.iter().map(|(args, input)| (args.as_slice(), *input)).collect();
    assert_same(&server, &real, &[], &cases);
    // redis-cli knows no big numbers and stops at attributes.
    let port = server.port_text();
    let shown =
        |kind: &str| run(&ha_cli(), &["-p", &port, "-3", "--no-raw", "DEBUG", "PROTOCOL", kind], "").0;
    assert_eq!(shown("bignum"), "1234567999999999999999999999999999999\n");
    assert_eq!(shown("attrib"), "\"Some real reply following the attribute\"\n");
}

#[test]
fn uris_and_sockets_lead_to_a_server() {
    let Some(real) = redis_tool_or_skip("uris_and_sockets_lead_to_a_server", "redis-cli") else { return };
    let Some(server) = system::redis_or_skip("uris_and_sockets_lead_to_a_server", &["--unixsocket", "s"])
    else {
        return;
    };
    server.run("SELECT 3");
    let port = server.port();
    let socket = server.dir().join("s");
    let socket = socket.to_str().expect("a path");
    for args in [
        vec!["-u", &format!("redis://127.0.0.1:{port}/3"), "SET", "k", "3"],
        vec!["-u", &format!("redis://127.0.0.1:{port}"), "EXISTS", "k"],
        vec!["-u", &format!("redis://nobody:wrong@127.0.0.1:{port}/3"), "GET", "k"],
        vec!["-s", socket, "-n", "3", "GET", "k"],
        vec!["-s", "/nosuch", "PING"],
    ] {
        assert_eq!(run(&ha_cli(), &args, ""), run(&real, &args, ""), "{args:?}");
    }
}

#[test]
fn mass_insertion_counts_replies() {
    let Some(real) = redis_tool_or_skip("mass_insertion_counts_replies", "redis-cli") else { return };
    let server = Server::start(Kind::Ours, &[]);
    let many: String = (0..20_000).map(|number| format!("SET key:{number} {number}\r\n")).collect();
    assert_same(
        &server,
        &real,
        &["FLUSHALL"],
        &[
            (&["--pipe"], ""),
            (&["--pipe"], &many),
            (&["--pipe"], "SET a 1\nINCR a"),
            (&["--pipe"], "*1\r\n$4\r\nPING\r\nNOSUCH\r\nGET\r\n"),
        ],
    );
    server.run("FLUSHALL");
    run(&ha_cli(), &["-p", &server.port_text(), "--pipe"], &many);
    assert_eq!(server.run("DBSIZE"), core_types::Frame::Integer(20_000));
}

#[test]
fn messages_are_shown_as_they_come() {
    let Some(real) = redis_tool_or_skip("messages_are_shown_as_they_come", "redis-cli") else { return };
    let server = Server::start(Kind::Ours, &[]);
    let port = server.port_text();
    for args in
        [["--raw", "SUBSCRIBE"], ["--no-raw", "SUBSCRIBE"], ["--csv", "PSUBSCRIBE"], ["-3", "SUBSCRIBE"]]
    {
        let shown = [&ha_cli(), &real].map(|program| {
            let mut command = Command::new(program);
            command.args(["-p", &port]).args(args).args(["a", "b"]);
            let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it runs");
            let mut client = server.client();
            // Both channels have a listener.
            wait::until("two subscriptions", || {
                let heard = ["a", "b"].map(|channel| client.call(&["PUBLISH", channel, "hello"]));
                heard.iter().all(|count| *count == core_types::Frame::Integer(1))
            });
            client.run("CLIENT KILL TYPE pubsub");
            String::from_utf8_lossy(&bounded::end_of(child).stdout).into_owned()
        });
        let unique = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert!(shown[0].contains("hello"), "{args:?}: {shown:?}");
        assert_eq!(unique(&shown[0]), unique(&shown[1]), "{args:?}");
    }
}

#[test]
fn redirections_are_followed_and_learnt() {
    let Some(real) = redis_tool_or_skip("redirections_are_followed_and_learnt", "redis-cli") else { return };
    let flags = ["--cluster-enabled", "yes"];
    let [low, high] = [0, 1].map(|_| {
        let bus = system::free_port().to_string();
        Server::start(Kind::Redis, &[flags.as_slice(), &["--cluster-port", &bus]].concat())
    });
    // Two servers that know of each other whose slots are whose; gossip is not needed for that.
    let id = |server: &Server| {
        String::from_utf8_lossy(server.run("CLUSTER MYID").as_bytes().unwrap()).into_owned()
    };
    low.run("CLUSTER ADDSLOTSRANGE 0 8191");
    high.run("CLUSTER ADDSLOTSRANGE 8192 16383");
    let bus = |server: &Server| {
        let nodes = server.run("CLUSTER NODES");
        let text = String::from_utf8_lossy(nodes.as_bytes().unwrap()).into_owned();
        text.split(['@', ' ']).nth(2).unwrap().to_owned()
    };
    high.run("CLUSTER SET-CONFIG-EPOCH 2");
    low.run(&format!("CLUSTER MEET 127.0.0.1 {} {}", high.port(), bus(&high)));
    let up = |server: &Server| {
        server.client().info("cluster_enabled") == "1" && {
            let state = server.run("CLUSTER INFO");
            String::from_utf8_lossy(state.as_bytes().unwrap()).contains("cluster_state:ok")
        }
    };
    wait::until("the cluster to be up", || up(&low) && up(&high));
    // foo 12182, bar 5061, hello 866
    let script = "SET foo 1\nGET foo\nMGET foo bar\nCLUSTER KEYSLOT foo\n";
    for style in ["--no-raw", "--raw"] {
        assert_same(&low, &real, &[], &[(&["-c", style], script), (&["-c", style, "GET", "foo"], "")]);
    }
    let port = low.port_text();
    let (shown, _, _) =
        run(&ha_cli(), &["-c", "--no-raw", "-p", &port], "GET foo\nGET bar\nGET foo\nGET bar\nGET hello\n");
    let redirections = shown.lines().filter(|line| line.starts_with("->")).count();
    assert_eq!(redirections, 1, "after the first one it knows the way:\n{shown}");
    // A slot that moves: ASK is for one command only.
    let slot = "12182";
    low.run(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(&high)));
    high.run(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", id(&low)));
    let (shown, _, _) =
        run(&ha_cli(), &["-c", "--no-raw", "-p", &high.port_text()], "GET {foo}new\nGET foo\n");
    let expected = format!("-> Redirected to slot [{slot}] located at 127.0.0.1:{port}\n(nil)\n\"1\"\n");
    // `foo` is found where it was: at the other one again.
    let tail = format!("-> Redirected to slot [{slot}] located at 127.0.0.1:{}\n", high.port());
    assert_eq!(shown.replace(&tail, ""), expected);
    // Within a transaction nothing is followed: the command would run outside of it.
    let (shown, _, _) = run(&ha_cli(), &["-c", "-p", &port], "MULTI\nGET {a}\nSET b{foo} 1\nEXEC\n");
    assert!(shown.contains("MOVED") && shown.contains("EXECABORT") || shown.contains("ASK"), "{shown}");
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

/// The answer to `SHUTDOWN` is the connection's end, and that is no error; a refusal is an answer like others.
#[test]
fn a_server_is_shut_down() {
    let Some(real) = redis_tool_or_skip("a_server_is_shut_down", "redis-cli") else { return };
    let ways: [(&[&str], &str); 4] = [
        (&["SHUTDOWN", "NOSAVE"], ""),
        (&["-c", "shutdown"], ""),
        (&[], "PING\nSHUTDOWN NOSAVE\n"),
        (&["SHUTDOWN", "later"], ""),
    ];
    for (words, input) in ways {
        let [ours, theirs] = [&ha_cli(), &real].map(|program| {
            let mut server = Server::start(Kind::Ours, &[]);
            let port = server.port_text();
            let told = run(program, &[&["-p", &port], words].concat(), input);
            let refused = words.contains(&"later");
            wait::until("its end", || refused || !server.is_alive());
            assert_eq!(server.is_alive(), refused);
            told
        });
        assert_eq!(ours, theirs, "{words:?}");
    }
}
