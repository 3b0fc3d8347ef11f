//! The partition for tests between the members of a cluster: the bus is cut together with the ports for clients.

use core_types::Frame;
use system::{Cluster, Kind, Server, both, cluster::cluster_flags, wait};

fn start(kind: Kind) -> Server {
    let mut flags = cluster_flags();
    flags.extend(["--cluster-node-timeout", "3000"].map(str::to_owned));
    if kind == Kind::Ours {
        flags.extend(["--enable-test-partition", "yes"].map(str::to_owned));
    }
    Server::start(kind, &flags.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The flags that a server gives to the member with this id.
fn flags_of(server: &Server, id: &str) -> String {
    let Frame::Bulk(table) = server.run("CLUSTER NODES") else { panic!("no table") };
    let table = String::from_utf8_lossy(&table).into_owned();
    let row = table.lines().find(|line| line.starts_with(id)).expect("it is known");
    row.split(' ').nth(2).expect("a row has flags").to_owned()
}

fn serves(server: &Server) -> bool {
    let Frame::Bulk(text) = server.run("CLUSTER INFO") else { panic!("no information") };
    String::from_utf8_lossy(&text).contains("cluster_state:ok")
}

/// One of three masters is alone. Real Redis cannot cut anything: then the node that is alone cuts for both, also the
/// connections that the real one makes anew all the time.
#[test]
fn a_member_that_is_cut_off_fails_for_the_others_and_they_for_it() {
    for kind in both("a_member_that_is_cut_off_fails_for_the_others_and_they_for_it") {
        let servers: Vec<Server> = [Kind::Ours, Kind::Ours, kind].map(start).into();
        let cluster = Cluster { servers };
        let places = [0, 1, 2].map(|index| cluster.place(index));
        cluster.manage(&["create", &places[0], &places[1], &places[2]]);
        cluster.wait_until_up();
        let ids = [0, 1, 2].map(|index| cluster.id(index));
        let [alone, other, third] = &cluster.servers[..] else { panic!("three") };
        let cut = |at: &Server, from: &[&Server]| {
            let ports: Vec<String> = from.iter().map(|server| server.port_text()).collect();
            assert_eq!(at.run(&format!("PARTITION CUT {}", ports.join(" "))), Frame::Simple("OK".into()));
        };
        cut(alone, &[other, third]);
        cut(other, &[alone]);
        if kind == Kind::Ours {
            cut(third, &[alone]);
        }
        for server in [other, third] {
            wait::until("a majority to agree", || flags_of(server, &ids[0]) == "master,fail");
            assert!(!serves(server), "a third of the slots is gone");
        }
        for id in &ids[1..] {
            wait::until("doubts about both", || flags_of(alone, id) == "master,fail?");
        }
        wait::until("the minority to stop", || !serves(alone));

        for server in cluster.servers.iter().filter(|server| server.kind() == Kind::Ours) {
            assert_eq!(server.run("PARTITION HEAL"), Frame::Simple("OK".into()));
        }
        cluster.wait_until_up();
        for server in [other, third] {
            assert_eq!(flags_of(server, &ids[0]), "master");
        }
    }
}
