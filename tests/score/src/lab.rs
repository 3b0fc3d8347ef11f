use core_types::Broken;
use sim::trace::Trace;

/// One scored lab, as its `tests/score.rs` hands it over.
pub struct Lab {
    /// The chapter's number.
    pub id: u32,
    /// The package under test: `lab-3`, or `solution-3`, whose snapshots authors may rewrite.
    pub package: &'static str,
    /// `tests/lab-N/catalog.json`: titles, points, rules, chapters, known mistakes.
    pub catalog: &'static str,
    /// The suite built against the answers under test.
    pub subject: Vec<Check>,
    /// The same suite built against the reference answers.
    pub reference: Vec<Check>,
}

/// How one exercise is scored.
///
/// Both functions write what happens into the trace *as it happens*, so that it survives a panic in
/// the answer: the verdict shows how far the run came.
pub struct Check {
    /// The exercise, for example `1.3`.
    pub id: &'static str,
    /// The fixed scenario. What it writes is compared with the snapshot, event by event.
    /// An error is a rule that broke although the transcript may look right.
    pub scenario: fn(&mut Trace) -> Result<(), Broken>,
    /// Many small scenarios, each made from a seed.
    pub family: Option<Family>,
}

/// Scenarios that are made from a seed: `0..seeds`, or the one given by `--seed`.
pub struct Family {
    /// How many to run.
    pub seeds: u64,
    /// Runs one. An error is an invariant that did not hold.
    pub run: fn(seed: u64, trace: &mut Trace) -> Result<(), Broken>,
    /// The rules leave no choice: the run must equal the reference's event by event.
    /// If false, only what the suite returns counts, in the fixed scenario too; its snapshot is of the reference's run.
    pub agree: bool,
}
