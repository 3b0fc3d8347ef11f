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

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `nutcracker` 0.5.0 put these keys, with the servers below: recorded from the program itself. The
    /// system test `twemproxy` asks a running one again.
    #[test]
    fn keys_live_where_twemproxy_puts_them() {
        let recorded = [
            ("fnv1a_64", Distribution::Ketama, "1111111111222112110"),
            ("fnv1_64", Distribution::Ketama, "2222222222222222220"),
            ("fnv1a_32", Distribution::Ketama, "2112111201022110212"),
            ("fnv1_32", Distribution::Ketama, "2222222222002020221"),
            ("md5", Distribution::Ketama, "2020222012222201021"),
            ("crc16", Distribution::Ketama, "1111111111112212220"),
            ("fnv1a_64", Distribution::Modula, "2222222222220222220"),
            ("fnv1_64", Distribution::Modula, "0221102221201222222"),
            ("fnv1a_32", Distribution::Modula, "2201222001212220021"),
            ("fnv1_32", Distribution::Modula, "1022212222220200220"),
            ("md5", Distribution::Modula, "2211220011200120102"),
            ("crc16", Distribution::Modula, "2121222210212112112"),
        ];
        let mut keys: Vec<Vec<u8>> = (0..12).map(|number| format!("user:{number}").into_bytes()).collect();
        keys.push("ключ".into());
        keys.extend([b"\xff\x80\x01".to_vec(), b"a{user:1}b".to_vec(), b"{}x".to_vec(), b"{x".to_vec()]);
        keys.extend([b"a{{b}}c".to_vec(), b"}{a}".to_vec()]);
        let servers = [("127.0.0.1:7791", 1), ("second", 1), ("127.0.0.1:7793", 3)];
        for (name, distribution, wanted) in recorded {
            let servers = servers.map(|(name, weight)| Server::new(name, weight)).to_vec();
            let hash = name.parse().expect("a known name");
            let pool = Pool::new(servers, distribution, hash, Some(*b"{}"), HealthSettings::default());
            let places: String = keys
                .iter()
                .map(|key| pool.server_of(key).map_or('-', |n| (b'0' + n as u8) as char))
                .collect();
            assert_eq!(places, wanted, "{distribution:?} {name}");
        }
    }

    #[test]
    fn a_server_that_is_out_gives_its_keys_to_others_and_gets_them_back() {
        let servers = ["a", "b", "c"].map(|name| Server::new(name, 1)).to_vec();
        let settings = HealthSettings { auto_eject: true, ..HealthSettings::default() };
        for distribution in [Distribution::Ketama, Distribution::Modula] {
            let mut pool = Pool::new(servers.clone(), distribution, Hash::Md5, None, settings);
            let keys: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
            let places =
                |pool: &Pool| keys.iter().map(|key| pool.server_of(key.as_bytes())).collect::<Vec<_>>();
            let before = places(&pool);
            assert!(!pool.failed(Millis(0), 1) && pool.failed(Millis(5), 1));
            assert!(places(&pool).iter().all(|place| matches!(place, Some(0 | 2))));
            assert_eq!(pool.next_deadline(), Some(Millis(30_005)));
            assert!(pool.readmit(Millis(30_004)).is_empty());
            assert_eq!(pool.readmit(Millis(30_005)), [1]);
            assert_eq!(places(&pool), before);
            for index in [0, 1, 2, 0, 1, 2] {
                pool.failed(Millis(40_000), index);
            }
            assert_eq!(pool.server_of(b"key"), None);
        }
    }
}
