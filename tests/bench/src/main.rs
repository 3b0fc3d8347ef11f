//! Side-by-side measurements against redis-server

fn main() {}
