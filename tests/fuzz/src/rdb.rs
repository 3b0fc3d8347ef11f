//! RDB files, as a node reads them at its start and a replica from its master.

use core_types::Millis;
use keyspace::rdb::{Aux, Loader, Options, RdbError, RdbErrorKind, load, save};
use keyspace::{Compact, Keyspace};

use crate::{Pieces, bounded, every_way};

/// Bytes of memory for a byte of input. LZF makes up to 88 of one, which are copied into the value that they
/// hold; a key with a small number takes five bytes in the file, and in a table that may just have doubled two
/// to three hundred.
pub(crate) const FACTOR: usize = 512;

const DATABASES: usize = 4;

/// Reads `data` as an RDB file.
///
/// # Panics
/// If a promise is broken: see the crate's documentation.
pub fn check(data: &[u8]) {
    match loaded(data) {
        Ok((keyspace, aux)) => check_loaded(&keyspace, &aux),
        // A fuzzer does not find the right checksum; what it guards is worth a look all the same.
        Err(RdbError { position, kind: RdbErrorKind::Checksum(_, computed) }) => {
            let body = &data[..position as usize];
            let repaired = [body, &computed.to_le_bytes()].concat();
            let (keyspace, aux) = loaded(&repaired).expect("the checksum was all that was wrong");
            check_loaded(&keyspace, &aux);
        }
        Err(_) => {}
    }
}

type Loaded = Result<(Keyspace, Aux), RdbError>;

fn loaded(data: &[u8]) -> Loaded {
    bounded(data.len(), FACTOR, || every_way(data, |pieces| load_pieces(pieces, Options::default())))
}

fn load_pieces(pieces: Pieces<'_>, options: Options) -> Loaded {
    let mut loader = Loader::new(DATABASES, 1, options);
    for piece in pieces {
        // The error is kept, and comes again at the end.
        let _ = loader.feed(piece);
    }
    loader.finish()
}

/// What was loaded holds together, and survives being saved, whatever form the values then get.
fn check_loaded(keyspace: &Keyspace, aux: &Aux) {
    keyspace.check_invariants().expect("an invariant of the data set");
    let mut file = Vec::new();
    save(keyspace, aux, &mut file);
    let nothing_compact = Compact {
        hash_entries: 0,
        hash_value: 0,
        list_node: 1,
        set_intset: 0,
        zset_entries: 0,
        zset_value: 0,
    };
    for compact in [Compact::default(), nothing_compact] {
        let options = Options { compact, ..Options::default() };
        let (again, aux_again) = load(&file, DATABASES, 2, options).expect("what was saved is loaded");
        again.check_invariants().expect("an invariant of the data set");
        assert_eq!((&again, &aux_again), (keyspace, aux), "saved and loaded (left), and as it was (right)");
    }
    let now = Millis(1_700_000_000_000);
    let options = Options { drop_expired: Some(now), ..Options::default() };
    let (left, _) = load(&file, DATABASES, 3, options).expect("what was saved is loaded");
    let alive = keyspace.iter().filter(|(_, _, entry)| !entry.is_expired(now)).count();
    assert_eq!(left.iter().count(), alive, "a master leaves out exactly what has expired");
}
