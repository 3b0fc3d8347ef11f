//! What the data set does, seen from outside.

mod bits;
mod collections;
mod dump;
mod hashes;
mod keys;
mod lists;
mod lists_and_hashes;
mod model;
mod packed;
mod rdb;
mod rdb_sets;
mod sets;
mod slots;
mod snapshot;
mod sort;
mod strings;
mod support;
mod table;
mod zsets;
