//! See [`fuzz::dump`].
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(fuzz::dump::check);
