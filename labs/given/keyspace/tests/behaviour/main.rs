//! What the data set does, seen from outside.

mod keys;
mod model;
mod rdb;
mod strings;
mod support;
mod table;
