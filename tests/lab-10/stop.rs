// 10.7: a partition that stops a whole cluster.

const MOST_LIVE: &str = "At least two thirds of the nodes still hear each other, all of them, both ways.";
const STOPPED: &str = "Where no majority of the masters hears each other, nobody takes a write.";
const HEALS: &str = "Nothing was lost but cables: once they are mended, all slots are served again.";

fn stops(trace: &mut Trace) -> Result<(), Broken> {
    for replicas in [&[2, 2, 2][..], &[1, 1, 1, 1]] {
        judge_stop(&Map::new(replicas), lab::stop::stops_the_cluster, 0, trace)?;
    }
    trace.title = "a cluster in pieces".into();
    judged(
        trace,
        &[("two thirds of the nodes", "hear each other"), ("a write to any slot", "is taken by nobody")],
    );
    Ok(())
}

fn stops_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let shards = [3, 4, 5, 3, 4, 7][seed as usize % 6];
    // Every node pings every other one: a large cluster takes long to play.
    let most = if shards < 5 { 2 } else { 1 };
    let replicas: Vec<usize> = (0..shards).map(|_| rng.between(1, most) as usize).collect();
    judge_stop(&Map::new(&replicas), lab::stop::stops_the_cluster, seed + 1, trace)
}

/// Does this partition stop this cluster?
pub(crate) fn judge_stop(
    map: &Map,
    partition: impl Fn(&Map) -> Schedule,
    seed: u64,
    trace: &mut Trace,
) -> Result<(), Broken> {
    *trace = Trace::new(format!("A cluster in pieces: {map}"));
    let schedule = partition(map);
    let sorts = vec![Sort::Cut, Sort::Mend];
    Limits { hosts: map.nodes(), sorts, events: 40, length: Millis::from_secs(60), kills: 0 }
        .check(&schedule)?;
    let outcome = stop::play(map, &schedule, seed)?;
    stop_story(map, &schedule, &outcome, trace);
    if outcome.crowd.len() * 3 < map.nodes().len() * 2 {
        return Err(Broken::new(MOST_LIVE, "the largest group of nodes that hear each other is smaller"));
    }
    if !outcome.takers.is_empty() {
        let masters = map.masters();
        let is_majority = |count: usize| count > masters.len() / 2;
        let in_crowd = outcome.crowd.iter().filter(|name| masters.contains(&name.as_str())).count();
        return Err(Broken::new(
            STOPPED,
            match outcome.voters.len() {
                all if all == masters.len() => "all masters still hear each other, and serve",
                _ if is_majority(in_crowd) && outcome.takers.iter().any(|(name, master)| name != master) => {
                    "a majority of the masters is in the large group: it serves, and replaces those that are gone"
                }
                _ if is_majority(in_crowd) => {
                    "a majority of the masters is in the large group: it serves its own slots"
                }
                some if is_majority(some) => {
                    "masters outside of the large group are a majority among themselves: they serve"
                }
                _ => "somebody still serves",
            },
        ));
    }
    if outcome.healed.is_none() {
        return Err(Broken::new(HEALS, "some slots are served by nobody"));
    }
    Ok(())
}

fn stop_story(map: &Map, schedule: &Schedule, outcome: &stop::Outcome, trace: &mut Trace) {
    for (at, event) in schedule.moments() {
        trace.fault(*at, event.to_string());
    }
    let watched = schedule.end() + stop::SETTLED;
    let majority = map.shards.len() / 2 + 1;
    let mut note = |text: String| trace.note(watched, None, text);
    note(format!(
        "{} of {} nodes hear each other: {}",
        outcome.crowd.len(),
        map.nodes().len(),
        outcome.crowd.join(" ")
    ));
    note(format!(
        "of {} masters these hear each other: {}; a majority is {majority}",
        map.shards.len(),
        outcome.voters.join(" ")
    ));
    for (name, master) in &outcome.takers {
        let own = if name == master { "its own slots".into() } else { format!("the slots of {master}") };
        note(format!("{name} takes a write to {own}"));
    }
    if outcome.takers.is_empty() {
        note("nobody takes a write".into());
    }
}
