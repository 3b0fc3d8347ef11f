//! What a client reads: the table of all slots, and the redirections.
//!
//! Given code. Nothing is decided here; it is a matter of reading what nodes write.

use core_types::{Endpoint, Frame, Slot, SlotRange};

use crate::cache::Answer;

/// The slots of a cluster and who serves them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Each master with slots, in the order in which the answer named them.
    pub shards: Vec<Shard>,
}

/// A master, its slots and its replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Where the master is.
    pub master: Endpoint,
    /// Its slots.
    pub ranges: Vec<SlotRange>,
    /// Where its replicas are.
    pub replicas: Vec<Endpoint>,
}

impl Topology {
    /// Reads the answer to `CLUSTER SLOTS`: `[[first, last, [host, port, id, …], replica, …], …]`.
    ///
    /// A node that does not know its own address leaves the host empty or null; it is then the one that the client
    /// has used to ask, `asked`. `None` if the answer has another shape.
    pub fn from_slots(answer: &Frame, asked: &Endpoint) -> Option<Topology> {
        let mut topology = Topology::default();
        for entry in list(answer)? {
            let [first, last, nodes @ ..] = list(entry)? else { return None };
            let range = range(first, last)?;
            let mut places = nodes.iter().map(|node| {
                let [host, port, ..] = list(node)? else { return None };
                place(Some(host), port, asked)
            });
            // A slot whose master is known by no address is as good as unknown.
            let Some(Some(master)) = places.next() else { continue };
            let replicas = places.flatten().collect();
            topology.add(Shard { master, ranges: vec![range], replicas });
        }
        Some(topology)
    }

    /// Reads the answer to `CLUSTER SHARDS`: one map for each shard, with `slots` (first, last, first, last, …) and
    /// `nodes`, of which each is a map too.
    pub fn from_shards(answer: &Frame, asked: &Endpoint) -> Option<Topology> {
        let mut topology = Topology::default();
        for shard in list(answer)? {
            let mut ranges = Vec::new();
            for pair in list(field(shard, "slots")?)?.chunks(2) {
                let [first, last] = pair else { return None };
                ranges.push(range(first, last)?);
            }
            let (mut master, mut replicas) = (None, Vec::new());
            for node in list(field(shard, "nodes")?)? {
                let online = field(node, "health").and_then(Frame::as_bytes) != Some(b"fail");
                let Some(port) = field(node, "port").or_else(|| field(node, "tls-port")) else { continue };
                let Some(place) = place(field(node, "endpoint"), port, asked) else { continue };
                match field(node, "role").and_then(Frame::as_bytes) {
                    Some(b"master") if online || master.is_none() => master = Some(place),
                    Some(b"replica") if online => replicas.push(place),
                    _ => {}
                }
            }
            let Some(master) = master else { continue };
            if !ranges.is_empty() {
                topology.add(Shard { master, ranges, replicas });
            }
        }
        Some(topology)
    }

    /// `CLUSTER SLOTS` names a master once for each of its ranges.
    fn add(&mut self, new: Shard) {
        match self.shards.iter_mut().find(|shard| shard.master == new.master) {
            Some(shard) => shard.ranges.extend(new.ranges),
            None => self.shards.push(new),
        }
    }
}

/// What an error means to a client of a cluster. `asked` is the node that sent it.
///
/// A redirection to an empty host means: the same host, another port.
pub fn read_error(text: &str, asked: &Endpoint) -> Answer {
    let mut words = text.split(' ');
    match words.next() {
        Some(code @ ("MOVED" | "ASK")) => {
            let slot = words.next().and_then(|slot| slot.parse().ok()).and_then(Slot::new);
            let place = words.next().and_then(|place| place.rsplit_once(':'));
            let Some((slot, (host, port))) = slot.zip(place) else { return Answer::Reply };
            let Ok(port) = port.parse() else { return Answer::Reply };
            let host = if host.is_empty() { asked.host.as_str() } else { host };
            let place = Endpoint::new(host, port);
            if code == "MOVED" { Answer::Moved(slot, place) } else { Answer::Ask(slot, place) }
        }
        Some("TRYAGAIN") => Answer::TryAgain,
        Some("CLUSTERDOWN") => Answer::Down,
        _ => Answer::Reply,
    }
}

fn list(frame: &Frame) -> Option<&[Frame]> {
    match frame {
        Frame::Array(items) => Some(items),
        _ => None,
    }
}

/// A field of a map, which in RESP2 is a list of names and values in turn.
fn field<'a>(map: &'a Frame, name: &str) -> Option<&'a Frame> {
    let is_name = |frame: &Frame| frame.as_bytes() == Some(name.as_bytes());
    match map {
        Frame::Map(pairs) => pairs.iter().find(|(key, _)| is_name(key)).map(|(_, value)| value),
        Frame::Array(items) => items.chunks_exact(2).find(|pair| is_name(&pair[0])).map(|pair| &pair[1]),
        _ => None,
    }
}

fn number(frame: &Frame) -> Option<u16> {
    match frame {
        Frame::Integer(number) => u16::try_from(*number).ok(),
        _ => None,
    }
}

fn range(first: &Frame, last: &Frame) -> Option<SlotRange> {
    let (first, last) = (Slot::new(number(first)?)?, Slot::new(number(last)?)?);
    (first <= last).then_some(SlotRange { first, last })
}

fn place(host: Option<&Frame>, port: &Frame, asked: &Endpoint) -> Option<Endpoint> {
    let port = number(port).filter(|&port| port > 0)?;
    match host {
        None | Some(Frame::Null) => Some(Endpoint::new(asked.host.clone(), port)),
        Some(host) => match std::str::from_utf8(host.as_bytes()?).ok()? {
            // A node that shall be reached by its host name and has none.
            "?" => None,
            "" => Some(Endpoint::new(asked.host.clone(), port)),
            host => Some(Endpoint::new(host, port)),
        },
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn bulk(text: &str) -> Frame {
        Frame::Bulk(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn node(host: Frame, port: i64) -> Frame {
        Frame::Array(vec![host, Frame::Integer(port), bulk(&"a".repeat(40)), Frame::Array(Vec::new())])
    }

    fn entry(first: i64, last: i64, nodes: Vec<Frame>) -> Frame {
        Frame::Array([vec![Frame::Integer(first), Frame::Integer(last)], nodes].concat())
    }

    fn asked() -> Endpoint {
        Endpoint::new("10.0.0.9", 7009)
    }

    #[test]
    fn slots_are_read_and_a_master_is_named_once() {
        let answer = Frame::Array(vec![
            entry(0, 5, vec![node(bulk("h"), 1), node(bulk("r"), 2)]),
            entry(7, 7, vec![node(bulk("h"), 1), node(bulk("r"), 2)]),
            entry(8, 9, vec![node(Frame::Null, 3)]),
            entry(10, 11, vec![node(bulk("?"), 4)]),
        ]);
        let topology = Topology::from_slots(&answer, &asked()).unwrap();
        let shown: Vec<_> =
            topology.shards.iter().map(|shard| (shard.master.to_string(), shard.ranges.len())).collect();
        assert_eq!(shown, [("h:1".to_string(), 2), ("10.0.0.9:3".to_string(), 1)]);
        assert_eq!(topology.shards[0].replicas, [Endpoint::new("r", 2)]);
    }

    #[test]
    fn shards_are_read_in_both_protocols() {
        let fields = |role: &str, port: i64, health: &str| {
            vec![
                (bulk("port"), Frame::Integer(port)),
                (bulk("endpoint"), bulk("h")),
                (bulk("role"), bulk(role)),
                (bulk("health"), bulk(health)),
            ]
        };
        let flat =
            |pairs: Vec<(Frame, Frame)>| Frame::Array(pairs.into_iter().flat_map(|(k, v)| [k, v]).collect());
        let shard = |map: &dyn Fn(Vec<(Frame, Frame)>) -> Frame| {
            let nodes = [
                ("master", 1, "fail"),
                ("master", 2, "online"),
                ("replica", 3, "loading"),
                ("replica", 4, "fail"),
            ];
            let nodes = nodes.map(|(role, port, health)| map(fields(role, port, health)));
            let slots = [0, 5, 7, 7].map(Frame::Integer);
            let shard = vec![
                (bulk("slots"), Frame::Array(slots.into())),
                (bulk("nodes"), Frame::Array(nodes.into())),
            ];
            Frame::Array(vec![map(shard)])
        };
        let resp2 = Topology::from_shards(&shard(&flat), &asked()).unwrap();
        let resp3 = Topology::from_shards(&shard(&Frame::Map), &asked()).unwrap();
        assert_eq!(resp2, resp3);
        assert_eq!(resp2.shards[0].master, Endpoint::new("h", 2));
        assert_eq!(resp2.shards[0].replicas, [Endpoint::new("h", 3)]);
        assert_eq!(resp2.shards[0].ranges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["0-5", "7"]);
    }

    #[test]
    fn nonsense_is_refused_and_never_a_panic() {
        for answer in [
            Frame::Null,
            Frame::Array(vec![Frame::Integer(1)]),
            Frame::Array(vec![entry(5, 4, vec![node(bulk("h"), 1)])]),
            Frame::Array(vec![entry(0, 16384, vec![node(bulk("h"), 1)])]),
            Frame::Array(vec![entry(-1, 5, vec![node(bulk("h"), 1)])]),
        ] {
            assert_eq!(Topology::from_slots(&answer, &asked()), None, "{answer:?}");
            assert_eq!(Topology::from_shards(&answer, &asked()), None, "{answer:?}");
        }
        let port = Frame::Array(vec![entry(0, 1, vec![node(bulk("h"), 70000)])]);
        assert_eq!(Topology::from_slots(&port, &asked()), Some(Topology::default()));
    }

    #[test]
    fn errors_are_read_and_what_is_none_of_ours_is_a_reply() {
        let slot = Slot::new(9252).unwrap();
        let read = |text| read_error(text, &asked());
        assert_eq!(read("MOVED 9252 ::1:7001"), Answer::Moved(slot, Endpoint::new("::1", 7001)));
        assert_eq!(read("MOVED 9252 :7001"), Answer::Moved(slot, Endpoint::new("10.0.0.9", 7001)));
        assert_eq!(read("ASK 9252 h:7001"), Answer::Ask(slot, Endpoint::new("h", 7001)));
        assert_eq!(read("TRYAGAIN Multiple keys request during rehashing of slot"), Answer::TryAgain);
        assert_eq!(read("CLUSTERDOWN The cluster is down"), Answer::Down);
        for text in [
            "",
            "MOVED",
            "MOVED 9252",
            "MOVED 16384 h:1",
            "ASK x h:1",
            "MOVED 1 h",
            "MOVED 1 h:99999",
            "ERR x",
        ] {
            assert_eq!(read(text), Answer::Reply, "{text}");
        }
    }
}
