//! Elections that nobody wins.

use core_types::Millis;
use sim::nodes::experiments::Group;
use sim::{Fault, Profile, Trace};

use super::super::edit::{leave_out_states, only_from, only_hosts};
use super::super::watchers::{
    QUICK, at_most, is_answer, is_question, leave_out_events, only, until_event, when_said,
};

/// Four sentinels, cut in halves: the half without the master reaches the quorum, and no majority.
pub(super) fn in_halves() -> Trace {
    let mut trace = Trace::new("Two of four");
    let mut group = Group::new(Profile::calm(), Some(&mut trace));
    let master = group.node("master", None, |_| {});
    let s = ["s1", "s2", "s3", "s4"].map(|name| group.sentinel(name, 2, &QUICK));
    let a = group.node("a", Some("master"), |_| {});
    group.start_all(&[master, a], &s, 370);
    let begin = group.world.now();
    let (left, right) = ([master, s[0], s[1]], [s[2], s[3], a]);
    group.cut(&left, &right, "master, s1 and s2 are cut off from s3, s4 and a");
    group.wait(5500);
    group.mend(&left, &right, "the cable is mended");
    group.wait(300);
    drop(group);
    only_from(&mut trace, begin);
    let given_up = when_said(&trace, "-failover-abort-not-elected");
    only(&mut trace, |at, from, to, label| {
        let right = |host| ["s3", "s4"].contains(&host);
        let opinion = is_question(label) || is_answer(label);
        right(from) && opinion && at < given_up && (right(to) || label.ends_with(".."))
    });
    at_most(&mut trace, |_| 1);
    let about_others =
        ["sentinel", "slave"].map(|kind| ["+sdown ", "-sdown "].map(|name| format!("{name}{kind}")));
    for label in about_others.iter().flatten() {
        leave_out_events(&mut trace, &[label]);
    }
    only_hosts(&mut trace, &["master", "s3", "s4", "s1", "s2"]);
    trace
}

/// Three sentinels far from each other all stand for election before they hear of one another.
pub(super) fn vote() -> Trace {
    let mut trace = Trace::new("A split vote, and another one");
    let mut group = Group::new(Profile::calm(), Some(&mut trace));
    let s = ["s1", "s2", "s3"].map(|name| group.sentinel(name, 1, &QUICK));
    let master = group.node("master", None, |_| {});
    let a = group.node("a", Some("master"), |_| {});
    group.start_all(&[master, a], &s, 0);
    for [one, other] in [[0, 1], [0, 2], [1, 2]] {
        group.inflict(Fault::Slow(s[one], s[other], Millis(300)));
    }
    group.wait(2000);
    let begin = group.world.now();
    group.inflict(Fault::Crash(master));
    group.wait(12_000);
    drop(group);
    only_from(&mut trace, begin);
    until_event(&mut trace, "+elected-leader");
    only(&mut trace, |_, _, _, label| (is_question(label) || is_answer(label)) && label.contains(".."));
    at_most(&mut trace, |_| 1);
    leave_out_states(&mut trace, &["Waiting", "Connecting", "Online"]);
    only_hosts(&mut trace, &["s1", "s2", "s3", "master"]);
    trace
}
