//! Facts on the left of these tests were taken from redis-server 7.0.15 (its name and version aside).

use core_types::{ArgsBuf, Rng};

use super::*;

/// The text that Redis gives for one argument of a `CONFIG SET`.
macro_rules! failed {
    ($name:literal, $why:literal) => {
        concat!("ERR CONFIG SET failed (possibly related to argument '", $name, "') - ", $why)
    };
}

/// No file exists, and standard input is empty.
fn nothing(source: Source<'_>) -> Result<String, String> {
    match source {
        Source::Stdin => Ok(String::new()),
        Source::File(_) => Err("No such file or directory".into()),
    }
}

fn from(args: &[&str]) -> Config {
    Config::from_args(args, &mut nothing).unwrap()
}

fn error(args: &[&str]) -> String {
    Config::from_args(args, &mut nothing).unwrap_err().to_string()
}

fn text_error(text: &str) -> (usize, String, String) {
    match Config::from_text(text).unwrap_err() {
        LoadError::Line { number, text, why } => (number, text, why),
        LoadError::File { path, why } => panic!("{path}: {why}"),
    }
}

fn set(config: &mut Config, words: &[&str]) -> Result<Changed, String> {
    config.set(ArgsBuf::from_parts(words).as_args())
}

fn get(config: &Config, patterns: &[&str]) -> Vec<(String, String)> {
    config.get_matching(ArgsBuf::from_parts(patterns).as_args())
}

#[test]
fn a_fatal_error_shows_the_line_as_redis_does() {
    assert_eq!(
        error(&["--hz", "10", "--databases", "x"]),
        format!(
            "\n*** FATAL CONFIG FILE ERROR ({NAME} {VERSION}) ***\nReading the configuration file, at line 3\n\
             >>> 'databases \"x\"'\nargument couldn't be parsed into an integer"
        )
    );
    assert_eq!(
        error(&["/nope.conf"]),
        "Fatal error, can't open config file '/nope.conf': No such file or directory"
    );
}

#[test]
fn bad_lines_get_the_texts_of_redis() {
    let reason = |text: &str| text_error(text).2;
    assert_eq!(reason("foo bar"), "Bad directive or wrong number of arguments");
    assert_eq!(reason("io-threads 4"), "Bad directive or wrong number of arguments");
    assert_eq!(reason("port"), "wrong number of arguments");
    assert_eq!(reason("port 1 2"), "wrong number of arguments");
    assert_eq!(reason("port 70000"), "argument must be between 0 and 65535 inclusive");
    assert_eq!(reason("databases 0"), "argument must be between 1 and 2147483647 inclusive");
    assert_eq!(
        reason("loglevel foo"),
        "argument(s) must be one of the following: debug, verbose, notice, warning"
    );
    assert_eq!(reason("timeout abc"), "argument couldn't be parsed into an integer");
    assert_eq!(reason("daemonize maybe"), "argument must be 'yes' or 'no'");
    assert_eq!(reason("replicaof 127.0.0.1"), "wrong number of arguments");
    assert_eq!(reason("replicaof \"a b\" x"), "Invalid master port");
    assert_eq!(reason("save 1"), "Invalid save parameters");
    assert_eq!(reason("dbfilename a/b"), "dbfilename can't be a path, just a filename");
    let (number, text, why) = text_error("port 17999\n\n# comment\n  hz \"10\r\n");
    assert_eq!((number, &*text, &*why), (4, "hz \"10", "Unbalanced quotes in configuration line"));
}

#[test]
fn a_file_is_read_with_quotes_old_names_and_any_case() {
    let config = Config::from_text(
        "# a node\r\nPORT 7001\nslaveof 127.0.0.1 7000\nslave-read-only no\nrequirepass \"a\\x41 b\\n\"\n\
         masterauth 'it\\'s'\nproto-max-bulk-len 2MB\nsave 900 1\nsave 300 10 60 10000\nbind 127.0.0.1 -::1\nhz 0",
    )
    .unwrap();
    assert_eq!(config.port, 7001);
    assert_eq!(config.replicaof, Some(Endpoint::new("127.0.0.1", 7000)));
    assert!(!config.replica_read_only);
    assert_eq!((config.requirepass.as_deref(), config.masterauth.as_deref()), (Some("aA b\n"), Some("it's")));
    assert_eq!(config.proto_max_bulk_len, 2 << 20);
    assert_eq!(config.save, [(900, 1), (300, 10), (60, 10000)]);
    assert_eq!(config.bind, ["127.0.0.1", "-::1"]);
    assert_eq!(config.hz, 1);
    assert!(config.notes().is_empty());
}

#[test]
fn flags_take_several_values_and_the_last_one_wins() {
    let config =
        from(&["--port", "7001", "--replicaof", "127.0.0.1", "7000", "--port 7002", "--save", "900", "1"]);
    assert_eq!((config.port, config.save), (7002, vec![(900, 1)]));
    assert_eq!(config.replicaof, Some(Endpoint::new("127.0.0.1", 7000)));
    assert_eq!(from(&["--slaveof", "127.0.0.1 7000"]).replicaof, Some(Endpoint::new("127.0.0.1", 7000)));
    assert_eq!(from(&["--replicaof", "no", "one"]).replicaof, None);
    assert_eq!(from(&["--save", "--port", "7003"]).port, 7003);
    assert_eq!(from(&["--save", "1 1", "--save", ""]).save, []);
    assert_eq!(from(&["--requirepass", "--secret"]).requirepass.as_deref(), Some("--secret"));
    assert_eq!(from(&["--requirepass", "a \"b\\"]).requirepass.as_deref(), Some("a \"b\\"));
    assert!(
        error(&["--port", "17999", "foo", "--hz"]).contains(">>> 'port \"17999\" \"foo\"'\nwrong number")
    );
    assert!(error(&["--hz", "--databases", "x"]).contains(">>> 'hz \"--databases\" \"x\"'\nwrong number"));
}

#[test]
fn file_then_standard_input_then_flags() {
    let mut read = |source: Source<'_>| match source {
        Source::File("node.conf") => Ok("port 1\nhz 20\ninclude more.conf\ntimeout 3".to_owned()),
        Source::File("more.conf") => Ok("timeout 2\nmaxclients 7".to_owned()),
        Source::Stdin => Ok("port 2\nhz 30".to_owned()),
        Source::File(_) => Err("No such file or directory".to_owned()),
    };
    let config = Config::from_args(&["node.conf", "--port", "3", "-"], &mut read).unwrap();
    assert_eq!((config.port, config.hz, config.timeout, config.maxclients), (3, 30, Millis::from_secs(3), 7));
    let mut endless = |_: Source<'_>| Ok("include self.conf".to_owned());
    let error = Config::from_args(&["self.conf"], &mut endless).unwrap_err().to_string();
    assert!(error.ends_with("Files include each other without end"), "{error}");
}

#[test]
fn config_set_answers_as_redis_does() {
    let mut config = Config::default();
    let before = config.clone();
    for (words, expected) in [
        (&["hz"][..], "ERR syntax error"),
        (&["foo", "bar"], "ERR Unknown option or number of arguments for CONFIG SET - 'foo'"),
        (&["hz", "1", "foo", "2"], "ERR Unknown option or number of arguments for CONFIG SET - 'foo'"),
        (&["hz", "20", "databases", "3", "foo", "4"], failed!("databases", "can't set immutable config")),
        (&["hz", "10", "HZ", "11"], failed!("HZ", "duplicate parameter")),
        (&["hz", "20", "timeout", "abc"], failed!("timeout", "argument couldn't be parsed into an integer")),
        (
            &["repl-timeout", "0"],
            failed!("repl-timeout", "argument must be between 1 and 2147483647 inclusive"),
        ),
        (&["repl-timeout", "1k"], failed!("repl-timeout", "argument couldn't be parsed into an integer")),
        (&["timeout", " 5"], failed!("timeout", "argument couldn't be parsed into an integer")),
        (&["proto-max-bulk-len", "1xb"], failed!("proto-max-bulk-len", "argument must be a memory value")),
        (&["proto-max-bulk-len", "-1"], failed!("proto-max-bulk-len", "argument must be a memory value")),
        (
            &["proto-max-bulk-len", "1"],
            failed!(
                "proto-max-bulk-len",
                "argument must be between 1048576 and 9223372036854775807 inclusive"
            ),
        ),
        (&["replica-read-only", "maybe"], failed!("replica-read-only", "argument must be 'yes' or 'no'")),
        (&["replicaof", "x"], failed!("replicaof", "can't set immutable config")),
        (&["dbfilename", "a/b"], failed!("dbfilename", "can't set protected config")),
        (&["save", "-1 2"], failed!("save", "Invalid save parameters")),
    ] {
        assert_eq!(set(&mut config, words).unwrap_err(), expected, "{words:?}");
        assert_eq!(config, before, "{words:?} changed something");
    }
    let changed = set(&mut config, &["slave-read-only", "NO", "hz", "1000", "appendonly", "yes"]).unwrap();
    assert_eq!(changed.names, ["replica-read-only", "hz", "appendonly"]);
    assert!(changed.notes.is_empty());
    assert_eq!((config.replica_read_only, config.hz), (false, 500));
    set(&mut config, &["proto-max-bulk-len", "2000000k", "save", "900 1 300 10", "requirepass", ""]).unwrap();
    assert_eq!(get(&config, &["save"])[0].1, "900 1 300 10");
    assert_eq!(config.proto_max_bulk_len, 2_000_000_000);
}

#[test]
fn config_get_finds_old_and_new_names() {
    let config = from(&["--replicaof", "127.0.0.1", "7000"]);
    let names =
        |patterns: &[&str]| get(&config, patterns).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(&["slave-read-only"]), ["slave-read-only"]);
    assert_eq!(names(&["replica-read*"]), ["replica-read-only"]);
    assert_eq!(names(&["LogLevel"]), ["LogLevel"]);
    assert_eq!(names(&["port", "port", "PORT", "p?rt"]), ["port"]);
    assert_eq!(names(&["nothing", "[hH]z", "slave[^o]*"]).len(), 8);
    assert_eq!(get(&config, &["slaveof"]), [("slaveof".to_owned(), "127.0.0.1 7000".to_owned())]);
    assert!(names(&["*"]).len() > table::DIRECTIVES.len());
}

#[test]
fn what_is_printed_is_read_again() {
    let config =
        from(&["--replicaof", "h", "1", "--save", "1 2", "--requirepass", "x", "--loglevel", "debug"]);
    let mut again = Config::default();
    for directive in table::DIRECTIVES {
        let shown = directive.show(&config);
        if !(shown.is_empty() && directive.name == "replicaof") {
            directive.set(&mut again, &[&shown]).unwrap_or_else(|why| panic!("{}: {why}", directive.name));
        }
    }
    assert_eq!(again, config);
    assert!(table::DIRECTIVES.is_sorted_by_key(|directive| directive.name));
}

#[test]
fn any_text_is_a_configuration_or_an_error() {
    let mut rng = Rng::new(7);
    let pieces = [
        "port",
        "save",
        "bind",
        "replicaof",
        "include",
        "--",
        "-",
        "\"",
        "'",
        "\\",
        "\\x",
        " ",
        "\n",
        "\r",
        "\t",
        "#",
        "1",
        "-1",
        "99999999999999999999",
        "1gb",
        "yes",
        "no",
        "one",
        "é",
        "\0",
        "\u{7f}",
    ];
    for _ in 0..20_000 {
        let count = rng.below(12);
        let chosen: Vec<&str> = (0..count).filter_map(|_| rng.pick(&pieces).copied()).collect();
        let _ = Config::from_text(&chosen.concat());
        let _ = Config::from_args(&chosen, &mut nothing);
        let mut config = Config::default();
        let _ = set(&mut config, &chosen);
        get(&config, &chosen);
    }
}

#[test]
fn a_wrong_sentinel_line_is_named_by_its_place_in_the_file() {
    let text =
        "port 26999\n\n# two masters\nsentinel monitor m 127.0.0.1 1 2\n  sentinel parallel-syncs nope 1\n";
    let error = Config::from_args(&["s.conf", "--sentinel"], &mut |_| Ok(text.into())).unwrap_err();
    let expected = LoadError::Line {
        number: 5,
        text: "sentinel parallel-syncs nope 1".into(),
        why: "No such master with specified name.".into(),
    };
    assert_eq!(error, expected);
}

#[test]
fn lines_that_redis_always_writes_are_taken() {
    let always =
        "latency-tracking-info-percentiles 50 99 99.9\nuser default on nopass sanitize-payload ~* &* +@all\n";
    assert_eq!(Config::from_text(always), Config::from_text(""));
    for other in
        ["latency-tracking-info-percentiles 50 99", "user default off", "user me on nopass ~* &* +@all"]
    {
        assert!(Config::from_text(other).is_err(), "{other}");
    }
}
