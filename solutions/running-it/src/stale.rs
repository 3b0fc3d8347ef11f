//! A replica that answers with what was true some time ago, and says that its link is up.
//!
//! The scene: `master` and `replica-1`, `repl-timeout 15` in both files, `repl-ping-replica-period 1`. `client` writes a price
//! at the master four times a second, all the time; `reader` reads it at the replica as often, and with each read asks
//! for `INFO replication`.

use core_types::Millis;
use drill::{Schedule, cut, fast, mend, slow};

/// A day on which somebody reads a price that the master has replaced at least ten seconds ago, while the replica says
/// `master_link_status:up`. It says so all day, and in the end, a minute and a half after the beginning, it is level with
/// its master again.
///
/// What may happen: cables that break, are mended or are slow. At most twenty events in one minute.
pub fn reads_stale() -> Schedule {
    // <exercise 10.6 reads_stale>
    Schedule::new()
        .at(Millis(5_000), cut(&["master"], &["replica-1"]))
        .at(Millis(17_500), mend(&["master"], &["replica-1"]))
    // </exercise>
}

/// The same, and not even `master_last_io_seconds_ago` shows it: with that read it is one second at most.
pub fn reads_stale_unnoticed() -> Schedule {
    // <exercise 10.6 reads_stale_unnoticed>
    Schedule::new()
        .at(Millis(5_000), slow(&["master"], &["replica-1"], Millis(13_000)))
        .at(Millis(50_000), fast(&["master"], &["replica-1"]))
    // </exercise>
}
