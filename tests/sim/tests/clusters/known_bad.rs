//! Nodes with a flaw, each of which the family must catch.

use core_types::Broken;
use sim::nodes::clusters::{
    BEST, FAIL_BY_MAJORITY, KEEPS_PROMISES, NEW_EPOCH, ONE_OWNER, ONE_VOTE, ONE_WINNER, RIGHT_TO_VOTE,
};
use sim::{Trace, family};

use crate::flaws::Flaw;
use crate::play::play;

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
