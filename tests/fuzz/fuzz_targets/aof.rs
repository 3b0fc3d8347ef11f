//! See [`fuzz::aof`].
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(fuzz::aof::check);
