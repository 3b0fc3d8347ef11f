//! Masters that are watched by a name: one sentinel of ours and a real one, who must agree on who is meant, although the
//! nodes themselves tell addresses.

use core_types::Frame;
use system::{Kind, Sentinel, Server, WATCHED, redis_tool_or_skip, wait, watching};

fn agree(test: &str, announce: &str, shown: &str) {
    if redis_tool_or_skip(test, "redis-server").is_none() {
        return;
    }
    let mut master = Server::start(Kind::Ours, &[]);
    let replica = Server::start(Kind::Ours, &["--replicaof", "127.0.0.1", &master.port_text()]);
    replica.wait_for_link();
    let lines = format!(
        "sentinel resolve-hostnames yes\nsentinel announce-hostnames {announce}\n{}",
        watching(master.port(), 2).replace("127.0.0.1", "localhost")
    );
    let sentinels = [Kind::Ours, Kind::Redis].map(|kind| Sentinel::with_lines(kind, &lines));
    sentinels.iter().for_each(Sentinel::hurry);
    let question = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {WATCHED}");
    let host = |sentinel: &Sentinel| match sentinel.run(&question) {
        Frame::Array(parts) => parts[0].clone(),
        other => other,
    };
    for sentinel in &sentinels {
        wait::until("all to be found", || {
            sentinel.master_field("num-other-sentinels") == "1"
                && sentinel.fields_of("SENTINELS", "flags") == ["sentinel"]
                && sentinel.fields_of("REPLICAS", "master-link-status") == ["ok"]
        });
        assert_eq!(host(sentinel), Frame::Bulk(shown.as_bytes().to_vec().into()));
        sentinel.run("SENTINEL FLUSHCONFIG");
        let line = format!("sentinel monitor {WATCHED} {shown} {} 2", master.port());
        assert!(sentinel.file().contains(&line), "{}", sentinel.file());
        // Nobody is told to follow the same master by its other name.
        assert!(!sentinel.log().contains("+fix-slave-config"), "{}", sentinel.log());
    }
    // Each of them asks the other in its own words. Only together they can do it.
    master.kill();
    for sentinel in &sentinels {
        wait::until("both to agree", || sentinel.master_port() == Some(replica.port()));
        assert_eq!(sentinel.fields_of("SENTINELS", "flags").len(), 1);
    }
}

#[test]
fn a_name_stands_for_its_address() {
    agree("a_name_stands_for_its_address", "no", "127.0.0.1");
}

#[test]
fn a_name_is_announced() {
    agree("a_name_is_announced", "yes", "localhost");
}
