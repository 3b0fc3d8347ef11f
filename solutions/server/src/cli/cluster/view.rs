use std::collections::BTreeSet;
use std::time::Duration;

use core_types::{Endpoint, Frame, NodeId, SlotSet};

use super::links::{Links, words};
use super::member::Member;
use super::say::{self, Failure, pause};

/// The cluster as its nodes describe themselves.
pub(super) struct View {
    /// The node that the user named.
    pub(super) entry: Endpoint,
    /// All that answer, the named one first. Each one's slots and marks are those that it claims itself.
    pub(super) members: Vec<Member>,
    /// Masters that the named node knows and that do not answer.
    pub(super) unreachable: Vec<Member>,
}

impl View {
    /// Asks the node for the others, and each of those for itself, also if it is believed to be down. Who does not answer
    /// is told about, and a replica whose master is not among those who do.
    pub(super) fn load(links: &mut Links, entry: &Endpoint) -> Result<View, Failure> {
        let (own, others) = ask(links, entry)?;
        let mut view = View { entry: entry.clone(), members: vec![own], unreachable: Vec::new() };
        for other in others {
            let nowhere = ["noaddr", "handshake"].iter().any(|flag| other.has(flag));
            let answer = if nowhere { None } else { Some(ask(links, &other.at)) };
            match answer {
                Some(Ok((itself, _))) => view.members.push(itself),
                not_there => {
                    if let Some(Err(Failure::Because(why))) = not_there {
                        eprintln!("{why}");
                    }
                    if !other.is_replica() {
                        view.unreachable.push(other);
                    }
                }
            }
        }
        for member in &view.members {
            if let Some(master) = member.master.filter(|master| view.find(*master).is_none()) {
                let at = &member.at;
                say::remark(format!("WARNING: {at} claims to be slave of unknown node ID {master}."));
            }
        }
        Ok(view)
    }

    /// What a node says of itself.
    pub(super) fn load_own(links: &mut Links, node: &Endpoint) -> Result<Member, Failure> {
        ask(links, node).map(|(own, _)| own)
    }

    /// All nodes as one of them sees them.
    pub(super) fn as_seen_by(links: &mut Links, node: &Endpoint) -> Result<Vec<Member>, Failure> {
        let (own, mut others) = ask(links, node)?;
        others.push(own);
        Ok(others)
    }

    pub(super) fn masters(&self) -> impl Iterator<Item = &Member> + Clone {
        self.members.iter().filter(|member| !member.is_replica())
    }

    pub(super) fn find(&self, id: NodeId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// Where a node is that belongs to the view.
    ///
    /// # Panics
    /// If it does not.
    pub(super) fn place(&self, id: NodeId) -> &Endpoint {
        &self.find(id).expect("plans name only nodes of the view").at
    }

    /// The masters whose id begins with this text.
    pub(super) fn masters_by_prefix(&self, prefix: &str) -> Vec<&Member> {
        let prefix = prefix.to_ascii_lowercase();
        self.masters().filter(|master| master.id.as_str().starts_with(&prefix)).collect()
    }

    pub(super) fn replicas_of(&self, id: NodeId) -> usize {
        self.members.iter().filter(|member| member.master == Some(id)).count()
    }

    /// The other masters: all but these two.
    pub(super) fn masters_but(&self, one: NodeId, other: NodeId) -> Vec<NodeId> {
        self.masters().map(|master| master.id).filter(|&id| id != one && id != other).collect()
    }

    /// The slots that somebody claims.
    pub(super) fn covered(&self) -> SlotSet {
        let mut covered = SlotSet::new();
        for slot in self.members.iter().flat_map(|member| member.slots.iter()) {
            covered.insert(slot);
        }
        covered
    }

    /// True if every node assigns every slot to the same node.
    pub(super) fn agrees(&self, links: &mut Links) -> bool {
        agree(links, &self.members.iter().map(|member| member.at.clone()).collect::<Vec<_>>())
    }

    /// Gives gossip a moment: waits until all nodes agree. False if they do not do so in time.
    pub(super) fn wait_for_agreement(&self, links: &mut Links, patience: Duration) -> bool {
        let step = Duration::from_millis(100);
        let mut left = patience.as_millis() / step.as_millis();
        while !self.agrees(links) {
            if left == 0 {
                return false;
            }
            left -= 1;
            pause(step);
        }
        true
    }
}

/// True if all of these nodes assign every slot to the same node.
pub(super) fn agree(links: &mut Links, nodes: &[Endpoint]) -> bool {
    let question = nodes.iter().map(|at| (at.clone(), words("CLUSTER NODES"))).collect();
    let mut opinions = BTreeSet::new();
    for (reply, at) in links.round(question).into_iter().zip(nodes) {
        let Ok(Frame::Bulk(text) | Frame::Verbatim(_, text)) = reply else { return false };
        opinions.insert(opinion(&String::from_utf8_lossy(&text), at));
    }
    opinions.len() <= 1
}

/// Whose every slot is, in one text.
fn opinion(nodes: &str, asked: &Endpoint) -> Vec<String> {
    let members = nodes.lines().filter_map(|line| Member::parse(line, asked));
    let owners = members.filter(|member| !member.slots.is_empty());
    let mut lines: Vec<String> =
        owners.map(|member| format!("{}{}", member.id, super::member::show_ranges(&member.slots))).collect();
    lines.sort();
    lines
}

/// What a node says of itself, and whom else it knows.
fn ask(links: &mut Links, at: &Endpoint) -> Result<(Member, Vec<Member>), Failure> {
    let text = match links.call(at, "CLUSTER NODES")? {
        Frame::Error(why) if why.contains("cluster support disabled") => {
            return Err(format!("Node {at} is not configured as a cluster node.").into());
        }
        Frame::Error(why) => return Err(format!("Node {at} refuses to describe the cluster: {why}").into()),
        reply => String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()).into_owned(),
    };
    let lines = text.lines().filter_map(|line| Member::parse(line, at));
    let (own, others): (Vec<Member>, Vec<Member>) = lines.partition(|member| member.has("myself"));
    let own = own
        .into_iter()
        .next()
        .ok_or_else(|| format!("Node {at} gives no sensible answer to CLUSTER NODES"))?;
    Ok((own, others))
}
