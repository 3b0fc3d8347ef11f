//! A trace as text: one line per message when it arrives (or is lost), and one per other event.

use std::collections::BTreeMap;

use core_types::Millis;

use super::{Kind, Trace};

/// A line before its columns are made equally wide.
enum Line {
    /// `time  who  what`, where `who` is one host or `a → b`.
    Timed { at: Millis, who: Who, what: String },
    /// Above rows of a table.
    Heading(String),
    /// A row of a table.
    Call { input: String, output: String },
}

enum Who {
    World,
    Host(String),
    Between { from: String, arrow: char, to: String },
}

impl Trace {
    /// The transcript: what a person reads, and what a snapshot holds. Ends with a line break
    /// unless it is empty.
    ///
    /// A message has its line at the moment it arrives: `   1ms  master → replica   +PONG`. A lost one
    /// is struck out, `~~PING~~`, at the moment it is lost. What is still on its way at the end comes last.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for line in self.text_lines() {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// The lines of [`Trace::to_text`], columns aligned. Index by index the same lines as [`Trace::lines`].
    pub fn text_lines(&self) -> Vec<String> {
        let lines = self.collect_lines();
        let mut widths = Widths { time: 6, host: 0, input: 0 };
        for line in &lines {
            match line {
                Line::Timed { at, .. } => widths.time = widths.time.max(at.to_string().len()),
                Line::Heading(_) => {}
                // One very long argument should not push every result off the screen.
                Line::Call { input, .. } => widths.input = widths.input.max(input.chars().count()).min(60),
            }
        }
        for host in &self.hosts {
            widths.host = widths.host.max(host.chars().count());
        }
        lines.iter().map(|line| line.aligned(&widths)).collect()
    }

    /// One line per event shown, for comparing two traces. A line depends only on its own event, not on how wide
    /// other lines are: so two runs that begin alike have equal lines up to where they part.
    pub fn lines(&self) -> Vec<String> {
        let none = Widths { time: 0, host: 0, input: 0 };
        self.collect_lines().iter().map(|line| line.aligned(&none)).collect()
    }

    fn collect_lines(&self) -> Vec<Line> {
        let mut on_the_way = BTreeMap::new();
        let mut lines = Vec::new();
        for event in &self.events {
            let at = event.at;
            let mut timed = |who, what: String| lines.push(Line::Timed { at, who, what });
            match &event.kind {
                Kind::Send { id, from, to, label } => {
                    on_the_way.insert(*id, (at, from, to, label));
                }
                Kind::Receive { id } => {
                    let Some((_, from, to, label)) = on_the_way.remove(id) else { continue };
                    timed(between(from, '→', to), label.clone());
                }
                Kind::Drop { id, why } => {
                    let Some((_, from, to, label)) = on_the_way.remove(id) else { continue };
                    let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
                    timed(between(from, '✗', to), format!("~~{label}~~{why}"));
                }
                Kind::State { host, label } => timed(Who::Host(host.clone()), label.clone()),
                Kind::Note { host: Some(host), label } => {
                    timed(Who::Host(host.clone()), format!("# {label}"));
                }
                // Between the rows of a table it is a heading: there is no time to tell.
                Kind::Note { host: None, label } if self.timeless && at == Millis::ZERO => {
                    lines.push(Line::Heading(label.clone()));
                }
                Kind::Note { host: None, label } => timed(Who::World, format!("# {label}")),
                Kind::Fault { label } => timed(Who::World, format!("*** {label} ***")),
                Kind::Down { host } => timed(Who::Host(host.clone()), "*** crashes ***".into()),
                Kind::Up { host } => timed(Who::Host(host.clone()), "*** starts again ***".into()),
                Kind::Call { input, output } if self.timeless => {
                    lines.push(Line::Call { input: input.clone(), output: output.clone() });
                }
                Kind::Call { input, output } => timed(Who::World, format!("{input} ⇒ {output}")),
            }
        }
        for (at, from, to, label) in on_the_way.into_values() {
            lines.push(Line::Timed {
                at,
                who: between(from, '⇢', to),
                what: format!("{label} (still on its way)"),
            });
        }
        lines
    }
}

fn between(from: &str, arrow: char, to: &str) -> Who {
    Who::Between { from: from.into(), arrow, to: to.into() }
}

struct Widths {
    time: usize,
    host: usize,
    input: usize,
}

impl Line {
    fn aligned(&self, widths: &Widths) -> String {
        // A message that holds a line break stays one entry; what follows the break is set in.
        match self {
            Line::Timed { at, who, what } => {
                let what = what.replace('\n', "\n        ");
                let (time, host) = (widths.time, widths.host);
                match who {
                    Who::World => format!("{at:>time$}  {what}"),
                    Who::Host(name) => {
                        let both = if host == 0 { 0 } else { 2 * host + 3 };
                        format!("{at:>time$}  {name:<both$}   {what}")
                    }
                    Who::Between { from, arrow, to } => {
                        format!("{at:>time$}  {from:<host$} {arrow} {to:<host$}   {what}")
                    }
                }
            }
            Line::Heading(label) => format!("# {label}"),
            Line::Call { input, output } => {
                let output = output.replace('\n', "\n        ");
                let width = widths.input;
                format!("{input:<width$} ⇒ {output}")
            }
        }
        .trim_end()
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Trace {
        let mut trace = Trace::new("sample");
        trace.host("master");
        let ping = trace.send(Millis(0), "replica", "master", "PING");
        trace.receive(Millis(1), ping);
        let pong = trace.send(Millis(1), "master", "replica", "+PONG");
        trace.lose(Millis(2), pong, "reset");
        trace.state(Millis(2), "replica", "Handshake(Ping) ⇨ Waiting");
        trace.note(Millis(2), Some("replica"), "a log line");
        trace.fault(Millis(3), "partition master | replica");
        trace.down(Millis(4), "master");
        trace.up(Millis(5), "master");
        trace.send(Millis(12345), "replica", "master", "PING");
        trace
    }

    #[test]
    fn transcript_has_a_line_for_each_arrival_and_event() {
        let expected = "    1ms  replica → master    PING\n    2ms  master  ✗ replica   ~~+PONG~~ (reset)\n    \
            2ms  replica             Handshake(Ping) ⇨ Waiting\n    2ms  replica             # a log line\n    \
            3ms  *** partition master | replica ***\n    4ms  master              *** crashes ***\n    \
            5ms  master              *** starts again ***\n12345ms  replica ⇢ master    PING (still on its way)\n";
        assert_eq!(sample().to_text(), expected);
    }

    #[test]
    fn lines_do_not_depend_on_what_comes_later() {
        let whole = sample();
        let mut part = whole.clone();
        part.events.truncate(6);
        assert_eq!(part.lines(), whole.lines()[..part.lines().len()]);
        assert_eq!(whole.lines().len(), whole.text_lines().len());
        assert_eq!(whole.lines()[0], "1ms  replica → master   PING");
    }

    #[test]
    fn a_table_has_no_time() {
        let mut table = Trace::table("numbers");
        table.call("parse_integer \"12\"", "12");
        table.note(Millis::ZERO, None, "what is none");
        table.call("parse_integer \"-\"", "none");
        let expected = "parse_integer \"12\" ⇒ 12\n# what is none\nparse_integer \"-\"  ⇒ none\n";
        assert_eq!(table.to_text(), expected);
    }
}
