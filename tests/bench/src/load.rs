//! Writing much to a server, in pipelines.

use core_types::Frame;
use system::Server;

/// Commands in one pipeline.
const AT_ONCE: usize = 1000;

/// Runs commands.
///
/// # Panics
/// If one of them is refused.
pub(crate) fn run(server: &Server, commands: &mut dyn Iterator<Item = Vec<Vec<u8>>>) {
    let mut client = server.client();
    loop {
        let part: Vec<_> = commands.take(AT_ONCE).collect();
        if part.is_empty() {
            return;
        }
        for reply in client.pipeline(&part) {
            assert!(!matches!(reply, Frame::Error(_)), "{reply:?}");
        }
    }
}

/// A name with a number of so many digits.
pub(crate) fn each(prefix: &str, number: u64, digits: usize) -> Vec<u8> {
    format!("{prefix}{number:0digits$}").into_bytes()
}

/// `count` keys of 16 bytes, each a string of 32.
pub(crate) fn strings(server: &Server, count: u64) {
    run(
        server,
        &mut (0..count)
            .map(|number| vec![b"SET".to_vec(), each("key:", number, 12), each("value:", number, 26)]),
    );
}

/// `count` hashes of ten small fields.
pub(crate) fn hashes(server: &Server, count: u64) {
    run(
        server,
        &mut (0..count).map(|number| {
            let mut words = vec![b"HSET".to_vec(), each("hash:", number, 11)];
            for field in 0..10 {
                words.extend([each("field", field, 2), each("value:", number * 10 + field, 7)]);
            }
            words
        }),
    );
}
