//! Recordings for chapter 10: drills, and what they cost.

mod disks;
mod drills;
mod logbook;
mod numbers;

use crate::data::Recording;
use crate::recordings::cluster::Part;

/// Three masters with a replica each, which has its master's letter.
const SHARDS: [(&str, Part); 6] = [
    ("A", Part::Master),
    ("B", Part::Master),
    ("C", Part::Master),
    ("a", Part::Of("A")),
    ("b", Part::Of("B")),
    ("c", Part::Of("C")),
];

/// The recordings of this chapter, by the name a page shows them under.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    vec![
        ("ch10-kill", drills::kill().into()),
        ("ch10-partition", drills::partition().into()),
        ("ch10-full-buffer", drills::full_buffer().into()),
        ("ch10-clock", drills::clock().into()),
        ("ch10-disk-slow", disks::slow().into()),
        ("ch10-disk-full", disks::full().into()),
        ("ch10-disk-election", disks::election().into()),
        ("ch10-slow-disk", numbers::slow_disk().into()),
        ("ch10-bandwidth", numbers::bandwidth().into()),
        ("ch10-maintenance", numbers::maintenance().into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Cell, Table};

    fn said(table: &Table) -> Vec<(f64, String)> {
        let rows = table.rows.iter().map(|row| match &row[..] {
            [Cell::Number(at), Cell::Text(who), Cell::Text(seen)] => (*at, format!("{who}: {seen}")),
            other => panic!("{other:?}"),
        });
        rows.collect()
    }

    fn when(table: &Table, what: &str) -> f64 {
        let found = said(table).into_iter().find(|(_, text)| text.contains(what));
        found.unwrap_or_else(|| panic!("{what} is not in {table:?}")).0
    }

    /// The numbers of a row.
    fn numbers(table: &Table, row: &str) -> Vec<f64> {
        let found = table.rows.iter().find(|cells| cells[0] == Cell::from(row)).expect("the row is there");
        found[1..]
            .iter()
            .filter_map(|cell| if let Cell::Number(n) = cell { Some(*n) } else { None })
            .collect()
    }

    #[test]
    fn what_the_page_says_of_the_drills_is_in_their_logbooks() {
        let kill = drills::kill();
        assert!(when(&kill, "a: `ROLE`: master") < when(&kill, "s1: log: `+odown"), "s1 does not lead");
        let (open, converted) = (when(&kill, "client: hears `OK`"), when(&kill, "master: `ROLE`: slave"));
        assert!((10_000.0..12_000.0).contains(&(converted - open)), "{open} {converted}");
        let partition = drills::partition();
        let stops = when(&partition, "A: log: `Cluster state changed: fail`");
        assert!(stops < when(&partition, "Failover election won"), "A stops first, this time");
        assert!(when(&partition, "client 2: hears `CLUSTERDOWN") < stops);
        let buffer = drills::full_buffer();
        assert!(when(&buffer, "`sync_full:3`") > when(&buffer, "CONFIG SET") && when(&buffer, "up`") > 0.0);
        let clock = drills::clock();
        assert!(when(&clock, "client: hears `(nil)`") > when(&clock, "the master's clock"));
        let back = when(&clock, "set back");
        assert!(said(&clock).iter().all(|(at, _)| *at <= back), "nothing is seen behind it");
    }

    #[test]
    fn what_the_page_says_of_disks_is_in_their_logbooks() {
        let slow = disks::slow();
        let [replaced, well, converted] =
            ["a: `ROLE`: master", "as fast as ever", "master: `ROLE`: slave"].map(|what| when(&slow, what));
        let since = |at: f64, from: f64| at - from;
        assert!((5000.0..7000.0).contains(&since(replaced, 1000.0)), "{replaced}");
        assert!((10_000.0..12_000.0).contains(&since(converted, well)), "{well} {converted}");
        let told = said(&slow);
        let promoted = when(&slow, "a: log: `MASTER MODE");
        let words = told.iter().find(|(at, text)| text.starts_with("master: log") && *at <= promoted);
        assert_eq!(words, None, "it says nothing of its disk");
        let heard = told.iter().filter(|(at, text)| text == "client: hears `OK`" && *at > replaced - 1.0);
        assert_eq!(heard.count(), 5, "it goes on to acknowledge");
        let full = disks::full();
        let refused = when(&full, "client: hears `MISCONF");
        assert!(when(&full, "master: `PING`: `MISCONF") <= refused && refused < when(&full, "+sdown"));
        assert!(when(&full, "+sdown") < when(&full, "a: `ROLE`: master"));
        assert!(when(&full, "DB saved on disk") > when(&full, "there is room again"));
    }

    #[test]
    fn what_the_page_says_of_costs_is_counted() {
        let disk = numbers::slow_disk();
        let ping = |when: &str| numbers(&disk, &format!("`always`: a `PING` {when}"))[3];
        assert!(numbers(&disk, "`everysec`")[3] >= 3000.0 && ping("behind a write") >= 3000.0);
        assert!(ping("between two") < 10.0);
        let syncs = numbers(&disk, "`everysec`, if only `fsync` takes so long");
        assert!(syncs.iter().all(|longest| *longest < 10.0), "{syncs:?}");
        let election = disks::election();
        for whose in ["the voters': B and C", "the replica's"] {
            let took = numbers(&election, whose);
            let later = took.iter().map(|at| (at - took[0]).round()).collect::<Vec<_>>();
            // Of 12 s there is none: it stands there in words.
            assert_eq!(later, [0.0, 999.0, 2999.0, 5999.0], "{whose}: later by what the disk takes, once");
        }
        let ways = numbers::maintenance();
        let [planned, forced, plug] = [
            "`CLUSTER FAILOVER`, then stop it",
            "`CLUSTER FAILOVER FORCE`, then stop it",
            "the plug, and wait",
        ]
        .map(|way| numbers(&ways, way));
        assert!(planned[0] < 500.0 && planned[2] == 0.0, "{planned:?}");
        assert!(forced[0] < planned[0] && forced[2] > 0.0, "{forced:?}");
        assert!(plug[0] > 6000.0 && plug[2] > 0.0, "{plug:?}");
    }
}
