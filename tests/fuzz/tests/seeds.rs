//! The targets without a fuzzer: every seed, and what a few changes make of it.

use std::fs;
use std::path::{Path, PathBuf};

use core_types::Rng;
use fuzz::{TARGETS, mutate};
use keyspace::Keyspace;
use keyspace::rdb::{Options, crc64, load, restore};

/// How many mutations of each seed are tried; `FUZZ_MUTATIONS` in the environment says otherwise.
const MUTATIONS: u64 = 250;

/// Larger seeds get fewer mutations.
const USUAL_SIZE: u64 = 1000;

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder of seeds").map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has seeds");
    files.into_iter().map(|file| (file.clone(), fs::read(file).expect("a readable file"))).collect()
}

/// A seed that is refused at its first byte leads nowhere. Findings may be anything.
fn is_good(target: &str, bytes: &[u8]) -> bool {
    match target {
        "rdb" => load(bytes, 4, 1, Options::default()).is_ok(),
        "dump" => {
            let mut payload = [bytes, &10_u16.to_le_bytes()].concat();
            payload.extend_from_slice(&crc64(&payload).to_le_bytes());
            let keyspace = Keyspace::new(1, 1);
            restore(&payload, &keyspace).is_ok() || restore(bytes, &keyspace).is_ok()
        }
        _ => true,
    }
}

/// One test for all of them: memory is counted for the whole process.
#[test]
fn seeds_and_their_mutations_keep_every_promise() {
    let mutations = std::env::var("FUZZ_MUTATIONS").ok().and_then(|count| count.parse().ok());
    for (name, check) in TARGETS {
        for (file, bytes) in seeds(name) {
            let finding = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("finding"));
            assert!(finding || is_good(name, &bytes), "{} is no good seed", file.display());
            let count = mutations.unwrap_or(MUTATIONS) * USUAL_SIZE / (bytes.len() as u64).max(USUAL_SIZE);
            for seed in 0..=count {
                let mut data = bytes.clone();
                if seed > 0 {
                    mutate(&mut data, &mut Rng::new(seed));
                }
                let outcome = std::panic::catch_unwind(|| check(&data));
                assert!(outcome.is_ok(), "{name}: {}, mutation {seed}", file.display());
            }
        }
    }
}
