//! The book press: build, serve and check

fn main() {}
