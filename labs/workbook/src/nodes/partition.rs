//! Cutting nodes off from each other. Our nodes do it themselves, for tests: see the module `partition` of the crate
//! `node`. Real Redis cannot, so what is between two of them stays.

use std::collections::BTreeSet;

use super::shape::Node;
use super::talk;

/// The sides that these groups of names and numbers mean. Nodes that are in none are together on one more side.
pub(super) fn sides(
    nodes: &[Node],
    groups: &[String],
    find: impl Fn(&str) -> Result<Node, String>,
) -> Result<Vec<Vec<u16>>, String> {
    let mut sides: Vec<Vec<u16>> = Vec::new();
    let mut seen = BTreeSet::new();
    for group in groups {
        let mut side = Vec::new();
        for word in group.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let node = find(word)?;
            if !seen.insert(node.number()) {
                return Err(format!("{} is named twice", node.name));
            }
            side.push(node.number());
        }
        if !side.is_empty() {
            sides.push(side);
        }
    }
    let rest: Vec<u16> = nodes.iter().map(Node::number).filter(|number| !seen.contains(number)).collect();
    if !rest.is_empty() {
        sides.push(rest);
    }
    if sides.len() < 2 {
        return Err("all nodes are on one side: there is nothing to cut".to_string());
    }
    Ok(sides)
}

/// Tells each of our nodes that runs whom it cannot reach. Returns what could not be cut. Without sides all is healed.
pub(super) fn apply(nodes: &[Node], sides: &[Vec<u16>]) -> Result<Vec<String>, String> {
    let ids: Vec<Option<String>> = nodes.iter().map(name_on_connections).collect();
    for node in nodes.iter().filter(|node| !node.is_redis) {
        let mut words = Vec::new();
        for (other, id) in nodes.iter().zip(&ids).filter(|(other, _)| are_apart(sides, node, other)) {
            words.push(other.port.to_string());
            words.extend(id.as_ref().map(|id| format!("name:{id}")));
        }
        let command = if words.is_empty() {
            "PARTITION HEAL".into()
        } else {
            format!("PARTITION CUT {}", words.join(" "))
        };
        talk::ask(node.port, &command)
            .map_err(|why| format!("{} cannot be cut off from others: {why}", node.name))?;
    }
    Ok(left_whole(nodes, sides))
}

/// A real sentinel that connects to us is known by the name that it gives to its connections.
fn name_on_connections(node: &Node) -> Option<String> {
    if !node.is_redis || node.watches.is_none() {
        return None;
    }
    let id = talk::ask(node.port, "SENTINEL MYID").ok()?;
    Some(format!("sentinel-{}", id.get(..8)?))
}

/// On different sides.
fn are_apart(sides: &[Vec<u16>], one: &Node, other: &Node) -> bool {
    let side = |node: &Node| sides.iter().position(|side| side.contains(&node.number()));
    side(one) != side(other)
}

fn left_whole(nodes: &[Node], sides: &[Vec<u16>]) -> Vec<String> {
    let mut lines = Vec::new();
    let real: Vec<&Node> = nodes.iter().filter(|node| node.is_redis).collect();
    for (index, one) in real.iter().enumerate() {
        for other in real[index + 1..].iter().filter(|other| are_apart(sides, one, other)) {
            lines.push(format!(
                "Not cut: {} and {} are both real redis-servers, which go on talking to each other.",
                one.name, other.name
            ));
        }
    }
    lines
}

/// Who is on which side.
pub(super) fn describe(nodes: &[Node], sides: &[Vec<u16>]) -> Vec<String> {
    if sides.is_empty() {
        return vec!["Everybody reaches everybody.".to_string()];
    }
    let name = |number: &u16| {
        let found = nodes.iter().find(|node| node.number() == *number);
        found.map_or_else(|| number.to_string(), |node| node.name.clone())
    };
    let side = |side: &Vec<u16>| side.iter().map(name).collect::<Vec<_>>().join(", ");
    let drawn: Vec<String> = sides.iter().map(side).collect();
    vec![format!("Cut off from each other:  {}", drawn.join("  ┃  "))]
}

#[cfg(test)]
mod tests {
    use super::super::shape::{Plan, Shape};
    use super::*;

    fn nodes(with_redis: bool) -> Vec<Node> {
        Plan { shape: Shape::Sentinel, with_redis, ..Plan::default() }.nodes()
    }

    fn read(groups: &[&str]) -> Result<Vec<Vec<u16>>, String> {
        let nodes = nodes(false);
        let groups: Vec<String> = groups.iter().map(|group| group.to_string()).collect();
        sides(&nodes, &groups, |word| {
            let is_it = |node: &&Node| node.name == word || word.parse() == Ok(node.number());
            nodes.iter().find(is_it).cloned().ok_or_else(|| format!("no {word}"))
        })
    }

    #[test]
    fn who_is_not_named_is_together() {
        assert_eq!(read(&["0,3", "1,2,4,5"]), Ok(vec![vec![0, 3], vec![1, 2, 4, 5]]));
        assert_eq!(read(&["master,sentinel-1"]), Ok(vec![vec![0, 3], vec![1, 2, 4, 5]]));
        assert_eq!(read(&["0", "1"]), Ok(vec![vec![0], vec![1], vec![2, 3, 4, 5]]));
        for wrong in [&["0,1,2,3,4,5"][..], &["0", "0,1"], &["9"], &[""]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_between_two_real_ones_is_said() {
        let sides = [vec![0, 3], vec![1, 2, 4, 5]];
        let notes = left_whole(&nodes(true), &sides);
        assert_eq!(notes.len(), 2, "sentinel-1 with replica-1 and with sentinel-3: {notes:?}");
        assert!(left_whole(&nodes(false), &sides).is_empty());
        assert_eq!(
            describe(&nodes(true), &sides),
            ["Cut off from each other:  master, sentinel-1  ┃  replica-1, replica-2, sentinel-2, sentinel-3"]
        );
    }
}
