//! One node of a cluster, and a test that plays all the others: what it says to whom, what it believes, and what it
//! makes of lies.

mod ballots;
mod claims;
mod failing;
mod lies;
mod loading;
mod lone;
mod storing;

use bus::{Body, Kind, message_flag, node_flag};
use core_types::{Epoch, Millis, NodeId, Slot};

use lone::{Lone, bits, id};

#[test]
fn a_meeting_ends_with_a_name_and_gossip_brings_the_rest() {
    let mut lone = Lone::new();
    let (friend, third) = (id(1), id(2));
    lone.ok("CLUSTER MEET 10.0.0.7 7000 17007");
    lone.pass(100);
    let link = lone.connected_to("10.0.0.7:17007");
    assert_eq!(lone.said(link).kinds(), [Kind::Meet], "it asks to be taken in");
    // The answer tells the name. It comes from where our own address is seen, and tells of somebody else.
    lone.hear(link, &lone::pong(friend).telling(third, "10.0.0.9"));
    let story = lone.story();
    assert!(story[&friend].starts_with("10.0.0.7:7000@17007 master -"), "{story:?}");
    assert!(!story.contains_key(&third), "whoever has just told its name is believed from the next word on");
    lone.hear(link, &lone::pong(friend).telling(third, "10.0.0.9"));
    assert!(lone.story()[&third].starts_with("10.0.0.9:7100@17100 master -"));
    // It is called at once, as a member: with a ping.
    lone.pass(100);
    let link = lone.connected_to("10.0.0.9:17100");
    assert_eq!(lone.said(link).kinds(), [Kind::Ping]);
}

#[test]
fn a_handshake_without_an_answer_is_given_up() {
    let mut lone = Lone::new();
    lone.ok("CLUSTER MEET 10.0.0.7 7000");
    lone.ok("CLUSTER MEET 10.0.0.7 7000");
    assert_eq!(lone.lines("handshake"), 1, "one handshake at a time with one address");
    lone.pass(2_000);
    assert_eq!(lone.lines("handshake"), 1);
    lone.pass(100);
    assert_eq!(lone.lines("handshake"), 0, "after the node timeout");
}

#[test]
fn meeting_oneself_or_somebody_known_changes_nothing() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    let me = lone.me();
    for (name, address) in [(me, "10.0.0.1"), (friend, "10.0.0.7")] {
        let before = lone.story();
        lone.ok(&format!("CLUSTER MEET {address} 7000 17001"));
        lone.pass(100);
        let link = lone.connected_to(&format!("{address}:17001"));
        assert_eq!(lone.said(link).kinds(), [Kind::Meet]);
        lone.hear(link, &lone::pong(name));
        assert_eq!(lone.lines("handshake"), 0);
        assert_eq!(lone.story().keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        assert!(lone.closed(link), "the connection of the handshake is of no more use");
    }
}

#[test]
fn whoever_lives_at_a_members_address_is_not_taken_for_it() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    let link = lone.link(friend);
    lone.hear(link, &lone::pong(id(9)));
    assert!(lone.story()[&friend].starts_with(":0@0 master,noaddr -"), "{:?}", lone.story());
    assert!(lone.closed(link));
    lone.pass(1_000);
    assert_eq!(lone.story()[&id(1)].split(' ').nth(1), Some("master,noaddr"), "nobody knows where it is");
    // It tells where it is when it calls us itself.
    let inbound = lone.called_from("10.0.0.8");
    lone.hear(inbound, &lone::ping(friend).at(7008, 17008));
    assert!(lone.story()[&friend].starts_with("10.0.0.8:7008@17008 master -"), "{:?}", lone.story());
}

#[test]
fn pings_are_answered_on_the_same_connection_and_strangers_stay_strangers() {
    let mut lone = Lone::new();
    let inbound = lone.called_from("10.0.0.7");
    lone.hear(inbound, &lone::ping(id(1)).telling(id(2), "10.0.0.8"));
    assert_eq!(lone.said(inbound).kinds(), [Kind::Pong]);
    assert_eq!(lone.story().len(), 1);
    // Whoever asks to be taken in is called back first.
    lone.hear(inbound, &lone::meet(id(1)).at(7007, 17007));
    assert_eq!(lone.said(inbound).kinds(), [Kind::Pong]);
    assert_eq!(lone.lines("handshake"), 1);
    lone.pass(100);
    let link = lone.connected_to("10.0.0.7:17007");
    assert_eq!(lone.said(link).kinds(), [Kind::Ping], "it knows us already");
    lone.hear(link, &lone::pong(id(1)).at(7007, 17007));
    assert!(lone.story()[&id(1)].starts_with("10.0.0.7:7007@17007 master -"));
}

#[test]
fn silence_is_a_ping_then_a_new_connection_then_a_doubt_and_an_answer_ends_it() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    let first = lone.link(friend);
    lone.said(first);
    lone.pass(1_100);
    assert!(lone.said(first).kinds().contains(&Kind::Ping), "half a timeout of silence");
    lone.pass(1_100);
    assert!(lone.closed(first), "the connection may be at fault");
    let second = lone.connected_to("10.0.0.7:17001");
    assert_eq!(lone.said(second).kinds(), [Kind::Ping]);
    assert!(!lone.story()[&friend].contains("fail"));
    lone.pass(1_100);
    assert!(lone.story()[&friend].contains(" master,fail? "), "{:?}", lone.story());
    lone.hear(second, &lone::pong(friend));
    assert!(lone.story()[&friend].contains(" master "), "{:?}", lone.story());
}

#[test]
fn an_address_that_changes_is_followed() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    let old = lone.link(friend);
    lone.ok(&format!("CLUSTER REPLICATE {friend}"));
    let inbound = lone.called_from("10.0.0.77");
    lone.hear(inbound, &lone::ping(friend));
    assert!(lone.story()[&friend].starts_with("10.0.0.77:7000@17001 "), "{:?}", lone.story());
    assert!(lone.closed(old));
    lone.pass(200);
    lone.connected_to("10.0.0.77:17001");
    assert!(lone.connects().iter().any(|to| *to == "10.0.0.77:7000"), "and its replica follows it there");
}

#[test]
fn a_greater_epoch_takes_slots_and_whoever_is_behind_is_told() {
    let mut lone = Lone::new();
    let (one, other) = (lone.befriend(1, "10.0.0.7"), lone.befriend(2, "10.0.0.8"));
    let (first, second) = (lone.link(one), lone.link(other));
    lone.hear(first, &lone::pong(one).owning(0..100, 5));
    lone.hear(second, &lone::pong(other).owning(50..60, 4));
    assert!(lone.story()[&one].ends_with(" 0-99"));
    assert!(!lone.story()[&other].contains("50"));
    let told = lone.said(second);
    let update = told.packets().into_iter().find(|packet| packet.kind == Kind::Update).expect("it is told");
    let Body::Update { config_epoch, node, slots } = update.body else { panic!("an update") };
    assert_eq!((config_epoch, node, *slots), (Epoch(5), one, bits(0..100)));
    lone.hear(second, &lone::pong(other).owning(50..60, 6));
    assert!(lone.story()[&one].ends_with(" 0-49 60-99") && lone.story()[&other].ends_with(" 50-59"));
    // An update about others is believed by its epoch alone.
    lone.hear(second, &lone::update(other, one, 0..10, 5));
    assert!(lone.story()[&one].ends_with(" 0-49 60-99"), "no newer than what is known");
    lone.hear(second, &lone::update(other, one, 0..60, 7));
    assert!(lone.story()[&one].ends_with(" 0-99") && !lone.story()[&other].contains("50"));
}

#[test]
fn slots_that_are_lost_lose_their_keys_and_the_last_one_makes_a_replica() {
    let mut lone = Lone::new();
    let winner = lone.befriend(1, "10.0.0.7");
    lone.ok("CLUSTER ADDSLOTSRANGE 0 16383");
    lone.pass(6_000);
    let link = lone.link(winner);
    lone.hear(link, &lone::pong(winner));
    lone.pass(100);
    for key in ["foo", "bar", "{foo}2"] {
        lone.ok(&format!("SET {key} value"));
    }
    // foo is in slot 12182, bar in 5061.
    lone.hear(link, &lone::pong(winner).owning(12182..12183, 50));
    assert_eq!(lone.run("DBSIZE"), ":1\r\n");
    assert!(lone.story()[&lone.me()].contains(" master - "));
    lone.hear(link, &lone::pong(winner).owning(0..16384, 51));
    let me = lone.me();
    assert!(lone.story()[&me].contains(&format!(" slave {winner} ")), "{:?}", lone.story());
    assert!(lone.connects().iter().any(|to| *to == "10.0.0.7:7000"));
}

#[test]
fn of_two_with_one_epoch_the_smaller_name_takes_another() {
    for seed in 0..8 {
        let mut lone = Lone::new();
        let friend = lone.befriend(seed, "10.0.0.7");
        let me = lone.me();
        let link = lone.link(friend);
        // Both began with nothing, and have resolved that already.
        let settled = lone.epoch(me);
        lone.hear(link, &lone::pong(friend).owning(0..1, settled.0.max(3)));
        let mine = lone.epoch(me);
        lone.hear(link, &lone::pong(friend).owning(0..1, mine.0));
        let (mine, its) = (lone.epoch(me), lone.epoch(friend));
        assert!(me > friend || mine != its, "{me} yields to {friend}");
        assert!(me < friend || mine == settled, "{me} waits for {friend}");
    }
}

#[test]
fn a_master_that_becomes_a_replica_gives_up_its_slots() {
    let mut lone = Lone::new();
    let (one, other) = (lone.befriend(1, "10.0.0.7"), lone.befriend(2, "10.0.0.8"));
    let link = lone.link(one);
    lone.hear(link, &lone::pong(one).owning(0..100, 5));
    lone.hear(link, &lone::pong(one).following(other));
    let story = lone.story();
    assert!(
        story[&one].contains(&format!(" slave {other} ")) && story[&one].ends_with("connected"),
        "{story:?}"
    );
    lone.hear(link, &lone::pong(one));
    assert!(lone.story()[&one].contains(" master - "));
}

#[test]
fn what_must_not_be_forgotten_is_on_the_disk_before_anybody_hears_of_it() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    let inbound = lone.called_from("10.0.0.7");
    lone.hear(inbound, &lone::ping(friend));
    lone.said(inbound);
    lone.stop_disk();
    lone.run("CLUSTER BUMPEPOCH");
    let before = lone.said(inbound).kinds().len();
    lone.hear(inbound, &lone::ping(friend));
    lone.pass(300);
    assert_eq!((before, lone.said(inbound).kinds().len()), (0, 0), "it keeps silent");
    lone.resume_disk();
    let said = lone.said(inbound);
    let epochs: Vec<Epoch> = said.packets().iter().map(|packet| packet.header.config_epoch).collect();
    assert_eq!(said.kinds(), [Kind::Pong]);
    let me = lone.me();
    assert_eq!(epochs, [lone.epoch(me)]);
}

#[test]
fn a_peer_that_does_not_read_is_cut_off() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    lone.ok("CONFIG SET cluster-link-sendbuf-limit 100000");
    let inbound = lone.called_from("10.0.0.7");
    for _ in 0..60 {
        lone.hear(inbound, &lone::ping(friend));
    }
    assert!(!lone.closed(inbound));
    lone.pass(100);
    assert!(lone.closed(inbound));
    assert!(lone.text("CLUSTER INFO").contains("total_cluster_links_buffer_limit_exceeded:1"));
}

#[test]
fn a_name_is_learned_and_forgotten_again() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    let link = lone.link(friend);
    lone.hear(link, &lone::pong(friend).named("one.example.org"));
    assert!(lone.story()[&friend].starts_with("10.0.0.7:7000@17001,one.example.org "));
    lone.hear(link, &lone::pong(friend).named("no name\nof anybody"));
    assert!(lone.story()[&friend].contains(",one.example.org "), "that would spoil our file");
    lone.hear(link, &lone::pong(friend));
    assert!(lone.story()[&friend].starts_with("10.0.0.7:7000@17001 "));
}

/// As since Redis 7.2, where an operator says it to one node, and that tells the others for as long as it holds.
#[test]
fn whom_another_node_was_made_to_forget_is_forgotten_here() {
    let mut lone = Lone::new();
    let (friend, gone) = (lone.befriend(1, "10.0.0.7"), lone.befriend(2, "10.0.0.9"));
    let (link, lost) = (lone.link(friend), lone.link(gone));
    lone.hear(lost, &lone::pong(gone).owning(0..10, 3));
    let told = || lone::pong(friend).forgetting(gone, 20);
    lone.hear(link, &told());
    assert!(!lone.story().contains_key(&gone));
    assert!(lone.closed(lost));
    assert!(lone.text("CLUSTER INFO").contains("cluster_slots_assigned:0"), "its slots are nobody's");
    // Who still knows it talks of it in vain, until the time is over.
    lone.hear(link, &lone::pong(friend).telling(gone, "10.0.0.9"));
    assert!(!lone.story().contains_key(&gone));
    // The operator says it to everybody, us included; of somebody else we know nothing.
    lone.ok(&format!("CLUSTER FORGET {gone}"));
    assert!(lone.run(&format!("CLUSTER FORGET {}", id(77))).starts_with("-ERR Unknown node"));
    lone.pass(20_000);
    let link = lone.link(friend);
    lone.hear(link, &lone::pong(friend).telling(gone, "10.0.0.9"));
    assert!(lone.story().contains_key(&gone));
    assert_eq!(lone.run(&format!("CLUSTER FORGET {gone}")), "+OK\r\n");
    let again = lone.run(&format!("CLUSTER FORGET {gone}"));
    assert!(again.starts_with("-ERR Unknown node"), "said to us it is said once, as in Redis 7.0: {again}");
}

#[test]
fn words_of_forgetting_that_have_no_effect() {
    let mut lone = Lone::new();
    let (friend, master) = (lone.befriend(1, "10.0.0.7"), lone.befriend(2, "10.0.0.9"));
    let link = lone.link(friend);
    lone.hear(link, &lone::pong(friend));
    lone.ok(&format!("CLUSTER REPLICATE {master}"));
    let me = lone.me();
    // Ourselves, our master, the teller, somebody unknown, and a time that is over.
    for (whom, seconds) in [(me, 60), (master, 60), (friend, 60), (id(77), 60)] {
        lone.hear(link, &lone::pong(friend).forgetting(whom, seconds));
    }
    let third = lone.befriend(3, "10.0.0.10");
    lone.hear(link, &lone::pong(friend).forgetting(third, 0));
    // A stranger has no say.
    let inbound = lone.called_from("10.0.0.11");
    lone.hear(inbound, &lone::ping(id(78)).forgetting(third, 60));
    assert_eq!(lone.story().len(), 4, "{:?}", lone.story());
    // However long somebody wants it: a minute is what an operator could have of us.
    lone.hear(link, &lone::pong(friend).forgetting(third, u64::MAX));
    assert_eq!(lone.story().len(), 3);
    lone.pass(60_000);
    let link = lone.link(friend);
    lone.hear(link, &lone::pong(friend).telling(third, "10.0.0.10"));
    assert_eq!(lone.story().len(), 4);
}

#[test]
fn every_heartbeat_says_that_we_understand_extensions() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    let link = lone.link(friend);
    lone.hear(link, &lone::ping(friend));
    lone.pass(2_000);
    let said = lone.said(link);
    let packets = said.packets();
    assert!(packets.iter().any(|packet| packet.kind == Kind::Ping), "{:?}", said.kinds());
    for packet in packets {
        assert_eq!(packet.header.message_flags, message_flag::EXTENSIONS, "{:?}", packet.kind);
    }
}

#[test]
fn a_message_reaches_the_subscribers_of_this_node() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    let client = lone.client();
    lone.tell(client, "SUBSCRIBE news");
    lone.heard(client);
    let link = lone.link(friend);
    lone.hear(link, &lone::message(friend, "news", "hello"));
    assert_eq!(lone.heard(client), "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
    lone.hear(link, &lone::message(id(77), "news", "from a stranger"));
    assert_eq!(lone.heard(client), "");
    lone.said(link);
    lone.run("PUBLISH news back");
    let said = lone.said(link);
    let bodies: Vec<Body<'_>> = said.packets().iter().map(|packet| packet.body).collect();
    assert_eq!(bodies, [Body::Publish { channel: b"news", message: b"back" }]);
}

#[test]
fn what_is_said_while_a_connection_is_made_comes_before_its_ping() {
    let mut lone = Lone::new();
    let friend = lone.befriend(1, "10.0.0.7");
    let old = lone.link(friend);
    lone.hold_calls();
    // Half a node timeout until it is pinged, and half of one for the answer.
    lone.pass(2_300);
    assert!(lone.closed(old), "the connection is made anew");
    lone.run("PUBLISH news one");
    lone.run("PUBLISH news other");
    let link = lone.link(friend);
    assert!(lone.said(link).kinds().is_empty(), "it does not stand yet");
    lone.take_calls();
    // The ping is as new as can be: behind it, on the same connection, they would tell older epochs.
    assert_eq!(lone.said(link).kinds(), [Kind::Publish, Kind::Publish, Kind::Ping]);
    lone.run("PUBLISH news more");
    assert_eq!(lone.said(link).kinds(), [Kind::Publish]);
}

#[test]
fn who_gives_a_slot_away_is_told_that_it_does_not_listen_any_more() {
    let mut lone = Lone::new();
    lone.ok("CLUSTER ADDSLOTSRANGE 0 16383");
    lone.pass(3_000);
    let client = lone.client();
    for command in ["HELLO 3", "SSUBSCRIBE foo", "SSUBSCRIBE bar"] {
        lone.tell(client, command);
    }
    lone.heard(client);
    lone.tell(client, "CLUSTER DELSLOTS 12182 5061");
    let of = |name: &str, left: u32| format!(">3\r\n$12\r\nsunsubscribe\r\n$3\r\n{name}\r\n:{left}\r\n");
    assert_eq!(lone.heard(client), of("bar", 1) + &of("foo", 0) + "+OK\r\n");
}

#[test]
fn a_replica_loses_its_listeners_with_its_masters_slots() {
    let mut lone = Lone::new();
    let (master, other) = (lone.befriend(1, "10.0.0.7"), lone.befriend(2, "10.0.0.8"));
    let (link, elsewhere) = (lone.link(master), lone.link(other));
    lone.hear(link, &lone::pong(master).owning(0..16384, 5));
    lone.ok(&format!("CLUSTER REPLICATE {master}"));
    lone.pass(200);
    let client = lone.client();
    for command in ["HELLO 3", "SSUBSCRIBE foo", "SSUBSCRIBE bar"] {
        lone.tell(client, command);
    }
    let told = lone.heard(client);
    assert!(told.ends_with("$3\r\nbar\r\n:2\r\n"), "{told}");
    // foo is in slot 12182, bar in 5061.
    lone.hear(elsewhere, &lone::pong(other).owning(12000..13000, 6));
    assert_eq!(lone.heard(client), ">3\r\n$12\r\nsunsubscribe\r\n$3\r\nfoo\r\n:1\r\n");
    // Its master becomes a replica, and has no slots any more.
    lone.hear(link, &lone::pong(master).following(other));
    assert_eq!(lone.heard(client), ">3\r\n$12\r\nsunsubscribe\r\n$3\r\nbar\r\n:0\r\n");
}

#[test]
fn reports_of_failure_are_counted_and_withdrawn() {
    let mut lone = Lone::new();
    let (one, other) = (lone.befriend(1, "10.0.0.7"), lone.befriend(2, "10.0.0.8"));
    let link = lone.link(one);
    let reports = |lone: &mut Lone| lone.run(&format!("CLUSTER COUNT-FAILURE-REPORTS {other}"));
    let flags = node_flag::MASTER | node_flag::MAYBE_FAIL;
    lone.hear(link, &lone::pong(one).telling_flags(other, "10.0.0.8", flags));
    assert_eq!(reports(&mut lone), ":0\r\n", "it has no slots, and no say");
    let bad = lone::pong(one).owning(0..9, 9).telling_flags(other, "10.0.0.8", flags);
    lone.hear(link, &bad);
    lone.hear(link, &bad);
    assert_eq!(reports(&mut lone), ":1\r\n");
    lone.hear(link, &lone::pong(one).owning(0..9, 9).telling(other, "10.0.0.8"));
    assert_eq!(reports(&mut lone), ":0\r\n");
    lone.hear(link, &bad);
    lone.pass(4_100);
    assert_eq!(reports(&mut lone), ":0\r\n", "a report holds for two timeouts");
    let link = lone.link(one);
    lone.hear(link, &lone::failure(one, other));
    assert!(lone.story()[&other].contains(" master,fail "));
    let second = lone.link(other);
    lone.hear(second, &lone::pong(other));
    assert!(lone.story()[&other].contains(" master "), "it answers, and owns no slots");
}

#[test]
fn everything_that_is_told_is_ours_to_tell() {
    let mut lone = Lone::new();
    let (one, other) = (lone.befriend(1, "10.0.0.7"), lone.befriend(2, "10.0.0.8"));
    lone.ok("CLUSTER ADDSLOTSRANGE 7 20");
    let link = lone.link(one);
    lone.said(link);
    let inbound = lone.called_from("10.0.0.7");
    lone.hear(inbound, &lone::ping(one));
    let said = lone.said(inbound);
    let [pong] = said.packets()[..] else { panic!("one answer") };
    let header = pong.header;
    assert_eq!((header.sender, header.port, header.bus_port), (lone.me(), 7000, 17000));
    assert_eq!((*header.slots, header.ip, header.master), (bits(7..21), "", None));
    assert_eq!(header.flags, node_flag::MASTER | node_flag::MYSELF);
    assert!(header.down, "slots are missing");
    let Body::Beat(beat) = pong.body else { panic!("a heartbeat") };
    let told: Vec<(NodeId, &str)> = beat.gossip.iter().map(|entry| (entry.id, entry.ip)).collect();
    assert!(told == [(other, "10.0.0.8")] || told == [(one, "10.0.0.7")], "one of three, and not ourselves");
    // The node has learned its own address from the connection that others opened.
    assert!(lone.story()[&lone.me()].starts_with("10.0.0.1:7000@17000"));
    assert_eq!(Slot::COUNT, 16384);
    assert!(lone.now > Millis::ZERO);
}
