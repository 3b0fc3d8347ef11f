//! The book press: builds, serves and checks the book.
//!
//! - [`expand`] turns a chapter as written into what mdBook renders; [`pages`] runs mdBook around it.
//! - [`mistakes`] lists what the chapters correct, [`defaults`] asks the node what a parameter is without being set,
//!   [`differences`] collects what the modules say they do in another way than Redis.
//! - [`contents`] knows what there is on each page; by it [`syllabus`] leads to where a promise is kept, and [`times`] tells
//!   how long a chapter takes. [`catalog`] are the exercises.
//! - [`figure`], [`plot`] and [`mod@table`] draw what was recorded as [`data`].
//! - [`session`] runs the terminal sessions, [`recordings`] are the runs behind transcripts and figures.
//! - [`check`] finds what is wrong, also what mdBook lets pass; [`serve`] shows the book while it is written, [`look`] opens
//!   every page in a real browser.

pub mod catalog;
pub mod check;
pub mod contents;
pub mod data;
pub mod defaults;
pub mod differences;
pub mod expand;
pub mod figure;
pub mod include;
pub mod logs;
pub mod look;
pub mod mistakes;
pub mod pages;
pub mod plot;
pub mod problem;
pub mod recordings;
pub mod serve;
pub mod session;
pub mod syllabus;
pub mod table;
pub mod times;
pub mod workspace;
