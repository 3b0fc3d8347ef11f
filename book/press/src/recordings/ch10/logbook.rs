//! What somebody on duty sees while something is broken: what logs say, what changes in `INFO`, what a client hears.

use core_types::{Frame, Millis};
use sim::nodes::{Client, NodeHost};
use sim::trace::Kind;
use sim::{HostId, Trace, World};

use crate::data::{Table, Unit};

/// How often somebody looks.
const EVERY: Millis = Millis(100);

/// A table of what was seen, by time.
pub(super) struct Logbook {
    begin: Millis,
    watched: Vec<Watched>,
    asked: Vec<Asked>,
    rows: Vec<(Millis, String, String)>,
}

/// A node whose words are compared with what it said last.
struct Watched {
    host: HostId,
    command: &'static str,
    fields: &'static [&'static str],
    /// What each field held; none before the first look.
    held: Option<Vec<String>>,
    /// None before the first look.
    answers: Option<bool>,
    /// It holds its answers back.
    waits: bool,
}

/// A client that says something now and then.
struct Asked {
    client: HostId,
    command: Box<dyn FnMut(u64) -> String>,
    number: u64,
    /// Answers when it asked.
    before: u64,
    waits: bool,
    heard: Option<String>,
}

impl Logbook {
    /// Time counts from now on.
    pub(super) fn new(world: &World<'_>) -> Logbook {
        Logbook { begin: world.now(), watched: Vec::new(), asked: Vec::new(), rows: Vec::new() }
    }

    /// Looks at these fields of what a command prints; of `ROLE` at all but the offsets. What they hold at first is not
    /// told. `field>2` tells only when it comes to be above 2, and when it no longer is.
    pub(super) fn watch(
        &mut self,
        host: HostId,
        command: &'static str,
        fields: &'static [&'static str],
    ) -> &mut Logbook {
        self.watched.push(Watched { host, command, fields, held: None, answers: None, waits: false });
        self
    }

    /// A client says this each time, with a number; told is what it hears, when that is something else than before.
    pub(super) fn ask(
        &mut self,
        client: HostId,
        command: impl FnMut(u64) -> String + 'static,
    ) -> &mut Logbook {
        let command = Box::new(command);
        self.asked.push(Asked { client, command, number: 0, before: 0, waits: false, heard: None });
        self
    }

    /// Something is done. It stands in a row of its own.
    pub(super) fn did(&mut self, world: &World<'_>, what: &str) {
        self.rows.push((world.now(), "you".into(), what.into()));
    }

    /// Lets so much time pass, and looks again and again.
    pub(super) fn run(&mut self, world: &mut World<'_>, millis: u64) {
        let end = world.now() + Millis(millis);
        while world.now() < end {
            world.run_for(EVERY.min(end.since(world.now()))).expect("no rule is broken");
            self.look(world);
        }
    }

    fn look(&mut self, world: &mut World<'_>) {
        let now = world.now();
        for watched in &mut self.watched {
            let seen = watched.look(world);
            let name = world.name(watched.host).to_string();
            self.rows.extend(seen.into_iter().map(|text| (now, name.clone(), text)));
        }
        for asked in &mut self.asked {
            if let Some(text) = asked.heard_by(world).filter(|text| asked.heard.as_ref() != Some(text)) {
                if asked.heard.is_some() {
                    self.rows.push((now, world.name(asked.client).to_string(), format!("hears {text}")));
                }
                asked.heard = Some(text);
            }
            asked.say(world);
        }
    }

    /// The whole table. Of the trace's log lines those are in it that `log` wants, by host and line, in its words.
    pub(super) fn table(
        self,
        title: &str,
        trace: &Trace,
        mut log: impl FnMut(&str, &str) -> Option<String>,
    ) -> Table {
        let begin = self.begin;
        let mut rows = self.rows;
        rows.extend(trace.events.iter().filter(|event| event.at >= begin).filter_map(
            |event| match &event.kind {
                Kind::Note { host: Some(host), label } if !label.contains(" → ") => {
                    log(host, label).map(|text| (event.at, host.clone(), format!("log: `{text}`")))
                }
                _ => None,
            },
        ));
        // What happened in the same moment stays in the order: what was done, then what was seen.
        rows.sort_by_key(|(at, who, _)| (*at, who != "you"));
        rows.dedup();
        let columns = [("after", Unit::Millis), ("who", Unit::Number), ("what one sees", Unit::Number)];
        let mut table = Table::new(title, &columns);
        for (at, who, seen) in rows {
            table = table.row([at.since(begin).0.into(), who.into(), seen.into()]);
        }
        table
    }
}

impl Watched {
    fn look(&mut self, world: &mut World<'_>) -> Vec<String> {
        let command = self.command;
        let answers = world.is_up(self.host) && !world.is_paused(self.host);
        let mut seen = Vec::new();
        if self.answers.is_some_and(|answered| answered != answers) {
            seen.push(if answers { "answers".into() } else { "does not answer".into() });
        }
        self.answers = Some(answers);
        if !answers {
            return seen;
        }
        let said = world.act(self.host, |node: &mut NodeHost, io| node.order(io, command));
        let said = said.expect("no rule is broken").unwrap_or_default();
        // Something that was written before waits for the disk, and the answer behind it.
        let waits = said.is_empty();
        if self.waits != waits {
            seen.push(if waits { "does not answer at once".into() } else { "answers at once".into() });
        }
        self.waits = waits;
        if waits {
            return seen;
        }
        let holds: Vec<String> = match command {
            "ROLE" => vec![role(&said)],
            "PING" => vec![format!("`{}`", shortened(said.trim_start_matches(['+', '-']).trim_end()))],
            _ => self.fields.iter().map(|field| value(&said, field)).collect(),
        };
        if let Some(held) = &self.held {
            for (place, (before, after)) in held.iter().zip(&holds).enumerate() {
                if before != after && !after.is_empty() {
                    seen.push(match self.fields.get(place) {
                        Some(field) if field.contains('>') => format!("`{command}`: {after}"),
                        Some(field) => format!("`{command}`: `{field}:{after}`"),
                        None => format!("`{command}`: {after}"),
                    });
                }
            }
        }
        self.held = Some(holds);
        seen
    }
}

/// What `ROLE` says, without offsets.
fn role(said: &str) -> String {
    let words: Vec<&str> = said.lines().filter(|line| !line.starts_with(['*', '$'])).collect();
    match words[..] {
        ["slave", host, port, state, ..] => {
            format!("slave of `{host}:{}`, `{state}`", port.trim_start_matches(':'))
        }
        ["master", _, ref replicas @ ..] => format!("master, replicas: {}", replicas.len() / 3),
        _ => said.to_string(),
    }
}

/// The beginning of a long error; whoever knows it knows the rest.
fn shortened(text: &str) -> String {
    const MOST: usize = 72;
    match text.char_indices().nth(MOST) {
        None => text.into(),
        Some((end, _)) => {
            format!("{} …", text[..end].rsplit_once(' ').map_or(&text[..end], |(start, _)| start))
        }
    }
}

/// What stands behind a field's name, wherever in the text: `name:value` in a line, or `name=value` among others.
fn value(text: &str, field: &str) -> String {
    if let Some((field, limit)) = field.split_once('>') {
        let held = value(text, field);
        if held.is_empty() {
            return held;
        }
        let [held, limit] = [held.as_str(), limit].map(|number| number.parse::<i64>().unwrap_or_default());
        return match (held > limit, limit) {
            (true, _) => format!("`{field}` above {limit}"),
            (false, 0) => format!("`{field}:0`"),
            (false, _) => format!("`{field}` at most {limit}"),
        };
    }
    let parts = text.lines().flat_map(|line| line.split(','));
    let found = parts.filter_map(|part| {
        let rest = part.strip_prefix(field)?;
        rest.strip_prefix([':', '=']).map(str::to_string)
    });
    found.into_iter().next().unwrap_or_default()
}

impl Asked {
    fn say(&mut self, world: &mut World<'_>) {
        self.number += 1;
        let command = (self.command)(self.number);
        self.before = world.get::<Client>(self.client).map_or(0, |client| client.answered);
        let sent = world.act(self.client, |client: &mut Client, io| client.send(io, &command));
        self.waits = sent.expect("no rule is broken") == Some(true);
    }

    /// What became of what it said last.
    fn heard_by(&self, world: &World<'_>) -> Option<String> {
        if self.number == 0 {
            return None;
        }
        let client = world.get::<Client>(self.client)?;
        if !client.is_connected() || !self.waits {
            return Some("nothing: no connection".into());
        }
        if client.answered == self.before {
            return Some("nothing: it waits".into());
        }
        client.replies.back().map(|(_, reply)| match reply {
            Frame::Simple(text) | Frame::Error(text) => format!("`{}`", shortened(text)),
            Frame::Null => "`(nil)`".into(),
            other => format!(
                "`{}`",
                other.as_bytes().map_or("…".into(), |b| String::from_utf8_lossy(b).into_owned())
            ),
        })
    }
}
