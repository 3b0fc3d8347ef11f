//! When a partial resynchronisation is due: requests and answers, overheard at the nodes' mouths, against the rule
//! of the chapter, written down here once more.

use std::collections::BTreeMap;

use core_types::{Broken, History, Offset, Position, ReplId};
use node::Node;

use crate::world::Conn;

/// Something a node has said about where a stream begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sync {
    /// A replica has sent `PSYNC`.
    Asked {
        /// The connection to the master.
        conn: Conn,
        /// The history it names, and the first byte it wants; `None` for `? -1`.
        wanted: Option<(ReplId, i64)>,
        /// Where it stood when it asked.
        stood: Position,
    },
    /// A master has answered it.
    Answered {
        /// The connection from the replica.
        conn: Conn,
        /// `+CONTINUE` (true) or `+FULLRESYNC` (false).
        partial: bool,
        /// What it had when it decided.
        grounds: Grounds,
    },
}

/// What a master decides upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grounds {
    /// The histories it has.
    pub history: History,
    /// What its log holds: the bytes behind the first offset, up to the second.
    pub window: Option<(Offset, Offset)>,
}

impl Grounds {
    pub(super) fn of(node: &Node) -> Grounds {
        Grounds { history: node.history(), window: node.log_window() }
    }
}

impl Sync {
    /// What a node has just said, if it is one of these. Both are said on a connection that is otherwise silent at
    /// that moment, so they begin what is said.
    pub(super) fn spoken(
        node: &Node,
        decided: &mut BTreeMap<Conn, Grounds>,
        conn: Conn,
        to_master: bool,
        bytes: &[u8],
    ) -> Option<Sync> {
        if to_master {
            if !bytes.starts_with(b"*") || bytes.get(4..15) != Some(b"$5\r\nPSYNC\r\n") {
                return None;
            }
            let text = String::from_utf8_lossy(bytes);
            // *3 $5 PSYNC $40 id $n offset
            let mut words = text.split("\r\n").skip(4).step_by(2);
            let (id, offset) = (words.next()?, words.next()?);
            let id = ReplId::parse(id.as_bytes()).ok();
            let wanted = id.map(|id| (id, offset.parse().unwrap_or(-1)));
            let stood = Position { id: node.replication_id(), offset: node.replication_offset() };
            return Some(Sync::Asked { conn, wanted, stood });
        }
        let partial = bytes.starts_with(b"+CONTINUE");
        if !partial && !bytes.starts_with(b"+FULLRESYNC") {
            return None;
        }
        let grounds = decided.remove(&conn).unwrap_or_else(|| Grounds::of(node));
        Some(Sync::Answered { conn, partial, grounds })
    }
}

/// Could a master on these grounds go on with the byte that is `wanted`?
pub fn is_possible(grounds: &Grounds, wanted: Option<(ReplId, i64)>) -> bool {
    let Grounds { history, window } = grounds;
    let (Some((start, end)), Some((id, first))) = (*window, wanted) else { return false };
    let Ok(has) = u64::try_from(first - 1).map(Offset) else { return false };
    let same = id == history.id;
    let common_past = history.earlier.is_some_and(|earlier| earlier.id == id && has <= earlier.offset);
    (same || common_past) && start <= has && has <= end
}

/// Was the answer the one that the rules ask for?
///
/// # Errors
/// If a replica was sent a snapshot although the log had all it lacked, or was told to go on although it had not.
pub fn check_answer(wanted: Option<(ReplId, i64)>, partial: bool, grounds: &Grounds) -> Result<(), Broken> {
    let possible = is_possible(grounds, wanted);
    if possible == partial {
        return Ok(());
    }
    let rule = if possible {
        "where a partial resynchronisation is possible, it happens"
    } else {
        "a master continues a stream only from bytes it still has, in a history that is its own"
    };
    Err(Broken::new(rule, format!("asked for {wanted:?}, it had {grounds:?}")))
}

/// Does a replica ask for the byte behind the last one that it has applied?
///
/// # Errors
/// If it asks for another, or for nothing although it stands somewhere.
pub fn check_question(
    wanted: Option<(ReplId, i64)>,
    stood: Position,
    may_ask_for_all: bool,
) -> Result<(), Broken> {
    let due = (stood.id, stood.offset.0 as i64 + 1);
    match wanted {
        None if may_ask_for_all => Ok(()),
        Some(wanted) if wanted == due => Ok(()),
        other => Err(Broken::new(
            "a replica asks for the byte behind the last one it has applied, in its own history",
            format!("it stands at {stood:?} and asks for {other:?}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ReplId {
        ReplId::parse(digit.to_string().repeat(40).as_bytes()).expect("forty digits")
    }

    #[test]
    fn the_rule_by_example() {
        let earlier = Some(Position { id: id('a'), offset: Offset(150) });
        let history = History { id: id('b'), earlier };
        let grounds = Grounds { history, window: Some((Offset(100), Offset(200))) };
        for (wanted, possible) in [
            (None, false),
            (Some((id('b'), 101)), true),
            (Some((id('b'), 100)), false),
            (Some((id('b'), 201)), true),
            (Some((id('b'), 202)), false),
            (Some((id('a'), 151)), true),
            (Some((id('a'), 152)), false),
            (Some((id('c'), 151)), false),
            (Some((id('b'), -1)), false),
        ] {
            assert_eq!(is_possible(&grounds, wanted), possible, "{wanted:?}");
            assert_eq!(check_answer(wanted, true, &grounds).is_ok(), possible);
            assert_eq!(check_answer(wanted, false, &grounds).is_ok(), !possible);
        }
        assert!(!is_possible(&Grounds { history, window: None }, Some((id('b'), 101))));
    }
}
