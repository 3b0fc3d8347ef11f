//! The connections, by name: clients, and one link to each server.

use std::fmt;

use crate::client::Client;

/// Names a connection. Never used again for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId {
    slot: u32,
    generation: u32,
}

impl LinkId {
    /// A small number, unique among the connections that are open: an index for the driver's own table.
    pub const fn slot(self) -> usize {
        self.slot as usize
    }
}

impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}.{}", self.slot, self.generation)
    }
}

/// What a connection is for.
pub(crate) enum Link {
    Client(Box<Client>),
    /// A link to the server of this index.
    Server(usize),
}

#[derive(Default)]
pub(crate) struct Links {
    slots: Vec<(u32, Option<Link>)>,
    free: Vec<u32>,
    clients: usize,
}

impl Links {
    /// A new connection, and its name.
    pub(crate) fn add(&mut self, link: Link) -> LinkId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            (self.slots.len() - 1) as u32
        });
        let entry = &mut self.slots[slot as usize];
        let id = LinkId { slot, generation: entry.0 };
        self.clients += usize::from(matches!(link, Link::Client(_)));
        entry.1 = Some(link);
        id
    }

    pub(crate) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        match self.slots.get_mut(id.slot()) {
            Some((generation, link)) if *generation == id.generation => link.as_mut(),
            _ => None,
        }
    }

    pub(crate) fn get(&self, id: LinkId) -> Option<&Link> {
        match self.slots.get(id.slot()) {
            Some((generation, link)) if *generation == id.generation => link.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn client_mut(&mut self, id: LinkId) -> Option<&mut Client> {
        match self.get_mut(id) {
            Some(Link::Client(client)) => Some(client),
            _ => None,
        }
    }

    /// How many clients are connected.
    pub(crate) fn clients(&self) -> usize {
        self.clients
    }

    pub(crate) fn remove(&mut self, id: LinkId) -> Option<Link> {
        self.get_mut(id)?;
        let entry = &mut self.slots[id.slot()];
        entry.0 = entry.0.wrapping_add(1);
        self.free.push(id.slot);
        let link = entry.1.take();
        self.clients -= usize::from(matches!(link, Some(Link::Client(_))));
        link
    }
}
