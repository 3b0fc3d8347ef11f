//! Moving slots: many transfers of chapter 8 at once.
//!
//! Each transfer is a machine with one order at a time, so the order of its steps is kept whatever happens to the
//! others. What makes it fast is that the orders of all transfers that are under way go out together: a node gets
//! all of its own in one piece, and writes its `nodes.conf` once for all of them.
//!
//! Two nodes must never migrate to each other at the same time: `MIGRATE` blocks the node that sends until the
//! other one has answered. A plan cannot do that, since in it a node either gives or takes.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use core_types::{Endpoint, Frame, NodeId, Slot};
use indicatif::ProgressBar;
use node::layers::redirection::{Move, Order, Progress, Stage, Told, Transfer};

use super::links::{Links, Words, unreachable_text, words};
use super::say::{self, Failure};
use super::view::View;

/// How many transfers are under way at once. More are hardly faster, and other clients of the source would have
/// to wait longer while it works through its pile.
const TOGETHER: usize = 16;

/// So many times in a row a node may fail to answer.
const ATTEMPTS: u32 = 5;

/// How keys are moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// How long a `MIGRATE` may take.
    pub(super) timeout: Duration,
    /// How many keys go into one `MIGRATE`.
    pub(super) keys: usize,
    /// Overwrite keys of the same name at the target from the start.
    pub(super) replace: bool,
}

/// What has been moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) slots: usize,
    pub(super) keys: usize,
}

/// A transfer under way.
struct Running {
    transfer: Transfer<NodeId>,
    /// How many times in a row there was no answer.
    failures: u32,
    /// What was wrong last.
    why: String,
}

/// Carries a plan out. It ends at the first slot that cannot be moved, after those that are under way.
pub(super) fn carry_out(
    links: &mut Links,
    view: &View,
    plan: &[Move<NodeId>],
    manner: Manner,
) -> Result<Moved, Failure> {
    let bar = say::bar(plan.len());
    let result = Mover { links, view, manner, bar: &bar, moved: Moved::default() }.run(plan);
    bar.finish_and_clear();
    result
}

struct Mover<'a> {
    links: &'a mut Links,
    view: &'a View,
    manner: Manner,
    bar: &'a ProgressBar,
    moved: Moved,
}

impl Mover<'_> {
    fn run(mut self, plan: &[Move<NodeId>]) -> Result<Moved, Failure> {
        let mut waiting: VecDeque<&Move<NodeId>> = plan.iter().collect();
        let mut running: Vec<Running> = Vec::new();
        let mut stuck: Vec<(Slot, String)> = Vec::new();
        loop {
            while running.len() < TOGETHER && stuck.is_empty() {
                let Some(step) = waiting.pop_front() else { break };
                running.push(self.start(step));
            }
            if running.is_empty() {
                break;
            }
            let mut keep = Vec::with_capacity(running.len());
            let replies = self.send(&running);
            let mut slow = false;
            for (mut one, told) in running.into_iter().zip(replies) {
                match self.take(&mut one, told) {
                    Progress::GoOn => keep.push(one),
                    Progress::Again if one.failures < ATTEMPTS => {
                        slow |= one.failures > 1;
                        keep.push(one);
                    }
                    Progress::Done => {
                        self.moved.slots += 1;
                        self.bar.inc(1);
                        self.bar.set_message(say::count(self.moved.keys, "key"));
                    }
                    Progress::Again | Progress::Stuck => stuck.push((one.transfer.slot, one.why)),
                }
            }
            if slow {
                // It may be busy, or just be starting again.
                say::pause(Duration::from_millis(500));
            }
            running = keep;
        }
        if stuck.is_empty() { Ok(self.moved) } else { Err(self.explain(&stuck)) }
    }

    fn start(&self, step: &Move<NodeId>) -> Running {
        let others = self.view.masters_but(step.from, step.to);
        Running {
            transfer: Transfer::new(step.slot, step.from, step.to, others),
            failures: 0,
            why: String::new(),
        }
    }

    /// One order of each transfer.
    fn send(&mut self, running: &[Running]) -> Vec<(Told, String)> {
        let orders: Vec<(Endpoint, Words)> = running
            .iter()
            .map(|one| {
                let order = one.transfer.order().expect("a transfer that is done is not kept");
                let words = self.command(one.transfer.slot, &order);
                (self.view.place(at(&order)).clone(), words)
            })
            .collect();
        let places: Vec<Endpoint> = orders.iter().map(|(place, _)| place.clone()).collect();
        let replies = self.links.round(orders);
        let told = |(reply, place): (std::io::Result<Frame>, &Endpoint)| match reply {
            // A node that becomes a replica sends those away who wait for it: then it has to be asked again.
            Ok(Frame::Error(text)) if text.starts_with("UNBLOCKED") => {
                (Told::Lost, format!("{place} says: {text}"))
            }
            Ok(Frame::Error(text)) => (Told::error(&text), format!("{place} says: {text}")),
            Ok(Frame::Array(keys)) => {
                (Told::Keys(keys.into_iter().filter_map(bytes).collect()), String::new())
            }
            Ok(_) => (Told::Ok, String::new()),
            Err(error) => (Told::Lost, unreachable_text(place, &error)),
        };
        replies.into_iter().zip(&places).map(told).collect()
    }

    fn take(&mut self, one: &mut Running, (told, why): (Told, String)) -> Progress {
        if !why.is_empty() {
            one.why = why;
        }
        let before = one.transfer.moved;
        let progress = one.transfer.answered(told);
        self.moved.keys += one.transfer.moved - before;
        one.failures = if progress == Progress::Again { one.failures + 1 } else { 0 };
        if let Stage::Send { replace, .. } = &mut one.transfer.stage {
            *replace |= self.manner.replace;
        }
        progress
    }

    fn command(&self, slot: Slot, order: &Order<NodeId>) -> Words {
        match order {
            Order::Importing { from, .. } => words(format!("CLUSTER SETSLOT {slot} IMPORTING {from}")),
            Order::Migrating { to, .. } => words(format!("CLUSTER SETSLOT {slot} MIGRATING {to}")),
            Order::List { .. } => words(format!("CLUSTER GETKEYSINSLOT {slot} {}", self.manner.keys)),
            Order::Send { to, keys, replace, .. } => {
                migrate(self.links, self.view.place(*to), keys, *replace, self.manner.timeout)
            }
            Order::Node { owner, .. } => words(format!("CLUSTER SETSLOT {slot} NODE {owner}")),
        }
    }

    fn explain(&self, stuck: &[(Slot, String)]) -> Failure {
        for (slot, why) in stuck {
            say::error(format!("Slot {slot} could not be moved: {why}"));
        }
        tell!(
            "{} and {} have been moved before.",
            say::count(self.moved.slots, "slot"),
            say::count(self.moved.keys, "key")
        );
        tell!(
            "No key is lost: until a slot has changed hands, each of its keys is on one side or on the other."
        );
        tell!(
            "When all nodes are up again, `ha-cli --cluster fix {}` finishes what is half done.",
            self.view.entry
        );
        Failure::Told
    }
}

fn at(order: &Order<NodeId>) -> NodeId {
    match order {
        Order::Importing { at, .. }
        | Order::Migrating { at, .. }
        | Order::List { at }
        | Order::Send { at, .. }
        | Order::Node { at, .. } => *at,
    }
}

fn bytes(key: Frame) -> Option<Bytes> {
    match key {
        Frame::Bulk(bytes) => Some(bytes),
        _ => None,
    }
}

/// `MIGRATE` of some keys, with the login that we use ourselves: the target asks for it, too.
pub(super) fn migrate(
    links: &Links,
    to: &Endpoint,
    keys: &[Bytes],
    replace: bool,
    timeout: Duration,
) -> Words {
    let text = |text: &str| text.as_bytes().to_vec();
    let mut command = vec![text("MIGRATE"), text(&to.host), text(&to.port.to_string()), text(""), text("0")];
    command.push(text(&timeout.as_millis().to_string()));
    if replace {
        command.push(text("REPLACE"));
    }
    let login = links.login();
    match (&login.user, &login.password) {
        (Some(user), Some(password)) => command.extend(["AUTH2", user, password].map(text)),
        (None, Some(password)) => command.extend(["AUTH", password].map(text)),
        _ => {}
    }
    command.push(text("KEYS"));
    command.extend(keys.iter().map(|key| key.to_vec()));
    command
}
