//! The runs behind the book's transcripts and figures, and the numbers behind its plots and tables.
//!
//! Each chapter has a module whose `all()` lists its recordings by name. `cargo book record` writes them to
//! `book/src/traces/NAME.json`; a chapter shows one with `{{#transcript NAME}}`, `{{#figure NAME "caption"}}`,
//! `{{#plot NAME "caption"}}` or `{{#table NAME}}`. `cargo book check` records again and fails if a page would
//! change.
//!
//! A run takes its time and its seed from the simulator, so that it is the same on every machine.

mod ch00;
mod ch01;
mod ch02;
mod ch03;
mod ch04;
mod ch05;
mod ch06;
mod ch07;
mod ch08;
mod ch09;
mod ch10;
mod cluster;
mod edit;
mod scene;
mod watchers;

use sim::Trace;

use crate::data::Recording;

/// Every recording of every chapter, with its name.
pub fn all() -> Vec<(&'static str, Recording)> {
    let runs = |list: Vec<(&'static str, Trace)>| list.into_iter().map(|(name, trace)| (name, trace.into()));
    let mut all: Vec<(&'static str, Recording)> = Vec::new();
    all.extend(runs(ch00::all()));
    all.extend(runs(ch01::all()));
    all.extend(ch02::all());
    all.extend(ch03::all());
    all.extend(ch04::all());
    all.extend(ch05::all());
    all.extend(ch06::all());
    all.extend(ch07::all());
    all.extend(ch08::all());
    all.extend(ch09::all());
    all.extend(ch10::all());
    all
}
