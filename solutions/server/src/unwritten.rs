//! An exercise that is not written yet, met in a running server.
//!
//! With `--features lab-1` the node runs the learner's layer. Its unwritten parts are
//! `todo!("lab 1.2: title")`; when one is reached, the server ends with one line that names it.

use std::panic;

/// The exit code of a server that met an unwritten exercise.
pub const EXIT_CODE: i32 = 3;

/// From now on a panic ends the process, whichever task it happens in: with [`EXIT_CODE`] and one line
/// if it is an unwritten exercise, else with 101 and what Rust prints. `before_exit` runs first.
pub fn end_process_on_panic(before_exit: impl Fn() + Send + Sync + 'static) {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        before_exit();
        let payload = info.payload();
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or_default();
        if let Some(line) = explain(text) {
            eprintln!("{line}");
            std::process::exit(EXIT_CODE);
        }
        usual(info);
        std::process::exit(101);
    }));
}

/// The line for the panic of an unwritten exercise; `None` for any other panic.
pub fn explain(panic_text: &str) -> Option<String> {
    let exercise = panic_text.strip_prefix("not yet implemented: lab ")?;
    let (id, title) = exercise.split_once(": ")?;
    let (lab, number) = id.split_once('.')?;
    lab.parse::<u8>().ok()?;
    number.parse::<u8>().ok()?;
    Some(format!(
        "exercise {id} is not written yet ({title}): this server runs your lab {lab}. Score it with \
         `cargo test -p lab-{lab}`, or start without `--features lab-{lab}` to run the reference."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A panic's own text, as the hook sees it.
    fn panic_text(run: fn()) -> String {
        *std::thread::spawn(run).join().unwrap_err().downcast::<String>().unwrap()
    }

    #[test]
    #[expect(clippy::todo, reason = "it is what a starter holds")]
    fn an_unwritten_exercise_becomes_one_line() {
        let line = explain(&panic_text(|| todo!("lab 1.2: The answer to {}", "PSYNC"))).unwrap();
        assert!(line.starts_with("exercise 1.2 is not written yet (The answer to PSYNC): "), "{line}");
        assert!(line.contains("`cargo test -p lab-1`") && !line.contains('\n'), "{line}");
    }

    #[test]
    fn another_panic_is_left_alone() {
        for text in ["", "index out of bounds", "not yet implemented", "not yet implemented: lab x.1: y"] {
            assert_eq!(explain(text), None, "{text}");
        }
    }
}
