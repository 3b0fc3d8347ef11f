// 3.5: what a replica passes on to the replicas below.

/// A node in the middle. `wanted` is what it has applied: what those below must have been passed.
struct Middle<'t> {
    trace: &'t mut Trace,
    relay: Relay,
    passed: BytesMut,
    applied: Vec<u8>,
    queued: Vec<u8>,
}

impl<'t> Middle<'t> {
    fn new(trace: &'t mut Trace) -> Middle<'t> {
        trace.host("master");
        trace.host("middle");
        trace.host("below");
        Middle {
            trace,
            relay: Relay::new(),
            passed: BytesMut::new(),
            applied: Vec::new(),
            queued: Vec::new(),
        }
    }

    fn receives(&mut self, bytes: &str, open: bool) {
        let at = self.trace.now() + Millis(1);
        let label = if open { format!("{bytes} (a MULTI is open)") } else { bytes.into() };
        self.trace.message(at, "master", "middle", label);
        self.queued.extend_from_slice(bytes.as_bytes());
        if !open {
            self.applied.append(&mut self.queued);
        }
        let before = self.passed.len();
        self.relay.applied(bytes.as_bytes(), open, &mut self.passed);
        let more = self.passed.get(before..).unwrap_or_default();
        if !more.is_empty() {
            self.trace.message(at, "middle", "below", show_bytes(more));
        }
        self.shows_held();
    }

    fn loses_its_link(&mut self) {
        let at = self.trace.now() + Millis(1);
        self.trace.fault(at, "the link between master and middle breaks");
        self.queued.clear();
        self.relay.reset();
        self.shows_held();
    }

    fn shows_held(&mut self) {
        let at = self.trace.now();
        self.trace.note(at, Some("middle"), format!("{} bytes held", self.relay.held()));
    }

    fn check(&self) -> Result<(), Broken> {
        if self.passed[..] != self.applied[..] {
            return Err(Broken::new(
                "What a replica passes on is what it has applied of its master's stream: these bytes, all of them, in \
                 order, and no others.",
                "those below were passed other bytes than were applied",
            ));
        }
        Ok(())
    }
}

fn relays(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a replica that feeds replicas".into();
    let mut middle = Middle::new(trace);
    middle.receives("[SET a 1]", false);
    middle.receives("[PING]", false);
    middle.receives("[SET b 2][GETACK]", false);
    middle.receives("[MULTI]", true);
    middle.receives("[INCR a]", true);
    middle.receives("[EXEC]", false);
    middle.receives("[SET c 3]", false);
    middle.receives("[MULTI][INCR b]", true);
    middle.loses_its_link();
    middle.receives("[MULTI][INCR b]", true);
    middle.receives("[INCR b][EXEC][SET d 4]", false);
    middle.loses_its_link();
    middle.receives("[SET e 5]", false);
    for (name, role) in [("a master", Role::Master), ("a replica", replica())] {
        for own in [Own::Write, Own::Expired, Own::Ping, Own::GetAck] {
            let answer = if lab::may_add(&role, own) { "goes into the stream" } else { "does not" };
            trace.call(format!("{name}'s own {own:?}"), answer);
        }
    }
    Ok(())
}

fn relay_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let mut middle = Middle::new(trace);
    let mut open = false;
    for number in 0..rng.between(5, 30) {
        if rng.chance(12) {
            open = false;
            middle.loses_its_link();
            continue;
        }
        let mut bytes = String::new();
        for _ in 0..rng.between(1, 3) {
            match (open, rng.chance(30)) {
                (false, true) => {
                    bytes.push_str("[MULTI]");
                    open = true;
                }
                (true, true) => {
                    bytes.push_str("[EXEC]");
                    open = false;
                }
                _ => bytes.push_str(&format!("[{number}]")),
            }
        }
        middle.receives(&bytes, open);
        middle.check()?;
    }
    Ok(())
}
