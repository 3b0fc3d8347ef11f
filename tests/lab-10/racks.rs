// 10.8: where the nodes stand.

const FITS: &str = "Each shard has its master and its replicas in racks that are there, and no rack holds more nodes than it \
                    has room for.";
const SURVIVES: &str =
    "Whichever rack is lost, more than half of the masters are left, and of each shard a node.";
const IMPOSSIBLE: &str =
    "Where the masters cannot be spread so thinly that any rack may be lost, there is no placement.";

/// The same site with its room: an equal part for each rack, and one place more.
pub(crate) fn site(racks: usize, shards: usize, replicas: usize) -> Site {
    let room = (shards * (1 + replicas)).div_ceil(racks.max(1)) + 1;
    Site { racks, room, shards, replicas }
}

/// Sites that are played, those that are too large for it, and those for which there is no placement.
fn placements(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("sites");
    for (racks, shards, replicas) in
        [(5, 3, 2), (3, 3, 1), (4, 4, 1), (3, 5, 1), (6, 9, 2), (8, 12, 1), (3, 12, 2)]
    {
        judge_placement(&site(racks, shards, replicas), lab::racks::place, 0, trace)?;
    }
    for (racks, shards, replicas) in [(2, 3, 1), (3, 4, 1), (1, 3, 2), (4, 4, 0), (3, 2, 1), (3, 1, 2)] {
        judge_placement(&site(racks, shards, replicas), lab::racks::place, 0, trace)?;
    }
    judge_placement(&Site { racks: 4, room: 2, shards: 5, replicas: 1 }, lab::racks::place, 0, trace)
}

fn placements_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("sites");
    let mut rng = Rng::new(seed);
    let mut site = site(rng.between(2, 8) as usize, rng.between(2, 12) as usize, rng.between(1, 2) as usize);
    if rng.chance(10) {
        site.room = (site.nodes() - 1) / site.racks;
    }
    judge_placement(&site, lab::racks::place, seed, trace)
}

/// Clusters of up to so many nodes are played; of those that are made from seeds, one in twenty.
const PLAYED: usize = 10;

/// Is this placement good, or is it right that there is none?
pub(crate) fn judge_placement(
    site: &Site,
    place: impl Fn(&Site) -> Option<Vec<Spot>>,
    seed: u64,
    trace: &mut Trace,
) -> Result<(), Broken> {
    let possible = racks::is_possible(site);
    let Some(spots) = place(site) else {
        trace.call(site.to_string(), "there is no placement");
        if possible {
            return Err(Broken::new(
                SURVIVES,
                "there is a placement, and the answer says that there is none",
            ));
        }
        return Ok(());
    };
    if let Err(broken) = fits(site, &spots) {
        trace.call(site.to_string(), show_spots(&spots));
        return Err(broken);
    }
    let weakness = racks::weakness(site, &spots);
    let play = site.nodes() <= PLAYED && seed.is_multiple_of(20);
    let loss = if play { racks::lose_each(site, &spots, seed)? } else { None };
    let Some(weakness) = weakness else {
        return match loss {
            None => {
                trace.call(site.to_string(), "survives the loss of any rack");
                Ok(())
            }
            Some(loss) => {
                let detail = format!("the rule of the workbook is wrong: {spots:?} {loss:?}");
                Err(Broken::new("(a fault of the workbook)", detail))
            }
        };
    };
    trace.call(site.to_string(), show_spots(&spots));
    trace.call("what is wrong", show_weakness(&weakness));
    if let Some(loss) = &loss {
        show_loss(loss, trace);
    }
    if !possible {
        return Err(Broken::new(IMPOSSIBLE, "for this site there is none, and the answer gives one"));
    }
    Err(Broken::new(
        SURVIVES,
        match weakness {
            Weakness::Together { .. } => "all nodes of a shard stand in one rack",
            Weakness::Masters { .. } => {
                "so many masters stand in one rack that without it no majority is left"
            }
        },
    ))
}

fn fits(site: &Site, spots: &[Spot]) -> Result<(), Broken> {
    let broken = |detail: &str| Err(Broken::new(FITS, detail));
    if spots.len() != site.shards {
        return broken("there is not one spot for each shard");
    }
    if spots.iter().any(|spot| spot.replicas.len() != site.replicas) {
        return broken("a shard does not have as many replicas as it should");
    }
    if spots.iter().flat_map(Spot::nodes).any(|rack| rack >= site.racks) {
        return broken("a node stands in a rack that is not there: racks are counted from zero");
    }
    let held = |rack: usize| spots.iter().flat_map(Spot::nodes).filter(|place| *place == rack).count();
    if (0..site.racks).any(|rack| held(rack) > site.room) {
        return broken("a rack holds more nodes than it has room for");
    }
    Ok(())
}

fn show_spots(spots: &[Spot]) -> String {
    let shown = spots.iter().map(|spot| {
        let replicas: Vec<String> = spot.replicas.iter().map(usize::to_string).collect();
        format!("{}+{}", spot.master, replicas.join("+"))
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn show_weakness(weakness: &Weakness) -> String {
    match weakness {
        Weakness::Together { rack, shard } => format!("all nodes of shard {shard} stand in rack {rack}"),
        Weakness::Masters { rack, left, majority } => {
            format!("without rack {rack} there are {left} masters left; {majority} are a majority")
        }
    }
}

fn show_loss(loss: &racks::Loss, trace: &mut Trace) {
    let died = if loss.died.is_empty() { "no master".into() } else { loss.died.join(" ") };
    trace.call(
        format!("rack {} goes dark", loss.rack),
        format!("{died} dies, {} masters are left", loss.left),
    );
    for (master, by, after) in &loss.served {
        trace.call(format!("{after} later"), format!("{by} serves the slots of {master}"));
    }
    let end = format!("{} later", racks::LIMIT);
    trace.call(end, format!("nobody serves the slots of {}", loss.unserved.join(" ")));
}
