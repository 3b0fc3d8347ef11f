//! Bad input over raw sockets, byte for byte beside a real Redis.

use std::io::Write;

use system::{Client, Kind, Server, bounded, redis_or_skip, wait};

/// Tells where an answer ends: the last bytes that both servers send if they keep the connection.
const END: &[u8] = b"$8\r\nthe end.\r\n";
const ASK_FOR_END: &[u8] = b"*2\r\n$4\r\nECHO\r\n$8\r\nthe end.\r\n*1\r\n$4\r\nQUIT\r\n";

/// What a server says to `bytes` on a fresh connection, up to its end or to the answer to an `ECHO`. Who
/// may not use `ECHO` may still `QUIT`.
fn answer(server: &Server, bytes: &[u8]) -> String {
    let mut client = server.client();
    // A server may hang up while we still talk: what it said before counts.
    let _ = client.send(bytes).and_then(|()| client.send(ASK_FOR_END));
    String::from_utf8_lossy(&client.read_until(END)).into_owned()
}

/// Asks both, and lists the inputs that they answer differently.
fn assert_same_answers(ours: &Server, real: &Server, inputs: &[&[u8]]) {
    let mut differences = String::new();
    for input in inputs {
        let (left, right) = (answer(ours, input), answer(real, input));
        if left != right {
            let shown = core_types::show_bytes(&input[..input.len().min(80)]);
            differences += &format!("\n{shown}\n   ours:  {left:?}\n   redis: {right:?}");
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn malformed_commands_get_the_words_of_redis() {
    let Some(real) = redis_or_skip("malformed_commands_get_the_words_of_redis", &[]) else { return };
    let ours = Server::start(Kind::Ours, &[]);
    assert_same_answers(
        &ours,
        &real,
        &[
            b"*-1\r\n",
            b"*0\r\n",
            b"*-10\r\n",
            b"*x\r\n",
            b"*\r\n",
            b"*1x\r\n",
            b"*+1\r\n",
            b"* 1\r\n",
            b"*01\r\n",
            b"*2147483648\r\n",
            b"*99999999999999999999\r\n",
            b"*1\r\n:1\r\n",
            b"*1\r\n\r\n",
            b"*1\r\n*1\r\n$4\r\nPING\r\n",
            b"*1\r\n$-1\r\n",
            b"*1\r\n$-5\r\n",
            b"*1\r\n$x\r\n",
            b"*1\r\n$\r\n",
            b"*1\r\n$4x\r\nPING\r\n",
            b"*1\r\n$536870913\r\n",
            b"*1\r\n$99999999999999999999\r\n",
            b"*2\r\n$4\r\nECHO\r\n+hi\r\n",
            b"*1\r\n$0\r\n\r\n",
            b"*1\r\n$4\r\nPINGxx",
            b"\r\n",
            b"\n\n\n",
            b"PING\r\n",
            b"PING\n",
            b"ping \"a b\"\r\n",
            b"ping 'it\\'s'\r\n",
            b"ping \"\\x41\\n\"\r\n",
            b"ping \"a\r\n",
            b"ping 'a'b\r\n",
            b"ping \"a\"b\r\n",
            b"   ping   hi  \r\n",
            b"GET\r\n",
            b"$4\r\nPING\r\n",
            b"+PING\r\n",
        ],
    );
}

#[test]
fn lines_without_end_get_the_words_of_redis() {
    let Some(real) = redis_or_skip("lines_without_end_get_the_words_of_redis", &[]) else { return };
    let ours = Server::start(Kind::Ours, &[]);
    for start in ["PING ", "*", "*1\r\n$"] {
        let line = [start.as_bytes(), &b"1".repeat(70 * 1024)].concat();
        let said = [&ours, &real].map(|server| {
            let mut client = server.client();
            let _ = client.send(&line);
            String::from_utf8_lossy(&client.read_to_end()).into_owned()
        });
        assert_eq!(said[0], said[1], "{start:?}");
    }
}

#[test]
fn unknown_commands_and_wrong_arities_get_the_words_of_redis() {
    let test = "unknown_commands_and_wrong_arities_get_the_words_of_redis";
    let Some(real) = redis_or_skip(test, &[]) else { return };
    let ours = Server::start(Kind::Ours, &[]);
    let many = format!("NOSUCH {}\r\n", "argument ".repeat(40));
    let long = format!("{} {}\r\n", "n".repeat(300), "a".repeat(300));
    assert_same_answers(
        &ours,
        &real,
        &[
            b"NOSUCH\r\n",
            b"NOSUCH a b c\r\n",
            b"nosuch \"\\r\\n\\x00\\xff\" x\r\n",
            b"\"no\\nsuch\" y\r\n",
            many.as_bytes(),
            long.as_bytes(),
            b"*1\r\n$3\r\n\xff\x00\x01\r\n",
            b"*2\r\n$6\r\nNOSUCH\r\n$3\r\na\nb\r\n",
            b"GET\r\n",
            b"get a b\r\n",
            b"SET k\r\n",
            b"SET k v NX XX\r\n",
            b"SET k v EX\r\n",
            b"SET k v EX 0\r\n",
            b"SET k v EX x\r\n",
            b"SET k v PX 99999999999999999999\r\n",
            b"MSET a\r\n",
            b"MSET a 1 b\r\n",
            b"INCR\r\n",
            b"SET s abc\r\nINCR s\r\n",
            b"SELECT 16\r\n",
            b"SELECT x\r\n",
            b"SELECT -1\r\n",
            b"CONFIG\r\n",
            b"CONFIG NOSUCH\r\n",
            b"CONFIG GET\r\n",
            b"CONFIG SET hz\r\n",
            b"CONFIG SET hz x\r\n",
            b"CONFIG SET nosuch x\r\n",
            b"CONFIG SET databases 3\r\n",
            b"CONFIG SET hz 10 hz 11\r\n",
            b"CONFIG SET repl-timeout 0 hz 20\r\n",
            b"CONFIG SET proto-max-bulk-len 1\r\n",
            b"CONFIG SET slave-read-only perhaps\r\n",
            b"CONFIG GET hz\r\n",
            b"CONFIG GET LogLevel nosuch\r\n",
            b"CONFIG GET slave-read-only\r\n",
            b"EXPIRE k x\r\n",
            b"EXPIRE k 9223372036854775807\r\n",
            b"SCAN x\r\n",
            b"SCAN 0 COUNT 0\r\n",
            b"SCAN 0 NOSUCH 1\r\n",
            b"PING a b\r\n",
            b"ECHO\r\n",
            b"AUTH x\r\n",
            b"AUTH a b\r\n",
            b"AUTH a b c\r\n",
            b"HELLO 4\r\n",
            b"HELLO x\r\n",
            b"HELLO 3 NOSUCH\r\n",
            b"HELLO 3 SETNAME\r\n",
            b"HELLO 3 AUTH a\r\n",
            b"CLIENT NOSUCH\r\n",
            b"CLIENT SETNAME \"a b\"\r\n",
            b"OBJECT ENCODING nosuch\r\n",
            b"REPLICAOF 127.0.0.1\r\n",
            b"REPLICAOF 127.0.0.1 x\r\n",
            b"REPLICAOF 127.0.0.1 70000\r\n",
            b"REPLCONF x\r\n",
            b"REPLCONF nosuch y\r\n",
            b"REPLCONF listening-port x\r\n",
            b"PSYNC ?\r\n",
        ],
    );
}

#[test]
fn a_client_without_its_password_gets_little() {
    let test = "a_client_without_its_password_gets_little";
    let password = ["--requirepass", "secret"];
    let Some(real) = redis_or_skip(test, &password) else { return };
    let ours = Server::start(Kind::Ours, &password);
    assert_same_answers(
        &ours,
        &real,
        &[
            b"PING\r\n",
            b"GET k\r\n",
            b"NOSUCH\r\n",
            b"GET\r\n",
            b"QUIT\r\n",
            b"AUTH wrong\r\n",
            b"AUTH default wrong\r\n",
            b"AUTH nobody secret\r\n",
            b"AUTH default secret\r\nPING\r\n",
            b"AUTH secret\r\nPING\r\n",
            b"HELLO 3\r\n",
            b"HELLO 3 AUTH default wrong\r\n",
            b"REPLCONF listening-port 1\r\n",
            b"PSYNC ? -1\r\n",
            b"*11\r\n",
            b"*1\r\n$16385\r\n",
        ],
    );
}

#[test]
fn half_a_command_and_silence_disturb_nobody() {
    let mut ours = Server::start(Kind::Ours, &[]);
    let halves: Vec<Client> = [
        b"*2\r\n$4\r\nECHO\r\n$5".as_slice(),
        b"*2\r\n$4\r\nECHO\r\n$5\r\nhel",
        b"*1000000\r\n",
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\nabc",
        b"PIN",
        b"*",
        b"",
    ]
    .into_iter()
    .map(|half| {
        let mut client = ours.client();
        client.send(half).expect("the server reads");
        client
    })
    .collect();
    let mut other = ours.client();
    assert_eq!(other.run("SET k v"), core_types::Frame::Simple("OK".into()));
    for mut client in halves {
        assert!(client.is_silent());
    }
    // A claim of half a gigabyte must not have been believed.
    if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", ours.pid())) {
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
        let kilobytes: u64 =
            line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0);
        assert!(kilobytes < 200_000, "{line}");
    }
    assert!(ours.is_alive());
}

#[test]
fn a_slow_reader_and_a_flood_disturb_nobody() {
    let ours = Server::start(Kind::Ours, &[]);
    ours.client().call(&[b"SET".as_slice(), b"big", &vec![b'x'; 1 << 20]]);
    let mut slow = ours.client();
    // Two gigabytes of replies that nobody reads: the server must stop reading, not grow.
    slow.send(&b"GET big\r\n".repeat(2_000)).expect("the requests are small");
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let mut client = ours.client();
            let mut ok = 0;
            for _ in 0..40 {
                client.send(&b"SET n 1\r\n".repeat(5_000)).expect("the server reads");
                for _ in 0..5_000 {
                    ok += usize::from(client.next_reply().is_ok());
                }
            }
            ok
        });
        let mut other = ours.client();
        for _ in 0..200 {
            assert_eq!(other.run("PING"), core_types::Frame::Simple("PONG".into()));
        }
        assert_eq!(flood.join().expect("the flood ends"), 200_000);
    });
    for _ in 0..2_000 {
        let reply = slow.next_reply().expect("every reply comes in the end");
        assert_eq!(reply.as_bytes().map(<[u8]>::len), Some(1 << 20));
    }
}

#[test]
fn more_clients_than_allowed_are_told_so() {
    let test = "more_clients_than_allowed_are_told_so";
    let Some(real) = redis_or_skip(test, &["--maxclients", "3"]) else { return };
    let ours = Server::start(Kind::Ours, &["--maxclients", "3"]);
    let refusals = [&ours, &real].map(|server| {
        let connected = |client: &mut Client| client.info("connected_clients");
        let mut first = server.client();
        // The connection that asked whether the server is up may still be on its way out.
        wait::until("one client only", || connected(&mut first) == "1");
        let mut others = [server.client(), server.client()];
        others.iter_mut().for_each(|client| drop(client.run("PING")));
        String::from_utf8_lossy(&server.client().read_to_end()).into_owned()
    });
    assert_eq!(refusals[0], refusals[1]);
    assert_eq!(refusals[0], "-ERR max number of clients reached\r\n");
}

/// Our programs' words on the command line beside those of Redis, name and version aside.
#[test]
fn bad_configuration_gets_the_words_of_redis() {
    let test = "bad_configuration_gets_the_words_of_redis";
    let Some(redis) = system::redis_tool_or_skip(test, "redis-server") else { return };
    let ours = system::ha_cli().with_file_name(format!("ha-server{}", std::env::consts::EXE_SUFFIX));
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"port 17999\n\n# a comment\nhz \"10\n").expect("it takes bytes");
    let path = file.path().to_string_lossy().into_owned();
    for args in [
        &["--nosuch", "1"][..],
        &["--port", "x"],
        &["--port", "70000"],
        &["--port", "1", "2"],
        &["--port"],
        &["--replicaof", "127.0.0.1"],
        &["--replicaof", "127.0.0.1", "x"],
        &["--hz", "--databases", "x"],
        &["--loglevel", "loud"],
        &["--requirepass", "a b", "--slave-read-only", "perhaps"],
        &["--dbfilename", "a/b"],
        &["--save", "1"],
        &[&path],
    ] {
        let said = [&ours, &redis].map(|program| {
            let output = bounded::output(std::process::Command::new(program).args(args));
            assert!(!output.status.success(), "{args:?}");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            text.lines().filter(|line| !line.starts_with("***")).collect::<Vec<_>>().join("\n")
        });
        assert_eq!(said[0], said[1], "{args:?}");
    }
}
