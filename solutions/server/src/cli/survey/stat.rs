//! `--stat`: what the server does, a line each interval.

use super::{Manner, field, info, number, pause, put, seconds};
use crate::cli::client::Client;

/// The head comes again after so many lines.
const LINES: u64 = 20;

pub(super) fn run(client: &mut Client, manner: &Manner) -> Result<(), String> {
    let interval = seconds(if manner.interval > 0.0 { manner.interval } else { 1.0 });
    let mut before = None;
    for line in 0_u64.. {
        if line.is_multiple_of(LINES) {
            tell!("------- data ------ --------------------- load -------------------- - child -");
            tell!("keys       mem      clients blocked requests            connections          ");
        }
        let info = info(client, &[])?;
        let requests = number(&info, "total_commands_processed");
        let more = requests.saturating_sub(before.unwrap_or(requests));
        before = Some(requests);
        let text = format!(
            "{:<11}{:<9}{:<8}{:<8}{:<20}{:<12}{}\n",
            keys(&info),
            people(number(&info, "used_memory")),
            number(&info, "connected_clients"),
            number(&info, "blocked_clients"),
            format!("{requests} (+{more})"),
            number(&info, "total_connections_received"),
            child(&info),
        );
        if !put(&text) {
            return Ok(());
        }
        pause(interval);
    }
    Ok(())
}

/// Keys in all databases: `db0:keys=3,expires=0,…`.
fn keys(info: &str) -> u64 {
    let in_database = |line: &str| {
        let (name, rest) = line.split_once(":keys=")?;
        name.strip_prefix("db")?.parse::<u64>().ok()?;
        rest.split(',').next()?.parse::<u64>().ok()
    };
    info.lines().filter_map(in_database).sum()
}

fn people(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.2}{unit}", bytes as f64 / *size as f64),
        None => format!("{bytes}B"),
    }
}

/// What the server writes beside its work.
fn child(info: &str) -> &'static str {
    let does = |name: &str| field(info, name).is_some_and(|value| value.trim() == "1");
    let (save, rewrite) = (does("rdb_bgsave_in_progress"), does("aof_rewrite_in_progress"));
    match (save, rewrite) {
        (false, false) => "",
        (true, false) => "SAVE",
        (false, true) => "AOF",
        (true, true) => "SAVE+AOF",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_all_databases_are_added_up() {
        let info =
            "# Keyspace\r\ndb0:keys=3,expires=0,avg_ttl=0\r\ndb11:keys=4,expires=1\r\ndbx:keys=9,a\r\n";
        assert_eq!(keys(info), 7);
    }

    #[test]
    fn memory_is_told_in_the_unit_that_fits() {
        assert_eq!([512, 1536, 3 << 20, 5 << 30].map(people), ["512B", "1.50K", "3.00M", "5.00G"]);
    }
}
