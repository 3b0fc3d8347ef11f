//! Recordings as JSON: one event, one series or one row per line, so that two of them can be compared.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sim::Trace;

use super::{Plot, Recording, Table};

impl Recording {
    /// The text of its file. Ends with a line break.
    pub fn to_json(&self) -> String {
        match self {
            Recording::Run(trace) => trace.to_json(),
            Recording::Plot(plot) => lines("plot", plot),
            Recording::Table(table) => lines("table", table),
        }
    }

    /// Reads what [`Recording::to_json`] wrote.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn from_json(text: &str) -> Result<Recording, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match value.get("kind").and_then(Value::as_str) {
            None => Trace::from_json(text).map(Recording::Run).map_err(|error| error.to_string()),
            Some("plot") => {
                let plot: Plot = read(value)?;
                plot.check()?;
                Ok(Recording::Plot(plot))
            }
            Some("table") => {
                let table: Table = read(value)?;
                table.check()?;
                Ok(Recording::Table(table))
            }
            Some(other) => Err(format!("a recording of unknown kind \"{other}\"")),
        }
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// One line for each field, and for each element of a field that is a list of lists or objects.
fn lines(kind: &str, content: &impl Serialize) -> String {
    let value = serde_json::to_value(content).expect("plain data");
    let fields = value.as_object().expect("a struct");
    let mut text = format!("{{\n\"kind\": {}", json!(kind));
    for (name, field) in fields {
        text.push_str(&format!(",\n{}: ", json!(name)));
        match field.as_array().filter(|list| list.iter().any(|item| item.is_array() || item.is_object())) {
            Some(list) => {
                let items: Vec<String> = list.iter().map(Value::to_string).collect();
                text.push_str(&format!("[\n{}\n]", items.join(",\n")));
            }
            None => text.push_str(&field.to_string()),
        }
    }
    text.push_str("\n}\n");
    text
}

/// A number that is whole is written without `.0`.
pub(super) mod number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        value_of(*value).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        f64::deserialize(from)
    }

    pub(super) fn value_of(value: f64) -> serde_json::Value {
        // Up to here every whole number is exact.
        match value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
            true => serde_json::json!(value as i64),
            false => serde_json::json!(value),
        }
    }
}

/// Points are written as `[x, y]`.
pub(super) mod points {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::number::value_of;

    pub(in super::super) fn serialize<S: Serializer>(
        points: &[(f64, f64)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let points: Vec<_> = points.iter().map(|&(x, y)| [value_of(x), value_of(y)]).collect();
        points.serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(f64, f64)>, D::Error> {
        Vec::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Measured, Shape, Unit, Which};
    use super::*;

    #[test]
    fn every_kind_survives_the_round_trip() {
        let plot = Plot::new("a", Shape::Steps, Axis::new("t", Unit::Millis), Axis::log("b", Unit::Bytes))
            .series("one", [(0.0, 1.5), (10.0, 2.0)])
            .formula("two", [(0.0, 1.0)])
            .mark(Which::X, 5.0, "here");
        let bars = Plot::bars("b", Shape::Stacked, "part", ["x", "y"], Axis::new("n", Unit::Number))
            .bar("z", [1.0, 2.0]);
        let mut table = Table::new("c", &[("name", Unit::Number), ("size", Unit::Bytes)])
            .row(["a `b`".into(), 1024_u64.into()])
            .row(["c".into(), 0.5.into()]);
        table.measured = Some(Measured {
            command: "bench".into(),
            machine: "this".into(),
            with: "that".into(),
            date: "today".into(),
        });
        for recording in [plot.into(), bars.into(), table.into(), Recording::Run(Trace::new("d"))] {
            let text = recording.to_json();
            assert_eq!(Recording::from_json(&text), Ok(recording), "{text}");
        }
    }

    #[test]
    fn a_series_and_a_row_have_a_line_each() {
        let text =
            Recording::from(Table::new("c", &[("n", Unit::Bytes)]).row([1_u64.into()]).row([2_u64.into()]));
        assert_eq!(
            text.to_json(),
            "{\n\"kind\": \"table\",\n\"columns\": [\n{\"name\":\"n\",\"unit\":\"bytes\"}\n],\n\"rows\": [\n[1],\n[2]\n],\n\"title\": \"c\"\n}\n"
        );
    }

    #[test]
    fn what_cannot_be_shown_is_an_error() {
        for wrong in [
            r#"{"kind":"pie"}"#,
            r#"{"kind":"table","title":"","columns":[{"name":"a"}],"rows":[]}"#,
            r#"{"kind":"table","title":"","columns":[{"name":"a"}],"rows":[[1,2]]}"#,
            r#"{"kind":"plot","title":"","shape":"lines","x":{"name":"x"},"y":{"name":"y"},"series":[]}"#,
            r#"{"kind":"plot","title":"","shape":"lines","x":{"name":"x"},"y":{"name":"y","log":true},"series":[{"name":"s","points":[[0,0]]}]}"#,
            r#"{"kind":"plot","title":"","shape":"lines","x":{"name":"x"},"y":{"name":"y"},"series":[{"name":"s","points":[[2,0],[1,0]]}]}"#,
            r#"{"kind":"plot","title":"","shape":"bars","x":{"name":"x"},"y":{"name":"y"},"categories":["a"],"series":[{"name":"s","points":[[1,1]]}]}"#,
        ] {
            assert!(Recording::from_json(wrong).is_err(), "{wrong}");
        }
    }
}
