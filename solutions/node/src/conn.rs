use std::collections::VecDeque;
use std::fmt;

use bytes::{Buf, BytesMut};
use core_types::{Endpoint, Millis, Offset, Protocol};

use crate::blocking::Blocked;
use crate::cluster::BusLink;
use crate::layers::redirection::Says;
use crate::layers::trees::OverLimit;
use crate::layers::wire::CommandDecoder;
use crate::persistence::Hold;
use crate::pubsub::Subscriptions;
use crate::replication::ReplicaConn;
use crate::sentinel::Watch;
use crate::transaction::Transaction;

/// Names one connection. Never reused in the life of a node, so that a late event of a closed
/// connection cannot reach its successor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    slot: u32,
    generation: u32,
}

impl ConnId {
    /// A small number that no other open connection has: an index for the driver's own tables.
    pub fn slot(self) -> usize {
        self.slot as usize
    }
}

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

impl fmt::Debug for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conn {self}")
    }
}

/// What a connection is for.
#[derive(Debug, Default)]
pub(crate) enum Kind {
    /// A client that sends commands.
    #[default]
    Client,
    /// A replica that has asked for our stream.
    Replica(Box<ReplicaConn>),
    /// Our own link to our master. We opened it.
    MasterLink,
    /// A connection that the sentinel opened.
    Watch(Box<Watch>),
    /// A connection between nodes of a cluster.
    Bus(Box<BusLink>),
    /// A connection by which `MIGRATE` sends keys.
    Courier(Box<crate::cluster::Courier>),
}

/// What a replica tells about itself before `PSYNC`, by `REPLCONF`.
#[derive(Debug, Default, Clone)]
pub(crate) struct ReplicaHello {
    pub(crate) port: u16,
    pub(crate) ip: Option<String>,
    pub(crate) eof: bool,
    pub(crate) psync2: bool,
    /// It wants a snapshot and no stream.
    pub(crate) rdb_only: bool,
    /// It wants no data in its snapshot.
    pub(crate) filtered: bool,
}

/// Bytes received and not yet executed, and how far they are understood.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) decoder: CommandDecoder,
    pub(crate) pending: BytesMut,
}

/// Which commands of a client are answered: `CLIENT REPLY`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Replies {
    /// All of them.
    #[default]
    On,
    /// None.
    Off,
    /// All but the next one.
    SkipNext,
    /// All but this one.
    Skip,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) id: ConnId,
    /// What `CLIENT ID` shows: grows by one with each connection.
    pub(crate) client_id: u64,
    pub(crate) kind: Kind,
    pub(crate) addr: String,
    pub(crate) local_addr: String,
    /// Where it leads to, if we have opened it.
    pub(crate) target: Option<Endpoint>,
    pub(crate) name: Vec<u8>,
    pub(crate) db: usize,
    pub(crate) protocol: Protocol,
    pub(crate) authenticated: bool,
    pub(crate) since: Millis,
    pub(crate) last_input: Millis,
    pub(crate) last_command: &'static str,
    pub(crate) input: Input,
    /// Bytes to write. What has been written is dropped from the front.
    pub(crate) out: BytesMut,
    /// How many bytes were ever taken from the front of `out`.
    pub(crate) sent: u64,
    /// Up to here output was looked at for what must wait, and what of it waits for the disk.
    pub(crate) looked_at: u64,
    pub(crate) holds: VecDeque<Hold>,
    /// In a cluster: what of the output waits for `nodes.conf`.
    pub(crate) file_holds: VecDeque<crate::cluster::FileHold>,
    /// It is in the node's list of connections to write to.
    pub(crate) queued: bool,
    /// Set once `Effect::Close` is on its way: nothing more is read or executed.
    pub(crate) closing: bool,
    /// It is a replica, which hears its stream and nothing else: a reply ends the connection.
    pub(crate) replica_mute: bool,
    /// Its input was left where it is, since too many replies wait to be written.
    pub(crate) throttled: bool,
    /// Commands queued since `MULTI`.
    pub(crate) transaction: Option<Transaction>,
    /// Watched keys: database, name, and whether it was there when the watch began.
    pub(crate) watched: Vec<(usize, Box<[u8]>, bool)>,
    /// A watched key was written since.
    pub(crate) watch_broken: bool,
    /// A command that waits. What else the client sends waits behind it.
    pub(crate) blocked: Option<Blocked>,
    /// Its next command waits for the end of a pause.
    pub(crate) postponed: bool,
    /// It gets every command that anybody sends (`MONITOR`).
    pub(crate) is_monitor: bool,
    /// It shall not be chosen when clients have to go (`CLIENT NO-EVICT`).
    pub(crate) no_evict: bool,
    /// Which of its commands are answered.
    pub(crate) replies: Replies,
    /// Whether its output has been over the soft limit, and since when.
    pub(crate) over_limit: OverLimit,
    /// Where the stream stood after its last command: what `WAIT` waits for.
    pub(crate) spoken_at: Offset,
    /// What it listens to.
    pub(crate) subscriptions: Subscriptions,
    /// What it said of itself by `REPLCONF` so far.
    pub(crate) hello: ReplicaHello,
    /// In a cluster: what it said by `ASKING` and `READONLY`.
    pub(crate) says: Says,
}

impl Conn {
    /// One of those that `CLIENT LIST` shows. The node's own errands are none: a sentinel's questions, the bus, keys on
    /// their way.
    pub(crate) fn is_client(&self) -> bool {
        match self.kind {
            Kind::Client | Kind::Replica(_) | Kind::MasterLink => true,
            Kind::Watch(_) | Kind::Bus(_) | Kind::Courier(_) => false,
        }
    }

    pub(crate) fn new(id: ConnId, client_id: u64, addr: String, local_addr: String, now: Millis) -> Conn {
        Conn {
            id,
            client_id,
            kind: Kind::Client,
            addr,
            local_addr,
            target: None,
            name: Vec::new(),
            db: 0,
            protocol: Protocol::Resp2,
            authenticated: false,
            since: now,
            last_input: now,
            last_command: "NULL",
            input: Input::default(),
            out: BytesMut::new(),
            sent: 0,
            looked_at: 0,
            holds: VecDeque::new(),
            file_holds: VecDeque::new(),
            queued: false,
            closing: false,
            replica_mute: false,
            throttled: false,
            transaction: None,
            watched: Vec::new(),
            watch_broken: false,
            blocked: None,
            postponed: false,
            is_monitor: false,
            no_evict: false,
            replies: Replies::On,
            over_limit: OverLimit::default(),
            spoken_at: Offset(0),
            subscriptions: Subscriptions::new(),
            hello: ReplicaHello::default(),
            says: Says::default(),
        }
    }

    /// It executes nothing at the moment: what it sends waits.
    pub(crate) fn waits(&self) -> bool {
        self.blocked.is_some() || self.postponed
    }

    /// Drops `count` bytes that the driver has written.
    pub(crate) fn mark_sent(&mut self, count: usize) {
        let count = count.min(self.out.len());
        self.out.advance(count);
        self.sent += count as u64;
        if self.out.is_empty() && self.out.capacity() > KEEP_OUT {
            // One large reply must not hold its memory for the rest of the connection's life.
            self.out = BytesMut::new();
        }
    }

    /// Position in the whole of what this connection was ever given to send.
    pub(crate) fn queued_until(&self) -> u64 {
        self.sent + self.out.len() as u64
    }
}

/// How much empty output buffer a connection may keep, in bytes.
const KEEP_OUT: usize = 64 * 1024;

/// All connections, by a dense index, with a generation that tells a reused index from its past.
///
/// While a connection's input is executed it is taken out, so that a command can change it and the
/// node at the same time; `put_back` returns it.
#[derive(Debug, Default)]
pub(crate) struct Conns {
    slots: Vec<Slot>,
    free: Vec<u32>,
    open: usize,
    next_client_id: u64,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    conn: Option<Box<Conn>>,
}

impl Conns {
    pub(crate) fn open(&mut self, addr: String, local_addr: String, now: Millis) -> ConnId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        let entry = &mut self.slots[slot as usize];
        let id = ConnId { slot, generation: entry.generation };
        self.next_client_id += 1;
        entry.conn = Some(Box::new(Conn::new(id, self.next_client_id, addr, local_addr, now)));
        self.open += 1;
        id
    }

    /// Forgets a connection. False if it was not open (or is taken out right now).
    pub(crate) fn remove(&mut self, id: ConnId) -> Option<Box<Conn>> {
        let slot = self.slot_mut(id)?;
        let conn = slot.conn.take()?;
        self.forget(id);
        Some(conn)
    }

    /// The second half of `remove`, for a connection that was taken out.
    pub(crate) fn forget(&mut self, id: ConnId) {
        if let Some(slot) = self.slot_mut(id) {
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(id.slot);
            self.open -= 1;
        }
    }

    pub(crate) fn get(&self, id: ConnId) -> Option<&Conn> {
        let slot = self.slots.get(id.slot())?;
        if slot.generation == id.generation { slot.conn.as_deref() } else { None }
    }

    pub(crate) fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.slot_mut(id)?.conn.as_deref_mut()
    }

    pub(crate) fn take(&mut self, id: ConnId) -> Option<Box<Conn>> {
        self.slot_mut(id)?.conn.take()
    }

    pub(crate) fn put_back(&mut self, conn: Box<Conn>) {
        if let Some(slot) = self.slot_mut(conn.id) {
            slot.conn = Some(conn);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Conn> {
        self.slots.iter().filter_map(|slot| slot.conn.as_deref())
    }

    /// How many are open, one that is taken out included.
    pub(crate) fn len(&self) -> usize {
        self.open
    }

    fn slot_mut(&mut self, id: ConnId) -> Option<&mut Slot> {
        self.slots.get_mut(id.slot()).filter(|slot| slot.generation == id.generation)
    }
}
