//! Recordings on a page: a run as a transcript or as a space-time diagram, numbers as a plot.

use sim::Trace;
use sim::trace::SvgOptions;

use crate::data::Plot;
use crate::{plot, table};

/// `text` with the characters that HTML would read as its own replaced.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Splits the argument of `directive`: `NAME "caption"`.
pub fn name_and_caption<'a>(directive: &str, argument: &'a str) -> Result<(&'a str, &'a str), String> {
    let (name, caption) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    let caption = caption.trim().strip_prefix('"').and_then(|caption| caption.strip_suffix('"'));
    match caption {
        Some(caption) if !name.is_empty() && !caption.trim().is_empty() => Ok((name, caption.trim())),
        _ => {
            Err(format!("a {directive} needs a name and a caption: `{{{{#{directive} NAME \"caption\"}}}}`"))
        }
    }
}

/// `text` as HTML, with what stands between backticks as code.
pub fn with_code(text: &str) -> String {
    let mut parts = text.split('`');
    let mut shown = escape(parts.next().unwrap_or_default());
    for (index, part) in parts.enumerate() {
        let part = escape(part);
        shown.push_str(&if index % 2 == 0 { format!("<code>{part}</code>") } else { part });
    }
    shown
}

/// The transcript of a run. What was lost on the way is struck out, times step back.
pub fn transcript(trace: &Trace) -> String {
    let lines: Vec<String> = trace.text_lines().iter().map(|line| styled(line, trace.timeless)).collect();
    let label = escape(&trace.title);
    format!("<pre class=\"transcript\" aria-label=\"{label}\">{}</pre>", lines.join("\n"))
}

fn styled(line: &str, timeless: bool) -> String {
    let line = escape(line);
    if timeless {
        return line.replacen(" ⇒ ", " <span class=\"at\">⇒</span> ", 1);
    }
    let (time, rest) = line.split_at(time_end(&line));
    let rest = match (rest.find("~~"), rest.rfind("~~")) {
        (Some(from), Some(to)) if from + 2 <= to => {
            format!("{}<s>{}</s>{}", &rest[..from], &rest[from + 2..to], &rest[to + 2..])
        }
        _ => rest.to_string(),
    };
    // `*** crashes ***`, `*** partition … ***`: what broke stands out.
    let rest = match rest.find("*** ") {
        Some(at) if rest.ends_with(" ***") => format!("{}<b>{}</b>", &rest[..at], &rest[at..]),
        _ => rest,
    };
    match time {
        "" => rest,
        _ => format!("<span class=\"at\">{time}</span>{rest}"),
    }
}

/// Where the time ends with which a line begins: `   1ms`. A line that goes on from the one before has none.
fn time_end(line: &str) -> usize {
    let word = line.trim_start();
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    match digits > 0 && word[digits..].starts_with("ms ") {
        true => line.len() - word.len() + digits + 2,
        false => 0,
    }
}

/// The space-time diagram of a run with its caption, in which `code` may stand between backticks.
pub fn figure(name: &str, trace: &Trace, caption: &str) -> String {
    let svg = trace.to_svg(&SvgOptions::default());
    // Markdown ends a block of HTML at the first blank line.
    let svg: Vec<&str> = svg.lines().filter(|line| !line.trim().is_empty()).collect();
    framed("run", name, &svg.join("\n"), caption, "")
}

/// The drawing of a plot with its caption, and its numbers folded below.
///
/// # Errors
/// What would make it unreadable.
pub fn plot(name: &str, plot: &Plot, caption: &str) -> Result<String, String> {
    let numbers = format!(
        "\n<details class=\"numbers\"><summary>The numbers</summary>\n{}\n</details>",
        table::of_plot(plot)
    );
    Ok(framed("run data", name, &plot::svg(plot)?, caption, &numbers))
}

/// A drawing in a frame that scrolls by itself, with its caption and what follows that.
fn framed(class: &str, name: &str, svg: &str, caption: &str, behind: &str) -> String {
    let (label, caption) = (escape(&caption.replace('`', "")), with_code(caption));
    format!(
        "<figure class=\"{class}\" id=\"figure-{name}\">\n<div class=\"run-drawing\" tabindex=\"0\" role=\"group\" \
         aria-label=\"{label}\">\n{svg}\n</div>\n<figcaption>{caption}</figcaption>{behind}\n</figure>"
    )
}

#[cfg(test)]
mod tests {
    use core_types::Millis;

    use super::*;

    #[test]
    fn a_transcript_strikes_out_what_was_lost() {
        let mut trace = Trace::new("loss");
        trace.message(Millis(1), "a", "b", "PING");
        let id = trace.send(Millis(2), "a", "b", "SET k <v>");
        trace.lose(Millis(3), id, "partition");
        trace.fault(Millis(4), "heals");
        let text = transcript(&trace);
        assert!(text.contains("<s>SET k &lt;v&gt;</s> (partition)"), "{text}");
        assert!(text.contains("<span class=\"at\">   1ms</span>"), "{text}");
        assert!(text.contains("  <b>*** heals ***</b>"), "{text}");
    }

    #[test]
    fn a_figure_needs_a_caption() {
        assert_eq!(name_and_caption("figure", "a \"b c\""), Ok(("a", "b c")));
        for wrong in ["a", "a b", "\"b\"", "a \"\"", ""] {
            assert!(name_and_caption("figure", wrong).is_err(), "{wrong}");
        }
    }
}
