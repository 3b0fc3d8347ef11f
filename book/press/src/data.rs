//! What was counted in a run: plots and tables, as data.
//!
//! A recording is a run to look at ([`sim::Trace`]), or numbers that came out of runs. All are kept as JSON in
//! `book/src/traces`, so that a page is drawn from a file that can be read, compared and recorded again.

mod format;
mod json;

use serde::{Deserialize, Serialize};
use sim::Trace;

/// What a function in [`crate::recordings`] makes.
#[derive(Clone, Debug, PartialEq)]
pub enum Recording {
    /// A run, for `{{#transcript}}` and `{{#figure}}`.
    Run(Trace),
    /// Numbers, for `{{#plot}}`.
    Plot(Plot),
    /// Numbers and words, for `{{#table}}`.
    Table(Table),
}

impl From<Trace> for Recording {
    fn from(trace: Trace) -> Recording {
        Recording::Run(trace)
    }
}

impl From<Plot> for Recording {
    fn from(plot: Plot) -> Recording {
        Recording::Plot(plot)
    }
}

impl From<Table> for Recording {
    fn from(table: Table) -> Recording {
        Recording::Table(table)
    }
}

/// What a number counts. It decides how the number is written, and where an axis has its ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// A plain number: `12,500`.
    #[default]
    #[serde(rename = "", alias = "count")]
    Number,
    /// Bytes, in powers of 1024 as Redis counts them: `64 KiB`.
    #[serde(rename = "bytes")]
    Bytes,
    /// Bytes in a second: `1.5 MiB/s`.
    #[serde(rename = "bytes/s")]
    BytesPerSecond,
    /// Bits in a second, in powers of 1000 as networks count them: `25 Mb/s`.
    #[serde(rename = "bits/s")]
    BitsPerSecond,
    /// Milliseconds: `250 ms`, `2.5 s`.
    #[serde(rename = "ms")]
    Millis,
    /// Microseconds: `40 µs`.
    #[serde(rename = "us")]
    Micros,
    /// Hundredths: `12 %`.
    #[serde(rename = "percent")]
    Percent,
}

/// One axis of a plot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What it shows, in a few words: "bytes sent by the master".
    pub name: String,
    /// What its numbers count.
    #[serde(default)]
    pub unit: Unit,
    /// Equal distances are equal factors. Every value must then be above zero.
    #[serde(default, skip_serializing_if = "is_false")]
    pub log: bool,
}

impl Axis {
    /// A linear axis.
    pub fn new(name: &str, unit: Unit) -> Axis {
        Axis { name: name.into(), unit, log: false }
    }

    /// A logarithmic axis.
    pub fn log(name: &str, unit: Unit) -> Axis {
        Axis { log: true, ..Axis::new(name, unit) }
    }
}

/// How the points of a plot are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// By straight lines: something depends on something.
    Lines,
    /// By steps: a value holds until the next one.
    Steps,
    /// Not at all: a bar for each series, side by side in each category.
    Bars,
    /// Not at all: bars end to end, whose sum means something too.
    Stacked,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What they are, for the legend.
    pub name: String,
    /// Worked out by a formula rather than counted in a run: drawn as a thin line without marks.
    #[serde(default, skip_serializing_if = "is_false")]
    pub formula: bool,
    /// The points, from left to right. With bars, the first number is the place of the category.
    #[serde(with = "json::points")]
    pub points: Vec<(f64, f64)>,
}

/// A line across the whole plot, with a word at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The axis that it belongs to: a mark of `x` is upright.
    pub axis: Which,
    /// Where on that axis.
    #[serde(with = "json::number")]
    pub at: f64,
    /// What is there.
    pub label: String,
}

/// One of two axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The horizontal axis.
    X,
    /// The vertical axis.
    Y,
}

/// Numbers to draw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// What it shows, in a few words.
    pub title: String,
    /// How it is drawn.
    pub shape: Shape,
    /// What varies. With bars only its name is used, over the categories.
    pub x: Axis,
    /// What comes of it.
    pub y: Axis,
    /// With bars: what each place on the first axis stands for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Lines across.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// The points.
    pub series: Vec<Series>,
}

impl Plot {
    /// A plot of lines or steps, without points so far.
    pub fn new(title: &str, shape: Shape, x: Axis, y: Axis) -> Plot {
        let (categories, marks, series) = (Vec::new(), Vec::new(), Vec::new());
        Plot { title: title.into(), shape, x, y, categories, marks, series }
    }

    /// A plot of bars, without bars so far.
    pub fn bars<S: Into<String>>(
        title: &str,
        shape: Shape,
        x: &str,
        categories: impl IntoIterator<Item = S>,
        y: Axis,
    ) -> Plot {
        let categories = categories.into_iter().map(Into::into).collect();
        Plot { categories, ..Plot::new(title, shape, Axis::new(x, Unit::Number), y) }
    }

    /// Adds points that were counted.
    #[must_use]
    pub fn series(mut self, name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Plot {
        self.series.push(Series { name: name.into(), formula: false, points: points.into_iter().collect() });
        self
    }

    /// Adds points that a formula gives.
    #[must_use]
    pub fn formula(mut self, name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Plot {
        self.series.push(Series { name: name.into(), formula: true, points: points.into_iter().collect() });
        self
    }

    /// Adds a bar for each category, in their order.
    #[must_use]
    pub fn bar(self, name: &str, values: impl IntoIterator<Item = f64>) -> Plot {
        self.series(name, values.into_iter().enumerate().map(|(place, value)| (place as f64, value)))
    }

    /// Adds a line across.
    #[must_use]
    pub fn mark(mut self, axis: Which, at: f64, label: &str) -> Plot {
        self.marks.push(Mark { axis, at, label: label.into() });
        self
    }

    /// True if it is drawn with bars, one group for each category.
    pub fn has_bars(&self) -> bool {
        matches!(self.shape, Shape::Bars | Shape::Stacked)
    }

    /// What would make it impossible to draw, or misleading.
    pub fn check(&self) -> Result<(), String> {
        if self.series.is_empty() || self.series.iter().any(|series| series.points.is_empty()) {
            return Err("a plot needs series, and each series points".into());
        }
        for (index, series) in self.series.iter().enumerate() {
            let name = &series.name;
            if self.series[..index].iter().any(|other| other.name == *name) {
                return Err(format!("two series are called \"{name}\""));
            }
            let numbers = || series.points.iter().flat_map(|&(x, y)| [x, y]);
            if !numbers().all(f64::is_finite) {
                return Err(format!("\"{name}\" holds something that is no number"));
            }
            let below = |axis: &Axis, value: f64| axis.log && value <= 0.0;
            if series.points.iter().any(|&(x, y)| below(&self.x, x) || below(&self.y, y)) {
                return Err(format!("\"{name}\" goes down to zero, which a logarithmic axis never reaches"));
            }
            if self.has_bars() {
                let places = 0..self.categories.len();
                let known = |x: f64| x.fract() == 0.0 && x >= 0.0 && places.contains(&(x as usize));
                if !series.points.iter().all(|&(x, y)| known(x) && y >= 0.0) {
                    return Err(format!("\"{name}\" has a bar without a category, or below zero"));
                }
            } else if !series.points.is_sorted_by(|left, right| left.0 <= right.0) {
                return Err(format!("\"{name}\" runs backwards"));
            }
        }
        if self.has_bars() && (self.y.log || self.categories.is_empty()) {
            return Err("bars need categories, and an axis that begins at zero".into());
        }
        Ok(())
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// What its numbers count.
    #[serde(default)]
    pub unit: Unit,
}

/// One entry of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number, in the unit of its column.
    Number(#[serde(with = "json::number")] f64),
    /// Words, in which `code` may stand between backticks.
    Text(String),
}

impl From<f64> for Cell {
    fn from(number: f64) -> Cell {
        Cell::Number(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Cell {
        Cell::Number(number as f64)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

/// How numbers came about that no simulator can repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The command that measures them.
    pub command: String,
    /// The machine it ran on.
    pub machine: String,
    /// What was measured, with its version.
    pub with: String,
    /// The day.
    pub date: String,
}

/// Rows of numbers and words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it shows, in a few words.
    pub title: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// For a table in `traces/measured`: where its numbers come from. The page says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows so far.
    pub fn new(title: &str, columns: &[(&str, Unit)]) -> Table {
        let columns = columns.iter().map(|&(name, unit)| Column { name: name.into(), unit }).collect();
        Table { title: title.into(), columns, measured: None, rows: Vec::new() }
    }

    /// Adds a row.
    #[must_use]
    pub fn row<const N: usize>(mut self, cells: [Cell; N]) -> Table {
        self.rows.push(cells.into());
        self
    }

    /// What would make it impossible to show.
    pub fn check(&self) -> Result<(), String> {
        if self.rows.is_empty() || self.rows.iter().any(|row| row.len() != self.columns.len()) {
            return Err("a table needs rows, and each row a cell for every column".into());
        }
        Ok(())
    }
}

fn is_false(value: &bool) -> bool {
    !value
}
