//! `cluster status --watch`: the drawing again and again, and below it what has changed.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(250);

/// How many changes stay on the screen.
const REMEMBERED: usize = 12;

/// What is so at the moment: of a node, in some respect. Whatever changes here is told.
pub(super) type Facts = BTreeMap<(String, String), String>;

/// How a node is seen that has no trouble.
pub(super) const WELL: &str = "well";

/// The nodes at one moment.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) lines: Vec<String>,
    pub(super) facts: Facts,
}

/// Looks until Ctrl-C. On a terminal the drawing stays in its place; elsewhere it comes once, and then the changes.
pub(super) fn watch(mut look: impl FnMut() -> Result<Picture, String>) -> Result<(), String> {
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = stop.send(());
    })
    .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;
    let redraws = io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    let began = now();
    let mut before: Option<Facts> = None;
    let mut told: VecDeque<String> = VecDeque::new();
    let screen = redraws.then(Screen::open);
    let result = loop {
        let picture = match look() {
            Ok(picture) => picture,
            Err(why) => break Err(why),
        };
        let since = now().duration_since(began).as_secs_f32();
        let news: Vec<String> =
            before.as_ref().map_or_else(Vec::new, |before| changes(before, &picture.facts));
        let news = news.iter().map(|change| format!("{since:7.1} s  {change}"));
        match &screen {
            Some(screen) => {
                told.extend(news);
                told.drain(..told.len().saturating_sub(REMEMBERED));
                screen.draw(&picture.lines, &told);
            }
            None => {
                if before.is_none() {
                    picture.lines.iter().for_each(|line| println!("  {line}"));
                }
                news.for_each(|change| println!("  {change}"));
            }
        }
        before = Some(picture.facts);
        if stopped.recv_timeout(EVERY) != Err(mpsc::RecvTimeoutError::Timeout) {
            break Ok(());
        }
    };
    drop(screen);
    result
}

#[expect(clippy::disallowed_methods, reason = "the time that a person sees")]
fn now() -> Instant {
    Instant::now()
}

/// What is different. What happened to several nodes alike is said once.
pub(super) fn changes(before: &Facts, after: &Facts) -> Vec<String> {
    // A fact "sees node-1" is about two nodes.
    let mut told: Vec<(Option<&str>, String, Vec<&str>)> = Vec::new();
    for (what @ (name, aspect), now) in after {
        let word = |text: &str| match aspect.as_str() {
            "epoch" => format!("epoch {text}"),
            "slots" if text != "no slots" => format!("slots {text}"),
            _ => text.to_owned(),
        };
        let seen = aspect.strip_prefix("sees ");
        let text = match before.get(what) {
            Some(then) if then == now => continue,
            Some(then) => format!("{} → {}", word(then), word(now)),
            // Who did not answer, and is back, begins with what it says now; that all is well goes without saying.
            None if seen.is_some() && now == WELL => continue,
            None => word(now),
        };
        match told.iter_mut().find(|(other, said, _)| *other == seen && *said == text) {
            Some((.., names)) => names.push(name),
            None => told.push((seen, text, vec![name])),
        }
    }
    let line = |(seen, text, names): (Option<&str>, String, Vec<&str>)| match (seen, &names[..]) {
        (None, _) => format!("{}: {text}", names.join(", ")),
        (Some(seen), [name]) => format!("{name} sees {seen}: {text}"),
        (Some(seen), _) => format!("{} see {seen}: {text}", names.join(", ")),
    };
    told.into_iter().map(line).collect()
}

/// The terminal while it is drawn on. Left as it was.
struct Screen;

impl Screen {
    fn open() -> Screen {
        // A screen of our own, without a cursor, on which long lines are cut and not wrapped.
        print!("\x1b[?1049h\x1b[?25l\x1b[?7l");
        Screen
    }

    fn draw(&self, lines: &[String], told: &VecDeque<String>) {
        let mut text = String::from("\x1b[H\x1b[K\n");
        let heading =
            if told.is_empty() { "Ctrl-C ends this." } else { "What has changed (Ctrl-C ends this):" };
        let all = lines.iter().map(String::as_str).chain(["", heading, ""]);
        for line in all.chain(told.iter().map(String::as_str)) {
            // Each line clears what is left of the one before it: nothing flickers.
            text += &format!("  {line}\x1b[K\n");
        }
        text += "\x1b[J";
        print!("{text}");
        let _ = io::stdout().flush();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        print!("\x1b[?7h\x1b[?25h\x1b[?1049l");
        let _ = io::stdout().flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_told_and_nothing_else() {
        let facts = |rows: &[(&str, &str, &str)]| -> Facts {
            let fact = |(name, aspect, text): &(&str, &str, &str)| {
                ((name.to_string(), aspect.to_string()), text.to_string())
            };
            rows.iter().map(fact).collect()
        };
        let before = facts(&[
            ("node-1", "it", "runs"),
            ("node-1", "role", "master"),
            ("node-4", "role", "replica of node-1"),
            ("node-4", "slots", "no slots"),
            ("node-4", "epoch", "2"),
            ("node-0", "sees node-1", WELL),
            ("node-4", "sees node-1", WELL),
            ("node-4", "sees node-2", WELL),
        ]);
        let after = facts(&[
            ("node-1", "it", "down"),
            ("node-4", "role", "master"),
            ("node-4", "slots", "5461-10922"),
            ("node-4", "epoch", "7"),
            ("node-0", "sees node-1", "failed"),
            ("node-4", "sees node-1", "failed"),
            ("node-4", "sees node-2", "perhaps failed"),
        ]);
        assert_eq!(
            changes(&before, &after),
            [
                "node-0, node-4 see node-1: well → failed",
                "node-1: runs → down",
                "node-4: epoch 2 → epoch 7",
                "node-4: replica of node-1 → master",
                "node-4 sees node-2: well → perhaps failed",
                "node-4: no slots → slots 5461-10922",
            ]
        );
        assert!(changes(&after, &after).is_empty());
        assert_eq!(changes(&after, &before)[2], "node-1: master", "it is back");
    }
}
