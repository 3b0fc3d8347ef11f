//! A plot as SVG, in the manner of the space-time figures: drawn in `currentColor` on nothing, with no blank line.
//!
//! Series differ in dashes and marks (or in hatching, with bars), so that they can be told apart without colour;
//! the style sheet adds colours by the classes `plot-series-0`, `plot-series-1`, …. All text is monospaced, so that its
//! width is known here and nothing overlaps. Names of series stand in a legend above, numbers at the axes.

mod bars;
mod lines;
mod scale;

use std::fmt::Write;

use crate::data::{Plot, Series, Unit};
use crate::figure::escape;

/// The width of every plot in user units: text of [`FONT`] is then still readable on a telephone.
const WIDTH: f64 = 460.0;
const FONT: u32 = 12;
/// Width of one character, and height of a row of text.
const CHAR: f64 = 7.25;
const ROW: f64 = 18.0;
/// The most series that can still be told apart.
const SERIES: usize = 5;
/// How long a name may be: a legend's entry or an axis' name fills at most a row.
const LONGEST: usize = 56;

/// The drawing, as one `<svg>` element.
///
/// # Errors
/// What would make it unreadable.
pub fn svg(plot: &Plot) -> Result<String, String> {
    let names = plot.series.iter().map(|series| &series.name).chain([&plot.x.name, &plot.y.name]);
    let labels = plot.marks.iter().map(|mark| &mark.label);
    if let Some(long) = names.chain(labels).find(|name| name.chars().count() > LONGEST) {
        return Err(format!("\"{long}\" is too long for a plot: at most {LONGEST} characters"));
    }
    if plot.series.len() > SERIES {
        return Err(format!("{} series cannot be told apart: at most {SERIES}", plot.series.len()));
    }
    let mut canvas = Canvas::default();
    if plot.series.len() > 1 {
        canvas.legend(plot);
    }
    if plot.has_bars() {
        bars::draw(&mut canvas, plot);
    } else {
        lines::draw(&mut canvas, plot);
    }
    let (title, height) = (escape(&plot.title), canvas.y.ceil());
    Ok(format!(
        "<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" style=\"max-width:100%;height:auto\" fill=\"none\" stroke=\"currentColor\" \
         font-family=\"ui-monospace, 'Source Code Pro', Menlo, Consolas, monospace\" font-size=\"{FONT}\">\n\
         <title>{title}</title>\n<desc>{}</desc>\n{}{}</svg>",
        escape(&description(plot)),
        canvas.shapes,
        canvas.labels
    ))
}

/// The plot in words, for those who cannot see it; the numbers themselves follow it as a table.
fn description(plot: &Plot) -> String {
    let mut text = format!("{} against {}.", plot.y.name, plot.x.name);
    for Series { name, points, .. } in &plot.series {
        let at = |x: f64| match plot.has_bars() {
            true => plot.categories[x as usize].clone(),
            false => plot.x.unit.show(x),
        };
        let ends = [points.first(), points.last()].map(|point| *point.expect("a checked plot has points"));
        let [first, last] = ends.map(|(x, y)| format!("{} at {}", plot.y.unit.show(y), at(x)));
        let _ = write!(text, " {name}: from {first} to {last}.");
    }
    text
}

/// What has been drawn so far.
#[derive(Default)]
struct Canvas {
    /// Lines and areas, and the text, which is drawn last so that nothing crosses it out.
    shapes: String,
    labels: String,
    /// How far down it reaches.
    y: f64,
}

/// Width of a text.
fn width(text: &str) -> f64 {
    CHAR * text.chars().count() as f64
}

/// Width and dashes of a series' line.
fn dashes(index: usize, series: &Series) -> &'static str {
    if series.formula {
        return "stroke-width=\"1.2\" stroke-dasharray=\"3 4\" ";
    }
    [
        "stroke-width=\"2\" ",
        "stroke-width=\"2\" stroke-dasharray=\"8 4\" ",
        "stroke-width=\"2\" stroke-dasharray=\"2 4\" ",
        "stroke-width=\"2\" stroke-dasharray=\"9 3 2 3\" ",
        "stroke-width=\"2\" ",
    ][index]
}

impl Canvas {
    fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64), style: &str) {
        let _ = writeln!(
            self.shapes,
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>",
            from.0, from.1, to.0, to.1
        );
    }

    fn text(&mut self, class: &str, anchor: &str, x: f64, y: f64, text: &str, opacity: f64) {
        // A halo in the page's colour keeps a line that passes behind from striking the text out.
        let _ = writeln!(
            self.labels,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"currentColor\" \
             fill-opacity=\"{opacity}\" style=\"paint-order:stroke;stroke:var(--bg, Canvas);stroke-width:4px;\
             stroke-linejoin:round\">{}</text>",
            escape(text)
        );
    }

    /// The point of a series: circle, square, triangle, diamond, hollow circle.
    fn point(&mut self, index: usize, (x, y): (f64, f64)) {
        let shape = match index {
            1 => format!("M{:.1} {:.1}h6.4v6.4h-6.4Z", x - 3.2, y - 3.2),
            2 => format!("M{x:.1} {:.1}l4.2 7.4h-8.4Z", y - 4.8),
            3 => format!("M{x:.1} {:.1}l4.6 4.6l-4.6 4.6l-4.6 -4.6Z", y - 4.6),
            _ => format!("M{:.1} {y:.1}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z", x - 3.5),
        };
        let fill = if index == 4 { "var(--bg, Canvas)" } else { "currentColor" };
        let _ = writeln!(self.shapes, "<path class=\"plot-point\" d=\"{shape}\" fill=\"{fill}\"/>");
    }

    /// What follows belongs to one series, until [`Canvas::end`]. A formula has the colour of the series that it is
    /// drawn beside: the one before it.
    fn begin(&mut self, plot: &Plot, index: usize) {
        let shown = if plot.series[index].formula { index.saturating_sub(1) } else { index };
        let _ = writeln!(self.shapes, "<g class=\"plot-series plot-series-{shown}\">");
    }

    fn end(&mut self) {
        self.shapes.push_str("</g>\n");
    }

    /// A sample of each series with its name, in as many rows as it takes.
    fn legend(&mut self, plot: &Plot) {
        let mut x = 2.0;
        self.y += ROW;
        for (index, series) in plot.series.iter().enumerate() {
            let needed = 34.0 + width(&series.name);
            if x > 2.0 && x + needed > WIDTH {
                self.y += ROW;
                x = 2.0;
            }
            let y = self.y - 4.0;
            self.begin(plot, index);
            if plot.has_bars() {
                self.bar(index, (x, y - 5.0), (26.0, 10.0));
            } else {
                self.line("plot-line", (x, y), (x + 26.0, y), dashes(index, series));
                if !series.formula {
                    self.point(index, (x + 13.0, y));
                }
            }
            self.end();
            self.text("plot-name", "start", x + 32.0, self.y, &series.name, 1.0);
            x += needed + 18.0;
        }
        self.y += 6.0;
    }

    /// Ticks across: a faint line at each, with its number at the left.
    fn rows(&mut self, scale: &scale::Scale, unit: Unit, left: f64, right: f64) {
        for &tick in &scale.ticks {
            let y = scale.at(tick);
            self.line("plot-grid", (left, y), (right, y), "stroke-opacity=\"0.16\" ");
            self.text("plot-tick", "end", left - 7.0, y + 4.0, &unit.show(tick), 0.8);
        }
    }

    /// Ticks upright: a faint line at each, with its number below, as many as have room.
    fn columns(&mut self, scale: &scale::Scale, unit: Unit, top: f64, bottom: f64) {
        let mut free = f64::MIN;
        for &tick in &scale.ticks {
            let (x, text) = (scale.at(tick), unit.show(tick));
            self.line("plot-grid", (x, top), (x, bottom), "stroke-opacity=\"0.16\" ");
            let middle = x.min(WIDTH - width(&text) / 2.0).max(width(&text) / 2.0);
            if middle - width(&text) / 2.0 >= free {
                self.text("plot-tick", "middle", middle, bottom + 16.0, &text, 0.8);
                free = middle + width(&text) / 2.0 + CHAR;
            }
        }
    }

    /// A bar, or a part of one. Its inside differs from series to series.
    fn bar(&mut self, index: usize, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let opacity = [0.85, 0.5, 0.22, 0.65, 0.0][index];
        let _ = writeln!(
            self.shapes,
            "<rect class=\"plot-bar\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             fill=\"currentColor\" fill-opacity=\"{opacity}\"/>"
        );
        // Hatching, for eyes and printers that do not tell shades apart.
        let step = [0.0, 0.0, 0.0, 6.0, 4.0][index];
        let mut at = x + step;
        while step > 0.0 && at < x + width {
            self.line("plot-hatch", (at, y), (at, y + height), "stroke-opacity=\"0.7\" ");
            at += step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Axis, Shape, Which};

    fn drawn(plot: &Plot) -> String {
        plot.check().unwrap();
        let svg = svg(plot).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>") && !svg.contains("NaN"), "{svg}");
        assert!(svg.lines().all(|line| !line.trim().is_empty()));
        assert_eq!(svg.matches("<g ").count(), svg.matches("</g>").count());
        svg
    }

    /// Left end, right end and baseline of every text.
    fn texts(svg: &str) -> Vec<(f64, f64, f64, String)> {
        let number = |line: &str, name: &str| -> f64 {
            let (_, rest) = line.split_once(&format!(" {name}=\"")).unwrap();
            rest.split('"').next().unwrap().parse().unwrap()
        };
        let lines = svg.lines().filter(|line| line.starts_with("<text"));
        lines
            .map(|line| {
                let content = line.split_once('>').unwrap().1.trim_end_matches("</text>");
                let (x, y, wide) = (number(line, "x"), number(line, "y"), width(content));
                let left = match line {
                    line if line.contains("\"end\"") => x - wide,
                    line if line.contains("\"middle\"") => x - wide / 2.0,
                    _ => x,
                };
                (left, left + wide, y, content.to_string())
            })
            .collect()
    }

    fn readable(svg: &str) {
        let texts = texts(svg);
        assert!(!texts.is_empty());
        for (index, one) in texts.iter().enumerate() {
            assert!(one.0 >= -0.1 && one.1 <= WIDTH + 0.1, "outside: {one:?}");
            for other in &texts[..index] {
                let apart = one.0 >= other.1 || other.0 >= one.1 || (one.2 - other.2).abs() >= 12.0;
                assert!(apart, "{one:?} and {other:?} overlap");
            }
        }
    }

    fn plots() -> Vec<Plot> {
        let squares = |factor: f64| (0..12).map(move |n| (f64::from(n) * 5000.0, factor * f64::from(n * n)));
        let powers = |factor: f64| (0..20).map(move |n| (2f64.powi(n), factor * 2f64.powi(n)));
        let time = Axis::new("time since the cut", Unit::Millis);
        let size = |name| Axis::log(name, Unit::Bytes);
        let parts = ["a short one", "a category with a rather long name that must fit"];
        vec![
            Plot::new("linear", Shape::Lines, time.clone(), Axis::new("bytes that wait", Unit::Bytes))
                .series("one", squares(700.0))
                .series("another, with a longer name for the legend", squares(900.0))
                .formula("rate × time", squares(650.0))
                .mark(Which::X, 20_000.0, "the cut heals")
                .mark(Which::X, 24_000.0, "and the replica is back")
                .mark(Which::Y, 50_000.0, "limit"),
            Plot::new("log", Shape::Lines, size("data set"), size("bytes sent"))
                .series("full", powers(1.1))
                .series("partial", (0..20).map(|n| (2f64.powi(n), 40_000.0))),
            Plot::new("steps", Shape::Steps, time, Axis::new("replicas", Unit::Number))
                .series("online", [(0.0, 0.0), (10.0, 1.0), (1234.0, 0.0)]),
            Plot::bars("bars", Shape::Bars, "part", parts, Axis::new("time", Unit::Millis))
                .bar("small", [1.0, 250.0])
                .bar("large", [4000.0, 0.0]),
            Plot::bars("stacked", Shape::Stacked, "part", parts, Axis::new("time", Unit::Millis))
                .bar("small", [1.0, 250.0])
                .bar("middle", [300.0, 250.0])
                .bar("large", [4000.0, 3.0]),
        ]
    }

    #[test]
    fn labels_stay_inside_and_do_not_overlap() {
        for plot in plots() {
            readable(&drawn(&plot));
        }
    }

    #[test]
    fn it_says_in_words_what_it_shows() {
        let svg = drawn(&plots()[1]);
        assert!(svg.contains("<title>log</title>"));
        assert!(svg.contains("full: from 1.1 B at 1 B to 563 KiB at 512 KiB."), "{svg}");
    }

    #[test]
    fn what_nobody_could_read_is_an_error() {
        let axis = || Axis::new("x", Unit::Number);
        let plot = || Plot::new("t", Shape::Lines, axis(), axis());
        assert!(svg(&plot().series(&"x".repeat(57), [(1.0, 1.0)])).is_err());
        let many = (0..6).fold(plot(), |plot, n| plot.series(&n.to_string(), [(1.0, 1.0)]));
        assert!(svg(&many).is_err());
    }

    #[test]
    fn one_point_and_no_spread_can_be_drawn() {
        let axis = || Axis::new("x", Unit::Number);
        for y in [0.0, 1.0, 1e9] {
            readable(&drawn(&Plot::new("t", Shape::Lines, axis(), axis()).series("s", [(3.0, y)])));
        }
        let log = || Axis::log("x", Unit::Bytes);
        readable(&drawn(&Plot::new("t", Shape::Lines, log(), log()).series("s", [(1.0, 1.0)])));
    }
}
