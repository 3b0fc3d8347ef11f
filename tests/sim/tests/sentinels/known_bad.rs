//! Sentinels with a flaw, each of which the family must catch.

use core_types::Broken;
use sim::nodes::sentinels::{BEST, MAJORITY, ONE_LEADER, ONE_VOTE, QUORUM};
use sim::{Trace, family};

use crate::flaws::Flaw;
use crate::play::play;

/// Searches for a seed with which the sentinels break one of `rules`, and plays that seed once more.
fn caught(title: &str, flaw: Flaw, seeds: u64, rules: &[&str]) {
    let run = |seed: u64, trace: Option<&mut Trace>| -> Result<u64, Broken> {
        play(seed, trace, flaw).map(|outcome| outcome.steps)
    };
    let failure = family::search(title, 0, seeds, run).expect_err("such a sentinel must be caught");
    assert!(rules.contains(&failure.broken.rule.as_str()), "{failure}");
    assert_eq!(run(failure.seed, None), Err(failure.broken.clone()), "the seed plays the same run again");
    let text = failure.to_string();
    assert!(text.starts_with(&format!("seed {} breaks a rule", failure.seed)), "{text}");
    println!("{title}: seed {}, {}", failure.seed, failure.broken);
}

#[test]
fn a_vote_that_is_not_in_the_file_is_caught() {
    caught("vote not saved", Flaw::VoteNotSaved, 1000, &[ONE_VOTE, ONE_LEADER]);
}

#[test]
fn a_vote_that_is_told_before_it_is_in_the_file_is_caught() {
    caught("vote told before it is saved", Flaw::VoteToldBeforeSaved, 1000, &[ONE_VOTE, ONE_LEADER]);
}

#[test]
fn a_majority_that_is_counted_among_survivors_is_caught() {
    caught("survivors counted", Flaw::CountsSurvivors, 300, &[MAJORITY, ONE_LEADER]);
}

#[test]
fn agreement_that_rests_on_replicas_that_are_down_is_caught() {
    caught("replicas' opinions", Flaw::ReplicasOpinions, 300, &[QUORUM]);
}

#[test]
fn a_run_id_that_is_compared_the_wrong_way_round_is_caught() {
    caught("ids backwards", Flaw::IdsBackwards, 300, &[BEST]);
}
