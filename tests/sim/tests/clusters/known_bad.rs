//! Nodes with a flaw, each of which the family must catch.

use std::collections::BTreeMap;

use core_types::Broken;
use sim::nodes::clusters::{
    BEST, FAIL_BY_MAJORITY, HEIR, KEEPS_PROMISES, NEW_EPOCH, ONE_OWNER, ONE_VOTE, ONE_WINNER, RIGHT_TO_VOTE,
};
use sim::{Trace, family};

use crate::flaws::Flaw;
use crate::play::play;
use crate::survey::span;

/// Searches for a seed with which the nodes break one of `rules`, and plays that seed once more.
fn caught(title: &str, flaw: Flaw, seeds: u64, rules: &[&str]) {
    let run = |seed: u64, trace: Option<&mut Trace>| -> Result<u64, Broken> {
        play(seed, trace, flaw).map(|outcome| outcome.steps)
    };
    let failure = family::search(title, 0, seeds, run).expect_err("such a node must be caught");
    assert!(rules.contains(&failure.broken.rule.as_str()), "{failure}");
    assert_eq!(run(failure.seed, None), Err(failure.broken.clone()), "the seed plays the same run again");
    let text = failure.to_string();
    assert!(text.starts_with(&format!("seed {} breaks a rule", failure.seed)), "{text}");
    println!("{title}: seed {}, {}", failure.seed, failure.broken);
}

#[test]
fn a_vote_that_is_not_in_the_file_is_caught() {
    caught("vote not saved", Flaw::VoteNotSaved, 400, &[KEEPS_PROMISES, ONE_VOTE, ONE_WINNER]);
}

#[test]
fn a_vote_that_is_told_before_it_is_in_the_file_is_caught() {
    caught(
        "vote told before it is saved",
        Flaw::VoteToldBeforeSaved,
        400,
        &[KEEPS_PROMISES, ONE_VOTE, ONE_WINNER],
    );
}

#[test]
fn a_vote_for_a_replica_of_a_living_master_is_caught() {
    caught("vote for anybody", Flaw::VotesForAnybody, 2000, &[RIGHT_TO_VOTE]);
}

#[test]
fn replicas_that_do_not_wait_for_better_ones_are_caught() {
    caught("no rank", Flaw::NoRank, 400, &[BEST]);
}

#[test]
fn a_failure_that_is_counted_among_all_nodes_is_caught() {
    caught("everybody counted", Flaw::CountsEverybody, 400, &[FAIL_BY_MAJORITY]);
}

#[test]
fn a_master_that_goes_on_with_the_old_epoch_is_caught() {
    caught("no new epoch", Flaw::NoNewEpoch, 100, &[NEW_EPOCH, ONE_OWNER]);
}

/// That the replicas of other masters differ from these would be seen, too, but later.
#[test]
fn an_heir_without_what_it_had_received_is_caught() {
    caught("loses writes", Flaw::LosesWrites, 20, &[HEIR]);
}

/// In how many seeds each is caught, and by which rule: `SURVEY=0..150 cargo test --release -p sim --test clusters how_often --
/// --ignored --nocapture`.
#[test]
#[ignore = "a tool: it lists how often known-bad nodes are caught"]
fn how_often_each_is_caught() {
    let (first, end) = span();
    for flaw in [
        Flaw::None,
        Flaw::VoteNotSaved,
        Flaw::VoteToldBeforeSaved,
        Flaw::VotesForAnybody,
        Flaw::NoRank,
        Flaw::CountsEverybody,
        Flaw::NoNewEpoch,
        Flaw::LosesWrites,
    ] {
        let mut rules: BTreeMap<String, u64> = BTreeMap::new();
        for seed in first..end {
            let rule = match std::panic::catch_unwind(|| play(seed, None, flaw)) {
                Ok(Ok(_)) => continue,
                Ok(Err(broken)) => broken.rule,
                Err(_) => "nothing panics".into(),
            };
            *rules.entry(rule).or_default() += 1;
        }
        println!("{flaw:?}: {} of {} seeds, {rules:#?}", rules.values().sum::<u64>(), end - first);
    }
}
