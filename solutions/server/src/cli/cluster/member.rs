use core_types::{Endpoint, NodeId, Slot, SlotRange, SlotSet};
use node::layers::sharding::ranges;

/// One line of `CLUSTER NODES`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) id: NodeId,
    pub(super) at: Endpoint,
    /// The port of its cluster bus.
    pub(super) bus: Option<u16>,
    pub(super) flags: Vec<String>,
    /// Its master, if it is a replica.
    pub(super) master: Option<NodeId>,
    pub(super) slots: SlotSet,
    /// Slots that are on their way to others. Only a node's own line says that.
    pub(super) migrating: Vec<(Slot, NodeId)>,
    /// Slots that are on their way here.
    pub(super) importing: Vec<(Slot, NodeId)>,
    /// The one that was asked has a connection to it.
    pub(super) linked: bool,
}

impl Member {
    /// `id ip:port@bus[,hostname] flags master ping pong epoch link slot …`. `asked`: who wrote it; a node that
    /// does not know its own address can be reached as we reached that one.
    pub(super) fn parse(line: &str, asked: &Endpoint) -> Option<Member> {
        let mut words = line.split(' ');
        let id = words.next()?.parse().ok()?;
        let address = words.next()?.split(',').next()?;
        let (address, bus) = address.split_once('@').unwrap_or((address, ""));
        let (host, port) = address.rsplit_once(':')?;
        let host = if host.is_empty() { &asked.host } else { host };
        let at = Endpoint::new(host, port.parse().ok()?);
        let flags: Vec<String> = words.next()?.split(',').map(str::to_owned).collect();
        let master = words.next()?.parse().ok();
        let linked = words.nth(3)? == "connected";
        let mut member = Member {
            id,
            at,
            bus: bus.parse().ok(),
            flags,
            master,
            slots: SlotSet::new(),
            migrating: Vec::new(),
            importing: Vec::new(),
            linked,
        };
        if member.has("myself") {
            member.at = asked.clone();
        }
        words.filter(|word| !word.is_empty()).try_for_each(|word| member.add(word))?;
        Some(member)
    }

    /// `5`, `5-7`, `[5->-id]` or `[5-<-id]`.
    fn add(&mut self, word: &str) -> Option<()> {
        let slot = |text: &str| Slot::new(text.parse().ok()?);
        if let Some(open) = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
            if let Some((number, to)) = open.split_once("->-") {
                self.migrating.push((slot(number)?, to.parse().ok()?));
            } else {
                let (number, from) = open.split_once("-<-")?;
                self.importing.push((slot(number)?, from.parse().ok()?));
            }
            return Some(());
        }
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let range = SlotRange { first: slot(first)?, last: slot(last)? };
        for slot in range.slots() {
            self.slots.insert(slot);
        }
        Some(())
    }

    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    pub(super) fn is_replica(&self) -> bool {
        self.has("slave")
    }

    /// `master`, `slave,fail`, …: what concerns others.
    pub(super) fn role(&self) -> String {
        self.flags.iter().filter(|flag| *flag != "myself").cloned().collect::<Vec<_>>().join(",")
    }
}

/// `[0-5460],[7000]`
pub(super) fn show_ranges(slots: &SlotSet) -> String {
    ranges(slots).iter().map(|range| format!("[{range}]")).collect::<Vec<_>>().join(",")
}

/// Slots as a list for people: `5,7-9`.
pub(super) fn list(slots: impl IntoIterator<Item = Slot>) -> String {
    let mut set = SlotSet::new();
    for slot in slots {
        set.insert(slot);
    }
    ranges(&set).iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn parse(line: &str) -> Option<Member> {
        Member::parse(line, &Endpoint::new("here", 7000))
    }

    #[test]
    fn a_line_is_read() {
        let line = format!("{A} :7000@17000 myself,master - 0 0 1 connected 0-2 7 [1->-{B}] [9-<-{B}]");
        let member = parse(&line).unwrap();
        assert_eq!(member.at, Endpoint::new("here", 7000));
        assert_eq!((member.role().as_str(), member.master, member.linked), ("master", None, true));
        assert_eq!(member.bus, Some(17000));
        assert_eq!(show_ranges(&member.slots), "[0-2],[7]");
        let b: NodeId = B.parse().unwrap();
        assert_eq!(member.migrating, [(Slot::new(1).unwrap(), b)]);
        assert_eq!(member.importing, [(Slot::new(9).unwrap(), b)]);
        let line = format!("{B} 10.0.0.7:7001@17001,name slave,fail? {A} 1 2 3 disconnected");
        let member = parse(&line).unwrap();
        assert_eq!((member.at.clone(), member.is_replica()), (Endpoint::new("10.0.0.7", 7001), true));
        assert_eq!((member.master, member.linked), (Some(A.parse().unwrap()), false));
    }

    #[test]
    fn nonsense_is_no_member() {
        let good = format!("{A} h:1@2 master - 0 0 1 connected");
        assert!(parse(&good).is_some());
        for tail in ["16384", "5-99999", "x", "[5]", "[5->-x]"] {
            assert_eq!(parse(&format!("{good} {tail}")), None, "{tail}");
        }
        for line in
            ["", "vars currentEpoch 6 lastVoteEpoch 0", &format!("{A} h:99999@1 master - 0 0 1 connected")]
        {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
