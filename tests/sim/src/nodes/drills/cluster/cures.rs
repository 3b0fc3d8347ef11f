//! A master dies in a cluster whose files have been changed by a line or two.

use core_types::{Broken, Millis, Rng};
use drill::{NODE_TIMEOUT, Settings, Sick, Whose};

use super::{Cluster, Plan};
use crate::Trace;
use crate::trace::Kind;

/// After so long without its master the shard must have another one.
pub const LIMIT: Millis = Millis::from_secs(45);

/// A cluster whose nodes have just started has found itself after so long.
const AWAKE: Millis = Millis::from_secs(15);

/// Writes that the master takes before anything happens.
const WRITES: usize = 20;

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Who took the dead master's place, and how long after its death.
    pub successor: Option<(String, Millis)>,
    /// Masters whose slots nobody served at the end.
    pub unserved: Vec<String>,
    /// How many of the writes from before anything happened were there at the end.
    pub kept: usize,
    /// What the dead master's replicas have written into their logs since: who, when after the death, and what. Only in a run
    /// that is recorded.
    pub log: Vec<(String, Millis, String)>,
}

impl Outcome {
    /// Is the cluster whole again, with its data?
    pub fn is_cured(&self) -> bool {
        self.successor.is_some() && self.unserved.is_empty() && self.kept == WRITES
    }

    /// How many writes there were.
    pub fn writes(&self) -> usize {
        WRITES
    }
}

/// How many lines of the nodes' files a cure touches: one that goes to every node counts once for each.
pub fn lines(sick: &Sick, cure: &Settings) -> usize {
    let count = |whose: &Whose| match whose {
        Whose::Nodes => sick.map.nodes().len(),
        Whose::Sentinels => 0,
        Whose::Of(_) => 1,
    };
    cure.lines().iter().map(|(whose, _)| count(whose)).sum()
}

/// Plays the day of a cluster with these lines in its files. With `log`, replicas' log lines are kept.
///
/// # Errors
/// [`READABLE`](super::READABLE); or a fault of the workbook.
pub fn play(sick: &Sick, cure: &Settings, seed: u64, log: bool) -> Result<Outcome, Broken> {
    let mut trace = Trace::default();
    let outcome = play_in(sick, cure, seed, log.then_some(&mut trace))?;
    Ok(Outcome { log: logged(&trace, sick, outcome.1), ..outcome.0 })
}

fn play_in(
    sick: &Sick,
    cure: &Settings,
    seed: u64,
    trace: Option<&mut Trace>,
) -> Result<(Outcome, Millis), Broken> {
    let mut rng = Rng::new(seed);
    let settings = sick.files.clone().and(cure);
    let latency = (Millis(1), Millis(rng.between(2, 10)));
    let plan = Plan { settings, latency, timeout: NODE_TIMEOUT, ..Plan::new(sick.map.clone()) };
    let mut cluster = Cluster::new(&plan, rng.next_u64(), trace)?;
    cluster.drill.world.start_all()?;
    cluster.drill.wait(AWAKE + Millis(rng.below(2000)))?;
    cluster.drill.begin_now();
    let keys: Vec<String> = (0..WRITES).map(|number| cluster.key(0, &format!("order:{number}"))).collect();
    let taken =
        keys.iter().filter(|key| cluster.order("A", &format!("SET {key} lamp")).as_deref() == Some("+OK"));
    let taken = taken.count();
    cluster.drill.play(&sick.day)?;
    let death = cluster.drill.world.now();
    let mut outcome = Outcome::default();
    if taken < WRITES {
        // With these lines the cluster does not even serve while everybody lives.
        outcome.unserved = cluster.unserved();
        return Ok((outcome, death));
    }
    let shards: Vec<usize> = (0..sick.map.shards.len()).collect();
    cluster.wait_to(LIMIT, |cluster| {
        let since = cluster.drill.world.now().since(death);
        if outcome.successor.is_none() {
            outcome.successor = cluster.server(0).map(|name| (name, since));
        }
        outcome.successor.is_some() && shards.iter().all(|shard| cluster.server(*shard).is_some())
    })?;
    outcome.unserved = cluster.unserved();
    if let Some((name, _)) = outcome.successor.clone() {
        let held =
            keys.iter().filter(|key| cluster.order(&name, &format!("GET {key}")).as_deref() == Some("lamp"));
        outcome.kept = held.count();
    }
    Ok((outcome, death))
}

/// A replica without its master says so once a second.
const DULL: [&str; 4] =
    ["Connecting to MASTER", "Reconnecting to MASTER", "sync started", "Error condition on socket for SYNC"];

/// What the replicas of `A` have logged from its death on.
fn logged(trace: &Trace, sick: &Sick, death: Millis) -> Vec<(String, Millis, String)> {
    let replicas = &sick.map.shards[0].replicas;
    let mut log = Vec::new();
    for event in trace.events.iter().filter(|event| event.at >= death) {
        if let Kind::Note { host: Some(host), label } = &event.kind
            && replicas.contains(host)
            && !label.contains(" → ")
            && !DULL.iter().any(|dull| label.contains(dull))
        {
            log.push((host.clone(), event.at.since(death), label.clone()));
        }
    }
    log
}

#[cfg(test)]
mod tests {
    use drill::ward;

    use super::*;

    #[test]
    fn none_of_them_recovers_by_itself() {
        for sick in ward() {
            for seed in 0..3 {
                let outcome = play(&sick, &Settings::new(), seed, true).expect("no rule is broken");
                assert!(!outcome.is_cured() && outcome.successor.is_none(), "{}: {outcome:?}", sick.name);
                assert!(outcome.unserved.contains(&"A".to_string()), "{}: {outcome:?}", sick.name);
            }
        }
    }
}
