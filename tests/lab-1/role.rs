// 1.9: what REPLICAOF changes.

/// Carries out the steps on a model of a node. Their order matters only where the model says so.
fn change_role(trace: &mut Trace, role: &Role, request: &ReplicaOf) -> Result<(), Broken> {
    let show = |role: &Role| match role {
        Role::Master => "a master".to_string(),
        Role::Replica { of } => format!("a replica of {of}"),
    };
    let asked = match request {
        ReplicaOf::NoOne => "NO ONE".to_string(),
        ReplicaOf::Of(to) => format!("{} {}", to.host, to.port),
    };
    let linked_to = |role: &Role| match role {
        Role::Master => None,
        Role::Replica { of } => Some(of.clone()),
    };
    let (mut now, mut link) = (role.clone(), linked_to(role));
    let (mut replicas_left, mut new_history, mut same_link) = (true, false, true);
    let mut replies = Vec::new();
    for step in lab::replicaof(role, request) {
        match step {
            RoleStep::CloseLink => {
                same_link &= link.is_none();
                link = None;
            }
            RoleStep::CloseReplicas => replicas_left = false,
            RoleStep::NewReplicationId => new_history = true,
            RoleStep::Become(role) => now = role,
            RoleStep::Connect(_) if link.is_some() => {
                return Err(Broken::new(
                    "A replica has one master: the old link is closed before another one is opened.",
                    "a second link is opened while there is one",
                ));
            }
            RoleStep::Connect(to) => {
                same_link = false;
                link = Some(to);
            }
            RoleStep::Reply(text) => replies.push(text),
        }
    }
    let link = match link {
        _ if same_link => "link untouched".to_string(),
        None => "no link".into(),
        Some(to) => format!("a new link to {to}"),
    };
    let replicas = if replicas_left { "its replicas stay" } else { "its replicas are sent away" };
    let history = if new_history { "a new history" } else { "no history of its own begins" };
    trace.call(
        format!("{}, REPLICAOF {asked}", show(role)),
        format!("{}; {link}; {replicas}; {history}; +{}", show(&now), replies.join(" +")),
    );
    Ok(())
}

fn changes_of_role(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "REPLICAOF".into();
    trace.timeless = true;
    let here = Endpoint::new("alpha", 7000);
    let replica = Role::Replica { of: here.clone() };
    for (role, request) in [
        (&Role::Master, ReplicaOf::NoOne),
        (&Role::Master, ReplicaOf::Of(here.clone())),
        (&replica, ReplicaOf::NoOne),
        (&replica, ReplicaOf::Of(here.clone())),
        (&replica, ReplicaOf::Of(Endpoint::new("ALPHA", 7000))),
        (&replica, ReplicaOf::Of(Endpoint::new("alpha", 7001))),
        (&replica, ReplicaOf::Of(Endpoint::new("beta", 7000))),
    ] {
        change_role(trace, role, &request)?;
    }
    Ok(())
}

fn change_of_role_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let mut endpoint = || {
        let host = ["alpha", "Alpha", "beta", "10.0.0.1"][rng.below(4) as usize];
        Endpoint::new(host, 7000 + rng.below(2) as u16)
    };
    let (of, to) = (endpoint(), endpoint());
    let role = if rng.chance(30) { Role::Master } else { Role::Replica { of } };
    let request = if rng.chance(30) { ReplicaOf::NoOne } else { ReplicaOf::Of(to) };
    change_role(trace, &role, &request)
}
