//! A trace as a space-time diagram: time runs down, each host has a lifeline, messages are sloped arrows.
//!
//! Rows, not milliseconds, set the height: whatever happens gets a row of its own, so that no two labels share
//! one; the times stand at the left. Everything is drawn in `currentColor` on nothing, so that a page's theme
//! decides; the classes (`trace-arrow`, `trace-lost`, `trace-state`, …) let it decide more. The output has no
//! blank line, which would end an HTML block in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Kind, Trace};

/// How a diagram is drawn.
#[derive(Clone, Debug)]
pub struct SvgOptions {
    /// The widest it may become, in user units, which are pixels at its natural size.
    pub width: u32,
}

impl Default for SvgOptions {
    fn default() -> SvgOptions {
        SvgOptions { width: 720 }
    }
}

impl Trace {
    /// A space-time diagram as one `<svg>` element.
    pub fn to_svg(&self, options: &SvgOptions) -> String {
        Drawing::new(self, f64::from(options.width)).finish()
    }
}

/// Width of one character of the monospaced labels, at [`FONT`] pixels.
const CHAR: f64 = 7.25;
const FONT: u32 = 12;
/// Room for the times at the left, and to keep off the right edge.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 34.0;
/// Heights of rows.
const LABELLED: f64 = 23.0;
const ARRIVAL: f64 = 13.0;
const BAND: f64 = 30.0;
/// Extra room where nothing happens for at least so many milliseconds.
const LONG: u64 = 100;
/// Beyond this height the hosts' names are repeated at the bottom.
const TALL: f64 = 600.0;

struct Drawing<'a> {
    trace: &'a Trace,
    width: f64,
    /// Where each host's lifeline is.
    lifelines: Vec<f64>,
    y: f64,
    /// Lines and boxes, and the labels, which are drawn last so that nothing crosses them out.
    shapes: String,
    labels: String,
    /// Messages on their way: from, to, where they began, and the label.
    open: BTreeMap<u64, (f64, f64, f64, &'a str)>,
    /// Since where each host's lifeline is drawn, and whether the host is up.
    alive: Vec<(f64, bool)>,
}

impl<'a> Drawing<'a> {
    fn new(trace: &'a Trace, limit: f64) -> Drawing<'a> {
        let (width, lifelines) = columns(trace, limit);
        let alive = vec![(TOP - 8.0, true); lifelines.len()];
        let (shapes, labels) = (String::new(), String::new());
        Drawing { trace, width, lifelines, y: TOP, shapes, labels, open: BTreeMap::new(), alive }
    }

    fn finish(mut self) -> String {
        self.host_names(16.0);
        let mut shown_time = None;
        for event in &self.trace.events {
            let before = self.y;
            let gap = shown_time.is_some_and(|shown| event.at.0 >= shown + LONG);
            self.y += if gap { 12.0 } else { 0.0 };
            let begin = self.y;
            self.event(&event.kind);
            if self.y <= begin {
                // Nothing to see: no gap either.
                self.y = before;
            }
            if !self.trace.timeless && shown_time != Some(event.at.0) && self.y > begin {
                shown_time = Some(event.at.0);
                let time = format!("{} ms", event.at.0);
                self.text("trace-time", "end", LEFT - 12.0, self.y + 4.0, &time, 0.6);
            }
        }
        self.y += 18.0;
        for (_, (from, to, start, label)) in std::mem::take(&mut self.open) {
            self.message_label(from, to, start, label, false);
            let (x, y) = (from + (to - from) * 0.5, self.y - 4.0);
            self.line("trace-arrow trace-underway", (from, start), (x, y), "stroke-dasharray=\"5 4\" ");
        }
        for index in 0..self.lifelines.len() {
            self.lifeline_to(index, self.y, true);
        }
        if self.y > TALL {
            self.y += 18.0;
            self.host_names(self.y - 2.0);
        }
        let (width, height) = (self.width.ceil(), (self.y + 8.0).ceil());
        let title = escape(&self.trace.title);
        format!(
            "<svg class=\"trace\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" style=\"max-width:100%;height:auto\" fill=\"none\" stroke=\"currentColor\" \
             font-family=\"ui-monospace, 'Source Code Pro', Menlo, Consolas, monospace\" font-size=\"{FONT}\">\n\
             <title>{title}</title>\n{}{}</svg>\n",
            self.shapes, self.labels
        )
    }

    fn event(&mut self, kind: &'a Kind) {
        match kind {
            Kind::Send { id, from, to, label } => {
                self.y += LABELLED;
                let (from, to) = (self.x(from), self.x(to));
                self.open.insert(*id, (from, to, self.y, label));
            }
            Kind::Receive { id } => {
                let Some((from, to, start, label)) = self.open.remove(id) else { return };
                self.y += ARRIVAL;
                self.arrow((from, start), (to, self.y));
                self.message_label(from, to, start, label, false);
            }
            Kind::Drop { id, why } => {
                let Some((from, to, start, label)) = self.open.remove(id) else { return };
                self.y += if why.is_empty() { ARRIVAL } else { LABELLED };
                let x = from + (to - from) * 0.62;
                self.line("trace-arrow trace-lost", (from, start), (x, self.y), "stroke-opacity=\"0.6\" ");
                self.cross(x, self.y);
                self.message_label(from, to, start, label, true);
                let (anchor, x) = if to > from { ("end", x - 14.0) } else { ("start", x + 14.0) };
                self.text("trace-why", anchor, x, self.y + 7.0, why, 0.6);
            }
            Kind::State { host, label } => {
                self.y += LABELLED;
                let x = self.x(host);
                let width = CHAR * label.chars().count() as f64 + 14.0;
                let middle = x.min(self.width - 2.0 - width / 2.0).max(LEFT + width / 2.0);
                let (left, top) = (middle - width / 2.0, self.y - 9.0);
                let _ = writeln!(
                    self.labels,
                    "<rect class=\"trace-state\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"18\" \
                     rx=\"9\" fill=\"var(--bg, Canvas)\" stroke-opacity=\"0.5\"/>"
                );
                self.text("trace-state-label", "middle", middle, self.y + 4.0, label, 1.0);
            }
            Kind::Note { host: Some(host), label } => {
                self.y += LABELLED - 3.0;
                self.beside("trace-note", host, label);
            }
            Kind::Note { host: None, label } => self.band("trace-prose", label, 0.0),
            Kind::Fault { label } => self.band("trace-fault", label, 0.1),
            Kind::Call { input, output } => self.band("trace-call", &format!("{input} ⇒ {output}"), 0.0),
            Kind::Down { host } => {
                self.y += LABELLED;
                self.lifeline(host, false);
                self.cross(self.x(host), self.y);
                self.beside("trace-down", host, "crashes");
            }
            Kind::Up { host } => {
                self.y += LABELLED;
                self.lifeline(host, true);
                let (x, y) = (self.x(host), self.y);
                let _ = writeln!(
                    self.shapes,
                    "<circle class=\"trace-up\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"currentColor\"/>"
                );
                self.beside("trace-up", host, "starts again");
            }
        }
    }

    fn x(&self, host: &str) -> f64 {
        let index = self.trace.hosts.iter().position(|known| known == host);
        index.map_or(self.width / 2.0, |index| self.lifelines[index])
    }

    fn host_names(&mut self, y: f64) {
        for (index, name) in self.trace.hosts.iter().enumerate() {
            let width = CHAR * name.chars().count() as f64 + 18.0;
            let left = self.lifelines[index] - width / 2.0;
            let top = y - 14.0;
            let _ = writeln!(
                self.labels,
                "<rect class=\"trace-host\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"20\" rx=\"4\"/>"
            );
            self.text("trace-host-label", "middle", self.lifelines[index], y, name, 1.0);
        }
    }

    /// A host goes down or comes up here.
    fn lifeline(&mut self, host: &str, up: bool) {
        if let Some(index) = self.trace.hosts.iter().position(|known| known == host) {
            self.lifeline_to(index, self.y, up);
        }
    }

    fn lifeline_to(&mut self, index: usize, y: f64, up: bool) {
        let (since, was_up) = std::mem::replace(&mut self.alive[index], (y, up));
        let (class, style) = if was_up {
            ("trace-lifeline", "stroke-opacity=\"0.45\" ")
        } else {
            ("trace-lifeline trace-dead", "stroke-opacity=\"0.35\" stroke-dasharray=\"2 6\" ")
        };
        let x = self.lifelines[index];
        self.line(class, (x, since), (x, y), style);
    }

    fn arrow(&mut self, from: (f64, f64), to: (f64, f64)) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).max(1.0);
        let (ux, uy) = (dx / length, dy / length);
        let base = (to.0 - 9.0 * ux, to.1 - 9.0 * uy);
        self.line("trace-arrow", from, base, "");
        let _ = writeln!(
            self.shapes,
            "<path class=\"trace-head\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z\" fill=\"currentColor\" stroke=\"none\"/>",
            to.0,
            to.1,
            base.0 - 3.6 * uy,
            base.1 + 3.6 * ux,
            base.0 + 3.6 * uy,
            base.1 - 3.6 * ux
        );
    }

    /// The label stands on the arrow's first part, in the row where it was sent: nothing else is there.
    fn message_label(&mut self, from: f64, to: f64, start: f64, label: &str, lost: bool) {
        let rightwards = to >= from;
        let room = if rightwards { self.width - from - RIGHT } else { from - LEFT };
        let (anchor, x) = if rightwards { ("start", from + 10.0) } else { ("end", from - 10.0) };
        let class = if lost { "trace-label trace-lost" } else { "trace-label" };
        let label = shorten(label, room - 10.0);
        self.text(class, anchor, x, start - 3.0, &label, if lost { 0.7 } else { 1.0 });
        if lost {
            // Not `text-decoration`: that would get the text's halo and wipe the letters out.
            let end = CHAR * label.chars().count() as f64;
            let (left, right) = if rightwards { (x, x + end) } else { (x - end, x) };
            let y = start - 7.0;
            let _ = writeln!(
                self.labels,
                "<line class=\"trace-strike\" x1=\"{left:.1}\" y1=\"{y:.1}\" x2=\"{right:.1}\" y2=\"{y:.1}\"/>"
            );
        }
    }

    /// A remark to the right of a lifeline, or to the left if there is more room.
    fn beside(&mut self, class: &str, host: &str, label: &str) {
        let x = self.x(host);
        let (right, left) = (self.width - x - 12.0, x - LEFT - 12.0);
        let needed = CHAR * label.chars().count() as f64;
        let (anchor, at, room) = if needed <= right || right >= left {
            ("start", x + 12.0, right)
        } else {
            ("end", x - 12.0, left)
        };
        let label = shorten(label, room);
        self.text(class, anchor, at, self.y + 4.0, &label, 0.75);
    }

    fn band(&mut self, class: &str, label: &str, shade: f64) {
        self.y += BAND - 4.0;
        let (top, width) = (self.y - 11.0, self.width - LEFT);
        if shade > 0.0 {
            let _ = writeln!(
                self.shapes,
                "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"22\" \
                 fill=\"currentColor\" fill-opacity=\"{shade}\" stroke=\"none\"/>"
            );
        }
        let label = shorten(label, width);
        self.text(&format!("{class}-label"), "middle", LEFT + width / 2.0, self.y + 4.0, &label, 0.9);
        self.y += 4.0;
    }

    fn cross(&mut self, x: f64, y: f64) {
        let (left, right, top, bottom) = (x - 5.0, x + 5.0, y - 5.0, y + 5.0);
        let _ = writeln!(
            self.shapes,
            "<path class=\"trace-cross\" stroke-width=\"2\" \
             d=\"M{left:.1} {top:.1}L{right:.1} {bottom:.1}M{left:.1} {bottom:.1}L{right:.1} {top:.1}\"/>"
        );
    }

    fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64), style: &str) {
        let _ = writeln!(
            self.shapes,
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>",
            from.0, from.1, to.0, to.1
        );
    }

    fn text(&mut self, class: &str, anchor: &str, x: f64, y: f64, text: &str, opacity: f64) {
        if text.is_empty() {
            return;
        }
        let slanted = if matches!(class, "trace-note" | "trace-prose-label" | "trace-why") {
            " font-style=\"italic\""
        } else {
            ""
        };
        // A halo in the page's colour keeps a line that passes behind from striking the text out; between words it
        // would still be seen.
        if matches!(class, "trace-label" | "trace-note") && text.contains(' ') {
            let width = CHAR * text.chars().count() as f64;
            let left = if anchor == "end" { x - width } else { x };
            let top = y - 9.0;
            let _ = writeln!(
                self.labels,
                "<rect class=\"trace-behind\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"11\" \
                 fill=\"var(--bg, Canvas)\" stroke=\"none\"/>"
            );
        }
        let _ = writeln!(
            self.labels,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"currentColor\" \
             fill-opacity=\"{opacity}\" style=\"paint-order:stroke;stroke:var(--bg, Canvas);stroke-width:4px;\
             stroke-linejoin:round\"{slanted}>{}</text>",
            escape(text)
        );
    }
}

/// Chooses the width and places the lifelines: as narrow as the labels allow.
fn columns(trace: &Trace, limit: f64) -> (f64, Vec<f64>) {
    let hosts = trace.hosts.len();
    let place = |host: &str| trace.hosts.iter().position(|known| known == host);
    let mut widest_name: f64 = 60.0;
    for name in &trace.hosts {
        widest_name = widest_name.max(CHAR * name.chars().count() as f64 + 24.0);
    }
    let mut gap: f64 = 210.0;
    let mut widest: f64 = 320.0;
    for event in &trace.events {
        let chars = |label: &str| CHAR * label.chars().count() as f64;
        match &event.kind {
            Kind::Send { from, to, label, .. } => {
                let span = place(from).zip(place(to)).map_or(1, |(from, to)| from.abs_diff(to).max(1));
                gap = gap.max((chars(label) + 34.0) / span as f64);
            }
            Kind::State { label, .. } => widest = widest.max(LEFT + chars(label) + 20.0),
            Kind::Note { label, .. } | Kind::Fault { label } => {
                widest = widest.max(LEFT + chars(label) + 24.0);
            }
            Kind::Call { input, output } => widest = widest.max(LEFT + chars(input) + chars(output) + 50.0),
            _ => {}
        }
    }
    let gaps = hosts.saturating_sub(1) as f64;
    let margins = LEFT + RIGHT + widest_name;
    let width = (margins + gaps * gap).max(widest).min(limit);
    let first = LEFT + widest_name / 2.0;
    let step = if gaps > 0.0 { (width - margins) / gaps } else { 0.0 };
    if hosts == 1 {
        return (width, vec![LEFT + (width - LEFT) / 3.0]);
    }
    (width, (0..hosts).map(|index| first + step * index as f64).collect())
}

fn shorten(label: &str, room: f64) -> String {
    let fits = (room / CHAR).max(4.0) as usize;
    let label: String = label.chars().map(|c| if c == '\n' { ' ' } else { c }).collect();
    if label.chars().count() <= fits {
        return label;
    }
    label.chars().take(fits - 1).chain(['…']).collect()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // Not allowed in XML, and a line break could make a blank line.
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use core_types::Millis;

    use super::*;

    #[test]
    fn a_drawing_is_one_element_without_blank_lines() {
        let mut trace = Trace::new("a < b & \"c\"\n\nd");
        let id = trace.send(Millis(0), "one", "two", "GET <x>\n\n&");
        trace.receive(Millis(5), id);
        let id = trace.send(Millis(5), "two", "one", "never arrives");
        trace.lose(Millis(6), id, "cut off");
        trace.send(Millis(7), "two", "one", "late");
        trace.state(Millis(7), "one", "A ⇨ B");
        trace.note(Millis(7), Some("two"), "x".repeat(500));
        trace.note(Millis(8), None, "prose");
        trace.down(Millis(9), "one");
        trace.up(Millis(900), "one");
        trace.fault(Millis(901), "partition");
        trace.call("f", "1");
        let svg = trace.to_svg(&SvgOptions::default());
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.lines().all(|line| !line.trim().is_empty()));
        assert!(svg.contains("GET &lt;x&gt;  &amp;") && svg.contains("role=\"img\""));
        assert_eq!(svg.matches("<svg").count(), 1);
    }

    #[test]
    fn an_empty_trace_and_a_table_can_be_drawn() {
        assert!(Trace::new("nothing").to_svg(&SvgOptions::default()).contains("<title>nothing</title>"));
        let mut table = Trace::table("calls");
        table.call("f(1)", "2");
        assert!(table.to_svg(&SvgOptions::default()).contains("f(1) ⇒ 2"));
    }
}
