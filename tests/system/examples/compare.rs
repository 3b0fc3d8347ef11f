//! Runs scripts on two servers that are there already: `cargo run --example compare OURS REDIS FILE…`.

use std::time::Duration;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let port = |index: usize| args[index].parse().expect("a port");
    for file in &args[2..] {
        let script = std::fs::read_to_string(file).expect("a script");
        let differences = system::compare::differences(port(0), port(1), &script, Duration::from_secs(2));
        println!("== {file}\n{differences}");
    }
}
