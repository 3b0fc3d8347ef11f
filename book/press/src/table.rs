//! Recorded numbers as an HTML table.

use crate::data::{Cell, Column, Plot, Table, Unit};
use crate::figure::{escape, with_code};

/// A recorded table with its caption, if it has one. Numbers that were measured say how.
pub fn table(name: &str, table: &Table, caption: Option<&str>) -> String {
    let mut caption = caption.map(with_code).unwrap_or_default();
    if let Some(measured) = &table.measured {
        let gap = if caption.is_empty() { "" } else { " " };
        caption = format!(
            "{caption}{gap}<span class=\"measured\">Measured, not simulated: <code>{}</code> with {}, {}, {}. \
             On your machine it will differ.</span>",
            escape(&measured.command),
            escape(&measured.with),
            escape(&measured.machine),
            escape(&measured.date)
        );
    }
    let below = match caption.is_empty() {
        true => String::new(),
        false => format!("\n<figcaption>{caption}</figcaption>"),
    };
    let label = escape(&table.title);
    let rows = html(&table.columns, &table.rows, &label);
    let id = name.replace('/', "-");
    format!("<figure class=\"run data\" id=\"table-{id}\">\n{rows}{below}\n</figure>")
}

/// The numbers behind a plot, as a table.
pub fn of_plot(plot: &Plot) -> String {
    let mut columns = vec![Column { name: plot.x.name.clone(), unit: plot.x.unit }];
    columns.extend(plot.series.iter().map(|series| Column { name: series.name.clone(), unit: plot.y.unit }));
    let mut places: Vec<f64> =
        plot.series.iter().flat_map(|series| &series.points).map(|point| point.0).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let rows: Vec<Vec<Cell>> = places
        .into_iter()
        .map(|place| {
            let first = match plot.has_bars() {
                true => Cell::Text(plot.categories[place as usize].clone()),
                false => Cell::Number(place),
            };
            let value = |points: &[(f64, f64)]| {
                // Where a value changes at once there are two; the later one holds.
                let found = points.iter().rev().find(|point| point.0 == place);
                found.map_or(Cell::Text(String::new()), |point| Cell::Number(point.1))
            };
            std::iter::once(first).chain(plot.series.iter().map(|series| value(&series.points))).collect()
        })
        .collect();
    html(&columns, &rows, &escape(&format!("{}: the numbers", plot.title)))
}

/// A table that scrolls by itself if the page is too narrow, as mdBook makes them.
fn html(columns: &[Column], rows: &[Vec<Cell>], label: &str) -> String {
    let is_number = |index: usize| rows.iter().any(|row| matches!(row[index], Cell::Number(_)));
    let class = |index: usize| if is_number(index) { " class=\"number\"" } else { "" };
    let head: String = columns
        .iter()
        .enumerate()
        .map(|(index, column)| format!("<th scope=\"col\"{}>{}</th>", class(index), with_code(&column.name)))
        .collect();
    let body: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(columns).enumerate();
            let cells: String = cells
                .map(|(index, (cell, column))| {
                    format!("<td{}>{}</td>", class(index), show(cell, column.unit))
                })
                .collect();
            format!("<tr>{cells}</tr>")
        })
        .collect();
    format!(
        "<div class=\"table-wrapper\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\"><table>\n\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{}\n</tbody></table></div>",
        body.join("\n")
    )
}

fn show(cell: &Cell, unit: Unit) -> String {
    match cell {
        Cell::Number(number) => unit.show(*number),
        Cell::Text(text) => with_code(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Axis, Measured, Shape};

    #[test]
    fn numbers_have_units_and_words_may_hold_code() {
        let data = Table::new("sizes", &[("what", Unit::Number), ("size", Unit::Bytes)])
            .row(["`SET` < x".into(), 2048_u64.into()]);
        let html = table("sizes", &data, Some("All `sizes`."));
        assert!(html.contains("<td><code>SET</code> &lt; x</td><td class=\"number\">2 KiB</td>"), "{html}");
        assert!(html.contains("<figcaption>All <code>sizes</code>.</figcaption>"), "{html}");
        assert!(!html.contains("Measured") && !html.contains("\n\n"));
    }

    #[test]
    fn measured_numbers_say_how() {
        let mut data = Table::new("times", &[("n", Unit::Millis)]).row([1_u64.into()]);
        let [command, machine, with, date] =
            ["bench <x>", "2 cores", "Redis 7", "2026-11-22"].map(String::from);
        data.measured = Some(Measured { command, machine, with, date });
        let html = table("measured/times", &data, None);
        assert!(
            html.contains("Measured, not simulated: <code>bench &lt;x&gt;</code> with Redis 7, 2 cores"),
            "{html}"
        );
        assert!(html.contains("id=\"table-measured-times\""), "{html}");
    }

    #[test]
    fn a_plots_numbers_meet_in_rows() {
        let axis = |name| Axis::new(name, Unit::Number);
        let plot = Plot::new("p", Shape::Lines, axis("x"), axis("y"))
            .series("a", [(1.0, 10.0), (2.0, 20.0)])
            .series("b", [(2.0, 5.0)]);
        let html = of_plot(&plot);
        let cells = |texts: [&str; 3]| texts.map(|text| format!("<td class=\"number\">{text}</td>")).concat();
        assert!(html.contains(&cells(["1", "10", ""])) && html.contains(&cells(["2", "20", "5"])), "{html}");
    }
}
