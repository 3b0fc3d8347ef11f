//! `maxmemory`: who goes when memory is short, and what clients and replicas hear of it. Each policy is
//! tried on both kinds of server.

use core_types::Frame;
use system::{Client, Kind, Server, both, wait};

const OOM: &str = "OOM command not allowed when used memory > 'maxmemory'.";

/// Keys of each group, and the size of their values. Enough for a few hundred KiB more or less not to matter.
const KEYS: usize = 200;
const VALUE: usize = 10_000;

fn value() -> Vec<u8> {
    vec![b'x'; VALUE]
}

fn ok(client: &mut Client, command: &str) {
    assert_eq!(client.run(command), Frame::Simple("OK".into()), "{command}");
}

/// Draws as many samples as there are, so that the choice is as good as can be.
fn start(kind: Kind) -> Server {
    Server::start(kind, &["--maxmemory-samples", "64"])
}

/// Writes `KEYS` keys `name:0` and so on, which expire in so many seconds.
fn fill(client: &mut Client, name: &str, expire: Option<u64>) {
    let commands: Vec<_> = (0..KEYS)
        .map(|number| {
            let mut command = vec![b"SET".to_vec(), format!("{name}:{number}").into_bytes(), value()];
            if let Some(seconds) = expire {
                command.extend([b"EX".to_vec(), seconds.to_string().into_bytes()]);
            }
            command
        })
        .collect();
    assert!(client.pipeline(&commands).iter().all(|reply| *reply == Frame::Simple("OK".into())));
}

/// How many keys of a group are left. `EXISTS` is no use of a key, in either server.
fn left(client: &mut Client, name: &str) -> usize {
    let mut command = vec!["EXISTS".to_owned()];
    command.extend((0..KEYS).map(|number| format!("{name}:{number}")));
    let Frame::Integer(count) = client.call(&command) else { panic!("a number") };
    count as usize
}

fn used(client: &mut Client) -> u64 {
    client.info("used_memory").parse().expect("a number")
}

/// Sets the limit just above what is used now.
fn limit_to_now(client: &mut Client, policy: &str) -> u64 {
    ok(client, &format!("CONFIG SET maxmemory-policy {policy}"));
    let limit = used(client) + 20 * VALUE as u64;
    ok(client, &format!("CONFIG SET maxmemory {limit}"));
    limit
}

/// Writes new keys until `enough` says so. Every write must pass.
fn press(client: &mut Client, mut enough: impl FnMut(&mut Client) -> bool) {
    for number in 0..100 * KEYS {
        let key = format!("new:{number}").into_bytes();
        assert_eq!(client.call(&[b"SET".to_vec(), key, value()]), Frame::Simple("OK".into()));
        if number % 10 == 9 && enough(client) {
            return;
        }
    }
    panic!("nothing was evicted that should have been");
}

/// Uses every key of a group. `GET` would do, but its replies would count as used memory.
fn touch(client: &mut Client, name: &str) {
    let mut command = vec!["TOUCH".to_owned()];
    command.extend((0..KEYS).map(|number| format!("{name}:{number}")));
    assert_eq!(client.call(&command), Frame::Integer(KEYS as i64), "keys of {name} have gone");
}

/// Uses the hot keys until the cold ones have been idle for some seconds: both servers count in seconds.
fn let_cool_down(client: &mut Client, cold: &str, hot: &str) {
    wait::until("the cold keys are cold", || {
        touch(client, hot);
        matches!(client.run(&format!("OBJECT IDLETIME {cold}:{}", KEYS - 1)), Frame::Integer(3..))
    });
}

#[test]
fn without_eviction_writes_are_refused_and_what_frees_memory_passes() {
    for kind in both("without_eviction_writes_are_refused_and_what_frees_memory_passes") {
        let server = start(kind);
        let mut client = server.client();
        fill(&mut client, "k", None);
        ok(&mut client, "CONFIG SET maxmemory-policy noeviction");
        ok(&mut client, "CONFIG SET maxmemory 100kb");
        let refused = Frame::Error(OOM.into());
        for command in ["SET k v", "LPUSH l x", "INCR n", "HSET h f v", "SETRANGE k:0 1 x", "COPY k:0 k"] {
            assert_eq!(client.run(command), refused, "{kind:?}: {command}");
        }
        assert!(matches!(client.run("GET k:0"), Frame::Bulk(_)), "{kind:?}: reading passes");
        assert_eq!(client.run("EXPIRE k:0 1000"), Frame::Integer(1), "{kind:?}");
        assert_eq!(client.run("DEL k:0"), Frame::Integer(1), "{kind:?}");
        // In a transaction, what would need memory is refused when it is queued.
        ok(&mut client, "MULTI");
        assert_eq!(client.run("SET k v"), refused, "{kind:?}");
        let aborted = Frame::Error("EXECABORT Transaction discarded because of previous errors.".into());
        assert_eq!(client.run("EXEC"), aborted, "{kind:?}");
        assert_eq!(client.info("evicted_keys"), "0", "{kind:?}");
        ok(&mut client, "FLUSHALL");
        ok(&mut client, "CONFIG SET maxmemory 100mb");
        assert_eq!(client.run("SET k v"), Frame::Simple("OK".into()), "{kind:?}");
    }
}

#[test]
fn allkeys_lru_spares_what_is_used_and_the_replicas_hear_of_every_eviction() {
    for kind in both("allkeys_lru_spares_what_is_used_and_the_replicas_hear_of_every_eviction") {
        let master = start(kind);
        let replicas = both("its replicas")
            .into_iter()
            .map(|kind| Server::start(kind, &["--replicaof", "127.0.0.1", &master.port_text()]));
        let replicas: Vec<Server> = replicas.collect();
        replicas.iter().for_each(Server::wait_for_link);
        let mut client = master.client();
        fill(&mut client, "cold", None);
        fill(&mut client, "hot", None);
        let_cool_down(&mut client, "cold", "hot");
        let limit = limit_to_now(&mut client, "allkeys-lru");
        press(&mut client, |client| {
            touch(client, "hot");
            left(client, "cold") < KEYS / 2
        });
        assert_eq!(left(&mut client, "hot"), KEYS, "{kind:?}: no key that is used has gone");
        let evicted: usize = client.info("evicted_keys").parse().expect("a number");
        assert!(evicted >= KEYS / 2, "{kind:?}: {evicted}");
        assert!(used(&mut client) <= limit + 20 * VALUE as u64, "{kind:?}: {} of {limit}", used(&mut client));
        for replica in &replicas {
            replica.wait_for_offset_of(&master);
            let digests = [&master, replica].map(|server| server.run("DEBUG DIGEST"));
            assert_eq!(digests[0], digests[1], "{kind:?}");
        }
    }
}

#[test]
fn volatile_lru_takes_only_keys_that_expire_and_then_refuses() {
    for kind in both("volatile_lru_takes_only_keys_that_expire_and_then_refuses") {
        let server = start(kind);
        let mut client = server.client();
        fill(&mut client, "stays", None);
        fill(&mut client, "cold", Some(10_000));
        fill(&mut client, "hot", Some(1_000));
        let_cool_down(&mut client, "cold", "hot");
        limit_to_now(&mut client, "volatile-lru");
        press(&mut client, |client| {
            touch(client, "hot");
            left(client, "cold") < KEYS / 2
        });
        assert_eq!(left(&mut client, "hot"), KEYS, "{kind:?}: they expire sooner, and are used");
        // All of them go if it must be, and then there is nothing left to take.
        let mut number = 0;
        let refused = wait::find("a refusal", || {
            number += 1;
            match client.call(&[b"SET".to_vec(), format!("more:{number}").into_bytes(), value()]) {
                Frame::Error(text) => Some(text),
                _ => None,
            }
        });
        assert_eq!(refused, OOM, "{kind:?}");
        assert_eq!(left(&mut client, "hot") + left(&mut client, "cold"), 0, "{kind:?}");
        assert_eq!(left(&mut client, "stays"), KEYS, "{kind:?}");
    }
}

#[test]
fn lfu_policies_spare_what_is_used_often() {
    for kind in both("lfu_policies_spare_what_is_used_often") {
        for (policy, expire) in [("allkeys-lfu", None), ("volatile-lfu", Some(10_000))] {
            let server = start(kind);
            let mut client = server.client();
            ok(&mut client, &format!("CONFIG SET maxmemory-policy {policy}"));
            // No count falls because a minute has turned meanwhile.
            ok(&mut client, "CONFIG SET lfu-decay-time 0");
            fill(&mut client, "hot", expire);
            fill(&mut client, "stays", None);
            // Each use counts by chance, and a few dozen of them always do.
            (0..50).for_each(|_| touch(&mut client, "hot"));
            if expire.is_none() {
                (0..50).for_each(|_| touch(&mut client, "stays"));
            }
            fill(&mut client, "cold", expire);
            limit_to_now(&mut client, policy);
            press(&mut client, |client| left(client, "cold") < KEYS / 2);
            assert_eq!(
                left(&mut client, "hot"),
                KEYS,
                "{kind:?} {policy}: no key that is used often has gone"
            );
            assert_eq!(left(&mut client, "stays"), KEYS, "{kind:?} {policy}");
        }
    }
}

#[test]
fn volatile_ttl_takes_what_expires_first() {
    for kind in both("volatile_ttl_takes_what_expires_first") {
        let server = start(kind);
        let mut client = server.client();
        fill(&mut client, "stays", None);
        fill(&mut client, "late", Some(100_000));
        fill(&mut client, "soon", Some(1_000));
        limit_to_now(&mut client, "volatile-ttl");
        press(&mut client, |client| left(client, "soon") < KEYS / 2);
        assert_eq!(left(&mut client, "late"), KEYS, "{kind:?}");
        assert_eq!(left(&mut client, "stays"), KEYS, "{kind:?}");
    }
}

#[test]
fn random_policies_keep_to_the_limit() {
    for kind in both("random_policies_keep_to_the_limit") {
        let server = start(kind);
        let mut client = server.client();
        fill(&mut client, "k", None);
        fill(&mut client, "volatile", Some(10_000));
        let limit = limit_to_now(&mut client, "volatile-random");
        press(&mut client, |client| left(client, "volatile") < KEYS / 2);
        assert_eq!(left(&mut client, "k"), KEYS, "{kind:?}: these do not expire");
        ok(&mut client, "CONFIG SET maxmemory-policy allkeys-random");
        press(&mut client, |client| left(client, "k") < KEYS / 2);
        assert!(used(&mut client) <= limit + 20 * VALUE as u64, "{kind:?}: {} of {limit}", used(&mut client));
    }
}
