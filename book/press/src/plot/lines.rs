//! Plots with two axes.

use std::fmt::Write;

use super::scale::Scale;
use super::{CHAR, Canvas, ROW, WIDTH, dashes, width};
use crate::data::{Plot, Series, Shape, Which};

/// Height of the area with the lines.
const AREA: f64 = 210.0;
/// With more points than this a series is drawn without marks at them.
const MARKED: usize = 24;

pub(super) fn draw(canvas: &mut Canvas, plot: &Plot) {
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let marked = |which| plot.marks.iter().filter(move |mark| mark.axis == which).map(|mark| mark.at);
    let y = Scale::new(&plot.y, points().map(|point| point.1).chain(marked(Which::Y)), 5, false);
    let x = Scale::new(&plot.x, points().map(|point| point.0).chain(marked(Which::X)), 5, true);

    let numbers = y.ticks.iter().map(|&tick| width(&plot.y.unit.show(tick)));
    let (left, right) = (numbers.fold(0.0, f64::max) + 8.0, WIDTH - 10.0);
    canvas.y += ROW;
    canvas.text("plot-axis-name", "start", 0.0, canvas.y - 2.0, &plot.y.name, 0.8);
    let first_mark = canvas.y;
    canvas.y += ROW * marked(Which::X).count() as f64;
    let top = canvas.y + 11.0;
    let bottom = top + AREA;
    let (x, y) = (x.between(left, right), y.between(bottom, top));

    canvas.rows(&y, plot.y.unit, left, right);
    canvas.columns(&x, plot.x.unit, top, bottom);
    canvas.line("plot-axis", (left, bottom), (right, bottom), "stroke-opacity=\"0.6\" ");
    canvas.line("plot-axis", (left, top), (left, bottom), "stroke-opacity=\"0.6\" ");
    marks(canvas, plot, (&x, &y), (first_mark, bottom), (left, right));
    for (index, series) in plot.series.iter().enumerate() {
        canvas.begin(plot, index);
        path(canvas, plot.shape, index, series, (&x, &y));
        canvas.end();
    }
    canvas.y = bottom + 16.0 + ROW;
    canvas.text("plot-axis-name", "end", right, canvas.y, &plot.x.name, 0.8);
    canvas.y += 8.0;
}

/// Lines across with their words: those of upright ones each in a row of its own above, so that they cannot meet.
fn marks(
    canvas: &mut Canvas,
    plot: &Plot,
    (x, y): (&Scale, &Scale),
    (mut row, bottom): (f64, f64),
    (left, right): (f64, f64),
) {
    const STYLE: &str = "stroke-opacity=\"0.7\" stroke-dasharray=\"1 3\" ";
    for mark in &plot.marks {
        match mark.axis {
            Which::X if x.covers(mark.at) => {
                let at = x.at(mark.at);
                row += ROW;
                canvas.line("plot-mark", (at, row - 4.0), (at, bottom), STYLE);
                let room = WIDTH - at - CHAR;
                let (anchor, place) =
                    if width(&mark.label) <= room { ("start", at + 5.0) } else { ("end", at - 5.0) };
                canvas.text("plot-mark-label", anchor, place, row, &mark.label, 0.9);
            }
            Which::Y if y.covers(mark.at) => {
                let at = y.at(mark.at);
                canvas.line("plot-mark", (left, at), (right, at), STYLE);
                canvas.text("plot-mark-label", "end", right - 4.0, at - 4.0, &mark.label, 0.9);
            }
            _ => {}
        }
    }
}

fn path(canvas: &mut Canvas, shape: Shape, index: usize, series: &Series, (x, y): (&Scale, &Scale)) {
    let mut d = String::new();
    for (place, &(across, up)) in series.points.iter().enumerate() {
        let (across, up) = (x.at(across), y.at(up));
        let _ = match (place, shape) {
            (0, _) => write!(d, "M{across:.1} {up:.1}"),
            (_, Shape::Steps) => write!(d, "H{across:.1}V{up:.1}"),
            _ => write!(d, "L{across:.1} {up:.1}"),
        };
    }
    let _ = writeln!(
        canvas.shapes,
        "<path class=\"plot-line\" d=\"{d}\" stroke-linejoin=\"round\" {}/>",
        dashes(index, series)
    );
    if !series.formula && series.points.len() <= MARKED {
        for &(across, up) in &series.points {
            canvas.point(index, (x.at(across), y.at(up)));
        }
    }
}
