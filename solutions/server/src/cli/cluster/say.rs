//! How the cluster commands talk: the marks and colours that people know from `redis-cli --cluster`.

use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use colored::Colorize;
use indicatif::{ProgressBar, ProgressStyle};

/// Why a command ends without having done its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// To be told.
    Because(String),
    /// It has been told already.
    Told,
}

impl<T: Into<String>> From<T> for Failure {
    fn from(why: T) -> Failure {
        Failure::Because(why.into())
    }
}

/// What is being done now.
pub(super) fn step(text: impl Display) {
    tell!("{}", format!(">>> {text}").bold());
}

/// A question that was looked into, with a good answer.
pub(super) fn ok(text: impl Display) {
    tell!("{}", format!("[OK] {text}").green().bold());
}

/// Something that the user should know, and that does not stop us.
pub(super) fn warning(text: impl Display) {
    tell!("{}", format!("[WARNING] {text}").yellow().bold());
}

/// Something is wrong.
pub(super) fn error(text: impl Display) {
    tell!("{}", format!("[ERR] {text}").red().bold());
}

/// Neither good nor bad, but it is the answer.
pub(super) fn remark(text: impl Display) {
    tell!("{}", format!("*** {text}").yellow().bold());
}

/// Puts a question. `None` at the end of the input.
pub(super) fn ask(question: impl Display) -> Option<String> {
    print!("{question} ");
    let _ = io::stdout().flush();
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim().to_owned()),
    }
}

/// True if the user writes `yes`, or has said so in advance.
pub(super) fn confirm(yes: bool, question: &str) -> bool {
    yes || ask(format!("{question} (type 'yes' to accept):")).is_some_and(|answer| answer == "yes")
}

/// A bar for `total` steps, drawn only if errors go to a terminal.
pub(super) fn bar(total: usize) -> ProgressBar {
    let style = "{bar:40.cyan/blue} {pos}/{len} slots, {msg} ({per_sec}, {eta} left)";
    let bar = ProgressBar::new(total as u64).with_message("0 keys");
    bar.set_style(
        ProgressStyle::with_template(style).expect("the template is well-formed").progress_chars("━╸─"),
    );
    bar
}

/// A moment between two looks at something that others are busy with.
#[expect(clippy::disallowed_methods, reason = "real servers need real time")]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// `1 slot`, `2 slots`.
pub(super) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
