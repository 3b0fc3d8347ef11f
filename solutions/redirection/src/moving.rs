//! The states of a slot that moves, and `CLUSTER SETSLOT`, which changes them.
//!
//! ```text
//!   at the source                               at the target
//!
//!   mine ──MIGRATING target──▶ mine, leaving    the source's ──IMPORTING source──▶ arriving
//!                                  │                                                │
//!                             NODE target (no key left)                        NODE target (itself):
//!                                  ▼                                           a new epoch, a PONG to all
//!                             the target's                                          ▼
//!                                                                                 mine
//! ```
//!
//! `STABLE` takes the marks away and leaves the slot with its owner.

use std::fmt;

// ANCHOR: moving
/// The two marks that a node can have on a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moving<N> {
    /// `MIGRATING`: it leaves, to that node. Without meaning unless the slot is ours.
    pub to: Option<N>,
    /// `IMPORTING`: it arrives, from that node.
    pub from: Option<N>,
}

/// What `CLUSTER SETSLOT slot …` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetSlot<N> {
    /// `MIGRATING node`
    Migrating(N),
    /// `IMPORTING node`
    Importing(N),
    /// `STABLE`
    Stable,
    /// `NODE node`
    Node(N),
}

/// What the node knows when the command comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotState<N> {
    /// This node. It is a master; a replica refuses `SETSLOT` before this is asked.
    pub me: N,
    /// Whose the slot is.
    pub owner: Option<N>,
    /// The marks on it.
    pub moving: Moving<N>,
    /// How many of its keys are here.
    pub keys: usize,
}

/// What else has to happen, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// This node takes a configuration epoch greater than all it knows, unless its own is the greatest already. It
    /// asks nobody.
    pub bump_epoch: bool,
    /// Every node is told at once, with a `PONG`.
    pub tell_all: bool,
    /// The slot was ours and is not any more: if it was the last one, this node becomes a replica of the new owner,
    /// if `cluster-allow-replica-migration` says so.
    pub lost: bool,
}

/// Why it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetSlotError {
    /// `MIGRATING`, and the slot is not ours.
    NotTheOwner,
    /// `IMPORTING`, and the slot is ours already.
    AlreadyTheOwner,
    /// `NODE` would give away a slot of which keys are still here.
    KeysLeft,
}
// ANCHOR_END: moving

impl<N> Moving<N> {
    /// No mark.
    pub const STABLE: Moving<N> = Moving { to: None, from: None };
}

impl<N> Default for Moving<N> {
    fn default() -> Moving<N> {
        Moving::STABLE
    }
}

impl SetSlotError {
    /// The error that a client gets, without the leading `-`.
    pub fn text(self, slot: core_types::Slot) -> String {
        match self {
            SetSlotError::NotTheOwner => format!("ERR I'm not the owner of hash slot {slot}"),
            SetSlotError::AlreadyTheOwner => format!("ERR I'm already the owner of hash slot {slot}"),
            SetSlotError::KeysLeft => format!(
                "ERR Can't assign hashslot {slot} to a different node while I still hold keys for this hash slot."
            ),
        }
    }
}

impl fmt::Display for SetSlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetSlotError::NotTheOwner => "I'm not the owner",
            SetSlotError::AlreadyTheOwner => "I'm already the owner",
            SetSlotError::KeysLeft => "I still hold keys",
        })
    }
}

impl<N: Copy + Eq> SlotState<N> {
    /// Carries the command out, or refuses it and changes nothing.
    ///
    /// - `MIGRATING`: only the owner can let a slot go. The mark is set, or set anew.
    /// - `IMPORTING`: only who is not the owner can receive it. The mark is set, or set anew.
    /// - `STABLE`: both marks are taken away; the owner stays.
    /// - `NODE`: the slot has a new owner. Not if it is ours, is to be somebody else's, and keys of it are here. The
    ///   mark `MIGRATING` goes if no key of it is here. If the new owner is this node and it was importing the slot, the
    ///   import is over: its mark goes, and everybody has to hear of it in a configuration that beats the old owner's.
    pub fn set_slot(&mut self, command: SetSlot<N>) -> Result<Effects, SetSlotError> {
        // <exercise 8.5>
        let mine = self.owner == Some(self.me);
        let mut effects = Effects::default();
        match command {
            SetSlot::Migrating(_) if !mine => return Err(SetSlotError::NotTheOwner),
            SetSlot::Migrating(to) => self.moving.to = Some(to),
            SetSlot::Importing(_) if mine => return Err(SetSlotError::AlreadyTheOwner),
            SetSlot::Importing(from) => self.moving.from = Some(from),
            SetSlot::Stable => self.moving = Moving::STABLE,
            SetSlot::Node(owner) if mine && owner != self.me && self.keys > 0 => {
                return Err(SetSlotError::KeysLeft);
            }
            SetSlot::Node(owner) => {
                if self.keys == 0 {
                    self.moving.to = None;
                }
                self.owner = Some(owner);
                effects.lost = mine && owner != self.me;
                if owner == self.me && self.moving.from.take().is_some() {
                    effects.bump_epoch = true;
                    effects.tell_all = true;
                }
            }
        }
        Ok(effects)
        // </exercise>
    }
}
