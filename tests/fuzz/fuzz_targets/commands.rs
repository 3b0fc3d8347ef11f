//! See [`fuzz::commands`].
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(fuzz::commands::check);
