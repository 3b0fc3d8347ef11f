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
//! - `HELP` and `DOCTOR` texts are our own, `COMMAND DOCS` is short, command tips are left out.
//! - `CLIENT TRACKING` is refused; the policies `*-lfu` do not exist; `LATENCY` has no samples.
//! - Byte counts (`MEMORY USAGE`, `CLIENT LIST`, `INFO memory`), which depend on how things are kept.

use std::time::Duration;

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
