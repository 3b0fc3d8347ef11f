//! What the drivers of the node and of the proxy have in common: the table of their connections, how a connection's task
//! is woken, who has something to write, and the timer.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use core_types::Millis;
use node::ConnId;
use proxy::LinkId;
use tokio::sync::Notify;

use crate::clock;

/// Size of the read buffer that all connections share, in bytes: as much as one read takes from a socket.
const SCRATCH: usize = 64 * 1024;

/// The read buffer. Its bytes are the machine's before the task that read them gives way.
pub(crate) fn scratch() -> RefCell<Box<[u8]>> {
    RefCell::new(vec![0; SCRATCH].into_boxed_slice())
}

/// The name of a connection. Slots are used again, names never.
pub(crate) trait Name: Copy + Eq {
    fn slot(self) -> usize;
}

impl Name for ConnId {
    fn slot(self) -> usize {
        ConnId::slot(self)
    }
}

impl Name for LinkId {
    fn slot(self) -> usize {
        LinkId::slot(self)
    }
}

/// A line and the connection it is for.
type Slot<N, L> = Option<(N, Rc<L>)>;

/// What a driver keeps for each connection, by name.
pub(crate) struct Lines<N, L>(RefCell<Vec<Slot<N, L>>>);

impl<N, L> Default for Lines<N, L> {
    fn default() -> Lines<N, L> {
        Lines(RefCell::default())
    }
}

impl<N: Name, L: Default> Lines<N, L> {
    pub(crate) fn add(&self, name: N) -> Rc<L> {
        let mut lines = self.0.borrow_mut();
        if lines.len() <= name.slot() {
            lines.resize_with(name.slot() + 1, || None);
        }
        let line = Rc::<L>::default();
        lines[name.slot()] = Some((name, Rc::clone(&line)));
        line
    }

    /// `None`: it is over, and its slot may belong to a successor already.
    pub(crate) fn get(&self, name: N) -> Option<Rc<L>> {
        match self.0.borrow().get(name.slot()) {
            Some(Some((known, line))) if *known == name => Some(Rc::clone(line)),
            _ => None,
        }
    }

    pub(crate) fn remove(&self, name: N) {
        if let Some(slot) = self.0.borrow_mut().get_mut(name.slot())
            && slot.as_ref().is_some_and(|(known, _)| *known == name)
        {
            *slot = None;
        }
    }

    /// Does something with every one. It must not add or remove any.
    pub(crate) fn each(&self, mut act: impl FnMut(N, &L)) {
        self.0.borrow().iter().flatten().for_each(|(name, line)| act(*name, line));
    }
}

/// Wakes the task of a connection.
#[derive(Default)]
pub(crate) struct Bell(RefCell<Option<Waker>>);

impl Bell {
    /// Makes later calls of `ring` poll the task of this waker.
    pub(crate) fn register(&self, waker: &Waker) {
        let mut known = self.0.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    pub(crate) fn ring(&self) {
        if let Some(waker) = &*self.0.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// Connections with something to write, and how the task that writes for all of them is woken.
///
/// It is woken by the first of the connections that are readable right now, so it runs after all of them: everything that
/// has arrived is dealt with before the first reply leaves. The peers then wake once for many replies, not once for each.
/// (Redis does the same in `beforeSleep`.)
pub(crate) struct Writers<N> {
    list: RefCell<VecDeque<N>>,
    work: Notify,
}

impl<N> Default for Writers<N> {
    fn default() -> Writers<N> {
        Writers { list: RefCell::default(), work: Notify::new() }
    }
}

impl<N> Writers<N> {
    pub(crate) fn push(&self, name: N) {
        let mut list = self.list.borrow_mut();
        if list.is_empty() {
            self.work.notify_one();
        }
        list.push_back(name);
    }

    /// There is something else to do for that task.
    pub(crate) fn wake(&self) {
        self.work.notify_one();
    }

    pub(crate) async fn wait(&self) {
        self.work.notified().await;
    }

    /// Does something for each that stands in the list now. What comes meanwhile has its turn after the connections that
    /// can be read by then.
    pub(crate) async fn serve(&self, mut write: impl FnMut(N)) {
        let count = self.list.borrow().len();
        for _ in 0..count {
            let Some(name) = self.list.borrow_mut().pop_front() else { break };
            write(name);
        }
        if !self.list.borrow().is_empty() {
            self.work.notify_one();
            tokio::task::yield_now().await;
        }
    }
}

/// When the task that keeps the time will wake, and how to make it look again.
pub(crate) struct Timer {
    at: Cell<Millis>,
    earlier: Notify,
}

/// How long to sleep when nothing wants waking: a clock may jump.
const LONGEST: Millis = Millis(1000);

impl Default for Timer {
    fn default() -> Timer {
        Timer { at: Cell::new(Millis(u64::MAX)), earlier: Notify::new() }
    }
}

impl Timer {
    /// Something is wanted at this time, perhaps earlier than it was before.
    pub(crate) fn want(&self, deadline: Option<Millis>) {
        if deadline.is_some_and(|deadline| deadline < self.at.get()) {
            self.earlier.notify_one();
        }
    }

    /// Waits until then. False if something may be wanted earlier: ask again.
    pub(crate) async fn wait(&self, deadline: Option<Millis>) -> bool {
        let wait = deadline.map_or(LONGEST, |deadline| deadline.since(clock::now()).min(LONGEST));
        self.at.set(deadline.unwrap_or(Millis(u64::MAX)));
        if wait == Millis::ZERO {
            // Never the whole thread, even if a tick were wanted at every moment.
            tokio::task::yield_now().await;
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait.0)) => true,
            () = self.earlier.notified() => false,
        }
    }
}
