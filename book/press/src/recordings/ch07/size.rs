//! What gossip costs and how fast it is, from the runs at size. Those take minutes and are kept in a file; here the small
//! ones among them are run again.

use core_types::Millis;
use sim::nodes::experiments::gossip::record::{Outcome, Run, of, plan};
use sim::nodes::experiments::gossip::{Detection, Hearsay, Size, Traffic};
use solution_7::Plan;

use crate::data::{Axis, Cell, Plot, Recording, Shape, Table, Unit};

/// Numbers of the runs at size.
pub(super) fn all() -> Vec<(&'static str, Recording)> {
    let differences: Vec<String> = plan().into_iter().filter_map(Run::difference).collect();
    assert!(
        differences.is_empty(),
        "gossip has changed. `cargo run --release -p sim --features nodes --example gossip_size`\n{}",
        differences.join("\n")
    );
    vec![
        ("ch07-bandwidth", bandwidth().into()),
        ("ch07-bandwidth-curve", bandwidth_curve().into()),
        ("ch07-spread", spread().into()),
    ]
}

const TIMEOUT: Millis = Millis::from_secs(15);

fn traffic(run: Run) -> Traffic {
    match run.recorded() {
        Some(Outcome::Traffic(traffic)) => traffic,
        other => panic!("`{}` is recorded as {other:?}", run.name()),
    }
}

fn deaths(run: Run) -> Vec<Detection> {
    match run.recorded() {
        Some(Outcome::Deaths(deaths)) => deaths,
        other => panic!("`{}` is recorded as {other:?}", run.name()),
    }
}

/// 200 nodes on 20 machines, beside what was published.
fn bandwidth() -> Table {
    let sizes = [TIMEOUT, Millis::from_secs(20)].map(|timeout| of(200, timeout));
    let mut table = Table::new(
        "What leaves one of 20 machines with 200 nodes",
        &[("node timeout", Unit::Number), ("15 s", Unit::BitsPerSecond), ("20 s", Unit::BitsPerSecond)],
    )
    .row(["published".into(), 25e6.into(), "< 15 Mb/s".into()]);
    let mut row = |what: &str, bits: &dyn Fn(Size) -> f64| {
        let [short, long] = sizes.map(|size| Cell::from(bits(size)));
        table.rows.push(vec![what.into(), short, long]);
    };
    let without = |size| traffic(Run::Lean(size, Hearsay::Ignored)).out * 8.0;
    let whole = |size| traffic(Run::Whole(size));
    row("out, at most (`bits_out`)", &|size| {
        Plan::new(size.nodes, size.nodes / size.machines, size.timeout).bits_out()
    });
    row("out, hearsay ignored", &without);
    row("and in, ignored", &|size| 2.0 * without(size));
    row("out, hearsay believed", &|size| whole(size).out * 8.0);
    row("and in, believed", &|size| 2.0 * whole(size).out * 8.0);
    row("inside, believed", &|size| whole(size).inside * 8.0);
    table
}

/// What one node sends, against how many there are.
fn bandwidth_curve() -> Plot {
    const SIZES: [usize; 8] = [6, 20, 50, 100, 200, 300, 500, 1000];
    let sends = |nodes: usize, hearsay| {
        let size = of(nodes, TIMEOUT);
        let Traffic { out, inside, .. } = traffic(Run::Lean(size, hearsay));
        (nodes as f64, (out + inside) * 8.0 * size.machines as f64 / nodes as f64)
    };
    // All of them on machines of their own: everything it sends goes out.
    let most = |nodes: usize| (nodes as f64, Plan::new(nodes, 1, TIMEOUT).bits_out());
    Plot::new(
        "What one node sends",
        Shape::Lines,
        Axis::log("nodes", Unit::Number),
        Axis::log("sent by one node, timeout 15 s", Unit::BitsPerSecond),
    )
    .series("hearsay ignored", [20, 50, 100, 200].map(|nodes| sends(nodes, Hearsay::Ignored)))
    .formula("at most", SIZES.map(most))
    .series("hearsay believed", SIZES.map(|nodes| sends(nodes, Hearsay::Believed)))
}

/// From a death until it is known, against how many nodes there are.
fn spread() -> Plot {
    let runs = plan().into_iter().filter_map(|run| match run {
        Run::Deaths(size, _) => Some((size.nodes as f64, deaths(run))),
        _ => None,
    });
    let runs: Vec<_> = runs.collect();
    let median = |time: fn(&Detection) -> Millis| {
        let point = move |(nodes, deaths): &(f64, Vec<Detection>)| {
            let mut times: Vec<Millis> = deaths.iter().map(time).collect();
            times.sort();
            (*nodes, times[times.len() / 2].0 as f64)
        };
        runs.iter().map(point).collect::<Vec<_>>()
    };
    let worst = runs.iter().map(|(nodes, deaths)| {
        let worst = deaths.iter().map(|death| death.known.0).max();
        (*nodes, worst.unwrap_or(0) as f64)
    });
    Plot::new(
        "From death to FAIL",
        Shape::Lines,
        Axis::log("nodes", Unit::Number),
        Axis::new("time since the death", Unit::Millis),
    )
    .series("the first node doubts (median)", median(|death| death.suspected))
    .series("FAIL is agreed, and all know (median)", median(|death| death.known))
    .formula("one timeout and a half", [6.0, 1000.0].map(|nodes| (nodes, TIMEOUT.0 as f64 * 1.5)))
    .series("all know (worst of all runs)", worst)
}
