//! What a sentinel tells others: the events in its log, and the votes in its answers.
//!
//! Only what is told counts. A vote that is in memory and on no wire may be forgotten in a crash, and no harm is done.

use core_types::{Epoch, RunId};

/// What one process has told since it started.
#[derive(Clone, Debug, Default)]
pub struct Overheard {
    events: Vec<String>,
    votes: Vec<(RunId, Epoch)>,
}

impl Overheard {
    /// Lines of its log that are events: `+odown master …`.
    pub fn events(&self) -> &[String] {
        &self.events
    }

    /// Votes that it has told others who asked, old ones repeated.
    pub fn votes(&self) -> &[(RunId, Epoch)] {
        &self.votes
    }

    pub(in crate::nodes) fn logged(&mut self, text: &str) {
        if text.starts_with(['+', '-']) {
            self.events.push(text.into());
        }
    }

    /// Bytes that leave. A vote is the answer to `is-master-down-by-addr`: an opinion, a run id, an epoch.
    pub(in crate::nodes) fn said(&mut self, bytes: &[u8]) {
        const BEGIN: &[u8] = b"*3\r\n:";
        let mut rest = bytes;
        while let Some(at) = rest.windows(BEGIN.len()).position(|window| window == BEGIN) {
            rest = &rest[at + BEGIN.len()..];
            self.votes.extend(vote(rest));
        }
    }
}

/// `0␍␊$40␍␊<run id>␍␊:7␍␊`
fn vote(bytes: &[u8]) -> Option<(RunId, Epoch)> {
    let rest = bytes.get(1..)?.strip_prefix(b"\r\n$40\r\n")?;
    let leader = RunId::parse(rest.get(..40)?).ok()?;
    let rest = rest[40..].strip_prefix(b"\r\n:")?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let epoch = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    Some((leader, Epoch(epoch)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_are_told_from_other_answers() {
        let id = "0123456789012345678901234567890123456789";
        let text = format!("+PONG\r\n*3\r\n:1\r\n$1\r\n*\r\n:0\r\n*3\r\n:0\r\n$40\r\n{id}\r\n:12\r\n:1\r\n");
        let mut overheard = Overheard::default();
        overheard.said(text.as_bytes());
        assert_eq!(overheard.votes(), [(RunId::parse(id.as_bytes()).unwrap(), Epoch(12))]);
        overheard.logged("+odown master m 10.0.0.1 7000 #quorum 2/2");
        overheard.logged("Sentinel ID is …");
        assert_eq!(overheard.events().len(), 1);
    }
}
