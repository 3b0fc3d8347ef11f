//! The runs behind the book's transcripts and figures.
//!
//! Each chapter has a module whose `all()` lists its runs by name. `cargo book record` writes them to
//! `book/src/traces/NAME.json`; a chapter shows one with `{{#transcript NAME}}` or
//! `{{#figure NAME "caption"}}`. `cargo book check` records again and fails if a page would change.
//!
//! A run takes its time and its seed from the simulator, so that it is the same on every machine.

mod ch00;
mod ch01;

use sim::Trace;

/// Every recording of every chapter, with its name.
pub fn all() -> Vec<(&'static str, Trace)> {
    let mut all = ch00::all();
    all.extend(ch01::all());
    all
}
