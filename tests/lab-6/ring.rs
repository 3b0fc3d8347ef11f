// 6.2 and 6.3: points on a circle, and who owns a hash.

fn points(trace: &mut Trace, name: &str, count: u32) {
    let points: Vec<String> =
        lab::ring::points_of(name, count).iter().map(|at| format!("{at:08x}")).collect();
    let answer = match points.len() {
        0 => "none".to_string(),
        1..=8 => points.join(" "),
        many => format!("{many}, the last {}", points[many - 1]),
    };
    trace.call(format!("the first {count} points of {name}"), answer);
}

fn circle(trace: &mut Trace, servers: &[(&str, u32)], average: u32) {
    let named: Vec<Server> = servers.iter().map(|(name, weight)| Server::new(*name, *weight)).collect();
    let ring = Ring::with_points(&named, average);
    let shown: Vec<String> = servers.iter().map(|(name, weight)| format!("{name} weight {weight}")).collect();
    let text = format!(
        "{average} points each: {}",
        if shown.is_empty() { "no server".into() } else { shown.join(", ") }
    );
    let counts: Vec<String> = (0..servers.len())
        .map(|index| ring.points().iter().filter(|point| point.server == index).count().to_string())
        .collect();
    trace.call(
        &text,
        format!("points: {}", if counts.is_empty() { "none".into() } else { counts.join(", ") }),
    );
    let order: Vec<String> =
        ring.points().iter().take(6).map(|point| format!("{:08x} of {}", point.at, point.server)).collect();
    trace.call("… the first on the circle", if order.is_empty() { "none".into() } else { order.join(", ") });
    let last =
        ring.points().last().map_or("none".into(), |point| format!("{:08x} of {}", point.at, point.server));
    trace.call("… the last", last);
}

fn circles(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "points");
    points(trace, "10.0.0.1:6379", 4);
    points(trace, "10.0.0.1:6379", 8);
    points(trace, "cache", 160);
    points(trace, "cache", 0);
    points(trace, "", 4);
    circle(trace, &[("cache", 1)], 8);
    circle(trace, &[("a", 1), ("b", 1), ("c", 1)], 160);
    circle(trace, &[("a", 1), ("b", 2), ("c", 1)], 160);
    circle(trace, &[("a", 1), ("b", 0), ("c", 1)], 160);
    circle(trace, &[("same", 1), ("same", 1)], 4);
    circle(trace, &[], 160);
    Ok(())
}

fn circles_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "points");
    let mut rng = Rng::new(seed);
    let names: Vec<String> = (0..rng.between(1, 5)).map(|_| format!("host{}", rng.below(1000))).collect();
    let servers: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), rng.below(4) as u32)).collect();
    circle(trace, &servers, 4 * rng.between(1, 50) as u32);
    Ok(())
}

fn own(trace: &mut Trace, points: &[(u32, usize)], hash: u32) {
    let ring = Ring::of_points(points.iter().map(|&(at, server)| Point { at, server }).collect());
    let shown: Vec<String> = points.iter().map(|(at, server)| format!("{at} of {server}")).collect();
    let answer = ring.owner(hash).map_or("nobody".to_string(), |owner| format!("server {owner}"));
    let circle = if shown.is_empty() { "no point".into() } else { shown.join(", ") };
    trace.call(format!("points {circle}; hash {hash}"), answer);
}

fn owners(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "owners");
    let circle = [(100, 0), (200, 1), (300, 2), (400, 1)];
    for hash in [180, 220, 200, 201, 350, 99, 100, 0] {
        own(trace, &circle, hash);
    }
    for hash in [400, 401, u32::MAX] {
        own(trace, &circle, hash);
    }
    own(trace, &[(0, 0), (u32::MAX, 1)], u32::MAX);
    own(trace, &[(0, 0), (u32::MAX, 1)], 0);
    own(trace, &[(7, 3)], 8);
    own(trace, &[(7, 1), (7, 2)], 7);
    own(trace, &[], 8);
    Ok(())
}

fn owners_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "owners");
    let mut rng = Rng::new(seed);
    let span = [10, 1000, u64::from(u32::MAX)][rng.below(3) as usize];
    let mut points: Vec<(u32, usize)> =
        (0..rng.below(8)).map(|_| (rng.below(span + 1) as u32, rng.below(4) as usize)).collect();
    points.sort_unstable();
    for _ in 0..4 {
        own(trace, &points, rng.below(span + 1) as u32);
    }
    Ok(())
}
