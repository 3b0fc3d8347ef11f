//! Bandwidth and detection of failures against the size of the cluster: runs all of it, and writes what came out to
//! `tests/sim/data/gossip-size.txt`, from where the book takes it.
//!
//! ```sh
//! cargo run --release -p sim --features nodes --example gossip_size
//! ```
//!
//! It takes about ten minutes, and half a gigabyte of memory. With a word, only the lines that hold it are run, and shown:
//! `… --example gossip_size -- "200 on 20"`. Deaths in a cluster of 200 whole nodes are only run when they are named:
//! `… -- "deaths of whole nodes"`.

use std::io::Write;

use sim::nodes::experiments::gossip::record::{FILE, HEAD, apart, plan};

fn main() -> std::io::Result<()> {
    let wanted = std::env::args().nth(1);
    let mut text = String::from(HEAD);
    let named =
        apart().into_iter().filter(|run| wanted.as_ref().is_some_and(|wanted| run.name().contains(wanted)));
    for run in plan().into_iter().chain(named) {
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
