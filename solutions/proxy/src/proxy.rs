//! The proxy: what it does with each event.

use std::collections::VecDeque;

use bytes::Buf;
use core_types::{Endpoint, LogLevel, Millis};
use node::layers::sharding;

use crate::LinkId;
use crate::client::Client;
use crate::config::{self, Config};
use crate::links::{Link, Links};
use crate::rate::Rate;
use crate::server::Server;

/// What the proxy asks its driver to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open a connection. The answer is [`Proxy::connected`] or [`Proxy::connect_failed`].
    Connect {
        /// The name it has.
        link: LinkId,
        /// Where to. A name is resolved by the driver.
        to: Endpoint,
    },
    /// Write what is pending as far as the socket takes it, close, then say so by [`Proxy::closed`].
    Close {
        /// The connection to close.
        link: LinkId,
    },
    /// A line for the log.
    Log {
        /// How much it matters.
        level: LogLevel,
        /// The text.
        text: String,
    },
}

/// Pools of servers, and the clients in front of them. See the crate's documentation for how it is driven.
pub struct Proxy {
    pub(crate) pools: Vec<Pool>,
    pub(crate) servers: Vec<Server>,
    pub(crate) links: Links,
    pub(crate) now: Millis,
    pub(crate) outbox: VecDeque<Effect>,
    pub(crate) writers: VecDeque<LinkId>,
    /// Clients that were told to wait, and may go on.
    pub(crate) resumed: VecDeque<LinkId>,
    /// Clients that wait.
    pub(crate) paused: Vec<LinkId>,
}

pub(crate) struct Pool {
    pub(crate) config: config::Pool,
    /// Where keys live, and how the servers are.
    pub(crate) keys: sharding::Pool,
    pub(crate) rate: Option<Rate>,
    /// The index of its first server among all servers.
    pub(crate) first: usize,
    /// A server's queue is full: no client of this pool is read.
    pub(crate) full: bool,
}

impl Proxy {
    /// A proxy without connections.
    pub fn new(config: &Config, now: Millis) -> Proxy {
        let mut servers = Vec::new();
        let pools = config.pools.iter().enumerate().map(|(index, pool)| {
            let first = servers.len();
            servers.extend((0..pool.servers.len()).map(|place| Server::new(index, place)));
            let named = pool.servers.iter();
            let named =
                named.map(|server| sharding::Server::new(server.name.clone(), server.weight)).collect();
            let keys = sharding::Pool::new(named, pool.distribution, pool.hash, pool.hash_tag, pool.health);
            let rate = pool.rate_limit.map(|limit| Rate::new(limit, now));
            Pool { config: pool.clone(), keys, rate, first, full: false }
        });
        let pools = pools.collect();
        Proxy {
            pools,
            servers,
            links: Links::default(),
            now,
            outbox: VecDeque::new(),
            writers: VecDeque::new(),
            resumed: VecDeque::new(),
            paused: Vec::new(),
        }
    }

    /// A client has connected to the pool of this index in the configuration.
    pub fn accept(&mut self, now: Millis, pool: usize) -> LinkId {
        self.now = now;
        let open = self.pools[pool].config.redis_auth.is_none();
        self.links.add(Link::Client(Box::new(Client::new(pool, open))))
    }

    /// How many clients are connected.
    pub fn clients(&self) -> usize {
        self.links.clients()
    }

    /// May more be read from this connection? If not, [`Proxy::poll_resumed`] names it when it may.
    pub fn accepts_input(&mut self, link: LinkId) -> bool {
        let Some(Link::Client(client)) = self.links.get_mut(link) else { return true };
        let accepts = client.has_room() && !self.pools[client.pool].full;
        if !accepts && !client.paused {
            client.paused = true;
            self.paused.push(link);
        }
        accepts
    }

    /// The next client that was told to wait and may go on.
    pub fn poll_resumed(&mut self) -> Option<LinkId> {
        self.resumed.pop_front()
    }

    /// Bytes have arrived.
    pub fn receive(&mut self, now: Millis, link: LinkId, bytes: &[u8]) {
        self.now = now;
        match self.links.get_mut(link) {
            None => {}
            Some(Link::Server(server)) => {
                let server = *server;
                self.replies(server, bytes);
            }
            Some(Link::Client(client)) => {
                // Most often whole commands arrive: they are read where they lie.
                let mut input = std::mem::take(&mut client.input);
                if input.is_empty() {
                    let used = self.commands(link, bytes);
                    input.extend_from_slice(&bytes[used..]);
                } else {
                    input.extend_from_slice(bytes);
                    let used = self.commands(link, &input);
                    input.advance(used);
                }
                if let Some(client) = self.links.client_mut(link) {
                    client.input = input;
                    self.settle(link);
                }
            }
        }
    }

    /// A connection that was asked for stands.
    pub fn connected(&mut self, now: Millis, link: LinkId) {
        self.now = now;
        let Some(Link::Server(index)) = self.links.get(link) else { return };
        let server = &mut self.servers[*index];
        server.connected = true;
        if !server.out.is_empty() && !server.queued {
            server.queued = true;
            self.writers.push_back(link);
        }
    }

    /// A connection that was asked for does not come to stand; `why` in the system's words.
    pub fn connect_failed(&mut self, now: Millis, link: LinkId, why: &str) {
        self.now = now;
        if let Some(Link::Server(index)) = self.links.get(link) {
            let index = *index;
            self.server_failed(index, why);
        }
    }

    /// A connection is over, whoever ended it.
    pub fn closed(&mut self, now: Millis, link: LinkId) {
        self.now = now;
        if let Some(Link::Server(index)) = self.links.get(link) {
            let index = *index;
            if self.servers[index].link == Some(link) {
                self.server_failed(index, "it closed the connection");
            }
        }
        self.links.remove(link);
    }

    pub(crate) fn log(&mut self, level: LogLevel, text: String) {
        self.outbox.push_back(Effect::Log { level, text });
    }

    /// The next connection that has something to write.
    pub fn wants_write(&mut self) -> Option<LinkId> {
        let link = self.writers.pop_front()?;
        match self.links.get_mut(link) {
            Some(Link::Client(client)) => client.queued = false,
            Some(Link::Server(index)) => self.servers[*index].queued = false,
            None => {}
        }
        Some(link)
    }

    /// What is to be written to a connection.
    pub fn pending(&self, link: LinkId) -> &[u8] {
        match self.links.get(link) {
            Some(Link::Client(client)) => &client.out,
            Some(Link::Server(index)) => {
                let server = &self.servers[*index];
                if server.link == Some(link) && server.connected { &server.out } else { &[] }
            }
            None => &[],
        }
    }

    /// So many bytes of it have been written.
    pub fn sent(&mut self, now: Millis, link: LinkId, bytes: usize) {
        self.now = now;
        match self.links.get_mut(link) {
            Some(Link::Client(client)) => {
                client.out.advance(bytes);
                self.settle_paused(link);
            }
            Some(Link::Server(index)) => {
                let server = &mut self.servers[*index];
                server.out.advance(bytes);
                let pool = server.pool;
                self.make_room(pool);
            }
            None => {}
        }
    }

    /// What to do next, if anything.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.outbox.pop_front()
    }

    /// When [`Proxy::tick`] has something to do.
    pub fn next_deadline(&self) -> Option<Millis> {
        let late = self.servers.iter().filter_map(|server| {
            let timeout = self.pools[server.pool].config.timeout?;
            Some(server.tickets.front()?.since + timeout)
        });
        let back = self.pools.iter().filter_map(|pool| pool.keys.next_deadline());
        late.chain(back).min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Millis) {
        self.now = now;
        for index in 0..self.servers.len() {
            let server = &self.servers[index];
            let timeout = self.pools[server.pool].config.timeout;
            let oldest = server.tickets.front();
            if timeout.zip(oldest).is_some_and(|(timeout, oldest)| now >= oldest.since + timeout) {
                self.server_failed(index, "it did not answer in time");
            }
        }
        for index in 0..self.pools.len() {
            for place in self.pools[index].keys.readmit(now) {
                let pool = &self.pools[index].config;
                let text =
                    format!("pool {}: server {} is in service again", pool.name, pool.servers[place].at);
                self.log(LogLevel::Notice, text);
            }
        }
    }
}
