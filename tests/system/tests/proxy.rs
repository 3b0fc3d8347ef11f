//! `ha-proxy` in front of real processes, and beside Twemproxy.

use core_types::Frame;
use system::{Kind, Proxy, ProxyKind, Server, redis_tool_or_skip, wait};

fn bulk(text: &str) -> Frame {
    Frame::Bulk(text.to_owned().into())
}

fn servers(count: usize) -> Vec<Server> {
    (0..count).map(|_| Server::start(Kind::Ours, &[])).collect()
}

fn ports(servers: &[Server]) -> Vec<u16> {
    servers.iter().map(Server::port).collect()
}

#[test]
fn three_servers_look_like_one() {
    let servers = servers(3);
    // Not fnv1a_64: names that differ in their last character alone lie close together on its ring.
    let settings = [("hash", "md5"), ("hash_tag", "{}")];
    let proxy = Proxy::start(ProxyKind::Ours, &settings, &ports(&servers));
    let mut client = proxy.client();
    let set: Vec<Vec<Vec<u8>>> = (0..1000)
        .map(|n| vec![b"SET".to_vec(), format!("key:{n}").into(), format!("value:{n}").into()])
        .collect();
    for reply in client.pipeline(&set) {
        assert_eq!(reply, Frame::Simple("OK".to_owned()));
    }
    let get: Vec<Vec<Vec<u8>>> =
        (0..1000).map(|n| vec![b"GET".to_vec(), format!("key:{n}").into()]).collect();
    for (n, reply) in client.pipeline(&get).into_iter().enumerate() {
        assert_eq!(reply, bulk(&format!("value:{n}")));
    }
    let sizes: Vec<i64> = servers
        .iter()
        .map(|server| match server.run("DBSIZE") {
            Frame::Integer(size) => size,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(sizes.iter().sum::<i64>(), 1000);
    assert!(sizes.iter().all(|&size| size > 100), "every server has its share: {sizes:?}");

    let names: Vec<String> = (0..100).map(|n| format!("key:{n}")).collect();
    let reply = client.run(&format!("MGET {} none", names.join(" ")));
    let mut values: Vec<Frame> = (0..100).map(|n| bulk(&format!("value:{n}"))).collect();
    values.push(Frame::Null);
    assert_eq!(reply, Frame::Array(values));
    assert_eq!(client.run(&format!("EXISTS {} none", names.join(" "))), Frame::Integer(100));
    assert_eq!(client.run(&format!("DEL {}", names.join(" "))), Frame::Integer(100));
    let pairs: Vec<String> = (0..50).map(|n| format!("new:{n} {n}")).collect();
    assert_eq!(client.run(&format!("MSET {}", pairs.join(" "))), Frame::Simple("OK".to_owned()));
    assert_eq!(client.run("GET new:49"), bulk("49"));
    // Keys that must meet share a tag; those that do not meet are refused, and the connection lives.
    client.run("SADD {a}one x y");
    client.run("SADD {a}two y z");
    assert_eq!(client.run("SINTER {a}one {a}two"), Frame::Array(vec![bulk("y")]));
    let apart: Vec<Frame> = (0..20).map(|n| client.run(&format!("SINTER {n} other"))).collect();
    assert!(apart.iter().any(|reply| matches!(reply, Frame::Error(_))), "{apart:?}");
    assert_eq!(client.run("PING"), Frame::Simple("PONG".to_owned()));
}

#[test]
fn a_server_that_dies_is_ejected_and_taken_back() {
    let mut servers = servers(2);
    let settings =
        [("auto_eject_hosts", "true"), ("server_failure_limit", "1"), ("server_retry_timeout", "300")];
    let proxy = Proxy::start(ProxyKind::Ours, &settings, &ports(&servers));
    let mut client = proxy.client();
    let key = (0..)
        .map(|n| format!("key:{n}"))
        .find(|key| {
            client.run(&format!("SET {key} 1"));
            servers[0].run(&format!("EXISTS {key}")) == Frame::Integer(1)
        })
        .expect("some key lives at the first server");
    servers[0].kill();
    // One answer tells that the server is gone; then the key lives elsewhere.
    let reply = client.run(&format!("GET {key}"));
    assert!(matches!(&reply, Frame::Error(text) if text.contains("failed")), "{reply:?}");
    wait::until("a write to the other server", || {
        client.run(&format!("SET {key} 2")) == Frame::Simple("OK".to_owned())
    });
    assert!(proxy.log().contains("is ejected for 300 ms"), "{}", proxy.log());
    servers[0].restart();
    wait::until("the first server's return", || {
        client.run(&format!("SET {key} 3"));
        servers[0].run(&format!("EXISTS {key}")) == Frame::Integer(1)
    });
    assert!(proxy.log().contains("is in service again"), "{}", proxy.log());
}

#[test]
fn a_large_value_passes_in_both_directions() {
    let servers = servers(1);
    let proxy = Proxy::start(ProxyKind::Ours, &[], &ports(&servers));
    let mut client = proxy.client();
    let value = vec![b'x'; 20 << 20];
    assert_eq!(client.call(&[&b"SET"[..], b"big", &value]), Frame::Simple("OK".to_owned()));
    assert_eq!(client.call(&["GET", "big"]), Frame::Bulk(value.into()));
}

/// Either finds what the other has written. (How each hash and distribution places keys is compared in `distribution.rs`.)
#[test]
fn twemproxy_may_stand_beside_it() {
    if redis_tool_or_skip("twemproxy_may_stand_beside_it", "nutcracker").is_none() {
        return;
    }
    let servers = servers(3);
    let settings = [("hash", "md5"), ("hash_tag", "{}")];
    let proxies =
        [ProxyKind::Ours, ProxyKind::Twemproxy].map(|kind| Proxy::start(kind, &settings, &ports(&servers)));
    let [mut one, mut other] = proxies.each_ref().map(Proxy::client);
    let key = |n: u32| format!("key:{n}{{tag{}}}", n % 70).into_bytes();
    let set: Vec<Vec<Vec<u8>>> =
        (0..600).map(|n| vec![b"SET".to_vec(), key(n), n.to_string().into()]).collect();
    one.pipeline(&set[..300]);
    other.pipeline(&set[300..]);
    let get: Vec<Vec<Vec<u8>>> = (0..600).map(|n| vec![b"GET".to_vec(), key(n)]).collect();
    for client in [&mut one, &mut other] {
        for (n, reply) in client.pipeline(&get).into_iter().enumerate() {
            assert_eq!(reply, bulk(&n.to_string()), "key {n}");
        }
    }
}
