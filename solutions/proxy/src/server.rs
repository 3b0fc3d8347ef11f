//! One server of a pool: the link to it, and whose answers it owes.

use std::collections::VecDeque;

use bytes::BytesMut;
use core_types::Millis;

use crate::LinkId;
use crate::reply::Scanner;

/// A server that owes so many bytes of commands is fed no more: the clients that want it wait.
const UNSENT: usize = 16 * 1024 * 1024;

pub(crate) struct Server {
    pub(crate) pool: usize,
    /// Its index in the pool.
    pub(crate) place: usize,
    pub(crate) link: Option<LinkId>,
    /// The link stands; until then what is to be sent waits.
    pub(crate) connected: bool,
    pub(crate) out: BytesMut,
    /// It stands in the list of those with something to write.
    pub(crate) queued: bool,
    pub(crate) input: BytesMut,
    pub(crate) scanner: Scanner,
    /// Whose answer comes next.
    pub(crate) tickets: VecDeque<Ticket>,
}

/// An answer that a server owes.
#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) asked: Asked,
    /// When it was asked.
    pub(crate) since: Millis,
}

#[derive(Clone, Copy)]
pub(crate) enum Asked {
    /// Part `part` of command `number` of a client.
    Client { client: LinkId, number: u64, part: u32 },
    /// The proxy itself, to be let in.
    Auth,
}

impl Server {
    pub(crate) fn new(pool: usize, place: usize) -> Server {
        Server {
            pool,
            place,
            link: None,
            connected: false,
            out: BytesMut::new(),
            queued: false,
            input: BytesMut::new(),
            scanner: Scanner::default(),
            tickets: VecDeque::new(),
        }
    }

    /// May more be asked of it?
    pub(crate) fn has_room(&self) -> bool {
        self.out.len() < UNSENT
    }

    /// Forgets the link. The answers it owed are returned.
    pub(crate) fn unlink(&mut self) -> VecDeque<Ticket> {
        self.link = None;
        self.connected = false;
        self.out.clear();
        self.input.clear();
        self.scanner = Scanner::default();
        std::mem::take(&mut self.tickets)
    }
}
