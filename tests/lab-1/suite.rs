// The scored suite of chapter 1. Included twice by each `tests/score.rs`, once with the answers under
// test as `lab` and once with the reference answers. A scenario calls the functions of its own exercise
// and nothing else that is to be written, so that one wrong answer turns one exercise red.

use bytes::{Bytes, BytesMut};
use core_types::{
    Args, ArgsBuf, Broken, Endpoint, ExpiredKey, Millis, Offset, Origin, ReplId, Rng, Role, show_bytes,
    show_command, write_command,
};
use lab::{
    Apply, Attachment, Chunk, CommandTraits, Framing, Gate, LinkConfig, Next, Phase, PsyncReply, ReplicaOf,
    RoleStep, Step, StreamReader, StreamWriter, Transfer,
};
use score::{Check, Family};
use sim::trace::Trace;

include!("handshake.rs");
include!("transfer.rs");
include!("attachment.rs");
include!("stream.rs");
include!("gate.rs");
include!("role.rs");

pub(crate) fn suite() -> Vec<Check> {
    vec![
        check("1.1", six_steps, Some((six_steps_from_seed, 500))),
        check("1.2", psync_replies, Some((psync_replies_from_seed, 200))),
        check("1.3", transfers, Some((transfer_from_seed, 500))),
        check("1.4", attachments, Some((attachment_from_seed, 500))),
        check("1.5", stream_is_written, Some((stream_is_written_from_seed, 200))),
        check("1.6", stream_is_read, Some((stream_is_read_from_seed, 200))),
        check("1.7", gate, Some((gate_from_seed, 512))),
        check("1.8", expired_keys, None),
        check("1.9", changes_of_role, Some((change_of_role_from_seed, 200))),
    ]
}

type Scenario = fn(&mut Trace) -> Result<(), Broken>;
type SeededRun = fn(u64, &mut Trace) -> Result<(), Broken>;

fn check(id: &'static str, scenario: Scenario, family: Option<(SeededRun, u64)>) -> Check {
    Check { id, scenario, family: family.map(|(run, seeds)| Family { seeds, run, agree: true }) }
}

/// A millisecond later.
fn later(trace: &Trace) -> Millis {
    trace.now() + Millis(1)
}

fn heading(trace: &mut Trace, text: &str) {
    let at = later(trace);
    trace.note(at, None, text);
}
