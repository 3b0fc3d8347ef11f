//! Uneven data, made from a seed.

use core_types::{Broken, Frame, Rng};
use drill::{Map, Settings};
use node::layers::sharding::key_slot;

use super::super::{Cluster, Plan};

/// A cluster of three or four masters, full of a shop's data.
///
/// Three hash tags have many keys each; one master holds larger pages than the others; one key is far larger than all
/// others, and another one has more elements; one key is read all the time, and some others now and then. Keys are counted by use
/// (`maxmemory-policy allkeys-lfu`).
pub struct Town {
    /// The nodes.
    pub cluster: Cluster<'static>,
    /// How many keys there are.
    pub keys: usize,
    /// The largest key.
    pub big: String,
    /// The hottest.
    pub hot: String,
}

impl Town {
    /// The town of a seed.
    ///
    /// # Errors
    /// A fault of the workbook.
    pub fn build(seed: u64) -> Result<Town, Broken> {
        let mut rng = Rng::new(seed);
        let masters = rng.between(3, 4) as usize;
        let map = Map::new(&vec![0; masters]);
        let plan = Plan { settings: Settings::new().nodes("maxmemory-policy allkeys-lfu"), ..Plan::new(map) };
        let mut cluster = Cluster::new(&plan, rng.next_u64(), None)?;
        cluster.form()?;
        let mut town = Town { cluster, keys: 0, big: String::new(), hot: String::new() };
        town.fill(&mut rng);
        Ok(town)
    }

    fn fill(&mut self, rng: &mut Rng) {
        let masters = self.cluster.map.shards.len();
        let rich = rng.below(masters as u64) as usize;
        let users: Vec<String> = (0..rng.between(550, 650)).map(|number| format!("user:{number}")).collect();
        for user in &users {
            let length = rng.between(20, 80);
            self.put(&format!("SET {user} {}", text(length)), user);
        }
        for number in 0..3 {
            let tag = format!("{{sale-{}-{number}}}", rng.below(1000));
            for item in 0..rng.between(50, 90) {
                let key = format!("{tag}:item:{item}");
                self.put(&format!("SET {key} {}", rng.below(100_000)), &key);
            }
        }
        let mut pages = 0;
        let wanted = rng.between(30, 45);
        for number in 0.. {
            let key = format!("page:{number}");
            // Some stand elsewhere, too.
            if self.owner(&key) != rich && !rng.chance(5) {
                continue;
            }
            let length = rng.between(1500, 3500);
            self.put(&format!("SET {key} {}", text(length)), &key);
            pages += 1;
            if pages == wanted {
                break;
            }
        }
        self.put_big(rng, rich);
        self.put_wide(rng);
        self.use_some(rng, &users);
    }

    /// The key that takes the most: few elements, each of them long.
    fn put_big(&mut self, rng: &mut Rng, rich: usize) {
        let at_home = rng.chance(50);
        let names = (2000..).map(|year| format!("report:{year}"));
        self.big = names.into_iter().find(|key| !at_home || self.owner(key) == rich).unwrap_or_default();
        let key = self.big.clone();
        let piece = text(rng.between(9000, 16_000));
        let sort = rng.below(3);
        for element in 0..6 {
            let command = match sort {
                0 => format!("HSET {key} chapter-{element} {piece}"),
                1 => format!("RPUSH {key} {piece}{element}"),
                _ => format!("APPEND {key} {piece}"),
            };
            self.say(&command, &key);
        }
        self.keys += 1;
    }

    /// The key with the most elements, all of them short.
    fn put_wide(&mut self, rng: &mut Rng) {
        let key = format!("visitors:{}", rng.below(1000));
        let members: Vec<String> = (0..400).map(|number| format!("{}", 1000 + number)).collect();
        self.put(&format!("SADD {key} {}", members.join(" ")), &key);
    }

    /// One key is used all the time, some others now and then.
    fn use_some(&mut self, rng: &mut Rng, users: &[String]) {
        for place in 0..6 {
            let key = rng.pick(users).cloned().unwrap_or_default();
            let rounds = if place == 0 { 60 } else { rng.between(1, 3) };
            if place > 0 && key == self.hot {
                continue;
            }
            for _ in 0..rounds {
                let many = vec![key.as_str(); 100].join(" ");
                self.say(&format!("MGET {many}"), &key);
            }
            if place == 0 {
                self.hot = key;
            }
        }
    }

    fn put(&mut self, command: &str, key: &str) {
        self.say(command, key);
        self.keys += 1;
    }

    fn say(&mut self, command: &str, key: &str) {
        let master = self.owner(key);
        let answer = self.cluster.frame(master, command);
        debug_assert!(!matches!(answer, Frame::Error(_)), "{command:.60}: {answer:?}");
    }

    fn owner(&self, key: &str) -> usize {
        let slot = usize::from(key_slot(key.as_bytes()).number());
        let masters = self.cluster.map.shards.len();
        // As `nodes.conf` has it: the last cut at or below the slot.
        (0..masters).rev().find(|place| place * 16_384 / masters <= slot).unwrap_or(0)
    }
}

fn text(length: u64) -> String {
    "lorem-ipsum-".chars().cycle().take(length as usize).collect()
}
