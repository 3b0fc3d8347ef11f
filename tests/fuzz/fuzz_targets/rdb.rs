//! See [`fuzz::rdb`].
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(fuzz::rdb::check);
