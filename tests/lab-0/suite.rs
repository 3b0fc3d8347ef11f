// The scored suite of lab 0. It is included twice into each score binary: once with `lab` being the
// answers under test, once with `lab` being the reference (see labs/lab-0-wire/tests/score.rs).
//
// Each scenario keeps to its own exercise's ground: where it has to pass through an earlier exercise, it
// uses only what even a wrong answer there gets right. So a mistake turns one exercise red, not four.

use core_types::{Args, Broken, Frame, Millis, Protocol, Reply, Rng, Span, show_bytes, show_command};
use score::{Check, Family};
use sim::trace::Trace;

include!("numbers.rs");
include!("commands.rs");
include!("inline.rs");
include!("encoding.rs");
include!("decoding.rs");
include!("hello.rs");

pub(crate) fn suite() -> Vec<Check> {
    let family = |seeds, run| Some(Family { seeds, run, agree: true });
    vec![
        Check { id: "0.1", scenario: integers, family: family(100, random_integers) },
        Check { id: "0.2", scenario: lines, family: family(100, random_lines) },
        Check { id: "0.3", scenario: claims, family: family(100, random_claims) },
        Check { id: "0.4", scenario: commands, family: family(200, random_commands) },
        Check { id: "0.5", scenario: inline_commands, family: family(200, random_inline_commands) },
        Check { id: "0.6", scenario: five_types, family: family(100, random_five_types) },
        Check { id: "0.7", scenario: two_faces, family: family(100, random_two_faces) },
        Check { id: "0.8", scenario: replies, family: family(200, random_replies) },
        Check { id: "0.9", scenario: hellos, family: family(100, random_hellos) },
    ]
}

/// Bytes between quotation marks, as a row or a message shows them.
fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", show_bytes(bytes))
}

/// A rule of the chapter that the answer breaks, whatever the transcript looks like.
fn broken(rule: &str, detail: impl Into<String>) -> Result<(), Broken> {
    Err(Broken::new(rule, detail))
}

/// Cuts `bytes` at some of the places in `cuts`, at random.
fn cut<'a>(bytes: &'a [u8], cuts: &[usize], rng: &mut Rng) -> Vec<&'a [u8]> {
    let percent = [5, 30, 100][rng.below(3) as usize];
    let mut pieces = Vec::new();
    let mut start = 0;
    for &at in cuts {
        if at > start && at < bytes.len() && rng.chance(percent) {
            pieces.push(&bytes[start..at]);
            start = at;
        }
    }
    pieces.push(&bytes[start..]);
    pieces
}

/// Bytes of which some mean something to RESP.
fn random_bytes(longest: u64, rng: &mut Rng) -> Vec<u8> {
    let alphabet = b"ab0$*\r\n\xff";
    (0..rng.below(longest + 1)).filter_map(|_| rng.pick(alphabet).copied()).collect()
}
