// The rules of the world in which 9.3 and 9.5 are tried once more (world.rs): of all of them one is under test, and the others
// are the reference's.

/// Which rule is the learner's in this world.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Under {
    Votes,
    Candidates,
}

/// What a voter looks at.
struct Ballot {
    notes: Notes,
    master_failed: bool,
    voted_at: Option<Millis>,
    /// The epoch of the slots' owner, as the voter knows it.
    held: Epoch,
}

/// What a replica looks at.
struct Outlook {
    master_failed: bool,
    gone: bool,
    rank: usize,
    delay: Millis,
    current: Epoch,
    voters: usize,
}

/// What a replica does.
enum Move {
    Schedule(Millis, usize),
    Postpone(Millis, usize),
    Ask(Epoch),
    Win(Epoch),
}

/// A replica's election.
trait Standing {
    fn step(&mut self, now: Millis, outlook: &Outlook) -> Option<Move>;
    fn hear_vote(&mut self, voter: NodeId, epoch: Epoch) -> bool;
}

const NODE_TIMEOUT: Millis = Millis(1000);

/// The epoch of the dead master's configuration.
const BEFORE: Epoch = Epoch(3);

/// The same adapter for two crates that are alike: the one under test and the reference.
macro_rules! rules {
    ($name:ident, $lab:ident) => {
        mod $name {
            use super::$lab::candidate::{Act, ByHand, Candidate, View};
            use super::$lab::votes::{Answer, Asker, Request, Voter, answer};
            use super::{BEFORE, Ballot, Move, NODE_TIMEOUT, Outlook, Standing, slot_set};
            use core_types::{Epoch, Millis, NodeId};

            pub(super) fn vote(now: Millis, asked: Epoch, ballot: &Ballot) -> Option<Epoch> {
                let slots = slot_set([1, 2]);
                let request = Request { epoch: asked, config_epoch: BEFORE, slots: &slots, forced: false };
                let voter = Voter {
                    has_voice: true,
                    current_epoch: ballot.notes.current,
                    last_vote_epoch: ballot.notes.voted,
                    node_timeout: NODE_TIMEOUT,
                };
                let asker = Asker::Replica { master_failed: ballot.master_failed, voted_at: ballot.voted_at };
                match answer(now, &voter, asker, &request, |_| Some(ballot.held)) {
                    Answer::Grant(epoch) => Some(epoch),
                    Answer::Refuse(_) => None,
                }
            }

            pub(super) struct Stands(pub(super) Candidate);

            impl Standing for Stands {
                fn step(&mut self, now: Millis, outlook: &Outlook) -> Option<Move> {
                    let view = View {
                        has_cause: !outlook.gone,
                        master_failed: outlook.master_failed,
                        abstains: false,
                        too_old: false,
                        by_hand: ByHand::No,
                        rank: outlook.rank,
                        delay: outlook.delay,
                        current_epoch: outlook.current,
                        voters: outlook.voters,
                        node_timeout: NODE_TIMEOUT,
                    };
                    match self.0.step(now, &view)? {
                        Act::Schedule { at, rank } => Some(Move::Schedule(at, rank)),
                        Act::Postpone { by, rank } => Some(Move::Postpone(by, rank)),
                        Act::Ask { epoch, .. } => Some(Move::Ask(epoch)),
                        Act::Win(epoch) => Some(Move::Win(epoch)),
                        Act::Wait(_) => None,
                    }
                }

                fn hear_vote(&mut self, voter: NodeId, epoch: Epoch) -> bool {
                    self.0.hear_vote(voter, true, epoch)
                }
            }
        }
    };
}

rules!(tried, lab);
rules!(given, reference_rules);
