//! The learner's bench

fn main() {}
