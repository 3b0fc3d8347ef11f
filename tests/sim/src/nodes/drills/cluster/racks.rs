//! One rack after the other loses its power.

use core_types::{Broken, Millis, Rng};
use drill::{Map, Site, Spot};

use super::{Cluster, Plan};
use crate::nodes::rules;

/// After so long without a rack all slots must be served again: a node timeout until the dead are noticed, and some
/// elections one after the other.
pub const LIMIT: Millis = Millis::from_secs(45);

/// What the loss of a rack has done to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The rack.
    pub rack: usize,
    /// Masters that died with it.
    pub died: Vec<String>,
    /// How many masters were left.
    pub left: usize,
    /// Masters whose slots nobody served at the end.
    pub unserved: Vec<String>,
    /// Those of them that had no node outside of the rack.
    pub wiped_out: Vec<String>,
    /// What was served again, by whom and when after the loss.
    pub served: Vec<(String, String, Millis)>,
}

/// The rule, in short: what is wrong with a placement, if anything is. It must fit the site.
pub fn weakness(site: &Site, spots: &[Spot]) -> Option<Weakness> {
    let majority = site.shards / 2 + 1;
    for rack in 0..site.racks {
        let together = spots.iter().position(|spot| spot.nodes().all(|node| node == rack));
        if let Some(shard) = together {
            return Some(Weakness::Together { rack, shard });
        }
        let left = spots.iter().filter(|spot| spot.master != rack).count();
        if left < majority {
            return Some(Weakness::Masters { rack, left, majority });
        }
    }
    None
}

/// Is there a placement without a [`weakness`] at all? (Of sites whose racks have one place more than an equal part needs, or
/// not enough.)
pub fn is_possible(site: &Site) -> bool {
    let places = site.racks.saturating_mul(site.room);
    let masters_at_most = site.racks.saturating_mul((site.shards.max(1) - 1) / 2);
    masters_at_most >= site.shards && places >= site.nodes() && site.replicas >= 1
}

/// Why the loss of a rack is the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// All nodes of a shard stand there.
    Together {
        /// The rack.
        rack: usize,
        /// The shard.
        shard: usize,
    },
    /// So many masters stand there that no majority is left.
    Masters {
        /// The rack.
        rack: usize,
        /// Masters elsewhere.
        left: usize,
        /// How many it takes.
        majority: usize,
    },
}

/// Plays the loss of each rack, each in a cluster of its own, until one is not survived.
///
/// # Errors
/// A fault of the workbook.
///
/// # Panics
/// If the placement names a rack that is not there.
pub fn lose_each(site: &Site, spots: &[Spot], seed: u64) -> Result<Option<Loss>, Broken> {
    for rack in 0..site.racks {
        let loss = lose(site, spots, rack, seed.wrapping_mul(31).wrapping_add(rack as u64))?;
        if !loss.unserved.is_empty() {
            return Ok(Some(loss));
        }
    }
    Ok(None)
}

/// Plays the loss of one rack.
///
/// # Errors
/// A fault of the workbook.
pub fn lose(site: &Site, spots: &[Spot], rack: usize, seed: u64) -> Result<Loss, Broken> {
    assert!(rack < site.racks && spots.iter().flat_map(Spot::nodes).all(|node| node < site.racks));
    let mut rng = Rng::new(seed);
    let replicas: Vec<usize> = spots.iter().map(|spot| spot.replicas.len()).collect();
    let map = Map::new(&replicas);
    let mut cluster = Cluster::new(&Plan::new(map.clone()), rng.next_u64(), None)?;
    cluster.form()?;
    cluster.drill.world.run_for(Millis(rng.below(2000)))?;
    let mut loss = Loss {
        rack,
        died: Vec::new(),
        left: 0,
        unserved: Vec::new(),
        wiped_out: Vec::new(),
        served: Vec::new(),
    };
    for (shard, spot) in map.shards.iter().zip(spots) {
        let names = std::iter::once(&shard.master).chain(&shard.replicas);
        for (name, place) in names.zip(spot.nodes()) {
            if place == rack {
                cluster.kill(name)?;
            }
        }
        if spot.master == rack {
            loss.died.push(shard.master.clone());
        }
        if spot.nodes().all(|place| place == rack) {
            loss.wiped_out.push(shard.master.clone());
        }
    }
    loss.left = map.shards.len() - loss.died.len();
    let lost_at = cluster.drill.world.now();
    cluster.wait_to(LIMIT, |cluster| {
        let since = cluster.drill.world.now().since(lost_at);
        for master in &loss.died {
            if loss.served.iter().any(|(done, ..)| done == master) {
                continue;
            }
            let shard = map.masters().iter().position(|name| name == master).expect("a master");
            if let Some(by) = cluster.server(shard) {
                loss.served.push((master.clone(), by, since));
            }
        }
        // Those that were far from it must go on, too; and it may take them a moment to agree.
        loss.served.len() == loss.died.len() && cluster.all_serve()
    })?;
    loss.unserved = cluster.unserved();
    Ok(loss)
}

impl Cluster<'_> {
    /// Every node that is up takes the cluster for one that serves.
    fn all_serve(&self) -> bool {
        let mut views =
            self.hosts.iter().filter_map(|host| rules::node(&self.drill.world, *host)?.cluster_view());
        views.all(|view| view.serves())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(master: usize, replica: usize) -> Spot {
        Spot { master, replicas: vec![replica] }
    }

    /// The short rule says what a play shows.
    #[test]
    fn the_rule_and_the_play_agree() {
        let mut rng = Rng::new(10);
        let (mut good, mut bad) = (0, 0);
        for seed in 0..16 {
            let site = Site { racks: rng.between(3, 4) as usize, room: 9, shards: 3, replicas: 1 };
            let spots: Vec<Spot> = (0..site.shards)
                .map(|shard| {
                    let any = rng.below(site.racks as u64) as usize;
                    let master = if rng.chance(75) { shard } else { any };
                    let aside = rng.between(0, 3).min(1) as usize;
                    spot(master, (master + aside) % site.racks)
                })
                .collect();
            let weak = weakness(&site, &spots);
            let lost = lose_each(&site, &spots, seed).expect("no rule is broken");
            assert_eq!(weak.is_some(), lost.is_some(), "{spots:?}: {weak:?} {lost:?}");
            *(if weak.is_some() { &mut bad } else { &mut good }) += 1;
        }
        assert!(good > 1 && bad > 1, "{good} {bad}");
    }

    #[test]
    fn a_rack_with_half_of_the_masters_ends_it() {
        let site = Site { racks: 3, room: 3, shards: 4, replicas: 1 };
        let spots = [spot(0, 1), spot(0, 2), spot(1, 2), spot(2, 1)];
        let loss = lose_each(&site, &spots, 1).expect("no rule is broken").expect("two of four are gone");
        assert_eq!((loss.rack, loss.left, &loss.wiped_out), (0, 2, &vec![]));
        assert_eq!(loss.unserved, ["A", "B", "C", "D"]);
    }
}
