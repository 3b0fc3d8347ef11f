//! Plots with bars. They lie on their side: a category's name has a row of its own above its bars, however long it is.

use super::scale::Scale;
use super::{Canvas, ROW, WIDTH, width};
use crate::data::{Plot, Shape};

/// Thickness of a bar.
const BAR: f64 = 15.0;
/// An emptier stretch between categories.
const GAP: f64 = 8.0;

pub(super) fn draw(canvas: &mut Canvas, plot: &Plot) {
    let values = |place: usize| {
        let points =
            plot.series.iter().map(move |series| series.points.iter().find(|point| point.0 == place as f64));
        points.map(|point| point.map(|point| point.1))
    };
    let sum = |place: usize| values(place).flatten().sum::<f64>();
    let longest = |place: usize| values(place).flatten().fold(0.0, f64::max);
    let places = 0..plot.categories.len();
    let ends: Vec<f64> = match plot.shape {
        Shape::Stacked => places.clone().map(sum).collect(),
        _ => places.clone().map(longest).collect(),
    };
    // Room for the number that stands behind the longest bar.
    let written =
        plot.series.iter().flat_map(|series| &series.points).map(|point| point.1).chain(ends.clone());
    let room = written.map(|value| width(&plot.y.unit.show(value))).fold(0.0, f64::max) + 12.0;
    let scale = Scale::new(&plot.y, ends.iter().copied().chain([0.0]), 4, true).between(1.0, WIDTH - room);

    let (top, first_bar) = (canvas.y, canvas.shapes.len());
    for place in places {
        canvas.y += ROW;
        canvas.text("plot-category", "start", 0.0, canvas.y - 3.0, &plot.categories[place], 1.0);
        let mut from = 0.0;
        for (index, value) in values(place).enumerate() {
            let Some(value) = value else { continue };
            let (left, right) = (scale.at(from), scale.at(from + value));
            canvas.begin(plot, index);
            canvas.bar(index, (left, canvas.y + 1.0), ((right - left).max(0.5), BAR - 2.0));
            canvas.end();
            if plot.shape == Shape::Stacked {
                from += value;
            } else {
                canvas.text(
                    "plot-value",
                    "start",
                    right + 6.0,
                    canvas.y + 12.0,
                    &plot.y.unit.show(value),
                    0.8,
                );
                canvas.y += BAR;
            }
        }
        if plot.shape == Shape::Stacked {
            canvas.text(
                "plot-value",
                "start",
                scale.at(from) + 6.0,
                canvas.y + 12.0,
                &plot.y.unit.show(from),
                0.8,
            );
            canvas.y += BAR;
        }
        canvas.y += GAP;
    }
    // The grid belongs behind the bars.
    let bars = canvas.shapes.split_off(first_bar);
    let bottom = canvas.y;
    canvas.columns(&scale, plot.y.unit, top + 4.0, bottom);
    canvas.line("plot-axis", (1.0, top + 4.0), (1.0, bottom), "stroke-opacity=\"0.6\" ");
    canvas.shapes.push_str(&bars);
    canvas.y += 16.0 + ROW;
    canvas.text("plot-axis-name", "end", WIDTH, canvas.y, &plot.y.name, 0.8);
    canvas.y += 8.0;
}
