//! Other correct answers: the suite judges by what happens, and takes each of these.

use core_types::{Broken, Millis};
use drill::{
    REST, Schedule, Settings, cut, cut_one_way, kill, load, mend, mend_all, pause, restart, resume, say,
};
use sim::Trace;

#[path = "others/cluster.rs"]
mod cluster;

#[expect(dead_code, reason = "of the whole suite only the judges are of use here")]
mod suite {
    use solution_10 as lab;
    include!("../../../tests/lab-10/suite.rs");
}

/// For each of a few seeds.
fn accepted(judge: impl Fn(u64, &mut Trace) -> Result<(), Broken>) {
    for seed in [0, 3, 7, 11] {
        let mut trace = Trace::default();
        if let Err(broken) = judge(seed, &mut trace) {
            panic!("seed {seed}: {broken}\n{}", trace.to_text());
        }
    }
}

fn order() -> drill::Event {
    say("client", "SET order:1 lamp")
}

fn wait_for_one() -> drill::Event {
    say("client", "WAIT 1 1500")
}

#[test]
fn a_write_is_lost_with_a_master_that_dies_behind_a_broken_cable() {
    let day = Schedule::new()
        .at(Millis(500), cut(&["master"], &["replica-1", "replica-2"]))
        .at(Millis(1500), order())
        .at(Millis(2500), kill("master"));
    accepted(|seed, trace| suite::judge_loss(&day, seed, trace));
}

#[test]
fn a_write_is_lost_by_a_stream_that_gets_nowhere_and_a_master_that_stands_still() {
    let day = Schedule::new()
        .at(Millis(0), cut_one_way(&["master"], &["replica-1", "replica-2"]))
        .at(Millis(1000), order())
        .at(Millis(2000), pause("master"))
        .at(Millis(40_000), resume("master"));
    accepted(|seed, trace| suite::judge_loss(&day, seed, trace));
}

#[test]
fn a_write_is_lost_that_reaches_the_old_master_when_the_cable_is_mended() {
    let day = Schedule::new()
        .at(Millis(1000), cut(&["master"], &[REST]))
        .at(Millis(2000), order())
        .at(Millis(30_000), mend(&["master"], &["client"]));
    accepted(|seed, trace| suite::judge_loss(&day, seed, trace));
}

#[test]
fn a_confirmed_write_dies_with_its_two_holders() {
    let day = Schedule::new()
        .at(Millis(500), cut(&["master"], &["replica-2"]))
        .at(Millis(1500), order())
        .at(Millis(1500), wait_for_one())
        .at(Millis(4000), kill("master"))
        .at(Millis(4000), kill("replica-1"));
    accepted(|seed, trace| suite::judge_confirmed(&day, seed, trace));
}

#[test]
fn a_confirmed_write_is_out_of_the_sentinels_sight() {
    // No cable of the replica's that follows is touched but those to the sentinels.
    let day = Schedule::new()
        .at(Millis(500), cut(&["master", "replica-2"], &["replica-1"]))
        .at(Millis(600), cut(&["s1", "s2", "s3"], &["replica-2", "master"]))
        .at(Millis(2000), order())
        .at(Millis(2000), wait_for_one())
        .at(Millis(50_000), mend_all());
    accepted(|seed, trace| suite::judge_confirmed(&day, seed, trace));
}

#[test]
fn a_loss_is_bounded_by_any_lag_between_the_hiccup_and_the_bound() {
    accepted(|seed, trace| {
        let shop = suite::shop(seed);
        let settings = Settings::new()
            .nodes(format!("min-replicas-max-lag {}", shop.hiccup.as_secs() + 2))
            .nodes(format!("min-replicas-to-write {}", shop.beside + 1));
        suite::judge_bound(&shop, &settings, seed, trace)
    });
}

#[test]
fn a_loss_is_bounded_by_as_many_replicas_as_may_be_asked_for() {
    accepted(|seed, trace| {
        let shop = suite::shop(seed);
        let settings = Settings::new()
            .nodes(format!("min-replicas-to-write {}", shop.replicas - 1))
            .nodes(format!("min-replicas-max-lag {}", shop.bound.as_secs() - 3));
        suite::judge_bound(&shop, &settings, seed, trace)
    });
}

#[test]
fn a_loop_begins_with_a_cable_that_was_broken_for_too_long() {
    let day = Schedule::new()
        .at(Millis(0), load("client", 40 * 1024))
        .at(Millis(1000), cut(&["master"], &["replica-1"]))
        .at(Millis(16_000), mend_all());
    accepted(|seed, trace| suite::judge_loop(&day, seed, trace));
}

#[test]
fn a_loop_begins_with_a_replica_that_stood_still() {
    let day = Schedule::new()
        .at(Millis(0), load("client", 60 * 1024))
        .at(Millis(1000), pause("replica-1"))
        .at(Millis(15_000), resume("replica-1"));
    accepted(|seed, trace| suite::judge_loop(&day, seed, trace));
}

#[test]
fn a_loop_begins_with_a_load_that_comes_after_the_fault() {
    let day = Schedule::new()
        .at(Millis(0), kill("replica-1"))
        .at(Millis(1000), restart("replica-1"))
        .at(Millis(1200), load("client", 64 * 1024));
    accepted(|seed, trace| suite::judge_loop(&day, seed, trace));
}

#[test]
fn buffers_may_have_more_room_and_a_soft_limit_that_is_as_high() {
    accepted(|seed, trace| {
        let known = suite::known(seed);
        let hard = known.rate * known.data / known.wire * 3;
        let backlog = known.rate * (2 * known.outage.as_secs() + 1) * 5 / 4;
        let settings = Settings::new()
            .nodes(format!("client-output-buffer-limit slave {hard} {} 60", hard - 1))
            .nodes(format!("repl-backlog-size {backlog}"));
        suite::judge_sizes(&known, &settings, seed, trace)
    });
}

#[test]
fn buffers_may_be_counted_in_kilobytes_and_rounded_up() {
    accepted(|seed, trace| {
        let known = suite::known(seed);
        let hard = known.rate * known.data / known.wire * 2 / 1024 + 1;
        let backlog = known.rate * (2 * known.outage.as_secs() + 2) * 2 / 1024 + 1;
        let settings = Settings::new()
            .of("master", format!("repl-backlog-size {backlog}kb"))
            .of("master", format!("client-output-buffer-limit replica {hard}kb 0 0"));
        suite::judge_sizes(&known, &settings, seed, trace)
    });
}

#[test]
fn a_lag_that_is_the_bound_closes_the_gate_too_late() {
    let late = (0..8).filter(|seed| {
        let shop = suite::shop(*seed);
        let settings = Settings::new()
            .nodes(format!("min-replicas-to-write {}", shop.beside + 1))
            .nodes(format!("min-replicas-max-lag {}", shop.bound.as_secs()));
        let judged = suite::judge_bound(&shop, &settings, seed + 1, &mut Trace::default());
        judged.is_err_and(|broken| broken.detail.ends_with("but too late"))
    });
    assert!(late.count() > 0, "in no run of the family it is seen");
}

/// What the suite says to an answer that it does not even play.
fn refused(judged: Result<(), Broken>) -> String {
    judged.expect_err("it is refused").to_string()
}

#[test]
fn nobody_makes_a_write_disappear_by_hand() {
    for (host, command) in [
        ("client", "FLUSHALL"),
        ("client", "DEL order:1"),
        ("client", "SET order:1 lamp PX 5"),
        ("client", "WAIT 1 100"),
        ("replica-1", "REPLICAOF NO ONE"),
        ("s1", "SENTINEL FAILOVER shop"),
    ] {
        let day = Schedule::new().at(Millis(1000), order()).at(Millis(2000), say(host, command));
        let words = refused(suite::judge_loss(&day, 0, &mut Trace::default()));
        assert!(words.contains(&format!("{host} says {command}")), "{words}");
    }
    let twice = Schedule::new().at(Millis(1), order()).at(Millis(2), order());
    assert!(refused(suite::judge_loss(&twice, 0, &mut Trace::default())).contains("each key once"));
    let all = ["master", "replica-1"].iter().fold(Schedule::new(), |day, host| day.at(Millis(1), kill(host)));
    assert!(refused(suite::judge_loss(&all, 0, &mut Trace::default())).contains("kills 2 processes; 1"));
}

#[test]
fn who_kills_the_client_hears_what_it_is_for() {
    let day = Schedule::new().at(Millis(1000), order()).at(Millis(3000), kill("client"));
    for words in [
        refused(suite::judge_loss(&day, 0, &mut Trace::default())),
        refused(suite::judge_confirmed(&day, 0, &mut Trace::default())),
    ] {
        assert!(
            words.contains("keeps the ledger") && words.contains("\"client is killed\" at 3000ms"),
            "{words}"
        );
    }
    let day = Schedule::new().at(Millis(1000), kill("client"));
    let words = refused(suite::judge_loop(&day, 0, &mut Trace::default()));
    assert!(words.contains("without it there is no load"), "{words}");
}

#[test]
fn what_cannot_be_played_is_named() {
    let words = |day| refused(suite::judge_loss(&day, 0, &mut Trace::default()));
    assert!(
        words(Schedule::new().at(Millis(1), kill("replica 1"))).contains("no host \"replica 1\"; there are")
    );
    assert!(
        words(Schedule::new().at(Millis(u64::MAX), kill("master"))).contains("the last moment is 120000ms")
    );
    assert!(words(Schedule::new().at(Millis(1), load("client", 5))).contains("this exercise knows no loads"));
    let mut flood = Schedule::new();
    for number in 0..21 {
        flood = flood.at(Millis(number), pause("s1"));
    }
    assert!(words(flood).contains("21 events; 20 are allowed"));
    let wide = Schedule::new().at(Millis(1), load("client", u64::MAX));
    assert!(refused(suite::judge_loop(&wide, 0, &mut Trace::default())).contains("up to 64 KiB"));
}

#[test]
fn a_line_that_is_wrong_gets_the_words_of_redis() {
    let shop = suite::shop(0);
    let words = |settings| refused(suite::judge_bound(&shop, &settings, 0, &mut Trace::default()));
    let unit = words(Settings::new().nodes("min-replicas-max-lag 5s"));
    assert!(
        unit.contains(">>> 'min-replicas-max-lag 5s'\nargument couldn't be parsed into an integer"),
        "{unit}"
    );
    let other = words(Settings::new().nodes("replica-priority 0"));
    assert!(other.contains("Only these directives may be set: min-replicas-to-write, min-replicas-max-lag"));
    let nobody = words(Settings::new().of("replica-9", "min-replicas-to-write 1"));
    assert!(nobody.contains("is for \"replica-9\"; there are master, replica-1"), "{nobody}");
}
