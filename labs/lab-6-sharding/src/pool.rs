//! Servers, how keys are distributed to them, and how they are: what a proxy asks for every key.

use core_types::Millis;

use crate::hash::Hash;
use crate::hash_slot::hash_tag;
use crate::health::{Health, HealthSettings};
use crate::modulo::modulo;
use crate::ring::{Ring, Server};

/// How hashes become servers, by the names of Twemproxy's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Distribution {
    /// `ketama`: a ring.
    #[default]
    Ketama,
    /// `modula`: the remainder.
    Modula,
}

/// A pool of servers.
#[derive(Clone, Debug)]
pub struct Pool {
    servers: Vec<Server>,
    health: Vec<Health>,
    settings: HealthSettings,
    distribution: Distribution,
    hash: Hash,
    tag: Option<[u8; 2]>,
    /// The servers in the order in which [`modulo`] counts them. Twemproxy counts shorter names first, and names of one
    /// length by their bytes; in the order of the file, a swap of two lines would move nearly all keys.
    order: Vec<usize>,
    /// The weights in that order; 0 for servers that are out.
    weights: Vec<u32>,
    ring: Ring,
}

impl Pool {
    /// A pool in which every server is in.
    ///
    /// `tag` are the two characters around the part of a key that is hashed (`hash_tag: "{}"`); `None` hashes whole keys.
    pub fn new(
        servers: Vec<Server>,
        distribution: Distribution,
        hash: Hash,
        tag: Option<[u8; 2]>,
        settings: HealthSettings,
    ) -> Pool {
        let health = vec![Health::default(); servers.len()];
        let mut order: Vec<usize> = (0..servers.len()).collect();
        order.sort_by_key(|&index| (servers[index].name.len(), &servers[index].name));
        let (weights, ring) = (Vec::new(), Ring::default());
        let mut pool = Pool { servers, health, settings, distribution, hash, tag, order, weights, ring };
        pool.distribute();
        pool
    }

    /// The servers, in and out.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// How the server at `index` is.
    pub fn health(&self, index: usize) -> &Health {
        &self.health[index]
    }

    /// The server that `key` lives at; `None` while none is in.
    pub fn server_of(&self, key: &[u8]) -> Option<usize> {
        let hash = self.hash.of(self.tag.map_or(key, |tag| hash_tag(key, tag)));
        match self.distribution {
            Distribution::Ketama => self.ring.owner(hash),
            Distribution::Modula => modulo(hash, &self.weights).map(|place| self.order[place]),
        }
    }

    /// The server at `index` has failed. `true` if that took it out, so that keys now live elsewhere.
    pub fn failed(&mut self, now: Millis, index: usize) -> bool {
        let out = self.health[index].failed(now, &self.settings);
        if out {
            self.distribute();
        }
        out
    }

    /// The server at `index` has answered.
    pub fn answered(&mut self, index: usize) {
        self.health[index].answered();
    }

    /// Time has passed. The servers that are in again: keys live there now.
    pub fn readmit(&mut self, now: Millis) -> Vec<usize> {
        let health = self.health.iter_mut().enumerate();
        let back: Vec<usize> =
            health.filter_map(|(index, health)| health.readmit(now).then_some(index)).collect();
        if !back.is_empty() {
            self.distribute();
        }
        back
    }

    /// When [`Pool::readmit`] has something to do next.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.health.iter().filter_map(|health| health.out_until).min()
    }

    fn distribute(&mut self) {
        let weight = |index: usize| if self.health[index].is_in() { self.servers[index].weight } else { 0 };
        match self.distribution {
            Distribution::Modula => self.weights = self.order.iter().map(|&index| weight(index)).collect(),
            Distribution::Ketama => {
                let servers = self.servers.iter().enumerate();
                let servers: Vec<Server> =
                    servers.map(|(index, server)| Server::new(server.name.clone(), weight(index))).collect();
                self.ring = Ring::new(&servers);
            }
        }
    }
}
