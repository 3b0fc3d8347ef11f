//! Messages through a cluster of ours and of Redis: a channel is heard at every node, a shard channel at the nodes that
//! serve its slot, and a listener is told when that slot goes elsewhere.

use core_types::Frame;
use system::{Client, Cluster, Kind, Server, both, redis_tool_or_skip, valkey_or_skip, wait};

use Kind::{Ours, Redis, Valkey};

/// The names of channels in slot 3300, of the first of three masters, and 15495, of the last.
const LOW: &str = "{b}news";
const HIGH: &str = "{a}news";

fn bulk(text: &str) -> Frame {
    Frame::Bulk(text.as_bytes().to_vec().into())
}

fn message(word: &str, channel: &str, text: &str) -> Frame {
    Frame::Array(vec![bulk(word), bulk(channel), bulk(text)])
}

/// A client that listens to a channel.
fn listener(server: &Server, command: &str, channel: &str) -> Client {
    let mut client = server.client();
    let answer = client.call(&[command, channel]);
    assert!(matches!(answer, Frame::Array(_)), "{answer:?}");
    client
}

fn messages_through(masters: [Kind; 3], replicas: [Kind; 3]) {
    let cluster = Cluster::with_replicas(&masters, &replicas, &[]);
    let servers = &cluster.servers;

    // Everybody hears what anybody says, once. The publisher is told of its own listeners alone.
    let mut hearing: Vec<Client> =
        servers.iter().map(|server| listener(server, "SUBSCRIBE", "news")).collect();
    let long = "x".repeat(300_000);
    for server in servers {
        for text in ["hello", "", long.as_str()] {
            let heard = server.client().call(&["PUBLISH", "news", text]);
            assert_eq!(heard, Frame::Integer(1));
            for client in &mut hearing {
                assert_eq!(client.next_reply().expect("a message"), message("message", "news", text));
            }
        }
    }
    assert!(hearing.iter_mut().all(Client::is_silent), "each message comes once");

    // A shard channel: the master, and the replica of that, without being asked for READONLY.
    for (channel, master) in [(LOW, 0), (HIGH, 2)] {
        let replica = 3 + master;
        let mut hearing = [
            listener(&servers[master], "SSUBSCRIBE", channel),
            listener(&servers[replica], "SSUBSCRIBE", channel),
        ];
        for elsewhere in (0..6).filter(|index| ![master, replica].contains(index)) {
            let refused = servers[elsewhere].run(&format!("SPUBLISH {channel} lost"));
            assert!(matches!(&refused, Frame::Error(text) if text.starts_with("MOVED ")), "{refused:?}");
        }
        for at in [master, replica] {
            assert_eq!(servers[at].run(&format!("SPUBLISH {channel} hello")), Frame::Integer(1));
            for client in &mut hearing {
                assert_eq!(client.next_reply().expect("a message"), message("smessage", channel, "hello"));
            }
        }
        assert!(hearing.iter_mut().all(Client::is_silent), "each message comes once");
        // Who does not serve the slot has not been told.
        let heard =
            |index: usize| servers[index].cluster_info("cluster_stats_messages_publishshard_received");
        assert_eq!(heard(replica).as_deref(), Some("1"));
        assert_eq!(heard(1), None);
    }
    let sent = servers[0].cluster_info("cluster_stats_messages_publish_sent");
    assert_eq!(sent.as_deref(), Some("15"), "three messages to five others");
}

#[test]
fn messages_reach_all_of_ours() {
    messages_through([Ours; 3], [Ours; 3]);
}

#[test]
fn messages_reach_ours_and_redis() {
    if redis_tool_or_skip("messages_reach_ours_and_redis", "redis-server").is_some() {
        messages_through([Ours, Redis, Redis], [Redis, Ours, Ours]);
        messages_through([Redis, Ours, Ours], [Ours, Redis, Redis]);
    }
}

/// Among themselves they would use light headers.
#[test]
fn messages_reach_ours_and_valkey() {
    if valkey_or_skip("messages_reach_ours_and_valkey").is_some() {
        messages_through([Ours, Valkey, Valkey], [Valkey, Ours, Ours]);
    }
}

/// Whoever listens to a shard channel is told that it does not any more, at the master and at its replica, and also
/// if it is the one that gives the slot away.
#[test]
fn a_slot_that_goes_takes_its_listeners_along() {
    for kind in both("a_slot_that_goes_takes_its_listeners_along") {
        let cluster = Cluster::with_replicas(&[kind; 3], &[kind], &[]);
        let [first, second, _, replica] = &cluster.servers[..] else { panic!("four") };
        let gone = Frame::Array(vec![bulk("sunsubscribe"), bulk(LOW), Frame::Integer(0)]);
        let mut hearing = [listener(first, "SSUBSCRIBE", LOW), listener(replica, "SSUBSCRIBE", LOW)];
        // The slot moves, as an operator would move it.
        let (from, to) = (first.member_id(), second.member_id());
        second.ok(&format!("CLUSTER SETSLOT 3300 IMPORTING {from}"));
        first.ok(&format!("CLUSTER SETSLOT 3300 MIGRATING {to}"));
        for server in [second, first] {
            server.ok(&format!("CLUSTER SETSLOT 3300 NODE {to}"));
        }
        for client in &mut hearing {
            assert_eq!(client.next_reply().expect("a word"), gone, "{kind:?}");
        }
        wait::until(
            "the replica to know the new owner",
            || matches!(replica.run(&format!("SPUBLISH {LOW} x")), Frame::Error(text) if text.ends_with(&second.port_text())),
        );

        // Its own doing: the news come before the answer, slot by slot.
        let mut own = cluster.servers[2].client();
        own.send(b"HELLO 3\r\nSSUBSCRIBE {a}1\r\nSSUBSCRIBE {a}2\r\n").expect("it is sent");
        own.read_until(b"{a}2\r\n:2\r\n");
        own.send(b"CLUSTER DELSLOTS 15495\r\n").expect("it is sent");
        let told = String::from_utf8_lossy(&own.read_until(b"+OK\r\n")).into_owned();
        let of = |name: &str, left: u32| format!(">3\r\n$12\r\nsunsubscribe\r\n$4\r\n{name}\r\n:{left}\r\n");
        assert_eq!(told, of("{a}1", 1) + &of("{a}2", 0) + "+OK\r\n", "{kind:?}");
    }
}

/// `cluster-allow-pubsubshard-when-down`, `cluster-allow-reads-when-down` and `cluster-require-full-coverage`, changed
/// while the cluster is down.
#[test]
fn what_is_allowed_while_the_cluster_is_down_is_what_redis_allows() {
    let answers = both("what_is_allowed_while_the_cluster_is_down").into_iter().map(|kind| {
        let server = Server::start_member(kind, &[]);
        server.ok("CLUSTER ADDSLOTSRANGE 0 16382");
        let state = |state: &str| {
            wait::until("the state", || server.cluster_info("cluster_state").as_deref() == Some(state));
        };
        let mut answers = Vec::new();
        let mut client = server.client();
        let mut ask = |client: &mut Client| {
            for command in
                ["SSUBSCRIBE {b}1", "SUNSUBSCRIBE {b}1", "SPUBLISH {b}1 x", "GET {b}1", "SET {b}1 x", "PING"]
            {
                answers.push(format!("{command}: {:?}", client.run(command)));
            }
        };
        ask(&mut client);
        client.run("CONFIG SET cluster-allow-pubsubshard-when-down no");
        ask(&mut client);
        client.run("CONFIG SET cluster-allow-reads-when-down yes");
        ask(&mut client);
        client.run("CONFIG SET cluster-require-full-coverage no");
        state("ok");
        ask(&mut client);
        client.run("CONFIG SET cluster-require-full-coverage yes");
        // Noticed when something happens.
        client.run("CLUSTER DELSLOTS 0");
        state("fail");
        ask(&mut client);
        answers
    });
    let answers: Vec<Vec<String>> = answers.collect();
    println!("{:#?}", answers[0]);
    assert!(answers.iter().all(|told| *told == answers[0]), "{answers:#?}");
}
