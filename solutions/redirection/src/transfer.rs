//! Moving one slot, step by step, while clients go on reading and writing.
//!
//! ```text
//! Importing ──▶ Migrating ──▶ List ──no key──▶ HandOver ──▶ Release ──▶ Announce … ──▶ Done
//!    target       source      ▲  │ keys          target       source     the others
//!    │                        │  ▼
//!    │                        Send                            ▲
//!    └──────────"I'm already the owner"───────────────────────┘
//! ```
//!
//! The order is the whole safety. The target must be ready to receive before the source sends anyone there; the
//! source must be empty before anybody else owns the slot; and the target must know that it owns it before the source
//! forgets that it did.
//!
//! Every order may be given twice. That is why whoever directs a transfer needs no memory of it: after a crash it begins
//! again, and finds out on the way how far it had come.

use bytes::Bytes;
use core_types::Slot;

// ANCHOR: transfer
/// The move of one slot from `source` to `target`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer<N> {
    /// Which slot.
    pub slot: Slot,
    /// Who has it.
    pub source: N,
    /// Who gets it.
    pub target: N,
    /// The other masters.
    pub others: Vec<N>,
    /// What is to be done now.
    pub stage: Stage,
    /// How many keys have been moved.
    pub moved: usize,
}

/// The stages of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The target is told that the slot is about to arrive.
    Importing,
    /// The source is told that it is about to leave.
    Migrating,
    /// The source is asked for some keys of it.
    List,
    /// These keys are to be moved. `replace`: the target may have them already, overwrite them.
    Send {
        /// The keys.
        keys: Vec<Bytes>,
        /// With `REPLACE`.
        replace: bool,
    },
    /// The target is told that the slot is its own.
    HandOver,
    /// The source is told the same.
    Release,
    /// So is this one of the others.
    Announce(usize),
    /// Nothing is left to do.
    Done,
}

// ANCHOR_END: transfer

/// What is sent to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order<N> {
    /// `CLUSTER SETSLOT slot IMPORTING from`
    Importing {
        /// To whom.
        at: N,
        /// The source.
        from: N,
    },
    /// `CLUSTER SETSLOT slot MIGRATING to`
    Migrating {
        /// To whom.
        at: N,
        /// The target.
        to: N,
    },
    /// `CLUSTER GETKEYSINSLOT slot count`
    List {
        /// To whom.
        at: N,
    },
    /// `MIGRATE host port "" 0 timeout [REPLACE] KEYS key …`
    Send {
        /// To whom.
        at: N,
        /// The target.
        to: N,
        /// Which keys.
        keys: Vec<Bytes>,
        /// With `REPLACE`.
        replace: bool,
    },
    /// `CLUSTER SETSLOT slot NODE owner`
    Node {
        /// To whom.
        at: N,
        /// The new owner.
        owner: N,
    },
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// `OK`; for `MIGRATE` also `NOKEY`.
    Ok,
    /// The keys that were asked for; none: the slot is empty.
    Keys(Vec<Bytes>),
    /// `I'm already the owner of hash slot …`
    AlreadyTheOwner,
    /// `BUSYKEY`: the target has a key of that name.
    BusyKey,
    /// The node is a replica: it has become one when it lost its last slot.
    NotAMaster,
    /// Another error.
    Error,
    /// No answer. It may have been done or not.
    Lost,
}

/// How it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// With the next order.
    GoOn,
    /// With the same stage again: a node does not answer, or refused once.
    Again,
    /// It is finished.
    Done,
    /// It is not: somebody has to look at it (`fix`).
    Stuck,
}

impl Told {
    /// What an error of Redis means here.
    pub fn error(text: &str) -> Told {
        if text.contains("BUSYKEY") {
            Told::BusyKey
        } else if text.contains("already the owner") {
            Told::AlreadyTheOwner
        } else if text.contains("SETSLOT only with masters") {
            Told::NotAMaster
        } else if text.starts_with("IOERR") {
            Told::Lost
        } else {
            Told::Error
        }
    }
}

impl<N: Copy> Transfer<N> {
    /// A transfer from its beginning; also one that somebody else has begun and not finished.
    pub fn new(slot: Slot, source: N, target: N, others: Vec<N>) -> Transfer<N> {
        Transfer { slot, source, target, others, stage: Stage::Importing, moved: 0 }
    }

    /// What to send now; `None`: it is done.
    pub fn order(&self) -> Option<Order<N>> {
        let (source, target) = (self.source, self.target);
        Some(match &self.stage {
            Stage::Importing => Order::Importing { at: target, from: source },
            Stage::Migrating => Order::Migrating { at: source, to: target },
            Stage::List => Order::List { at: source },
            Stage::Send { keys, replace } => {
                Order::Send { at: source, to: target, keys: keys.clone(), replace: *replace }
            }
            Stage::HandOver => Order::Node { at: target, owner: target },
            Stage::Release => Order::Node { at: source, owner: target },
            Stage::Announce(place) => Order::Node { at: *self.others.get(*place)?, owner: target },
            Stage::Done => return None,
        })
    }

    /// Goes on according to the answer to [`order`](Transfer::order).
    ///
    /// - The stages follow each other as they are listed; `List` and `Send` take turns until there is no key.
    /// - A lost answer of the source or the target: the same again, for every order may be given twice. Keys that were to be
    ///   sent may have arrived, so these keys are sent with `REPLACE` from then on; the same after `BUSYKEY`. While the
    ///   slot is the source's, clients see the source's copy: it is the one that counts.
    /// - The target is already the owner: somebody has done all this before us. Release the source.
    /// - The source has become a replica: it knows.
    /// - What the others say makes no difference, nor whether they say anything. They hear of it by gossip, only later.
    /// - Everything else: stuck.
    pub fn answered(&mut self, told: Told) -> Progress {
        // <exercise 8.7>
        let others = self.others.len();
        let next = match (&mut self.stage, told) {
            (Stage::Announce(place), _) if *place + 1 < others => Stage::Announce(*place + 1),
            (Stage::Announce(_) | Stage::Done, _) => Stage::Done,
            (Stage::Send { replace, .. }, Told::Lost | Told::BusyKey) => {
                *replace = true;
                return Progress::Again;
            }
            (_, Told::Lost) => return Progress::Again,
            (Stage::Importing, Told::Ok) => Stage::Migrating,
            (Stage::Importing, Told::AlreadyTheOwner) => Stage::Release,
            (Stage::Migrating, Told::Ok) => Stage::List,
            (Stage::List, Told::Keys(keys)) if keys.is_empty() => Stage::HandOver,
            (Stage::List, Told::Keys(keys)) => Stage::Send { keys, replace: false },
            (Stage::Send { keys, .. }, Told::Ok) => {
                self.moved += keys.len();
                Stage::List
            }
            (Stage::HandOver, Told::Ok) => Stage::Release,
            (Stage::Release, Told::Ok | Told::NotAMaster) if others > 0 => Stage::Announce(0),
            (Stage::Release, Told::Ok | Told::NotAMaster) => Stage::Done,
            _ => return Progress::Stuck,
        };
        self.stage = next;
        if self.stage == Stage::Done { Progress::Done } else { Progress::GoOn }
        // </exercise>
    }
}
