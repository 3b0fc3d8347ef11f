// 2.5 and 2.6: how each side shows that it is there, and notices that the other is not.

const TIMERS: Timers = Timers { ping_period: Millis::from_secs(10), timeout: Millis::from_secs(60) };

/// A master's beat at `at`, and what it made the master do.
fn beat(
    trace: &mut Trace,
    at: Millis,
    pinged_at: &mut Millis,
    may_ping: bool,
    peers: &[Peer<&'static str>],
) -> Vec<MasterBeat<&'static str>> {
    let mut out = Vec::new();
    lab::master_beat(at, &TIMERS, pinged_at, may_ping, peers, &mut out);
    // In which order replicas are served does not matter.
    out.sort();
    for beat in &out {
        match beat {
            MasterBeat::Ping => trace.message(at, "master", "the stream", "PING"),
            MasterBeat::Newline(replica) => trace.message(at, "master", replica, "\\n"),
            MasterBeat::TimedOut(replica) => trace.state(at, "master", format!("gives {replica} up")),
        }
    }
    out
}

fn peer(replica: &'static str, state: PeerState, heard: Millis) -> Peer<&'static str> {
    Peer { replica, state, heard }
}

fn master_beats(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a master and its replicas, second by second".into();
    trace.host("master");
    trace.note(secs(0), None, "no replicas yet; they come one after the other");
    let mut pinged_at = Millis::ZERO;
    let (mut peers, mut heard) = (Vec::new(), secs(13));
    for second in 0..=130 {
        let now = secs(second);
        match second {
            13 => {
                trace.note(now, None, "alpha asks for a snapshot");
                peers.push(peer("alpha", PeerState::Waiting, now));
            }
            16 => {
                trace.note(now, None, "alpha takes its snapshot");
                peers[0].state = PeerState::Sending;
            }
            18 => {
                trace.note(now, None, "alpha is online and acknowledges every second; bravo comes by SYNC");
                peers[0].state = PeerState::Online;
                peers.push(peer("bravo", PeerState::Mute, now));
            }
            42 => trace.note(now, None, "writes are suspended for a failover"),
            47 => {
                trace.note(now, None, "they go on; charlie waits, delta takes its snapshot");
                peers.push(peer("charlie", PeerState::Waiting, now));
                peers.push(peer("delta", PeerState::Sending, now));
            }
            60 => trace.note(now, None, "the last word of alpha; delta takes nothing more"),
            _ => {}
        }
        if (18..=60).contains(&second) {
            heard = now;
        }
        for peer in &mut peers {
            match peer.replica {
                "alpha" => peer.heard = heard,
                "delta" if second <= 60 => peer.heard = now,
                _ => {}
            }
        }
        let may_ping = !(42..47).contains(&second);
        // Signs of life of every second would fill the page: a few are enough.
        let quiet = ![13, 14, 15, 47, 120, 121].contains(&second);
        let shown: Vec<_> =
            peers.iter().copied().filter(|peer| !quiet || peer.state != PeerState::Waiting).collect();
        for done in beat(trace, now, &mut pinged_at, may_ping, &shown) {
            if let MasterBeat::TimedOut(gone) = done {
                peers.retain(|peer| peer.replica != gone);
            }
        }
    }
    Ok(())
}

fn master_beats_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    const NAMES: [&str; 4] = ["alpha", "bravo", "charlie", "delta"];
    const STATES: [PeerState; 4] =
        [PeerState::Waiting, PeerState::Sending, PeerState::Online, PeerState::Mute];
    let mut rng = Rng::new(seed);
    trace.host("master");
    let mut now = secs(1000);
    let mut pinged_at = Millis(now.0 - rng.below(15_000));
    let mut peers = Vec::new();
    for _ in 0..40 {
        // The timer of a busy node is late now and then.
        now += secs(1) + Millis(if rng.chance(20) { rng.below(4000) } else { 0 });
        if rng.chance(15) {
            let name = any_of(&mut rng, &NAMES);
            peers.retain(|peer: &Peer<&str>| peer.replica != name);
            if rng.chance(80) {
                let heard = Millis(now.0 - any_of(&mut rng, &[0, 59_000, 60_000, 60_001, 62_000]));
                peers.push(peer(name, any_of(&mut rng, &STATES), heard));
                trace.note(now, None, format!("{name}: {:?}, heard {heard}", peers[peers.len() - 1].state));
            }
        }
        for peer in &mut peers {
            if rng.chance(5) {
                peer.heard = now;
            }
        }
        for done in beat(trace, now, &mut pinged_at, rng.chance(80), &peers) {
            if let MasterBeat::TimedOut(gone) = done {
                peers.retain(|peer| peer.replica != gone);
            }
        }
    }
    Ok(())
}

/// The replica's side, woken exactly when it asks to be. `beats` says when the master is heard and when
/// the replica is asked for an ACK, in milliseconds.
struct Following<'t> {
    trace: &'t mut Trace,
    pulse: Pulse,
    now: Millis,
}

impl Following<'_> {
    /// Lets time pass up to `until`, and wakes the replica whenever it wants to be. False: it gave up.
    fn run(&mut self, until: Millis) -> Result<bool, Broken> {
        loop {
            let due = self.pulse.next_deadline(&TIMERS).max(self.now);
            if due > until {
                // Nothing may be due before the deadline.
                return self.silent(until).map(|()| true);
            }
            if due > self.now {
                self.silent(Millis(due.0 - 1))?;
            }
            self.now = due;
            match self.pulse.beat(due, &TIMERS) {
                Some(ReplicaBeat::Ack) => {
                    self.trace.message(due, "replica", "master", "REPLCONF ACK");
                    self.pulse.acked(due);
                }
                Some(ReplicaBeat::TimedOut) => {
                    self.trace.state(due, "replica", "gives its master up");
                    return Ok(false);
                }
                None => {
                    let when = match due.since(self.pulse.last_heard()) {
                        silence if silence >= TIMERS.timeout => {
                            "when the timeout was reached, and not yet exceeded"
                        }
                        _ => "when an ACK was due",
                    };
                    return Err(Broken::new(
                        "next_deadline is the next time at which beat has something to say: waking up for \
                         nothing, again and again, is a busy loop.",
                        format!("woken {when}, it had nothing to do"),
                    ));
                }
            }
        }
    }

    /// Extra ticks do nothing: there is nothing to say before the deadline.
    fn silent(&mut self, at: Millis) -> Result<(), Broken> {
        match self.pulse.beat(at.max(self.now), &TIMERS) {
            Some(beat) if self.pulse.next_deadline(&TIMERS) > at.max(self.now) => Err(Broken::new(
                "next_deadline is the next time at which beat has something to say; whoever sleeps until then \
                 misses nothing.",
                format!("{beat:?} was due before the deadline"),
            )),
            _ => Ok(()),
        }
    }

    fn hear(&mut self, what: &str) {
        self.trace.message(self.now, "master", "replica", what);
        self.pulse.heard(self.now);
    }
}

fn follow(trace: &mut Trace, events: &[(u64, &'static str)], end: Millis) -> Result<(), Broken> {
    let begin = later(trace).max(secs(trace.now().as_secs() + 1));
    trace.note(begin, None, "the link comes online");
    let mut following = Following { trace, pulse: Pulse::new(begin), now: begin };
    for &(at, what) in events {
        let at = begin + Millis(at);
        if !following.run(at)? {
            return Ok(());
        }
        following.now = at;
        following.hear(what);
        if what == "REPLCONF GETACK *" {
            following.trace.message(at, "replica", "master", "REPLCONF ACK, because it was asked");
            following.pulse.acked(at);
        }
    }
    following.run(begin + end)?;
    Ok(())
}

fn replica_beats(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a replica and its master's silence".into();
    trace.host("replica");
    trace.host("master");
    follow(trace, &[(1500, "SET a 1"), (2700, "REPLCONF GETACK *"), (3100, "PING")], secs(6))?;
    heading(trace, "a master that says nothing more");
    // Sixty acknowledgements would fill the page: the node sends one itself just before the end.
    let begin = secs(trace.now().as_secs() + 1);
    let mut pulse = Pulse::new(begin);
    for (after, acked) in [(0, true), (59_500, true), (60_000, false), (60_001, false), (60_400, false)] {
        let now = begin + Millis(after);
        let due = match pulse.beat(now, &TIMERS) {
            Some(ReplicaBeat::Ack) => "REPLCONF ACK",
            Some(ReplicaBeat::TimedOut) => "gives its master up",
            None => "nothing to do",
        };
        trace.state(now, "replica", format!("{after} ms after the last word: {due}"));
        if acked {
            pulse.acked(now);
        }
    }
    heading(trace, "silent for 59 seconds, and then a word");
    let begin = secs(trace.now().as_secs() + 1);
    let mut pulse = Pulse::new(begin);
    pulse.acked(begin + Millis(59_000));
    pulse.heard(begin + Millis(59_001));
    let mut following = Following { trace, pulse, now: begin + Millis(59_001) };
    following.run(begin + Millis(61_500))?;
    Ok(())
}

fn replica_beats_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.host("replica");
    let mut events = Vec::new();
    let mut at = 0;
    for _ in 0..rng.below(6) {
        let anything = rng.below(9000);
        at += any_of(&mut rng, &[1, 999, 1000, anything, 60_000, 60_001]);
        events.push((at, any_of(&mut rng, &["PING", "SET a 1", "REPLCONF GETACK *"])));
    }
    follow(trace, &events, Millis(at + 62_000))
}
