//! Recordings for chapter 5: electing a leader and failing over.

use solution_5::{losses_survived, votes_needed};

use crate::data::{Cell, Recording, Table, Unit};

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    vec![("ch05-quorums", quorums().into())]
}

/// What one to seven sentinels can lose, by the functions of the lab itself.
fn quorums() -> Table {
    let mut table = Table::new(
        "Votes needed, and losses survived",
        &[
            ("sentinels", Unit::Number),
            ("votes needed", Unit::Number),
            ("losses survived", Unit::Number),
            ("votes, quorum n − 1", Unit::Number),
            ("losses survived", Unit::Number),
        ],
    );
    for known in 1..=7_usize {
        let high = (known - 1).max(1);
        let numbers = [
            known,
            votes_needed(known, 1),
            losses_survived(known, 1),
            votes_needed(known, high),
            losses_survived(known, high),
        ];
        table = table.row(numbers.map(|number| Cell::from(number as u64)));
    }
    table
}
