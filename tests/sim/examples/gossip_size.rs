//! Bandwidth and detection of failures against the size of the cluster: runs all of it, and writes what came out to
//! `tests/sim/data/gossip-size.txt`, from where the book takes it.
//!
//! ```sh
//! cargo run --release -p sim --features nodes --example gossip_size
//! ```
//!
//! It takes about a quarter of an hour, six minutes of that for the deaths among 200 whole nodes, which also need more than a
//! gigabyte of memory. With a word, only the lines that hold it are run, and shown: `… --example gossip_size -- "200 on 20"`.

use std::io::Write;

use sim::nodes::experiments::gossip::record::{FILE, HEAD, plan};

fn main() -> std::io::Result<()> {
    let wanted = std::env::args().nth(1);
    let mut text = String::from(HEAD);
    for run in plan() {
        if wanted.as_ref().is_some_and(|wanted| !run.name().contains(wanted.as_str())) {
            continue;
        }
        let line = run.line();
        println!("{line}");
        std::io::stdout().flush()?;
        text.push_str(&line);
        text.push('\n');
    }
    if wanted.is_none() {
        std::fs::write(FILE, text)?;
    }
    Ok(())
}
