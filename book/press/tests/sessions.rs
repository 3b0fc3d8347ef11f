//! The terminal sessions are really run, and nothing they start stays.

mod common;

use std::net::TcpStream;
use std::time::Duration;

use common::SmallBook;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(400);

const GOOD: &str = "\
# A

```session one
#file second.conf ~ port 7001
$ ha-server --port 7000 &
1:M 01 Jan 2026 00:00:00.000 * Ready on 7000
#start ha-server second.conf
#wait ha-cli -p 7001 COUNT ~ 3
#mask lag:(\\d)
$ cargo run -p server --bin ha-cli -- -p 7000 SET a hello
OK
```

Text.

```session one
$ ha-cli -p 7000 GET a
hello
$ ha-cli -p 7001 GET a
(nil)
$ ha-cli -p 7001 INFO
# Replication
port:7001
id:0123456789012345678901234567890123456789
lag:5
#kill 7001
$ ha-cli -p 7001 GET a
Could not connect to Redis at 127.0.0.1:7001: Connection refused
```

- in a list

  ```session two
  $ ha-server --port 7000
  …
  $ ha-cli -p 7000 GET a
  (nil)
  ```
";

#[test]
fn a_page_that_tells_the_truth() {
    assert_eq!(SmallBook::new(GOOD).sessions(false, LONG), Vec::<String>::new());
}

#[test]
fn output_that_differs_is_named_and_blessed() {
    let wrong = GOOD.replace("\nhello\n", "\ngood bye\nand more\n").replace("  (nil)", "  nothing");
    let book = SmallBook::new(&wrong);
    assert_eq!(
        book.sessions(false, LONG),
        [
            "book/src/a.md:17: session one: `ha-cli -p 7000 GET a`: line 1 of the output: the page has `good bye`, the run has `hello`",
            "book/src/a.md:37: session two: `ha-cli -p 7000 GET a`: line 1 of the output: the page has `nothing`, the run has `(nil)`",
        ]
    );
    assert_eq!(book.sessions(true, LONG), Vec::<String>::new());
    assert_eq!(book.read("book/src/a.md"), GOOD);
}

#[test]
fn a_command_that_hangs_is_stopped() {
    let book = SmallBook::new("# A\n\n```session s\n$ ha-cli hang\nbefore\n```\n");
    assert_eq!(
        book.sessions(false, SHORT),
        ["book/src/a.md:4: session s: `ha-cli hang` was stopped after 0.4 s"]
    );
}

#[test]
fn a_wait_in_vain_ends() {
    let book = SmallBook::new(
        "# A\n\n```session s\n#start ha-server --port 7000\n#wait ha-cli -p 7000 GET a ~ x\n```\n",
    );
    let problems = book.sessions(false, SHORT);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].starts_with("book/src/a.md:5: session s: `ha-cli -p 7000 GET a` never said `x`"),
        "{problems:?}"
    );
}

#[test]
fn a_server_that_ends_at_once() {
    let book = SmallBook::new("# A\n\n```session s\n#start ha-server --port 7000 --nonsense\n```\n");
    let problems = book.sessions(false, LONG);
    assert!(problems[0].contains("ended at once: *** FATAL CONFIG ***"), "{problems:?}");
    // Where the page shows it, it is output like any other.
    let shown = "# A\n\n```session s\n$ ha-server --port 7000 --nonsense\n*** FATAL CONFIG *** [\"--port\", \"7000\", \"--nonsense\"]\n```\n";
    assert_eq!(SmallBook::new(shown).sessions(false, LONG), Vec::<String>::new());
}

#[test]
fn other_programs_are_not_run() {
    for (command, what) in [
        ("rm -rf x", "and not `rm`"),
        ("ha-cli -p 7000 GET a | wc", "no shell"),
        ("ha-server --port 6379", "between 7000 and 7999"),
    ] {
        let book = SmallBook::new(&format!("# A\n\n```session s\n$ {command}\n```\n"));
        let problems = book.sessions(false, LONG);
        assert!(problems.len() == 1 && problems[0].contains(what), "{problems:?}");
    }
}

#[test]
fn nothing_stays_behind_an_error() {
    let book = SmallBook::new("");
    let told = book.path("port.txt");
    let chapter = format!(
        "# A\n\n```session s\n#start ha-server --port 7000\n#run ha-cli -p 7000 TELL '{}'\n$ rm x\n```\n",
        told.display()
    );
    book.write("book/src/a.md", &chapter);
    let problems = book.sessions(false, LONG);
    assert_eq!(problems.len(), 1, "{problems:?}");
    let port: u16 = book.read("port.txt").parse().expect("the server wrote its real port");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the server still runs on {port}");
}

const LONGER: &str = "\
# A

```session s
#start ha-server --port 7000
#start ha-server --port 7001
$ ha-cli -p 7000
127.0.0.1:7000> SET a 1
OK
127.0.0.1:7000> GET a
1
$ ha-cli -p 7000 INFO
# Replication
port:7000
id:0123456789012345678901234567890123456789
…
#id aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ~ ha-cli -p 7001 ID
$ ha-cli -p 7000 OWN 0123456789012345678901234567890123456789
mine
$ ha-cli -p 7001 OWN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
mine
$ ha-cli -p 7000 SET b 2 &
#wait ha-cli -p 7000 GET b ~ 2
#interrupt ha-cli -p 7000 COUNT ~ [3-9]$
$ ha-cli hang
before
^C
```
";

#[test]
fn clients_stay_ids_stand_for_others_and_commands_are_interrupted() {
    assert_eq!(SmallBook::new(LONGER).sessions(false, LONG), Vec::<String>::new());
}

#[test]
fn what_is_not_so_is_found_there_too() {
    for (from, to, what) in [
        ("GET a\n1\n", "GET a\n2\n", "the page has `2`, the run has `1`"),
        (
            "mine\n$ ha-cli -p 7001",
            "not mine\n$ ha-cli -p 7001",
            "the page has `not mine`, the run has `mine`",
        ),
        ("#interrupt ha-cli -p 7000 COUNT ~ [3-9]$\n", "", "when is it interrupted?"),
        ("ha-cli hang\nbefore", "ha-cli -p 7000 GET b\n2", "before"),
    ] {
        let chapter = LONGER.replacen(from, to, 1);
        assert_ne!(chapter, LONGER);
        let problems = SmallBook::new(&chapter).sessions(false, SHORT * 3);
        assert!(problems.len() == 1 && problems[0].contains(what), "{problems:?}");
    }
}

#[test]
fn a_client_says_no_more_than_the_page() {
    // The client answers twice; the page shows the first line only, and goes on.
    let chapter = "# A\n\n```session s\n#start ha-server --port 7000\n$ ha-cli -p 7000\n127.0.0.1:7000> INFO\n# Replication\n```\n";
    let problems = SmallBook::new(chapter).sessions(false, SHORT * 2);
    // Whether the second line came together with the first one, or behind it, is up to the machine.
    let told = ["says more than the page: `port:7000`", "the page has no more, the run has `port:7000`"];
    assert!(problems.len() == 1 && told.iter().any(|told| problems[0].contains(told)), "{problems:?}");
}

const BESIDE: &str = "\
# A

```session s
#start ha-server --port 7000
$ ha-cli -p 7000 beside &
#wait ha-cli -p 7000 GET beside ~ runs
$ ha-cli -p 7000 GET a
(nil)
$ ha-cli -p 7000 beside
before
OK
^C
```
";

#[test]
fn a_command_that_ran_beside_the_others_is_interrupted_and_compared_at_last() {
    assert_eq!(SmallBook::new(BESIDE).sessions(false, LONG), Vec::<String>::new());
    let problems = SmallBook::new(&BESIDE.replace("before", "never said")).sessions(false, SHORT * 10);
    assert!(problems.len() == 1 && problems[0].contains("the page has `never said`"), "{problems:?}");
}

#[test]
fn a_session_with_redis_is_skipped_where_it_is_not_installed() {
    // The pretend programs have no `redis-server`. What stands there would be wrong, and so is what comes before it.
    let chapter = "# A\n\n```session s\n#start ha-server --port 7000\n$ ha-cli -p 7000 GET a\nwrong\n$ redis-server --port 7001 &\n```\n";
    let problems = SmallBook::new(chapter).sessions(false, LONG);
    match std::env::var("HA_REQUIRE_REDIS").as_deref() {
        Ok("1") => {
            assert!(problems.len() == 1 && problems[0].contains("it needs redis-server"), "{problems:?}");
        }
        _ => assert_eq!(problems, Vec::<String>::new()),
    }
    // Another session of the same page runs.
    let other = format!(
        "{chapter}\n```session t\n#start ha-server --port 7000\n$ ha-cli -p 7000 GET a\nwrong\n```\n"
    );
    let problems = SmallBook::new(&other).sessions(false, LONG);
    assert!(problems.iter().any(|problem| problem.contains("session t")), "{problems:?}");
}
