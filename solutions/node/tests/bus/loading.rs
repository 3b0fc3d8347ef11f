//! A node that is still reading its own files when the cluster is there already.

use crate::lone::{Lone, id, pong};

/// Ourselves with all slots, and a member of the cluster.
fn file() -> String {
    let (me, friend) = (id(0), id(1));
    format!(
        "{me} 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-16383\n\
         {friend} 10.0.0.7:7000@17001 master - 0 0 2 connected\n\
         vars currentEpoch 2 lastVoteEpoch 0\n"
    )
}

/// Who hears that it was replaced, follows its heir; what it then receives must not meet what its files still hold.
#[test]
fn it_talks_to_nobody_before_its_data_are_there() {
    let mut lone = Lone::loading(&file());
    lone.pass(5_000);
    assert!(lone.connects().is_empty(), "it calls {:?}", lone.connects());
    let inbound = lone.called_from("10.0.0.7");
    assert!(lone.closed(inbound), "nor does it listen");
    lone.resume_disk();
    lone.pass(100);
    let link = lone.connected_to("10.0.0.7:17001");
    lone.hear(link, &pong(id(1)).owning(0..16384, 3));
    assert!(lone.story()[&id(0)].contains(" slave "), "{:?}", lone.story());
}

/// The two seconds before a master serves are there for it to hear of its heir, and it hears nothing while it loads.
#[test]
fn its_quiet_time_begins_when_its_data_are_there() {
    let mut lone = Lone::loading(&file());
    lone.pass(5_000);
    lone.resume_disk();
    lone.pass(1_900);
    assert!(lone.text("CLUSTER INFO").contains("cluster_state:fail"));
    lone.pass(100);
    assert!(lone.text("CLUSTER INFO").contains("cluster_state:ok"));
}
