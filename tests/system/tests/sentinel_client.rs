//! A client that others have written, redis-rs, finds its master through a quorum of ours and Redis's sentinels, and the
//! new one after the old one was killed.

use core_types::Frame;
use redis::sentinel::{SentinelClient, SentinelServerType};
use redis::{Commands, Connection, RedisResult};
use system::{Client, Kind, Sentinel, Server, WATCHED, redis_tool_or_skip, wait};

use Kind::{Ours, Redis};

/// Writes numbers, one after the other, wherever the master is; counts those that were acknowledged.
struct Writer {
    sentinels: SentinelClient,
    connection: Option<Connection>,
    acknowledged: u64,
}

impl Writer {
    fn new(sentinels: &[Sentinel]) -> Writer {
        let places: Vec<String> =
            sentinels.iter().map(|sentinel| format!("redis://127.0.0.1:{}", sentinel.port())).collect();
        let client = SentinelClient::build(places, WATCHED.to_owned(), None, SentinelServerType::Master);
        Writer { sentinels: client.expect("these are addresses"), connection: None, acknowledged: 0 }
    }

    /// The next number, on the connection there is, or on a new one to whom the sentinels name.
    fn write(&mut self) -> RedisResult<()> {
        if self.connection.is_none() {
            self.connection = Some(self.sentinels.get_connection()?);
        }
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let next = self.acknowledged + 1;
        let written: RedisResult<()> = connection.set(format!("number:{next}"), next);
        match written {
            Ok(()) => self.acknowledged = next,
            Err(_) => self.connection = None,
        }
        written
    }
}

fn keeps_writing(test: &str, kinds: [Kind; 3]) {
    if redis_tool_or_skip(test, "redis-server").is_none() {
        return;
    }
    let mut master = Server::start(Ours, &[]);
    let of = ["--replicaof", "127.0.0.1", &master.port_text()];
    let preferred = Server::start(Redis, &[&of[..], &["--replica-priority", "10"]].concat());
    let other = Server::start(Ours, &of);
    preferred.wait_for_link();
    other.wait_for_link();
    let sentinels = kinds.map(|kind| Sentinel::start(kind, master.port(), 2));
    for sentinel in &sentinels {
        wait::until("all to be found", || {
            sentinel.master_field("num-other-sentinels") == "2"
                && sentinel.fields_of("REPLICAS", "slave-priority") == ["10", "100"]
                && sentinel.fields_of("REPLICAS", "master-link-status") == ["ok", "ok"]
        });
    }
    let mut writer = Writer::new(&sentinels);
    wait::until("a hundred writes", || writer.write().is_ok() && writer.acknowledged >= 100);
    let before = writer.acknowledged;
    assert_eq!(master.run(&format!("GET number:{before}")), Frame::Bulk(before.to_string().into()));
    // What was acknowledged up to here survives: two replicas have it.
    assert_eq!(writer.connection.as_mut().map(|it| redis::cmd("WAIT").arg(2).arg(0).query(it)), Some(Ok(2)));

    master.kill();
    wait::until("writes at the new master", || writer.write().is_ok() && writer.acknowledged >= before + 100);
    let mut new = Client::connect(preferred.port()).expect("it listens");
    let last = writer.acknowledged;
    assert_eq!(new.info("role"), "master");
    for number in [1, before, last] {
        assert_eq!(new.run(&format!("GET number:{number}")), Frame::Bulk(number.to_string().into()));
    }
}

#[test]
fn through_two_of_ours_and_one_of_redis() {
    keeps_writing("through_two_of_ours_and_one_of_redis", [Ours, Ours, Redis]);
}

#[test]
fn through_one_of_ours_and_two_of_redis() {
    keeps_writing("through_one_of_ours_and_two_of_redis", [Redis, Ours, Redis]);
}
