//! The text of `nodes.conf`, which is also what `CLUSTER NODES` answers.
//!
//! A line for each member:
//!
//! ```text
//! <id> <ip>:<port>@<bus port>[,<name>] <flags> <master or -> <ping sent> <pong received> <epoch> <link> <slots…>
//! ```
//!
//! Our own line also has the slots on the move, `[77->-<id>]` and `[77-<-<id>]`. A last line holds what belongs to
//! nobody: `vars currentEpoch 6 lastVoteEpoch 6`, filled up with blanks to whole blocks of the disk; see `storage`.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write;

use core_types::{Epoch, Millis, NodeId, Slot, SlotSet};

use super::member::{Flag, Flags, Member, WORDS};
use super::state::Cluster;
use crate::layers::sharding::ranges;
use crate::layers::wire::split_inline;

/// It is not our file, or somebody has had a hand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt(pub(crate) &'static str);

/// What disks and file systems write whole or not at all, in bytes.
pub(super) const BLOCK: usize = 4096;

/// The slots of members as they stood in the file when it was last written: they are many, and change seldom.
#[derive(Debug, Default)]
pub(crate) struct SlotTexts(BTreeMap<NodeId, (SlotSet, String)>);

impl SlotTexts {
    fn get(&mut self, member: &Member) -> &str {
        let (slots, text) = self.0.entry(member.id).or_default();
        if slots != member.slots() {
            slots.clone_from(member.slots());
            text.clear();
            write_ranges(slots, text);
        }
        text
    }
}

fn write_ranges(slots: &SlotSet, text: &mut String) {
    for range in ranges(slots) {
        let _ = write!(text, " {range}");
    }
}

impl Cluster {
    /// The file, of one block or more.
    pub(crate) fn to_file(&self, known: &mut SlotTexts) -> String {
        let mut text = String::with_capacity(BLOCK);
        known.0.retain(|id, _| self.member(id).is_some());
        for member in self.members().filter(|member| !member.flags.has(Flag::Handshake)) {
            self.describe_head(member, &mut text);
            text.push_str(known.get(member));
            self.describe_tail(member, &mut text);
            text.push('\n');
        }
        let _ =
            write!(text, "vars currentEpoch {} lastVoteEpoch {}", self.current_epoch, self.last_vote_epoch);
        let length = (text.len() + 1).next_multiple_of(BLOCK);
        text.extend(std::iter::repeat_n(' ', length - 1 - text.len()));
        text.push('\n');
        text
    }

    /// One member's line, without its end.
    pub(crate) fn describe(&self, member: &Member, text: &mut String) {
        self.describe_head(member, text);
        write_ranges(member.slots(), text);
        self.describe_tail(member, text);
    }

    /// What stands before the slots.
    fn describe_head(&self, member: &Member, text: &mut String) {
        let Member { id, ip, port, bus_port, .. } = member;
        let _ = write!(text, "{id} {ip}:{port}@{bus_port}");
        if !member.hostname.is_empty() {
            let _ = write!(text, ",{}", member.hostname);
        }
        let _ = write!(text, " {} ", member.flags.words());
        let _ = match member.master.filter(|_| !member.is_master()) {
            Some(master) => write!(text, "{master}"),
            None => write!(text, "-"),
        };
        let link = if member.is_myself() || member.link.is_some() { "connected" } else { "disconnected" };
        let _ = write!(
            text,
            " {} {} {} {link}",
            member.ping_sent.0,
            member.pong_received.0,
            self.head_of(member).config_epoch
        );
    }

    /// What stands behind the slots: of ourselves, those on the move.
    fn describe_tail(&self, member: &Member, text: &mut String) {
        if !member.is_myself() {
            return;
        }
        let leaving = self.migrating.iter().map(|(slot, to)| (slot, (">", to)));
        let arriving = self.importing.iter().map(|(slot, from)| (slot, ("<", from)));
        // A slot that does both is shown as leaving.
        let moving: BTreeMap<&Slot, _> = arriving.chain(leaving).collect();
        for (slot, (way, other)) in moving {
            let _ = write!(text, " [{slot}-{way}-{other}]");
        }
    }

    /// Reads the file. `Ok(None)`: there is nothing in it. What is unknown among the variables is told by `skipped`.
    ///
    /// # Errors
    /// If a line makes no sense, or none is about ourselves. A file that was cut off most often has such a line.
    pub(crate) fn from_file(
        text: &[u8],
        now: Millis,
        skipped: &mut Vec<String>,
    ) -> Result<Option<Cluster>, Corrupt> {
        if text.is_empty() {
            return Ok(None);
        }
        let mut lines = Vec::new();
        let mut epochs = (Epoch(0), Epoch(0));
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let words = split_inline(line).map_err(|_| Corrupt("unbalanced quotes"))?;
            let words: Result<Vec<&str>, _> = words.as_args().iter().map(std::str::from_utf8).collect();
            let words = words.map_err(|_| Corrupt("a word is no text"))?;
            match words.as_slice() {
                [name, variables @ ..] if name.eq_ignore_ascii_case("vars") => {
                    read_variables(variables, &mut epochs, skipped)?;
                }
                words if words.len() < 8 => return Err(Corrupt("a line has fewer than eight words")),
                words => lines.push(words.iter().map(|word| word.to_string()).collect::<Vec<_>>()),
            }
        }
        let mut read = Vec::new();
        for words in &lines {
            read.push(read_member(words, now)?);
        }
        let Some(me) = read.iter().find(|line| line.flags.has(Flag::Myself)).map(|line| line.id) else {
            return Err(Corrupt("no line is about ourselves"));
        };
        let mut cluster = Cluster::alone(me, now);
        (cluster.current_epoch, cluster.last_vote_epoch) = epochs;
        for line in read {
            cluster.take_line(line, now)?;
        }
        let followed: BTreeSet<NodeId> = cluster.members().filter_map(|member| member.master).collect();
        followed.into_iter().for_each(|master| cluster.note_replicas_of(Some(master)));
        let newest = cluster.members().map(|member| member.config_epoch).max().unwrap_or_default();
        cluster.current_epoch = cluster.current_epoch.max(newest);
        Ok(Some(cluster))
    }

    fn take_line(&mut self, line: Line, now: Millis) -> Result<(), Corrupt> {
        if line.flags.has(Flag::Myself) && line.id != self.me() {
            return Err(Corrupt("two lines are about ourselves"));
        }
        self.known_or_new(line.id, now);
        for other in line.master.iter().chain(line.moving.iter().map(|(_, _, id)| id)) {
            self.known_or_new(*other, now);
        }
        if let Some(member) = self.member_mut(&line.id) {
            member.flags = line.flags;
            member.master = line.master;
            (member.ip, member.port, member.bus_port) = (line.ip, line.port, line.bus_port);
            member.hostname = line.hostname;
            (member.ping_sent, member.pong_received) = (line.ping_sent, line.pong_received);
            member.config_epoch = line.epoch;
            if member.has_failed() {
                member.failed_at = now;
            }
        }
        for (slot, out, other) in line.moving {
            let marks = if out { &mut self.migrating } else { &mut self.importing };
            marks.insert(slot, other);
        }
        for (first, last) in line.slots {
            for slot in (first..=last).filter_map(Slot::new) {
                // Who is named first keeps it.
                if self.owner(slot).is_none() {
                    self.assign(slot, line.id);
                }
            }
        }
        Ok(())
    }

    fn known_or_new(&mut self, id: NodeId, now: Millis) {
        if self.member(&id).is_none() {
            self.add(Member::new(id, now));
        }
    }
}

/// What a line says.
struct Line {
    id: NodeId,
    ip: String,
    port: u16,
    bus_port: u16,
    hostname: String,
    flags: Flags,
    master: Option<NodeId>,
    ping_sent: Millis,
    pong_received: Millis,
    epoch: Epoch,
    slots: Vec<(u16, u16)>,
    /// The slot, whether it leaves, and the other side.
    moving: Vec<(Slot, bool, NodeId)>,
}

fn read_variables(
    words: &[&str],
    (current, vote): &mut (Epoch, Epoch),
    skipped: &mut Vec<String>,
) -> Result<(), Corrupt> {
    if !words.len().is_multiple_of(2) {
        return Err(Corrupt("a variable has no value"));
    }
    for pair in words.chunks(2) {
        match pair[0].to_ascii_lowercase().as_str() {
            "currentepoch" => *current = Epoch(leading(pair[1])),
            "lastvoteepoch" => *vote = Epoch(leading(pair[1])),
            _ => skipped.push(pair[0].to_string()),
        }
    }
    Ok(())
}

fn read_member(words: &[String], now: Millis) -> Result<Line, Corrupt> {
    let (address, hostname) = words[1].split_once(',').unwrap_or((&words[1], ""));
    let (ip, ports) = address.rsplit_once(':').ok_or(Corrupt("an address without a port"))?;
    let (port, bus_port) = ports.split_once('@').map_or((ports, None), |(port, bus)| (port, Some(bus)));
    let port = leading(port) as u16;
    let mut line = Line {
        id: read_id(&words[0])?,
        ip: ip.to_string(),
        port,
        bus_port: bus_port.map_or(port.wrapping_add(10_000), |bus| leading(bus) as u16),
        hostname: hostname.split(',').next().unwrap_or_default().to_string(),
        flags: read_flags(&words[2])?,
        master: if words[3].starts_with('-') { None } else { Some(read_id(&words[3])?) },
        // What time it was then is of no use after a restart, only that it was.
        ping_sent: if leading(&words[4]) == 0 { Millis::ZERO } else { now },
        pong_received: if leading(&words[5]) == 0 { Millis::ZERO } else { now },
        epoch: Epoch(leading(&words[6])),
        slots: Vec::new(),
        moving: Vec::new(),
    };
    for word in &words[8..] {
        if let Some(inside) = word.strip_prefix('[') {
            line.moving.push(read_moving(inside)?);
        } else {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            line.slots.push((read_slot(first)?.number(), read_slot(last)?.number()));
        }
    }
    Ok(line)
}

/// `77->-<id>]` or `77-<-<id>]`
fn read_moving(inside: &str) -> Result<(Slot, bool, NodeId), Corrupt> {
    const BAD: Corrupt = Corrupt("a slot on the move that cannot be read");
    let (slot, rest) = inside.split_once('-').ok_or(BAD)?;
    let out = rest.starts_with('>');
    let id = rest.get(2..).and_then(|id| id.split_once(']')).ok_or(BAD)?.0;
    Ok((read_slot(slot)?, out, read_id(id)?))
}

fn read_slot(word: &str) -> Result<Slot, Corrupt> {
    u16::try_from(leading(word)).ok().and_then(Slot::new).ok_or(Corrupt("a slot that does not exist"))
}

fn read_id(word: &str) -> Result<NodeId, Corrupt> {
    let digits = word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    NodeId::parse(word.as_bytes()).ok().filter(|_| digits).ok_or(Corrupt("a name that is no node's"))
}

fn read_flags(words: &str) -> Result<Flags, Corrupt> {
    let mut flags = Flags::default();
    for word in words.split(',').filter(|word| !word.eq_ignore_ascii_case("noflags")) {
        let known = WORDS.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
        flags.set(known.ok_or(Corrupt("a flag that does not exist"))?.0);
    }
    Ok(flags)
}

/// The number that a word begins with; zero if it begins with none, as C has it.
fn leading(word: &str) -> u64 {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    word[..digits].parse().unwrap_or(if digits == 0 { 0 } else { u64::MAX })
}

#[cfg(test)]
mod tests {
    use core_types::Rng;

    use super::*;

    fn id(digit: char) -> NodeId {
        NodeId::parse(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    fn read(text: &str) -> Result<Option<Cluster>, Corrupt> {
        Cluster::from_file(text.as_bytes(), Millis(5), &mut Vec::new())
    }

    fn sample() -> String {
        let (a, b, c) = (id('a'), id('b'), id('c'));
        format!(
            "{a} 127.0.0.1:7000@17000 myself,master - 0 0 3 connected 0-5460 7000 [5460->-{b}] [9000-<-{b}]\n\
             {b} 127.0.0.1:7001@17001,two.example master - 0 1700000000000 2 connected 5461-6999 7001-16383\n\
             {c} 127.0.0.1:7002@17002 slave,fail {a} 1700000000000 1700000000000 3 disconnected\n\
             vars currentEpoch 7 lastVoteEpoch 6\n"
        )
    }

    #[test]
    fn what_was_written_is_read_back() {
        let cluster = read(&sample()).unwrap().unwrap();
        cluster.check().unwrap();
        assert_eq!(cluster.me(), id('a'));
        assert_eq!((cluster.current_epoch, cluster.last_vote_epoch), (Epoch(7), Epoch(6)));
        assert_eq!(cluster.owner(Slot::new(7000).unwrap()), Some(id('a')));
        assert_eq!(cluster.migrating[&Slot::new(5460).unwrap()], id('b'));
        assert_eq!(cluster.importing[&Slot::new(9000).unwrap()], id('b'));
        assert_eq!(cluster.member(&id('b')).unwrap().hostname, "two.example");
        let text = cluster.to_file(&mut SlotTexts::default());
        let again = read(&text).unwrap().unwrap();
        assert_eq!(again.to_file(&mut SlotTexts::default()), text);
    }

    #[test]
    fn the_file_has_whole_blocks_and_what_is_remembered_of_the_slots_is_never_old() {
        let mut cluster = read(&sample()).unwrap().unwrap();
        let mut known = SlotTexts::default();
        assert_eq!(cluster.to_file(&mut known).len(), BLOCK);
        let mut rng = Rng::new(5);
        for step in 0..3_000 {
            let slot = Slot::new(rng.below(u64::from(Slot::COUNT)) as u16).unwrap();
            match rng.below(5) {
                0 => drop(cluster.unassign(slot)),
                1 => cluster.assign(slot, id('a')),
                2 => cluster.assign(slot, id('b')),
                3 => drop(cluster.migrating.insert(slot, id('b'))),
                _ => drop(cluster.importing.insert(slot, id('b'))),
            }
            if step % 100 == 0 {
                let text = cluster.to_file(&mut known);
                assert_eq!(text, cluster.to_file(&mut SlotTexts::default()));
                assert!(text.len().is_multiple_of(BLOCK) && text.ends_with('\n'));
                assert_eq!(read(&text).unwrap().unwrap().to_file(&mut known), text);
            }
        }
    }

    #[test]
    fn an_empty_file_is_none_and_blank_lines_are_nothing() {
        assert!(read("").unwrap().is_none());
        assert_eq!(read("\n\n").unwrap_err(), Corrupt("no line is about ourselves"));
        assert!(read(&format!("\n{}\n\n", sample())).unwrap().is_some());
    }

    #[test]
    fn what_is_not_ours_is_refused_and_nothing_panics() {
        let a = id('a');
        for bad in [
            "hello\n".to_string(),
            format!("{a} 127.0.0.1:7000@17000 myself,master - 0 0 3\n"),
            format!("{a} 127.0.0.1 myself,master - 0 0 3 connected\n"),
            format!("{a} :7000@17000 myself,emperor - 0 0 3 connected\n"),
            format!("{a} :7000@17000 master - 0 0 3 connected\n"),
            format!("{a} :7000@17000 myself,master - 0 0 3 connected 16384\n"),
            format!("{a} :7000@17000 myself,master - 0 0 3 connected 5-99999\n"),
            format!("{a} :7000@17000 myself,master - 0 0 3 connected [5>{a}]\n"),
            format!("{a} :7000@17000 myself,master - 0 0 3 connected [5-<-{a}\n"),
            format!("{a} :7000@17000 myself,slave short 0 0 3 connected\n"),
            format!("{a} :7000@17000 myself,master - 0 0 3 connected\nvars currentEpoch\n"),
            "\"\n".to_string(),
        ] {
            assert!(read(&bad).is_err(), "{bad}");
        }
        let whole = sample();
        let mut rng = Rng::new(3);
        for _ in 0..5_000 {
            let mut bytes = whole.clone().into_bytes();
            let at = rng.below(bytes.len() as u64) as usize;
            match rng.below(3) {
                0 => bytes.truncate(at),
                1 => bytes[at] = rng.below(256) as u8,
                _ => drop(bytes.remove(at)),
            }
            if let Ok(Some(cluster)) = Cluster::from_file(&bytes, Millis(5), &mut Vec::new()) {
                cluster.check().unwrap();
            }
        }
    }
}
