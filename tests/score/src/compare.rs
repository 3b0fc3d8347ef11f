//! Where two runs part, and the lines around that place.

use sim::trace::Trace;

/// The first line in which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parting {
    /// Counts lines from 0.
    pub(crate) index: usize,
    /// The learner's line, or nothing if that run has ended.
    pub(crate) yours: Option<String>,
    /// The reference's.
    pub(crate) reference: Option<String>,
}

/// How a line of a timeline is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gutter {
    /// Both runs have it, or there is only one run.
    Plain,
    /// The learner's run, where it parts.
    Yours,
    /// The reference's run, where it parts.
    Reference,
    /// Lines left out, and other remarks.
    Remark,
}

/// A timeline, ready to print.
pub(crate) type Timeline = Vec<(Gutter, String)>;

/// How many lines to show before and after the place that matters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) before: usize,
    pub(crate) after: usize,
}

impl Window {
    /// Fits one screen together with the list of exercises.
    pub(crate) const SHORT: Window = Window { before: 4, after: 2 };
    /// For a replay of one exercise.
    pub(crate) const FULL: Window = Window { before: 400, after: 100 };

    /// As much of a run that is a story of its own: there is nothing beside it to compare.
    pub(crate) fn of_a_story(self) -> Window {
        Window { before: self.before.max(18), ..self }
    }
}

/// Compares line by line. Equal runs give nothing.
pub(crate) fn first_parting(yours: &[String], reference: &[String]) -> Option<Parting> {
    let index = yours.iter().zip(reference).take_while(|(yours, reference)| yours == reference).count();
    if index == yours.len() && index == reference.len() {
        return None;
    }
    Some(Parting { index, yours: yours.get(index).cloned(), reference: reference.get(index).cloned() })
}

/// Both runs up to where they part, then that line of each, then how the learner's goes on. `ended` says why the
/// learner's run has no more lines, if it has none.
pub(crate) fn parted_timeline(
    yours: &Trace,
    reference: &Trace,
    index: usize,
    ended: &str,
    window: Window,
) -> Timeline {
    let (ours, theirs) = (yours.text_lines(), reference.text_lines());
    let mut timeline = before(&ours, index, window);
    timeline.push((Gutter::Yours, ours.get(index).cloned().unwrap_or_else(|| ended.to_string())));
    timeline.push((
        Gutter::Reference,
        theirs.get(index).cloned().unwrap_or_else(|| "(nothing more)".to_string()),
    ));
    // What follows has no counterpart any more, and would look as if both had it in common.
    if ours.len() > index + 1 {
        timeline.push((Gutter::Remark, "yours goes on:".to_string()));
    }
    after(&mut timeline, &ours, index + 1, window);
    timeline
}

/// One run up to its end, with the arrow at the last line: what came just before a rule broke.
pub(crate) fn last_timeline(yours: &Trace, window: Window) -> Timeline {
    let lines = yours.text_lines();
    let Some(last) = lines.len().checked_sub(1) else { return Timeline::new() };
    let mut timeline = before(&lines, last, window);
    timeline.push((Gutter::Yours, lines[last].clone()));
    timeline
}

/// The reference's run, with the arrow at the place that the learner's never got past.
pub(crate) fn stuck_timeline(reference: &Trace, events: usize, window: Window) -> Timeline {
    let mut so_far = reference.clone();
    so_far.events.truncate(events);
    // A message that has left but not arrived shows as "still on its way": not a line of its own yet.
    let settled = so_far.lines().iter().zip(reference.lines()).take_while(|(a, b)| **a == *b).count();
    let lines = reference.text_lines();
    let mut timeline = before(&lines, settled, window);
    timeline.push((Gutter::Yours, "(your answer was at work here)".to_string()));
    if let Some(next) = lines.get(settled) {
        timeline.push((Gutter::Reference, next.clone()));
    }
    timeline
}

/// A whole run, for a replay that passes.
pub(crate) fn whole_timeline(run: &Trace, window: Window) -> Timeline {
    let lines = run.text_lines();
    let mut timeline = Timeline::new();
    after(&mut timeline, &lines, 0, Window { before: 0, after: window.before + window.after });
    timeline
}

fn before(lines: &[String], index: usize, window: Window) -> Timeline {
    let index = index.min(lines.len());
    let from = index.saturating_sub(window.before);
    let mut timeline = Timeline::new();
    if from > 0 {
        timeline.push((Gutter::Remark, format!("… {}", count(from, "line", "before"))));
    }
    timeline.extend(lines[from..index].iter().map(|line| (Gutter::Plain, line.clone())));
    timeline
}

fn after(timeline: &mut Timeline, lines: &[String], from: usize, window: Window) {
    let rest = lines.get(from..).unwrap_or_default();
    let shown = rest.len().min(window.after);
    timeline.extend(rest[..shown].iter().map(|line| (Gutter::Plain, line.clone())));
    if rest.len() > shown {
        timeline.push((Gutter::Remark, format!("… {}", count(rest.len() - shown, "line", "after"))));
    }
}

fn count(number: usize, what: &str, wher: &str) -> String {
    format!("{number} {what}{} {wher}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_string).collect()
    }

    fn table(rows: &[(&str, &str)]) -> Trace {
        let mut trace = Trace::table("t");
        for (input, output) in rows {
            trace.call(*input, *output);
        }
        trace
    }

    #[test]
    fn equal_runs_do_not_part() {
        assert_eq!(first_parting(&lines("a b"), &lines("a b")), None);
        assert_eq!(first_parting(&[], &[]), None);
    }

    #[test]
    fn the_first_difference_counts() {
        let parting = first_parting(&lines("a x c"), &lines("a b d")).unwrap();
        assert_eq!(parting, Parting { index: 1, yours: Some("x".into()), reference: Some("b".into()) });
    }

    #[test]
    fn a_run_that_is_too_short_or_too_long_parts_at_the_end() {
        let short = first_parting(&lines("a"), &lines("a b")).unwrap();
        assert_eq!((short.index, short.yours, short.reference), (1, None, Some("b".into())));
        let long = first_parting(&lines("a b"), &lines("a")).unwrap();
        assert_eq!((long.index, long.yours, long.reference), (1, Some("b".into()), None));
    }

    #[test]
    fn a_timeline_keeps_a_few_lines_around_the_parting() {
        let good: Vec<_> = (0..9).map(|n| (["0", "1", "2", "3", "4", "5", "6", "7", "8"][n], "ok")).collect();
        let mut bad = good.clone();
        bad[5].1 = "bad";
        let window = Window { before: 2, after: 1 };
        let timeline = parted_timeline(&table(&bad), &table(&good), 5, "", window);
        let shown: Vec<_> = timeline.iter().map(|(gutter, line)| (*gutter, line.as_str())).collect();
        assert_eq!(
            shown,
            [
                (Gutter::Remark, "… 3 lines before"),
                (Gutter::Plain, "3 ⇒ ok"),
                (Gutter::Plain, "4 ⇒ ok"),
                (Gutter::Yours, "5 ⇒ bad"),
                (Gutter::Reference, "5 ⇒ ok"),
                (Gutter::Remark, "yours goes on:"),
                (Gutter::Plain, "6 ⇒ ok"),
                (Gutter::Remark, "… 2 lines after"),
            ]
        );
    }

    #[test]
    fn a_run_that_never_came_back_is_shown_where_it_stood() {
        let timeline = stuck_timeline(&table(&[("a", "1"), ("b", "2"), ("c", "3")]), 1, Window::SHORT);
        let shown: Vec<_> = timeline.iter().map(|(gutter, line)| (*gutter, line.as_str())).collect();
        assert_eq!(
            shown,
            [
                (Gutter::Plain, "a ⇒ 1"),
                (Gutter::Yours, "(your answer was at work here)"),
                (Gutter::Reference, "b ⇒ 2"),
            ]
        );
    }
}
