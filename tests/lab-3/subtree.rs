// 3.8: what becomes of a node's replicas when its own master changes.

fn subtrees(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("a node and the replicas below it");
    for (event, upstream) in [
        ("the link to its master breaks", Upstream::Lost),
        ("+CONTINUE, the same name", Upstream::ContinuedSame),
        ("+CONTINUE, a new name", Upstream::ContinuedUnderNewId),
        ("+FULLRESYNC: a snapshot is on its way", Upstream::Resynchronising),
        ("the snapshot takes the place of the old data", Upstream::Replaced),
        ("it is told to follow another master", Upstream::Repointed),
        ("it becomes a master", Upstream::Promoted),
    ] {
        let fate = match lab::fate(upstream) {
            Fate::Keep => "its replicas stay connected",
            Fate::Disconnect => "its replicas are disconnected",
        };
        trace.call(event, fate);
    }
    for (name, role, link_online, failing_over) in [
        ("a master", Role::Master, false, false),
        ("a replica in step", replica(), true, false),
        ("a replica, its link down", replica(), false, false),
        ("a master in a FAILOVER", Role::Master, false, true),
        ("a replica, its link down, in a FAILOVER", replica(), false, true),
    ] {
        let answer = match lab::accepts(&role, link_online, failing_over) {
            Ok(()) => "is answered".to_string(),
            Err(refusal) => refusal.to_string(),
        };
        trace.call(format!("PSYNC at {name}"), answer);
    }
    Ok(())
}
