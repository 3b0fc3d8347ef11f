//! Who is who in a cluster, by name.

// ANCHOR: map
/// A cluster as its operator knows it before anything breaks.
///
/// Masters are called `A`, `B`, `C` …, and the replicas of `A` are `a1`, `a2` …
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map {
    /// The shards, in the order of their slots.
    pub shards: Vec<Shard>,
}

/// A master that owns slots, and its replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The master.
    pub master: String,
    /// Its replicas; there may be none.
    pub replicas: Vec<String>,
}
// ANCHOR_END: map

/// There is one letter for each master.
const LETTERS: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

impl Map {
    /// A cluster whose masters have so many replicas, one entry for each master.
    ///
    /// # Panics
    /// If there are more than 26 masters.
    pub fn new(replicas: &[usize]) -> Map {
        assert!(replicas.len() <= LETTERS.len(), "a letter for each master");
        let shard = |(letter, count): (&u8, &usize)| {
            let master = char::from(*letter).to_string();
            let small = master.to_lowercase();
            Shard { replicas: (1..=*count).map(|number| format!("{small}{number}")).collect(), master }
        };
        Map { shards: LETTERS.iter().zip(replicas).map(shard).collect() }
    }

    /// All masters.
    pub fn masters(&self) -> Vec<&str> {
        self.shards.iter().map(|shard| shard.master.as_str()).collect()
    }

    /// All replicas.
    pub fn replicas(&self) -> Vec<&str> {
        self.shards.iter().flat_map(|shard| &shard.replicas).map(String::as_str).collect()
    }

    /// All nodes, the masters first.
    pub fn nodes(&self) -> Vec<&str> {
        self.masters().into_iter().chain(self.replicas()).collect()
    }
}

impl std::fmt::Display for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shards: Vec<String> = self.shards.iter().map(Shard::to_string).collect();
        f.write_str(&shards.join(", "))
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.replicas[..] {
            [] => f.write_str(&self.master),
            replicas => write!(f, "{} with {}", self.master, replicas.join(" ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_have_their_masters_letter() {
        let map = Map::new(&[2, 0, 1]);
        assert_eq!(map.nodes(), ["A", "B", "C", "a1", "a2", "c1"]);
        assert_eq!(map.to_string(), "A with a1 a2, B, C with c1");
    }
}
