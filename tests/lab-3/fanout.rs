// 3.1 and 3.2: what the log must keep, and who is sent what next.

/// One row: what the log must keep now, and how far each of the three replicas is behind.
fn show_cursors(trace: &mut Trace, event: String, fanout: &Fanout<char>, end: Offset) {
    let needed = fanout.needed().map_or("nothing".into(), |at| format!("all behind {at}"));
    trace.call(format!("{event}; the log must keep"), needed);
    for replica in ['a', 'b', 'c'] {
        trace.call(format!("  {replica} is behind by"), fanout.behind(replica, end).to_string());
    }
}

fn cursors(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("cursors in one log");
    let mut fanout = Fanout::new();
    show_cursors(trace, "nobody reads, the stream ends at 100".into(), &fanout, Offset(100));
    fanout.attach('a', Offset(100));
    show_cursors(trace, "a reads from 100".into(), &fanout, Offset(100));
    show_cursors(trace, "the stream grows to 180".into(), &fanout, Offset(180));
    fanout.attach('c', Offset(150));
    show_cursors(trace, "c continues from 150".into(), &fanout, Offset(180));
    fanout.attach('b', Offset(40));
    show_cursors(trace, "b continues from 40".into(), &fanout, Offset(180));
    fanout.detach('a');
    show_cursors(trace, "a is gone".into(), &fanout, Offset(250));
    fanout.detach('b');
    show_cursors(trace, "b is gone".into(), &fanout, Offset(250));
    fanout.attach('c', Offset(250));
    show_cursors(trace, "c comes anew and reads from 250".into(), &fanout, Offset(250));
    fanout.detach('c');
    show_cursors(trace, "c is gone".into(), &fanout, Offset(250));
    fanout.attach('a', Offset(0));
    show_cursors(trace, "a reads from the very beginning".into(), &fanout, Offset(250));
    Ok(())
}

fn cursors_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("cursors in one log");
    let mut rng = Rng::new(seed);
    let (mut fanout, mut end) = (Fanout::new(), 0);
    for _ in 0..rng.between(3, 20) {
        end += rng.below(100);
        let replica = *rng.pick(&['a', 'b', 'c']).expect("there are three");
        let event = if rng.chance(35) {
            fanout.detach(replica);
            format!("{replica} is gone, the stream ends at {end}")
        } else {
            let at = rng.below(end + 1);
            fanout.attach(replica, Offset(at));
            format!("{replica} reads from {at}, the stream ends at {end}")
        };
        show_cursors(trace, event, &fanout, Offset(end));
    }
    Ok(())
}

/// A log whose every byte can be told: some pieces of one stream, the oldest perhaps already gone.
struct Tape {
    start: Offset,
    pieces: Vec<Bytes>,
}

impl Tape {
    /// Pieces of these lengths, from byte `start` of the stream on.
    fn new(start: u64, lengths: &[usize]) -> Tape {
        let mut at = start;
        let pieces = lengths
            .iter()
            .map(|&length| {
                let piece: Vec<u8> = (at..at + length as u64).map(byte_at).collect();
                at += length as u64;
                Bytes::from(piece)
            })
            .collect();
        Tape { start: Offset(start), pieces }
    }

    fn grow(&mut self, length: usize) {
        let end = self.end().0;
        self.pieces.push((end..end + length as u64).map(byte_at).collect::<Vec<u8>>().into());
    }

    fn forget(&mut self) {
        if !self.pieces.is_empty() {
            self.start = self.start.plus(self.pieces.remove(0).len());
        }
    }

    /// True if `piece` lies in this log's own memory.
    fn owns(&self, piece: &Bytes) -> bool {
        let inside = |own: &Bytes| {
            let (own, other) = (own.as_ptr_range(), piece.as_ptr_range());
            own.start <= other.start && other.end <= own.end
        };
        self.pieces.iter().any(inside)
    }
}

/// The byte behind `offset`: letters in an order that does not repeat soon.
fn byte_at(offset: u64) -> u8 {
    b'a' + ((offset + offset / 26 + offset / 676) % 26) as u8
}

impl StreamLog for Tape {
    fn end(&self) -> Offset {
        self.start.plus(self.pieces.iter().map(Bytes::len).sum())
    }

    fn read(&self, at: Offset) -> Bytes {
        let mut begin = self.start;
        for piece in &self.pieces {
            if at >= begin && at < begin.plus(piece.len()) {
                return piece.slice(at.since(begin) as usize..);
            }
            begin = begin.plus(piece.len());
        }
        Bytes::new()
    }
}

/// Calls `take` and writes down what came out of it; checks what a row cannot show.
fn take(
    trace: &mut Trace,
    fanout: &mut Fanout<char>,
    replica: char,
    tape: &Tape,
    room: usize,
) -> Result<(), Broken> {
    let before = Bytes::from_static(b"(what waited already)");
    let mut out = vec![before.clone()];
    let count = fanout.take(replica, tape, room, &mut out);
    let at = fanout.at(replica).map_or("reads nothing".into(), |at| format!("stands at {at}"));
    let kept = out.first() == Some(&before);
    let pieces = out.get(1..).unwrap_or_default();
    let bytes = pieces.concat();
    let mut shown = format!("{count}: \"{}\", {replica} {at}", show_bytes(&bytes));
    if !kept {
        shown.push_str("; what waited before is gone");
    }
    trace.call(format!("{replica} takes, room for {room}"), shown);
    if pieces.iter().any(|piece| !piece.is_empty() && !tape.owns(piece)) {
        return Err(Broken::new(
            "A replica is handed the log's own pieces, not copies of them.",
            "it was handed bytes that do not lie in the log's memory",
        ));
    }
    Ok(())
}

fn pieces(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("pieces of one log, for three replicas");
    let mut tape = Tape::new(0, &[10, 4, 10]);
    let mut fanout = Fanout::new();
    fanout.attach('a', Offset(0));
    fanout.attach('b', Offset(7));
    given(trace, "a log of 10, 4 and 10 bytes", "a reads from 0, b from 7");
    take(trace, &mut fanout, 'a', &tape, 10)?;
    take(trace, &mut fanout, 'b', &tape, 100)?;
    take(trace, &mut fanout, 'b', &tape, 100)?;
    take(trace, &mut fanout, 'a', &tape, 6)?;
    take(trace, &mut fanout, 'a', &tape, 3)?;
    take(trace, &mut fanout, 'a', &tape, 0)?;
    take(trace, &mut fanout, 'c', &tape, 100)?;
    tape.grow(5);
    given(trace, "5 bytes more in the stream", "the log ends at 29");
    take(trace, &mut fanout, 'b', &tape, 100)?;
    take(trace, &mut fanout, 'a', &tape, 100)?;
    tape.forget();
    fanout.attach('c', Offset(3));
    given(trace, "that the log has forgotten its first 10 bytes", "c reads from 3");
    take(trace, &mut fanout, 'c', &tape, 100)?;
    take(trace, &mut fanout, 'a', &tape, 100)?;
    Ok(())
}

fn pieces_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("pieces of one log");
    let mut rng = Rng::new(seed);
    let begin = rng.below(1000);
    let mut tape = Tape::new(begin, &[1 + rng.below(8) as usize]);
    let (mut fanout, mut wanted) = (Fanout::new(), Vec::new());
    for replica in ['a', 'b', 'c'] {
        let at = begin + rng.below(1 + tape.end().since(Offset(begin)));
        fanout.attach(replica, Offset(at));
        wanted.push((replica, at));
    }
    for _ in 0..rng.between(4, 24) {
        if rng.chance(45) {
            let length = rng.between(1, 9) as usize;
            tape.grow(length);
            given(trace, "more bytes in the stream", length.to_string());
        } else {
            let replica = *rng.pick(&['a', 'b', 'c']).expect("there are three");
            take(trace, &mut fanout, replica, &tape, rng.below(14) as usize)?;
        }
    }
    // Whatever happened before: with room enough each of them ends at the end.
    for (replica, _) in wanted {
        take(trace, &mut fanout, replica, &tape, usize::MAX)?;
    }
    Ok(())
}
