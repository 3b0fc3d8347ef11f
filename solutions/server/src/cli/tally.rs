//! `--tally`: writes numbers until Ctrl-C, and then accounts for every one of them.
//!
//! It is for those who break something on purpose, or move a data set: it shows when writes are not taken and for how long,
//! and in the end whether one that was acknowledged is gone. It appends 0, 1, 2, … to lists, each number at most once and
//! never a second time, whatever happens; so the lists can be compared with what it was told:
//!
//! | a number was | it must be there | it may be there |
//! |---|---|---|
//! | acknowledged | yes | |
//! | refused by an error, or never sent | | no |
//! | sent, and the connection broke before the answer | | yes |
//!
//! There is one list in each sixteenth of the 16384 slots, so that every master of a cluster gets some of them. With `-c` it
//! follows redirections as a good client does (chapter 8), with `--sentinel name` it asks sentinels for the master and asks
//! again whenever it is refused (chapter 5). Without either it writes to one server, come what may.

mod book;
mod way;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use core_types::{Frame, Slot};
use node::layers::sharding::key_slot;

use super::settings::Settings;
use book::Book;
use way::{Said, Way};

/// How many lists.
const LISTS: u16 = 16;

/// After something else than an acknowledgement: nobody is helped by a thousand attempts a second.
const REST: Duration = Duration::from_millis(20);

/// How many elements to read at once.
const PIECE: usize = 10_000;

/// Writes and accounts. False if something is not as it was told, or if nothing can be said; the user has been told.
pub(super) fn run(settings: Settings, sentinel: Option<String>) -> bool {
    let interval = Duration::try_from_secs_f64(settings.interval).unwrap_or(Duration::MAX);
    let mut way = Way::new(settings, sentinel);
    let lists: Vec<String> = (0..LISTS).map(list).collect();
    if let Err(why) = are_free(&mut way, &lists) {
        eprintln!("Error: {why}");
        return false;
    }
    let stop = until_interrupt();
    let mut book = Book::new(lists, clock());
    while !stop.load(Ordering::SeqCst) {
        let (list, number) = book.next();
        let said = way.call(&["RPUSH", &list, &number.to_string()], Some(key_slot(list.as_bytes())));
        let is_done = matches!(said, Said::Reply(_));
        if let Some(line) = book.enter(said, clock()) {
            tell!("{line}");
        }
        pause(if is_done { interval } else { interval.max(REST) });
    }
    tell!("");
    account(&mut way, &book)
}

/// Reads everything back. The lists stay if something is wrong with them.
fn account(way: &mut Way, book: &Book) -> bool {
    let mut balance = book.balance();
    for list in book.lists() {
        let mut at = 0;
        loop {
            let (from, to) = (at.to_string(), (at + PIECE - 1).to_string());
            let elements = match read(way, &["LRANGE", list, &from, &to]) {
                Ok(Frame::Array(elements)) => elements,
                Ok(other) => return tell_why(&format!("{list} is no list: {other:?}")),
                Err(why) => return tell_why(&why),
            };
            elements.iter().for_each(|element| balance.found(list, element.as_bytes().unwrap_or_default()));
            at += elements.len();
            if elements.len() < PIECE {
                break;
            }
        }
    }
    tell!("{}", balance.report(way.redirections()));
    if !balance.is_even() {
        return false;
    }
    // They were ours alone; should one of them stay, the next tally will say so.
    let _ = book.lists().iter().map(|list| read(way, &["DEL", list])).collect::<Vec<_>>();
    true
}

fn tell_why(why: &str) -> bool {
    eprintln!("Error: {why}");
    false
}

/// A command about one list that may be repeated.
fn read(way: &mut Way, command: &[&str]) -> Result<Frame, String> {
    const ATTEMPTS: usize = 100;
    let mut why = String::new();
    for _ in 0..ATTEMPTS {
        match way.call(command, Some(key_slot(command[1].as_bytes()))) {
            Said::Reply(reply) => return Ok(reply),
            Said::Refused(words) | Said::Unsent(words) | Said::Nothing(words) => why = words,
        }
        pause(REST);
    }
    Err(why)
}

/// The lists must be empty, or what is found in the end would not be what was written.
fn are_free(way: &mut Way, lists: &[String]) -> Result<(), String> {
    for list in lists {
        match read(way, &["EXISTS", list])? {
            Frame::Integer(0) => {}
            _ => {
                return Err(format!(
                    "{list} exists already. --tally needs it for itself: look, and delete it."
                ));
            }
        }
    }
    Ok(())
}

/// The name of the list for this part of the slots.
fn list(part: u16) -> String {
    let here = |name: &String| key_slot(name.as_bytes()).number() / (Slot::COUNT / LISTS) == part;
    (0..).map(|number: u32| format!("tally:{number}")).find(here).unwrap_or_default()
}

/// Becomes true by Ctrl-C. A second one ends the program.
fn until_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // Without a handler Ctrl-C ends the program, without an account.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
    stop
}

#[expect(clippy::disallowed_methods, reason = "the edge: somebody in front of a terminal measures")]
fn clock() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the user asked for a pause between two writes")]
fn pause(wait: Duration) {
    if !wait.is_zero() {
        std::thread::sleep(wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_list_in_each_sixteenth_of_the_slots() {
        let parts: Vec<u16> =
            (0..LISTS).map(|part| key_slot(list(part).as_bytes()).number() / 1024).collect();
        assert_eq!(parts, (0..16).collect::<Vec<_>>());
    }
}
