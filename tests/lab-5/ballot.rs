// 5.1: one vote an epoch, on disk first.

fn ask_for_vote(trace: &mut Trace, ballot: &mut Ballot, epoch: u64, candidate: char) {
    let answer = ballot.request(Vote { epoch: Epoch(epoch), candidate: id(candidate) });
    let vote = answer.leader.map_or("nobody".to_string(), |leader| letter(&leader).to_string());
    let mut text = format!("voted for {vote} in epoch {}", answer.leader_epoch);
    if answer.voted {
        text += ", just now";
    }
    if answer.must_be_saved() {
        text += "; to disk first";
    }
    text += &format!(" (current epoch {})", ballot.current);
    trace.call(format!("{candidate} asks for the vote of epoch {epoch}"), text);
}

fn votes(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "votes");
    let mut ballot = Ballot { current: Epoch(3), ..Ballot::default() };
    for (epoch, candidate) in
        [(2, 'a'), (3, 'a'), (3, 'b'), (3, 'a'), (4, 'b'), (4, 'a'), (3, 'c'), (9, 'c'), (9, 'a'), (8, 'a')]
    {
        ask_for_vote(trace, &mut ballot, epoch, candidate);
    }
    Ok(())
}

fn votes_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "votes");
    let mut rng = Rng::new(seed);
    // What came back from the disk.
    let leader_epoch = rng.below(5);
    let mut ballot = Ballot {
        current: Epoch(leader_epoch + rng.below(3)),
        leader: (leader_epoch > 0).then(|| id('a')),
        leader_epoch: Epoch(leader_epoch),
    };
    let mut given: Vec<(Epoch, RunId)> =
        ballot.leader.map(|leader| (ballot.leader_epoch, leader)).into_iter().collect();
    for _ in 0..rng.between(1, 12) {
        let epoch = Epoch(rng.below(9));
        let candidate = ['a', 'b', 'c'][rng.below(3) as usize];
        let before = ballot;
        ask_for_vote(trace, &mut ballot, epoch.0, candidate);
        if ballot.current < before.current || ballot.leader_epoch < before.leader_epoch {
            return Err(Broken::new("Epochs only grow.", format!("{before:?} became {ballot:?}")));
        }
        let Some(leader) = ballot.leader.filter(|_| ballot.leader_epoch > Epoch(0)) else { continue };
        let earlier = given.iter().find(|(epoch, _)| *epoch == ballot.leader_epoch);
        if let Some((epoch, other)) = earlier.filter(|(_, other)| *other != leader) {
            let detail = format!("epoch {epoch}: first for {}, then for {}", letter(other), letter(&leader));
            return Err(Broken::new("A sentinel votes once in an epoch.", detail));
        }
        given.push((ballot.leader_epoch, leader));
    }
    Ok(())
}
