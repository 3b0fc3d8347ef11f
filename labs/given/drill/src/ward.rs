//! Six clusters in which nobody is elected.

use core_types::Millis;

use crate::{Event, Map, REST, Schedule, Settings, cut, kill, slow};

// ANCHOR: sick
/// A cluster, its files, and a day on which the master `A` dies and nobody takes its place.
#[derive(Clone, Debug)]
pub struct Sick {
    /// Its name in the chapter.
    pub name: &'static str,
    /// Who is who.
    pub map: Map,
    /// What stands in the nodes' files, besides what every node of a cluster needs. `cluster-node-timeout` is 3000 where
    /// no line says otherwise; everything else has Redis's defaults.
    pub files: Settings,
    /// What happens. `A` takes twenty writes before any of it.
    pub day: Schedule,
}
// ANCHOR_END: sick

/// `cluster-node-timeout` of the nodes of these clusters, where no line says otherwise.
pub const NODE_TIMEOUT: Millis = Millis(3000);

impl Sick {
    /// When `A` dies.
    pub fn death(&self) -> Millis {
        let is_death = |event: &Event| *event == kill("A");
        self.day.moments().iter().find(|(_, event)| is_death(event)).map_or(Millis::ZERO, |(time, _)| *time)
    }

    fn new(name: &'static str, replicas: &[usize], files: Settings, day: Schedule) -> Sick {
        Sick { name, map: Map::new(replicas), files, day }
    }
}

/// The six clusters.
pub fn ward() -> [Sick; 6] {
    let death = |seconds: u64| Schedule::new().at(Millis::from_secs(seconds), kill("A"));
    [
        Sick::new(
            "first",
            &[2, 1, 1],
            Settings::new()
                .nodes("cluster-require-full-coverage yes")
                .of("a1", "replica-priority 0")
                .of("a2", "replica-priority 0")
                .of("a1", "cluster-replica-no-failover yes")
                .of("a2", "cluster-replica-no-failover yes"),
            death(10),
        ),
        Sick::new(
            "second",
            &[1, 1, 1, 0, 0],
            Settings::new().of("B", "cluster-node-timeout 600000").of("C", "cluster-node-timeout 600000"),
            death(10),
        ),
        Sick::new(
            "third",
            &[1, 1, 1],
            Settings::new().nodes("cluster-replica-validity-factor 1").nodes("repl-ping-replica-period 1"),
            death(130).at(Millis::from_secs(10), cut(&["A"], &["a1"])),
        ),
        Sick::new(
            "fourth",
            &[1, 1, 1],
            ["A", "B", "C", "b1", "c1"]
                .into_iter()
                .fold(Settings::new().nodes("requirepass secret"), |files, name| {
                    files.of(name, "masterauth secret")
                }),
            death(20),
        ),
        Sick::new(
            "fifth",
            &[1, 1, 1],
            Settings::new().of("a1", "cluster-announce-bus-port 17001"),
            death(20),
        ),
        Sick::new(
            "sixth",
            &[1, 1, 1],
            Settings::new().nodes("cluster-node-timeout 10000").of("a1", "cluster-node-timeout 500"),
            death(40).at(Millis::from_secs(1), slow(&["a1"], &[REST], Millis(2400))),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_dies_in_each() {
        for sick in ward() {
            assert!(sick.death() >= Millis::from_secs(10), "{}", sick.name);
            assert!(sick.map.shards[0].master == "A" && !sick.map.shards[0].replicas.is_empty());
        }
    }
}
