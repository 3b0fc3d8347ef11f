//! The clients' side: commands in, answers out.

use bytes::BytesMut;
use core_types::Args;
use node::layers::sharding::{Route, route};
use node::layers::wire::Limits;

use crate::links::Link;
use crate::proxy::Effect;
use crate::server::Asked;
use crate::{LinkId, Proxy, own};

impl Proxy {
    /// Deals with the whole commands at the beginning of `bytes`; how many bytes they took.
    pub(crate) fn commands(&mut self, link: LinkId, bytes: &[u8]) -> usize {
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
    pub(crate) fn command(&mut self, link: LinkId, args: Args<'_>, raw: &[u8]) {
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

    /// Gives a client an answer, or a part of one.
    pub(crate) fn give(&mut self, link: LinkId, number: u64, part: u32, reply: &[u8]) {
        if let Some(client) = self.links.client_mut(link) {
            client.answered(number, part as usize, reply);
            self.settle(link);
        }
    }

    /// Something has changed for a client: it may have something to read, may end, may go on.
    pub(crate) fn settle(&mut self, link: LinkId) {
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

    pub(crate) fn settle_paused(&mut self, link: LinkId) {
        if self.links.client_mut(link).is_some_and(|client| client.paused) {
            self.settle(link);
        }
    }
}
