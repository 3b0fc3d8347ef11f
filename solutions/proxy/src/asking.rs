//! The servers' side: commands go out, answers come in, and some never come.

use bytes::Buf;
use core_types::{ArgsBuf, LogLevel};

use crate::Proxy;
use crate::links::Link;
use crate::proxy::Effect;
use crate::server::{Asked, Server, Ticket};

impl Proxy {
    /// Has `bytes` sent to a server, over a new link if there is none.
    pub(crate) fn ask(&mut self, index: usize, asked: Asked, bytes: &[u8]) {
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
    pub(crate) fn replies(&mut self, index: usize, bytes: &[u8]) {
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

    pub(crate) fn take_replies(&mut self, index: usize, bytes: &[u8]) -> Result<usize, &'static str> {
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

    /// What a server owes will not come: everybody who waits for it is told.
    pub(crate) fn server_failed(&mut self, index: usize, why: &str) {
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

    /// A server has taken something: the clients of its pool may go on.
    pub(crate) fn make_room(&mut self, pool: usize) {
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
}
