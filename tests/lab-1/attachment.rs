// 1.4: what the master sends to one replica, and when.

/// A master with one replica. `stream` is everything it has written, `sent` what went to the replica.
struct Feeding<'t> {
    trace: &'t mut Trace,
    replica: Attachment,
    stream: Vec<u8>,
    /// Where the stream stood when the snapshot was started.
    start: usize,
    sent: Vec<u8>,
}

impl<'t> Feeding<'t> {
    fn new(trace: &'t mut Trace, eof: bool) -> Feeding<'t> {
        trace.host("replica");
        trace.host("master");
        Feeding { trace, replica: Attachment::new(eof), stream: Vec::new(), start: 0, sent: Vec::new() }
    }

    /// One call, and what it changed and sent. Into how many pieces an answer cuts what it sends does not
    /// matter.
    fn act(&mut self, call: impl FnOnce(&mut Attachment, &mut Vec<Bytes>)) {
        let (before, at) = (self.replica.phase(), self.trace.now());
        let mut out = Vec::new();
        call(&mut self.replica, &mut out);
        let after = self.replica.phase();
        if before != after {
            self.trace.state(at, "master", format!("{before:?} ⇨ {after:?}"));
        }
        let bytes = out.concat();
        if !bytes.is_empty() {
            self.trace.message(at, "master", "replica", show_bytes(&bytes));
            self.sent.extend_from_slice(&bytes);
        }
    }

    fn note(&mut self, text: &str) {
        let at = later(self.trace);
        self.trace.note(at, Some("master"), text);
    }

    fn write(&mut self, text: &str) {
        self.note(&format!("the stream grows: {text}"));
        self.stream.extend_from_slice(text.as_bytes());
        self.act(|replica, out| replica.written(&Bytes::copy_from_slice(text.as_bytes()), out));
    }

    fn start_snapshot(&mut self) {
        self.note("a snapshot is started");
        self.start = self.stream.len();
        let offset = Offset(self.start as u64);
        self.act(|replica, out| {
            replica.snapshot_started(ID.parse().expect("it has 40 characters"), offset, out);
        });
    }

    fn complete_snapshot(&mut self, payload: &str) {
        self.note("the snapshot is complete");
        let payload = Bytes::copy_from_slice(payload.as_bytes());
        self.act(|replica, out| replica.snapshot_ready(MARK, payload, out));
    }

    fn payload_sent(&mut self) {
        self.note("the last byte of the snapshot has left");
        self.act(Attachment::payload_sent);
    }

    fn ack(&mut self, offset: u64) -> Result<(), Broken> {
        let at = later(self.trace);
        self.trace.message(at, "replica", "master", format!("REPLCONF ACK {offset}"));
        let before = self.replica.acked();
        self.act(|replica, out| replica.ack(Offset(offset), out));
        let (wanted, got) = (before.max(Offset(offset)), self.replica.acked());
        if got != wanted {
            return Err(Broken::new(
                "The master remembers the highest offset that the replica has acknowledged.",
                format!(
                    "an ACK {} the remembered one moved it {}",
                    if offset < before.0 { "below" } else { "above" },
                    if got < before {
                        "back"
                    } else if got == before {
                        "nowhere"
                    } else {
                        "too far"
                    },
                ),
            ));
        }
        Ok(())
    }

    /// An online replica has been sent exactly what was written since its snapshot was started.
    fn check(&self) -> Result<(), Broken> {
        let missed = &self.stream[self.start..];
        if self.replica.phase() == Phase::Online && !self.sent.ends_with(missed) {
            return Err(Broken::new(
                "Snapshot and stream meet at one offset: what is written after the snapshot was started reaches \
                 the replica through the stream, all of it and in order.",
                "an online replica was not sent all that was written since",
            ));
        }
        Ok(())
    }
}

fn attachments(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "one replica, seen by its master".into();
    for eof in [false, true] {
        heading(trace, if eof { "a snapshot with an end mark" } else { "a snapshot with a length" });
        let mut feeding = Feeding::new(trace, eof);
        feeding.write("[SET a 1]");
        feeding.start_snapshot();
        feeding.write("[SET b 2]");
        feeding.complete_snapshot("a=1");
        feeding.write("[SET c 3]");
        feeding.payload_sent();
        feeding.write("[SET d 4]");
        feeding.ack(9)?;
        feeding.write("[SET e 5]");
        feeding.ack(45)?;
        feeding.ack(36)?;
    }
    heading(trace, "a quiet master, an empty data set");
    let mut feeding = Feeding::new(trace, false);
    feeding.start_snapshot();
    feeding.complete_snapshot("");
    feeding.payload_sent();
    feeding.write("[SET a 1]");
    Ok(())
}

fn attachment_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let mut feeding = Feeding::new(trace, rng.chance(50));
    let mut sent = false;
    for number in 0..rng.between(5, 25) {
        match rng.below(3) {
            0 | 1 => feeding.write(&format!("[{number}]")),
            _ => match feeding.replica.phase() {
                Phase::WaitSnapshot => feeding.start_snapshot(),
                Phase::Snapshotting => feeding.complete_snapshot("snapshot"),
                Phase::Sending if !sent => {
                    sent = true;
                    feeding.payload_sent();
                }
                _ => feeding.ack(rng.below(1 + feeding.stream.len() as u64))?,
            },
        }
        // A replica that has not got its snapshot has no business to acknowledge anything; a confused or
        // hostile one may, and must not be taken for one that has it.
        if !sent && rng.chance(5) {
            feeding.ack(0)?;
        }
        feeding.check()?;
    }
    Ok(())
}
