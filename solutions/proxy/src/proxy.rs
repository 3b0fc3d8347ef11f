//! The proxy: what it does with each event.

use std::collections::VecDeque;

use bytes::{Buf, BytesMut};
use core_types::{Args, ArgsBuf, Endpoint, LogLevel, Millis};
use node::layers::sharding::{self, Route, route};
use node::layers::wire::Limits;

use crate::client::Client;
use crate::config::{self, Config};
use crate::links::{Link, Links};
use crate::rate::Rate;
use crate::server::{Asked, Server, Ticket};
use crate::{LinkId, own};

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
    writers: VecDeque<LinkId>,
    /// Clients that were told to wait, and may go on.
    resumed: VecDeque<LinkId>,
    /// Clients that wait.
    paused: Vec<LinkId>,
}

pub(crate) struct Pool {
    pub(crate) config: config::Pool,
    /// Where keys live, and how the servers are.
    pub(crate) keys: sharding::Pool,
    pub(crate) rate: Option<Rate>,
    /// The index of its first server among all servers.
    first: usize,
    /// A server's queue is full: no client of this pool is read.
    full: bool,
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

    /// Deals with the whole commands at the beginning of `bytes`; how many bytes they took.
    fn commands(&mut self, link: LinkId, bytes: &[u8]) -> usize {
        let mut used = 0;
        let Some(client) = self.links.client_mut(link) else { return used };
        let mut decoder = std::mem::take(&mut client.decoder);
        while let Some(client) = self.links.client_mut(link) {
            if client.leaving {
                used = bytes.len();
                break;
            }
            let limits = Limits { authenticated: client.authenticated, ..Limits::DEFAULT };
            let rest = &bytes[used..];
            match decoder.decode(rest, &limits) {
                Ok(Some(length)) => {
                    let args = decoder.args(rest);
                    if !args.is_empty() {
                        self.command(link, args, &rest[..length]);
                    }
                    used += length;
                }
                Ok(None) => break,
                Err(error) => {
                    client.answer(format!("-ERR Protocol error: {error}\r\n").as_bytes());
                    client.leaving = true;
                }
            }
        }
        if let Some(client) = self.links.client_mut(link) {
            client.decoder = decoder;
        }
        used
    }

    /// One command of a client; `raw` is how it came.
    fn command(&mut self, link: LinkId, args: Args<'_>, raw: &[u8]) {
        let Some(Link::Client(client)) = self.links.get_mut(link) else { return };
        let pool = &mut self.pools[client.pool];
        let name = args.name();
        if !client.authenticated && !own::before_auth(name) {
            return client.answer(b"-NOAUTH Authentication required.\r\n");
        }
        if let Some(rate) = &mut pool.rate
            && !rate.take(self.now)
        {
            let text = format!("-ERR the rate limit of pool {} is reached\r\n", pool.config.name);
            return client.answer(text.as_bytes());
        }
        let keys = &pool.keys;
        let mut nobody = false;
        let route = route(args, |key| {
            keys.server_of(key).unwrap_or_else(|| {
                nobody = true;
                0
            })
        });
        if nobody {
            let text = format!("-ERR no server of pool {} is in service\r\n", pool.config.name);
            return client.answer(text.as_bytes());
        }
        let first = pool.first;
        match route {
            Route::Forward(place) => {
                let number = client.expect();
                let asked = Asked::Client { client: link, number, part: 0 };
                if raw.first() == Some(&b'*') {
                    self.ask(first + place, asked, raw);
                } else {
                    // An inline command: a server gets it as an array.
                    let mut bytes = BytesMut::new();
                    core_types::write_command(&mut bytes, args.iter());
                    self.ask(first + place, asked, &bytes);
                }
            }
            Route::Split { join, parts } => {
                let wanted: Vec<(usize, BytesMut)> = parts
                    .iter()
                    .map(|part| {
                        let mut bytes = BytesMut::new();
                        core_types::write_command(&mut bytes, part.command.as_args().iter());
                        (part.server, bytes)
                    })
                    .collect();
                let number = client.expect_parts(join, parts);
                for (part, (place, bytes)) in wanted.into_iter().enumerate() {
                    let asked = Asked::Client { client: link, number, part: part as u32 };
                    self.ask(first + place, asked, &bytes);
                }
            }
            Route::Own => {
                let reply = own::answer(args, client, &pool.config);
                client.answer(&reply);
            }
            Route::Refuse(refusal) => client.answer(format!("-{refusal}\r\n").as_bytes()),
        }
    }

    /// Has `bytes` sent to a server, over a new link if there is none.
    fn ask(&mut self, index: usize, asked: Asked, bytes: &[u8]) {
        let server = &mut self.servers[index];
        if server.link.is_none() {
            let pool = &self.pools[server.pool];
            let link = self.links.add(Link::Server(index));
            server.link = Some(link);
            let to = pool.config.servers[server.place].at.clone();
            self.outbox.push_back(Effect::Connect { link, to });
            if let Some(password) = &pool.config.redis_auth {
                let auth = ArgsBuf::from_parts([b"AUTH", password.as_bytes()]);
                core_types::write_command(&mut server.out, auth.as_args().iter());
                server.tickets.push_back(Ticket { asked: Asked::Auth, since: self.now });
            }
        }
        server.out.extend_from_slice(bytes);
        server.tickets.push_back(Ticket { asked, since: self.now });
        if !server.has_room() {
            self.pools[server.pool].full = true;
        }
        if server.connected && !server.queued {
            server.queued = true;
            self.writers.extend(server.link);
        }
    }

    /// A server has sent something.
    fn replies(&mut self, index: usize, bytes: &[u8]) {
        let mut input = std::mem::take(&mut self.servers[index].input);
        let outcome = if input.is_empty() {
            let outcome = self.take_replies(index, bytes);
            if let Ok(used) = outcome {
                input.extend_from_slice(&bytes[used..]);
            }
            outcome
        } else {
            input.extend_from_slice(bytes);
            let outcome = self.take_replies(index, &input);
            if let Ok(used) = outcome {
                input.advance(used);
            }
            outcome
        };
        match outcome {
            Ok(_) => self.servers[index].input = input,
            Err(why) => self.server_failed(index, why),
        }
    }

    fn take_replies(&mut self, index: usize, bytes: &[u8]) -> Result<usize, &'static str> {
        let mut used = 0;
        loop {
            let server = &mut self.servers[index];
            let rest = &bytes[used..];
            let end = match server.scanner.end(rest) {
                Ok(Some(end)) => end,
                Ok(None) => return Ok(used),
                Err(_) => return Err("it sent something that is no reply"),
            };
            let reply = &rest[..end];
            used += end;
            let (pool, place) = (server.pool, server.place);
            let Some(ticket) = server.tickets.pop_front() else {
                return Err("it sent a reply that nobody asked for");
            };
            self.pools[pool].keys.answered(place);
            match ticket.asked {
                Asked::Client { client, number, part } => self.give(client, number, part, reply),
                Asked::Auth if reply.starts_with(b"-") => {
                    return Err("it does not take the password of redis_auth");
                }
                Asked::Auth => {}
            }
        }
    }

    /// Gives a client an answer, or a part of one.
    fn give(&mut self, link: LinkId, number: u64, part: u32, reply: &[u8]) {
        if let Some(client) = self.links.client_mut(link) {
            client.answered(number, part as usize, reply);
            self.settle(link);
        }
    }

    /// Something has changed for a client: it may have something to read, may end, may go on.
    fn settle(&mut self, link: LinkId) {
        let Some(Link::Client(client)) = self.links.get_mut(link) else { return };
        if !client.out.is_empty() && !client.queued {
            client.queued = true;
            self.writers.push_back(link);
        }
        if client.leaving && client.is_idle() {
            self.outbox.push_back(Effect::Close { link });
        }
        if client.paused && client.has_room() && !self.pools[client.pool].full {
            client.paused = false;
            self.paused.retain(|paused| *paused != link);
            self.resumed.push_back(link);
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

    /// What a server owes will not come: everybody who waits for it is told.
    fn server_failed(&mut self, index: usize, why: &str) {
        let server = &mut self.servers[index];
        let Some(link) = server.link else { return };
        let (pool, place) = (server.pool, server.place);
        server.queued = false;
        let owed = server.unlink();
        self.outbox.push_back(Effect::Close { link });
        let (name, at) = {
            let pool = &self.pools[pool].config;
            (pool.name.clone(), pool.servers[place].at.clone())
        };
        // A server may end a connection that nobody uses; that is no failure.
        if !owed.is_empty() {
            let text = format!("pool {name}: server {at} failed: {why} ({} answers are missing)", owed.len());
            self.log(LogLevel::Warning, text);
            if self.pools[pool].keys.failed(self.now, place) {
                let time = self.pools[pool].config.health.retry_timeout;
                let text = format!("pool {name}: server {at} is ejected for {} ms", time.0);
                self.log(LogLevel::Warning, text);
            }
        }
        let text = format!("-ERR the proxy's server {at} failed: {why}\r\n");
        self.make_room(pool);
        for ticket in owed {
            if let Asked::Client { client, number, part } = ticket.asked {
                self.give(client, number, part, text.as_bytes());
            }
        }
    }

    fn log(&mut self, level: LogLevel, text: String) {
        self.outbox.push_back(Effect::Log { level, text });
    }

    /// A server has taken something: the clients of its pool may go on.
    fn make_room(&mut self, pool: usize) {
        if !self.pools[pool].full {
            return;
        }
        let count = self.pools[pool].config.servers.len();
        let first = self.pools[pool].first;
        if self.servers[first..first + count].iter().all(Server::has_room) {
            self.pools[pool].full = false;
            for link in self.paused.clone() {
                self.settle(link);
            }
        }
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

    fn settle_paused(&mut self, link: LinkId) {
        if self.links.client_mut(link).is_some_and(|client| client.paused) {
            self.settle(link);
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
