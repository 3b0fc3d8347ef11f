//! A full synchronisation, taken apart: what each part of it takes at the replica, by the times in its log.
//!
//! The replica holds as many keys as the master before it is told to follow, so that there is something to drop.
//! Redis receives, drops its old data, and loads; ours loads what it receives beside its old data, and swaps.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use system::{Kind, Server, wait};

use crate::load;
use crate::measure::median;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Keys of 16 bytes with values of 32: a row for each number.
    #[arg(long, value_delimiter = ',', default_values_t = [250_000, 1_000_000])]
    keys: Vec<u64>,
    /// Rounds. The medians are shown.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Write the table for the book here: `book/src/traces/measured/NAME.json`.
    #[arg(long, requires_all = ["machine", "date"])]
    json: Option<PathBuf>,
    /// What the book shall say of the machine.
    #[arg(long)]
    machine: Option<String>,
    /// What day it is, for the book.
    #[arg(long)]
    date: Option<String>,
}

/// Milliseconds, in the order in which the parts follow each other.
struct Parts {
    /// Until the first byte of the snapshot.
    asking: f64,
    /// The snapshot is made, sent and received; ours is loaded meanwhile.
    transfer: f64,
    /// The old data are dropped, or put aside.
    flush: f64,
    /// What was received is loaded, as far as it has not been already.
    load: f64,
}

/// Takes some synchronisations apart and returns the table.
pub(crate) fn run(options: &Options) -> Result<String, String> {
    let mut rows = Vec::new();
    for &keys in &options.keys {
        for kind in [Kind::Redis, Kind::Ours] {
            let master = Server::start(kind, &[]);
            load::strings(&master, keys);
            let found: Result<Vec<Parts>, String> =
                (0..options.rounds.max(1)).map(|_| measure(&master, kind, keys)).collect();
            let found = found?;
            let of = |part: fn(&Parts) -> f64| median(found.iter().map(part).collect()).unwrap_or_default();
            let parts = [
                of(|parts| parts.asking),
                of(|parts| parts.transfer),
                of(|parts| parts.flush),
                of(|parts| parts.load),
            ];
            let name = if kind == Kind::Redis { "redis-server" } else { "ha-server" };
            rows.push((keys, name, parts));
        }
    }
    if let (Some(path), Some(machine), Some(date)) = (&options.json, &options.machine, &options.date) {
        let text = json(options, &rows, machine, date);
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let mut text =
        String::from("| keys     | server       |   asking | transfer |    flush |     load | ms\n");
    for (keys, name, [asking, transfer, flush, load]) in &rows {
        text += &format!(
            "| {keys:>8} | {name:<12} | {asking:>8.0} | {transfer:>8.0} | {flush:>8.0} | {load:>8.0} |\n"
        );
    }
    Ok(text)
}

fn measure(master: &Server, kind: Kind, keys: u64) -> Result<Parts, String> {
    let replica = Server::start(kind, &[]);
    load::strings(&replica, keys);
    replica.run(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    wait::until("the end of the synchronisation", || replica.log().contains("Finished with success"));
    let log = replica.log();
    let at = |text: &str| {
        let line = log.lines().find(|line| line.contains(text));
        line.and_then(time_of).ok_or_else(|| format!("no line with `{text}`:\n{log}"))
    };
    let asked = at("Connecting to MASTER")?;
    let begun = at("receiving ")?;
    let loading = at("Loading DB in memory")?;
    // Ours drops nothing before the new data are complete.
    let flushing = if kind == Kind::Redis { at("Flushing old data")? } else { loading };
    let done = at("Finished with success")?;
    Ok(Parts {
        asking: begun - asked,
        transfer: flushing - begun,
        flush: loading - flushing,
        load: done - loading,
    })
}

/// Milliseconds since midnight, from a line of a log: `123:S 22 Nov 2026 01:25:52.741 * …`.
fn time_of(line: &str) -> Option<f64> {
    let clock = line.split(' ').nth(4)?;
    let mut parts = clock.split(':');
    let mut next = || parts.next()?.parse::<f64>().ok();
    let (hours, minutes, seconds) = (next()?, next()?, next()?);
    Some(((hours * 60.0 + minutes) * 60.0 + seconds) * 1000.0)
}

/// The file that the book's press reads for `{{#table measured/NAME}}`.
fn json(options: &Options, rows: &[(u64, &str, [f64; 4])], machine: &str, date: &str) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|(keys, name, parts)| {
            let total: f64 = parts.iter().sum();
            let parts: Vec<String> = parts.iter().map(|part| format!("{part:.0}")).collect();
            format!("    [{keys}, \"{name}\", {}, {total:.0}]", parts.join(", "))
        })
        .collect();
    let columns: Vec<String> = [
        ("keys", "count"),
        ("server", ""),
        ("asking", "ms"),
        ("snapshot and transfer", "ms"),
        ("flush", "ms"),
        ("load", "ms"),
        ("total", "ms"),
    ]
    .iter()
    .map(|(name, unit)| format!("    {{\"name\": \"{name}\", \"unit\": \"{unit}\"}}"))
    .collect();
    let command = format!("cargo run --release -p bench -- sync-parts --rounds {}", options.rounds);
    format!(
        "{{\n  \"kind\": \"table\",\n  \"title\": \"A full synchronisation, part by part\",\n  \"columns\": [\n{}\n  ],\n  \
         \"rows\": [\n{}\n  ],\n  \"measured\": {{\n    \"command\": \"{command}\",\n    \"machine\": \"{machine}\",\n    \
         \"with\": \"redis-server 7.0.15\",\n    \"date\": \"{date}\"\n  }}\n}}\n",
        columns.join(",\n"),
        rows.join(",\n")
    )
}
