//! A trace as JSON, for the book's recorded traces and the player.

use std::error::Error;
use std::fmt;

use core_types::Millis;
use serde_json::{Map, Value, json};

use super::{Event, Kind, Trace};

/// A text that is not a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError(String);

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a recorded trace: {}", self.0)
    }
}

impl Error for JsonError {}

impl Trace {
    /// One event per line, so that two recordings can be compared with `diff`. Ends with a line break.
    pub fn to_json(&self) -> String {
        let mut text = format!(
            "{{\n\"title\": {},\n\"timeless\": {},\n\"hosts\": {},\n\"events\": [",
            json!(self.title),
            self.timeless,
            json!(self.hosts)
        );
        for (index, event) in self.events.iter().enumerate() {
            text.push_str(if index == 0 { "\n" } else { ",\n" });
            text.push_str(&event_to_json(event).to_string());
        }
        text.push_str("\n]\n}\n");
        text
    }

    /// Reads what [`Trace::to_json`] wrote.
    ///
    /// # Errors
    /// If it is not JSON, or an event lacks a field or is of an unknown kind.
    pub fn from_json(text: &str) -> Result<Trace, JsonError> {
        let value: Value = serde_json::from_str(text).map_err(|error| JsonError(error.to_string()))?;
        let fields = Fields(value.as_object().ok_or_else(|| JsonError("not an object".into()))?);
        let hosts = fields.list("hosts")?;
        let events = fields.list("events")?;
        Ok(Trace {
            title: fields.text("title")?,
            hosts: hosts.iter().map(|host| host.as_str().unwrap_or_default().to_string()).collect(),
            timeless: fields.get("timeless")?.as_bool().unwrap_or(false),
            events: events.iter().map(event_from_json).collect::<Result<_, _>>()?,
        })
    }
}

fn event_to_json(event: &Event) -> Value {
    let mut value = match &event.kind {
        Kind::Send { id, from, to, label } => {
            json!({ "kind": "send", "id": id, "from": from, "to": to, "label": label })
        }
        Kind::Receive { id } => json!({ "kind": "receive", "id": id }),
        Kind::Drop { id, why } => json!({ "kind": "drop", "id": id, "why": why }),
        Kind::State { host, label } => json!({ "kind": "state", "host": host, "label": label }),
        Kind::Note { host, label } => json!({ "kind": "note", "host": host, "label": label }),
        Kind::Call { input, output } => json!({ "kind": "call", "input": input, "output": output }),
        Kind::Fault { label } => json!({ "kind": "fault", "label": label }),
        Kind::Down { host } => json!({ "kind": "down", "host": host }),
        Kind::Up { host } => json!({ "kind": "up", "host": host }),
    };
    value["at"] = json!(event.at.0);
    value
}

fn event_from_json(value: &Value) -> Result<Event, JsonError> {
    let fields = Fields(value.as_object().ok_or_else(|| JsonError("an event is not an object".into()))?);
    let kind = match fields.text("kind")?.as_str() {
        "send" => Kind::Send {
            id: fields.number("id")?,
            from: fields.text("from")?,
            to: fields.text("to")?,
            label: fields.text("label")?,
        },
        "receive" => Kind::Receive { id: fields.number("id")? },
        "drop" => Kind::Drop { id: fields.number("id")?, why: fields.text("why")? },
        "state" => Kind::State { host: fields.text("host")?, label: fields.text("label")? },
        "note" => Kind::Note {
            host: fields.get("host")?.as_str().map(str::to_string),
            label: fields.text("label")?,
        },
        "call" => Kind::Call { input: fields.text("input")?, output: fields.text("output")? },
        "fault" => Kind::Fault { label: fields.text("label")? },
        "down" => Kind::Down { host: fields.text("host")? },
        "up" => Kind::Up { host: fields.text("host")? },
        other => return Err(JsonError(format!("an event of unknown kind \"{other}\""))),
    };
    Ok(Event { at: Millis(fields.number("at")?), kind })
}

/// An object whose fields must be there.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Result<&'a Value, JsonError> {
        self.0.get(name).ok_or_else(|| JsonError(format!("the field \"{name}\" is missing")))
    }

    fn text(&self, name: &str) -> Result<String, JsonError> {
        let text = self.get(name)?.as_str();
        text.map(str::to_string).ok_or_else(|| JsonError(format!("the field \"{name}\" is not a text")))
    }

    fn number(&self, name: &str) -> Result<u64, JsonError> {
        self.get(name)?.as_u64().ok_or_else(|| JsonError(format!("the field \"{name}\" is not a number")))
    }

    fn list(&self, name: &str) -> Result<&'a Vec<Value>, JsonError> {
        self.get(name)?.as_array().ok_or_else(|| JsonError(format!("the field \"{name}\" is not a list")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_event_survives_the_round_trip() {
        let mut trace = Trace::new("all \"kinds\" → one of each");
        let id = trace.send(Millis(1), "a", "b", "SET x \"1\\n\"");
        trace.receive(Millis(2), id);
        let id = trace.send(Millis(2), "b", "a", "+OK");
        trace.lose(Millis(3), id, "reset");
        trace.state(Millis(3), "a", "A ⇨ B");
        trace.note(Millis(3), Some("a"), "log");
        trace.note(Millis(3), None, "prose");
        trace.call("f(1)", "2");
        trace.fault(Millis(4), "partition");
        trace.down(Millis(5), "a");
        trace.up(Millis(6), "a");
        assert_eq!(Trace::from_json(&trace.to_json()), Ok(trace));
        assert_eq!(Trace::from_json(&Trace::table("t").to_json()), Ok(Trace::table("t")));
    }

    #[test]
    fn what_is_no_trace_is_an_error() {
        for text in
            ["", "[]", "{}", r#"{"title":"x","hosts":[],"timeless":false,"events":[{"at":1,"kind":"boom"}]}"#]
        {
            assert!(Trace::from_json(text).is_err(), "{text}");
        }
    }
}
