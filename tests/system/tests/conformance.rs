//! The same commands on `ha-server` and on a real Redis 7.0, replies compared byte for byte.
//!
//! # Known differences, and why
//!
//! - The order of what has none: members of large sets, fields of large hashes, `KEYS`, channels, patterns
//!   that match the same message. Ours follows from the commands alone. Such replies are sorted before they
//!   are compared, or are not in the scripts.
//! - What is drawn: `RANDOMKEY`, `SPOP`, `SRANDMEMBER`, cursors. Only their shape is comparable.
//! - `SORT … ALPHA` takes a value up to its first NUL byte for the whole of it in Redis (`strcoll`), here
//!   all of it counts. No such values are generated.
//! - `ZRANGEBYLEX`, `ZLEXCOUNT` and `ZREMRANGEBYLEX` on a set whose scores differ: what they mean there is left
//!   open by Redis. Ours searches by halves, Redis's small sets from one end, so that even what is removed can
//!   differ. No such calls are generated.
//! - `CONFIG SET maxclients` above what the system allows is taken; Redis refuses it.
//! - `HELP` and `DOCTOR` texts are our own, `COMMAND DOCS` is short, `COMMAND LIST` names no subcommands.
//! - `CLIENT TRACKING` is refused; `LATENCY` has no samples; of `ACL` there are `WHOAMI`, `LIST`, `USERS` and `CAT`.
//! - Byte counts (`MEMORY USAGE`, `CLIENT LIST`, `INFO memory`), which depend on how things are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use core_types::Frame;
use system::compare::differences;
use system::{Kind, Server, redis_or_skip};

const FLAGS: [&str; 2] = ["--enable-debug-command", "yes"];

fn run_script(name: &str, script: &str) {
    let Some(real) = redis_or_skip(name, &FLAGS) else { return };
    let ours = Server::start(Kind::Ours, &FLAGS);
    ours.wait_until_loaded();
    let found = differences(ours.port(), real.port(), script, Duration::from_secs(30));
    assert!(found.is_empty(), "{name}:\n{found}");
}

macro_rules! scripts {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run_script(stringify!($name), include_str!(concat!("../scripts/", stringify!($name), ".txt")));
        })*
    };
}

scripts! { transactions pubsub blocking connection client server limits replication }

/// The tips that a server gives for each command and subcommand.
fn tips_of(server: &Server) -> BTreeMap<String, Vec<Frame>> {
    fn note(entries: &[Frame], tips: &mut BTreeMap<String, Vec<Frame>>) {
        for entry in entries {
            let Frame::Array(fields) = entry else { panic!("no entry: {entry:?}") };
            let (Some(name), Frame::Array(told), Frame::Array(subs)) =
                (fields[0].as_bytes(), &fields[7], &fields[9])
            else {
                panic!("no entry: {entry:?}");
            };
            tips.insert(String::from_utf8_lossy(name).into_owned(), told.clone());
            note(subs, tips);
        }
    }
    let Frame::Array(entries) = server.run("COMMAND") else { panic!("no table") };
    let mut tips = BTreeMap::new();
    note(&entries, &mut tips);
    tips
}

#[test]
fn tips() {
    let Some(real) = redis_or_skip("tips", &FLAGS) else { return };
    let ours = Server::start(Kind::Ours, &FLAGS);
    ours.wait_until_loaded();
    let (ours, mut real) = (tips_of(&ours), tips_of(&real));
    real.retain(|name, _| ours.contains_key(name));
    // What is ours alone gives none.
    let told = |all: BTreeMap<String, Vec<Frame>>| -> BTreeMap<String, Vec<Frame>> {
        all.into_iter().filter(|(_, tips)| !tips.is_empty()).collect()
    };
    let (ours, real) = (told(ours), told(real));
    assert!(ours.len() > 60);
    assert_eq!(ours, real);
}
