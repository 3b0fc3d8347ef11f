//! Plots of chapter 3.

use core_types::Millis;
use sim::nodes::experiments::{self, KIB, MIB, Struggle, Tree};

use crate::data::{Axis, Plot, Recording, Shape, Unit, Which};

pub(super) fn all() -> Vec<(&'static str, Recording)> {
    let limits = [256 * KIB, MIB];
    let struggles =
        limits.map(|limit| (limit, experiments::struggle(limit, Millis::from_secs(30), Millis(200))));
    vec![
        ("ch03-outgoing", outgoing().into()),
        ("ch03-spread", spread().into()),
        ("ch03-delay", delay().into()),
        ("ch03-small-buffer", small_buffer(&struggles).into()),
        ("ch03-small-buffer-sent", small_buffer_sent(&struggles).into()),
    ]
}

/// How many replicas the plots go up to.
const REPLICAS: [usize; 7] = [1, 2, 3, 4, 6, 9, 12];

// ANCHOR: outgoing
/// What leaves the master for each mebibyte written.
fn outgoing() -> Plot {
    let counted =
        |tree| REPLICAS.map(|replicas| (replicas as f64, experiments::outgoing(tree, replicas, MIB) as f64));
    Plot::new(
        "What each mebibyte written costs the master",
        Shape::Lines,
        Axis::new("replicas", Unit::Number),
        Axis::new("bytes that leave the master", Unit::Bytes),
    )
    .series("star", counted(Tree::Star))
    .series("tree, 3 replicas each", counted(Tree::Layers(3)))
}
// ANCHOR_END: outgoing

/// When the last replica has a burst of one mebibyte.
fn spread() -> Plot {
    let counted =
        |tree| REPLICAS.map(|replicas| (replicas as f64, experiments::spread(tree, replicas, MIB).0 as f64));
    Plot::new(
        "When the last replica has a burst of one mebibyte",
        Shape::Lines,
        Axis::new("replicas", Unit::Number),
        Axis::new("time until the last one has it", Unit::Millis),
    )
    .series("star", counted(Tree::Star))
    .series("tree, 3 replicas each", counted(Tree::Layers(3)))
    .series("chain", counted(Tree::Layers(1)))
}

/// How long a small write takes to each layer.
fn delay() -> Plot {
    let layers = experiments::layers(5, 300);
    let points = |value: fn(&experiments::Layer) -> Millis| {
        let numbered = layers.iter().enumerate();
        let points: Vec<_> =
            numbered.map(|(index, layer)| ((index + 1) as f64, value(layer).0 as f64)).collect();
        points
    };
    Plot::new(
        "How far behind each layer is",
        Shape::Lines,
        Axis::new("layers below the master", Unit::Number),
        Axis::new("time until a write arrives", Unit::Millis),
    )
    .series("half of the writes", points(|layer| layer.median))
    .series("99 of 100", points(|layer| layer.slow))
}

/// What waits at the master for a replica in its first synchronisation, with two limits.
fn small_buffer(struggles: &[(u64, Struggle)]) -> Plot {
    let plot = Plot::new(
        "A limit that is too small, and one that is not",
        Shape::Lines,
        Axis::new("time since the replica was started", Unit::Millis),
        Axis::new("stream that waits for the replica", Unit::Bytes),
    );
    let plot = struggles.iter().fold(plot, |plot, (limit, struggle)| {
        let points = struggle.samples.iter().map(|sample| (sample.at.0 as f64, sample.waiting as f64));
        plot.series(&named(*limit, struggle), points)
    });
    plot.mark(Which::Y, struggles[0].0 as f64, "the small limit")
}

/// What the master has sent for it.
fn small_buffer_sent(struggles: &[(u64, Struggle)]) -> Plot {
    let plot = Plot::new(
        "What the master sends with a limit that is too small, and with one that is not",
        Shape::Lines,
        Axis::new("time since the replica was started", Unit::Millis),
        Axis::new("bytes that the master has sent", Unit::Bytes),
    );
    struggles.iter().fold(plot, |plot, (limit, struggle)| {
        let points = struggle.samples.iter().map(|sample| (sample.at.0 as f64, sample.sent as f64));
        plot.series(&named(*limit, struggle), points)
    })
}

fn named(limit: u64, struggle: &Struggle) -> String {
    let syncs = match struggle.full_syncs {
        1 => "1 full sync".to_string(),
        count => format!("{count} full syncs"),
    };
    format!("limit {}: {syncs}", Unit::Bytes.show(limit as f64))
}
