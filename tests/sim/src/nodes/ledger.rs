//! What must hold in a whole tree of nodes, kept like a book: whoever has stood where, holding what.
//!
//! A *position* is a replication id and an offset. The same stretch of stream can have several names (a promotion
//! gives what follows a new id, and what went before keeps the old one as well), so positions are first brought to
//! the oldest name that is known for them. Then, after every step of every node:
//!
//! - two nodes that have ever stood at the same position held the same data there;
//! - nobody stands further in a history than the master that writes it, no replica further than its master;
//! - without a full synchronisation no offset goes back;
//! - a replica asks for what it lacks, and is given a snapshot only if that is not to be had ([`resync`]);
//! - the log of a node holds what it should, and not much more;
//! - what `WAIT` has confirmed had in fact been applied by so many replicas.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use core_types::{Broken, Offset, Position, ReplId, Role, write_command};
use node::Node;
use node::layers::one_replica::LinkState;

use super::resync::{self, Sync};
use super::{NodeHost, Witness, digest, rules};
use crate::world::{HostId, World};

/// The book. Shared with the world, whose rule it is.
#[derive(Default)]
pub struct Ledger {
    hosts: Vec<HostId>,
    witness: Option<HostId>,
    seen: Vec<Seen>,
    /// What was held at each position, and who was the first to stand there.
    data: BTreeMap<(ReplId, Offset), (u64, HostId)>,
    /// Histories that began as the continuation of another, and where they parted from it.
    origins: BTreeMap<ReplId, Position>,
    /// Histories that a master began over the data of another: it had forgotten its log.
    renamed: BTreeMap<ReplId, Position>,
    /// How far each history has been written by a master.
    written: BTreeMap<ReplId, Offset>,
    /// How far each host has ever come in each history.
    reached: BTreeMap<(HostId, ReplId), Offset>,
    /// Questions that are not answered yet, by connection.
    asked: BTreeMap<u32, (HostId, Option<(ReplId, i64)>)>,
    /// Where each mark of the witness was written, and by whom.
    marks: BTreeMap<u64, (Position, HostId)>,
    confirmed: usize,
    totals: Totals,
}

/// What a run has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Times that a data set was compared with what another node had held at the same position.
    pub compared: u64,
    /// Answers `+FULLRESYNC`.
    pub full: u64,
    /// Answers `+CONTINUE`.
    pub partial: u64,
    /// Confirmations of `WAIT`, not counting those for no replica.
    pub confirmed: u64,
}

/// What was last seen of a host.
#[derive(Clone, Default)]
struct Seen {
    starts: u32,
    at: Option<Position>,
    online: bool,
    master: bool,
    tells: bool,
    /// It has been a master that wrote no stream: its position says nothing until it begins one, or follows one.
    dark: bool,
    /// It has never stood in a history that others know.
    new: bool,
    /// A full synchronisation was promised to it and is not through.
    full: bool,
    /// Its log must reach back at least to here.
    floor: Option<Offset>,
    /// How many of its questions and answers have been read.
    syncs: usize,
    skipped: u32,
}

/// A node that seems not to have moved is looked at all the same, once in so many steps.
const PATIENCE: u32 = 32;
/// So many bytes a log may hold beyond its size: a block that is not full, the newest command, one event's work.
const SLACK: u64 = 96 * 1024;

impl Ledger {
    /// Begins a book about `hosts`, and makes it a rule of the world.
    pub fn watch(world: &mut World<'_>, hosts: &[HostId], witness: Option<HostId>) -> Rc<RefCell<Ledger>> {
        let ledger = Ledger {
            hosts: hosts.to_vec(),
            witness,
            seen: vec![Seen::default(); hosts.len()],
            ..Ledger::default()
        };
        let ledger = Rc::new(RefCell::new(ledger));
        let book = Rc::clone(&ledger);
        world.always(move |world| book.borrow_mut().check(world));
        ledger
    }

    /// What the run has shown so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    fn check(&mut self, world: &World<'_>) -> Result<(), Broken> {
        let id = world.last_stepped();
        if self.witness == Some(id) {
            return self.check_witness(world, id);
        }
        let Some(index) = self.hosts.iter().position(|host| *host == id) else { return Ok(()) };
        let Some(host) = world.get::<NodeHost>(id) else { return Ok(()) };
        self.check_node(world, index, id, host)
            .map_err(|broken| Broken::new(broken.rule, format!("{}: {}", world.name(id), broken.detail)))
    }

    fn check_node(
        &mut self,
        world: &World<'_>,
        index: usize,
        id: HostId,
        host: &NodeHost,
    ) -> Result<(), Broken> {
        let node = host.node();
        if node.is_loading() {
            return Ok(());
        }
        if self.seen[index].starts != world.starts(id) {
            let known = self.written.contains_key(&node.replication_id());
            self.seen[index] = Seen { starts: world.starts(id), new: !known, ..Seen::default() };
        }
        if host.syncs().len() > self.seen[index].syncs {
            self.read_syncs(world, index, id, host)?;
        }
        let history = node.history();
        let now = Position { id: history.id, offset: node.replication_offset() };
        let online = node.link_state() == Some(LinkState::Online);
        let (master, tells) = (*node.role() == Role::Master, node.offset_tells());
        let seen = &mut self.seen[index];
        let was = (seen.at, seen.online, seen.master, seen.tells);
        let still = was == (Some(now), online, master, tells);
        if still && seen.skipped < PATIENCE {
            seen.skipped += 1;
            return Ok(());
        }
        seen.skipped = 0;
        check_order(seen, now)?;
        self.check_log(index, now, node)?;
        let seen = &mut self.seen[index];
        let before = seen.at.map_or(Offset(0), |at| at.offset);
        if let Some(at) = seen.at.filter(|at| seen.master && master && at.id != now.id) {
            self.renamed.insert(now.id, at);
        }
        if online {
            seen.full = false;
        }
        seen.new &= !online && !master;
        seen.dark = if master { !tells } else { seen.dark && !online };
        (seen.at, seen.online, seen.master, seen.tells) = (Some(now), online, master, tells);
        if seen.dark {
            return Ok(());
        }
        if let Some(earlier) = history.earlier {
            let origin = self.origins.entry(history.id).or_insert(earlier);
            if origin.id == earlier.id {
                origin.offset = origin.offset.max(earlier.offset);
            }
        }
        if master {
            let written = self.written.entry(now.id).or_default();
            *written = now.offset.max(*written);
        } else if online {
            self.check_not_ahead(world, id, host, now)?;
        }
        self.reach(id, now);
        let held = digest(node.keyspace());
        if master {
            self.note_mark(id, node, before, now);
        }
        self.compare(world, id, now, held)?;
        match history.earlier.filter(|earlier| now.offset <= earlier.offset) {
            Some(earlier) => self.compare(world, id, Position { id: earlier.id, offset: now.offset }, held),
            None => Ok(()),
        }
    }

    /// Reads what the host has asked and answered since it was last looked at.
    fn read_syncs(
        &mut self,
        world: &World<'_>,
        index: usize,
        id: HostId,
        host: &NodeHost,
    ) -> Result<(), Broken> {
        let from = std::mem::replace(&mut self.seen[index].syncs, host.syncs().len());
        for sync in &host.syncs()[from..] {
            match sync {
                Sync::Asked { conn, wanted, stood } => {
                    self.asked.insert(conn.number(), (id, *wanted));
                    let seen = &self.seen[index];
                    resync::check_question(*wanted, *stood, seen.new || seen.full)?;
                }
                Sync::Answered { conn, partial, grounds } => {
                    let Some((replica, wanted)) = self.asked.remove(&conn.number()) else { continue };
                    resync::check_answer(wanted, *partial, grounds)?;
                    if *partial {
                        self.totals.partial += 1;
                        continue;
                    }
                    self.totals.full += 1;
                    let known = self.hosts.iter().position(|host| *host == replica);
                    // A process that has died since is not the one that asked.
                    if let Some(replica) = known.filter(|_| world.is_open(*conn)) {
                        self.seen[replica].full = true;
                    }
                }
            }
        }
        Ok(())
    }

    /// Nobody stands further than the master that writes the history, no replica further than its own master.
    fn check_not_ahead(
        &self,
        world: &World<'_>,
        id: HostId,
        host: &NodeHost,
        now: Position,
    ) -> Result<(), Broken> {
        const RULE: &str = "a replica is never ahead of its master";
        let written = self.written.get(&now.id).copied();
        if written.is_none_or(|written| now.offset > written) {
            let detail = format!("it stands at {}, the history is written up to {written:?}", show(now));
            return Err(Broken::new(RULE, detail));
        }
        // With both ends open, the other process is the one that answered.
        let Some(conn) = host.link().filter(|conn| world.is_open(*conn)) else { return Ok(()) };
        let Some(master) = rules::node(world, world.peer(id, conn)) else { return Ok(()) };
        let at = master.replication_offset();
        if master.replication_id() == now.id && now.offset > at && !master.is_loading() {
            return Err(Broken::new(RULE, format!("it stands at {}, its master at {at}", show(now))));
        }
        Ok(())
    }

    /// The log reaches back as far as it must, and no further than there is a reason for.
    fn check_log(&mut self, index: usize, now: Position, node: &Node) -> Result<(), Broken> {
        let seen = &mut self.seen[index];
        let (Some((start, end)), Some(size)) = (node.log_window(), node.log_size()) else {
            seen.floor = None;
            return Ok(());
        };
        if end != now.offset {
            let detail = format!("the log ends at {end}, the node stands at {}", show(now));
            return Err(Broken::new("a log ends where its node stands", detail));
        }
        let same = !seen.full && seen.at.is_some_and(|at| at.id == now.id);
        let due = Offset(end.0.saturating_sub(size as u64));
        let floor = seen.floor.filter(|_| same).map_or(start, |floor| floor.max(due));
        seen.floor = Some(floor);
        if start > floor {
            let detail = format!("it begins at {start}, and should at {floor} (repl-backlog-size {size})");
            return Err(Broken::new("a log keeps the last repl-backlog-size bytes", detail));
        }
        let limit = node.config().client_output_buffer_limit[1].hard;
        let waiting = if node.attached_replicas() == 0 { Some(0) } else { (limit > 0).then_some(limit) };
        let Some(waiting) = waiting else { return Ok(()) };
        if end.since(start) > waiting.max(size as u64) + SLACK {
            let detail =
                format!("{} bytes; repl-backlog-size {size}, output limit {limit}", end.since(start));
            return Err(Broken::new("a log does not grow beyond what its readers may lack", detail));
        }
        Ok(())
    }

    /// The oldest name of a position.
    fn oldest(&self, mut position: Position) -> Position {
        // Each origin is older than what came from it, so this ends; but a node's claim is not to be relied on.
        for _ in 0..64 {
            match self.origins.get(&position.id) {
                Some(origin) if position.offset <= origin.offset => position.id = origin.id,
                _ => break,
            }
        }
        position
    }

    fn compare(&mut self, world: &World<'_>, id: HostId, at: Position, held: u64) -> Result<(), Broken> {
        let at = self.oldest(at);
        let (before, who) = *self.data.entry((at.id, at.offset)).or_insert((held, id));
        if before == held {
            self.totals.compared += u64::from(who != id);
            return Ok(());
        }
        let mut detail = format!("at {} it holds other data than {} held there", show(at), world.name(who));
        if let (Some(one), Some(other)) = (rules::node(world, who), rules::node(world, id)) {
            let there = Position { id: one.replication_id(), offset: one.replication_offset() };
            if who != id && self.oldest(there) == at {
                detail = format!("{detail}; {}", rules::difference(one, other));
            }
        }
        Err(Broken::new("at one position in a history there is one data set", detail))
    }

    /// Notes how far a host has come, under all names of the history.
    fn reach(&mut self, id: HostId, mut at: Position) {
        for _ in 0..64 {
            let reached = self.reached.entry((id, at.id)).or_default();
            *reached = at.offset.max(*reached);
            let origin = self.origins.get(&at.id).or_else(|| self.renamed.get(&at.id));
            let Some(origin) = origin else { return };
            at = Position { id: origin.id, offset: at.offset.min(origin.offset) };
        }
    }

    /// Notes where a mark of the witness was written, by a master that stood at `before` until then. What else it
    /// has written in the same event may come behind the mark, so this is the least that a replica must have.
    fn note_mark(&mut self, id: HostId, node: &Node, before: Offset, now: Position) {
        if self.witness.is_none() {
            return;
        }
        let entry = node.keyspace().db(0).get(Witness::MARK);
        let Some(mark) = entry.and_then(|entry| entry.value.as_string().ok()?.as_number()) else { return };
        let mark = mark.unsigned_abs();
        self.marks.entry(mark).or_insert_with(|| {
            let mut written = bytes::BytesMut::new();
            write_command(&mut written, Witness::command(mark).as_args().iter());
            (Position { id: now.id, offset: now.offset.min(before.plus(written.len())) }, id)
        });
    }

    /// What `WAIT` has confirmed: so many replicas had applied the write by then.
    fn check_witness(&mut self, world: &World<'_>, id: HostId) -> Result<(), Broken> {
        let Some(witness) = world.get::<Witness>(id) else { return Ok(()) };
        for &(mark, replicas) in &witness.confirmed()[self.confirmed..] {
            self.confirmed += 1;
            let Some(&(at, writer)) = self.marks.get(&mark).filter(|_| replicas > 0) else { continue };
            if at.offset == Offset(0) {
                // Written before there was a stream. A replica that was sent its first snapshot and has said
                // nothing yet counts as one that has acknowledged offset 0: so in Redis, and so here.
                continue;
            }
            self.totals.confirmed += 1;
            let others = self.hosts.iter().filter(|host| **host != writer);
            let have = others.filter(|host| {
                self.reached.get(&(**host, at.id)).is_some_and(|reached| *reached >= at.offset)
            });
            let have = have.count() as u64;
            if have < replicas {
                return Err(Broken::new(
                    "when WAIT says n, n replicas have applied the write",
                    format!("mark {mark}, at {} of {}: {have} of {replicas}", show(at), world.name(writer)),
                ));
            }
        }
        Ok(())
    }
}

/// Without a full synchronisation, no offset goes back.
fn check_order(seen: &Seen, now: Position) -> Result<(), Broken> {
    match seen.at {
        Some(before) if !seen.full && now.offset < before.offset => Err(Broken::new(
            "without a full synchronisation, a node's offset never goes back",
            format!("it stood at {}, and now at {}", show(before), show(now)),
        )),
        _ => Ok(()),
    }
}

fn show(position: Position) -> String {
    format!("{}:{}", position.id.short(), position.offset)
}
