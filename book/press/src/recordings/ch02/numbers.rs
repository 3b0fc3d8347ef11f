//! Plots and tables of chapter 2.

use core_types::Millis;
use sim::nodes::experiments::{self, KIB, MIB};

use crate::data::{Axis, Plot, Recording, Shape, Table, Unit};

pub(super) fn all() -> Vec<(&'static str, Recording)> {
    let [bytes, time] = full_or_partial();
    vec![
        ("ch02-full-or-partial", bytes.into()),
        ("ch02-full-or-partial-time", time.into()),
        ("ch02-sync-parts", sync_parts().into()),
        ("ch02-backlog-size", backlog_size().into()),
        ("ch02-rules-of-thumb", rules_of_thumb().into()),
    ]
}

/// What a second without a link costs, against the size of the data set: bytes, and time.
fn full_or_partial() -> [Plot; 2] {
    let sizes = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB];
    let costs: Vec<_> = sizes.map(|size| (size, experiments::full(size), experiments::partial(size))).into();
    let x = || Axis::log("data set", Unit::Bytes);
    let points = |value: fn(&experiments::Cost) -> u64| {
        let full = costs.iter().map(move |(size, full, _)| (*size as f64, value(full) as f64));
        let partial = costs.iter().map(move |(size, _, partial)| (*size as f64, value(partial) as f64));
        (full, partial)
    };
    let (full, partial) = points(|cost| cost.bytes);
    let bytes = Plot::new(
        "What one lost second costs in bytes",
        Shape::Lines,
        x(),
        Axis::log("bytes from master to replica", Unit::Bytes),
    )
    .series("full", full)
    .series("partial", partial);
    let (full, partial) = points(|cost| cost.time.0.max(1));
    let time = Plot::new(
        "What one lost second costs in time",
        Shape::Lines,
        x(),
        Axis::log("time from the first word to in sync", Unit::Millis),
    )
    .series("full", full)
    .series("partial", partial);
    [bytes, time]
}

/// What crosses the wire in a full synchronisation, while a mebibyte is written every second.
fn sync_parts() -> Plot {
    let sizes = [4 * MIB, 8 * MIB, 16 * MIB];
    let parts = sizes.map(|size| experiments::parts(size, MIB));
    Plot::bars(
        "What crosses the wire in a full synchronisation",
        Shape::Stacked,
        "data set",
        sizes.map(|size| format!("data set of {}", Unit::Bytes.show(size as f64))),
        Axis::new("bytes from master to replica", Unit::Bytes),
    )
    .bar("snapshot", parts.map(|parts| parts.snapshot as f64))
    .bar("written meanwhile", parts.map(|parts| parts.stream as f64))
}

/// The smallest backlog that healed an outage, for two rates of writing.
fn backlog_size() -> Plot {
    // Close to both sides of each of TCP's attempts, after one, three, seven and fifteen seconds.
    let outages = [500, 950, 1050, 2000, 2950, 3050, 5000, 6950, 7050, 10_000, 14_950];
    let mut plot = Plot::new(
        "How large a backlog must be",
        Shape::Lines,
        Axis::new("how long nothing got through", Unit::Millis),
        Axis::new("smallest backlog that led to a partial sync", Unit::Bytes),
    );
    for rate in [128 * KIB, 32 * KIB] {
        let name = Unit::BytesPerSecond.show(rate as f64);
        let found =
            outages.map(|millis| (millis as f64, experiments::outage(Millis(millis), rate).smallest as f64));
        plot = plot.series(&format!("{name} written"), found);
        let by_formula = [0, 15_000].map(|millis| (millis as f64, (millis * rate / 1000) as f64));
        plot = plot.formula(&format!("{name} × outage"), by_formula);
    }
    plot
}

/// Four rules in circulation, each with a run where it fails.
fn rules_of_thumb() -> Table {
    let size = |bytes: u64| Unit::Bytes.show(bytes as f64);
    let seconds = Millis::from_secs;
    let busy = experiments::heals(2 * MIB, 5, seconds(5), 64 * KIB);
    let quiet = experiments::heals(1024 * MIB, 5, seconds(5), 8 * KIB);
    let flaps = experiments::flapping(Millis(50), seconds(1));
    // The whole data set is 8 MiB; a tenth and a fifth of it.
    let [data, ..] = experiments::SETTING;
    let struggle = experiments::struggle(data / 20, seconds(60), seconds(1));
    let healed = |healed: bool| if healed { "partial sync" } else { "full sync" };
    Table::new(
        "Rules of thumb, and a run where each fails",
        &[("rule", Unit::Number), ("run", Unit::Number), ("what happens", Unit::Number)],
    )
    .row([
        "backlog: 5 % of memory".into(),
        format!("2 MiB of data, 64 KiB/s written, link down for 5 s: {} of backlog", size(busy.size)).into(),
        format!("{}; it would have taken {}", healed(busy.healed), size(busy.smallest)).into(),
    ])
    .row([
        "backlog: 5 % of memory".into(),
        format!("1 GiB of data, 8 KiB/s written, link down for 5 s: {} of backlog", size(quiet.size)).into(),
        format!("{}; {} would have been enough", healed(quiet.healed), size(quiet.smallest)).into(),
    ])
    .row([
        "timeout: twice the network delay".into(),
        "delay 50 ms, so `repl-timeout 1`, the least there is; nobody writes for a minute".into(),
        format!("nothing is broken, and the replica gives up its link {flaps} times").into(),
    ])
    .row([
        "replica buffer: below 20 % of memory".into(),
        format!("{} of data, 1 MiB/s of wire, 64 KiB/s written, limit at 5 %", size(data)).into(),
        match struggle.in_sync {
            Some(at) => format!("in sync after {}", Unit::Millis.show(at.0 as f64)).into(),
            None => {
                format!("{} full syncs in a minute, and none is ever finished", struggle.full_syncs).into()
            }
        },
    ])
}
