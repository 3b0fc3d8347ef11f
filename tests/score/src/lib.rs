//! The harness behind `cargo test -p lab-N`
