//! An exercise that is not written yet, met in a running server.
//!
//! With `--features lab-1` the node runs the learner's layer. Its unwritten parts are
//! `todo!("lab 1.2: title")`; when one is reached, the server ends with one line that names it.

use std::any::Any;
use std::panic;

/// The exit code of a server that met an unwritten exercise.
pub const EXIT_CODE: i32 = 3;

/// From now on a panic ends the process, whichever task it happens in: with [`EXIT_CODE`] and one line
/// if it is an unwritten exercise, else with 101 and what Rust prints. `before_exit` runs first.
pub fn end_process_on_panic(before_exit: impl Fn() + Send + Sync + 'static) {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        before_exit();
        if let Some(line) = explain(text_of(info.payload())) {
            eprintln!("{line}");
            std::process::exit(EXIT_CODE);
        }
        usual(info);
        std::process::exit(101);
    }));
}

/// A panic's own text. The compiler makes a `&str` of a message that it knows in full.
fn text_of(payload: &(dyn Any + Send)) -> &str {
    let owned = payload.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default()
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

    #[test]
    #[expect(clippy::todo, reason = "it is what a starter holds")]
    fn an_unwritten_exercise_becomes_one_line() {
        for run in
            [|| todo!("lab 1.2: The answer to PSYNC"), || todo!("lab {}.2: The answer to PSYNC", one())]
        {
            let payload = std::thread::spawn(run).join().unwrap_err();
            let line = explain(text_of(&*payload)).unwrap();
            assert!(line.starts_with("exercise 1.2 is not written yet (The answer to PSYNC): "), "{line}");
            assert!(line.contains("`cargo test -p lab-1`") && !line.contains('\n'), "{line}");
        }
    }

    /// A number that the compiler does not put into the text by itself.
    fn one() -> u8 {
        std::hint::black_box(1)
    }

    #[test]
    fn another_panic_is_left_alone() {
        for text in ["", "index out of bounds", "not yet implemented", "not yet implemented: lab x.1: y"] {
            assert_eq!(explain(text), None, "{text}");
        }
    }
}
