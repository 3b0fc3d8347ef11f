//! Ends that come in time, or are made: of programs that a test waits for, and of threads that go on until they are told.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::wait;

/// How long a program may run. As generous as [`wait::PATIENCE`], for programs that move thousands of keys.
const PROGRAM: Duration = Duration::from_secs(300);

/// Runs a program to its end, with what it prints on both outputs.
///
/// # Panics
/// If it does not end; it is killed then, and what it has printed is told.
pub fn output(command: &mut Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    end_of(command.spawn().expect("it runs"))
}

/// Waits until a program ends, with what it prints on those outputs that are pipes. Its input ends now.
///
/// # Panics
/// As [`output`].
pub fn end_of(mut child: Child) -> Output {
    drop(child.stdin.take());
    let outputs = (child.stdout.take().map(read_all), child.stderr.take().map(read_all));
    let status = wait::find_within(PROGRAM, || child.try_wait().expect("it is ours"));
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    // Both pipes have ended with it.
    let read = |thread: Option<JoinHandle<Vec<u8>>>| thread.map(join).unwrap_or_default();
    let (stdout, stderr) = (read(outputs.0), read(outputs.1));
    let Some(status) = status else {
        let [stdout, stderr] = [&stdout, &stderr].map(|text| String::from_utf8_lossy(text));
        panic!("a program runs for more than {PROGRAM:?}; so far it said:\n{stdout}\n{stderr}");
    };
    Output { status, stdout, stderr }
}

/// Waits until a program ends whose output nobody wants, or is read elsewhere.
///
/// # Panics
/// If it does not; it is killed then.
pub fn status_of(child: &mut Child) -> ExitStatus {
    let status = wait::find_within(wait::PATIENCE, || child.try_wait().expect("it is ours"));
    status.unwrap_or_else(|| {
        let _ = child.kill();
        let _ = child.wait();
        panic!("a program that was to end is still there after {:?}", wait::PATIENCE)
    })
}

/// Waits until a thread ends, and goes on with its panic if it has panicked.
///
/// # Panics
/// If it does not end.
pub fn join<T>(thread: JoinHandle<T>) -> T {
    wait::until("a thread to end", || thread.is_finished());
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read up to an error is all there is.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// Tells others to stop when it is dropped, however that comes about: a scope waits for its threads also when the test
/// has failed in the middle of it, and without this for ever.
#[derive(Debug)]
pub struct StopAtEnd<'a>(pub &'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_more_than_a_pipe_holds() {
        let all = output(Command::new("sh").args(["-c", "head -c 1000000 /dev/zero; echo no >&2; exit 3"]));
        assert_eq!(
            (all.stdout.len(), &all.stderr[..], all.status.code()),
            (1_000_000, &b"no\n"[..], Some(3))
        );
    }

    #[test]
    fn others_are_told_to_stop_when_a_test_fails() {
        let stop = AtomicBool::new(false);
        let failed = std::panic::catch_unwind(|| {
            std::thread::scope(|scope| {
                let _stop = StopAtEnd(&stop);
                scope.spawn(|| wait::until("the word to stop", || stop.load(Ordering::Relaxed)));
                panic!("it fails");
            })
        });
        assert!(failed.is_err() && stop.load(Ordering::Relaxed));
    }
}
