//! See [`fuzz::replies`].
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(fuzz::replies::check);
