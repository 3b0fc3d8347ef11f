// 2.1 and 2.2: how much of the stream is kept, and how it is read again.

/// After how many bytes the stream used here repeats itself: a prime, so that no block looks like another.
const PERIOD: usize = 65_521;

/// The bytes of a stream behind `from`, each recognisable by its place.
fn stream(from: Offset, length: usize) -> Vec<u8> {
    static PATTERN: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let pattern = PATTERN.get_or_init(|| {
        let mut rng = Rng::new(2);
        (0..PERIOD).map(|_| rng.below(256) as u8).collect()
    });
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let rest = &pattern[from.plus(bytes.len()).0 as usize % PERIOD..];
        bytes.extend_from_slice(&rest[..rest.len().min(length - bytes.len())]);
    }
    bytes
}

fn extent(backlog: &Backlog) -> String {
    format!("start {}, end {}", backlog.start(), backlog.end())
}

/// What is kept is what was written, in blocks of equal length.
fn check_pieces(backlog: &Backlog, end: Offset) -> Result<(), Broken> {
    let kept: Vec<&[u8]> = backlog.pieces().collect();
    let (tail, full) = kept.split_last().expect("there is always a tail");
    if let Some(block) = full.iter().find(|block| block.len() != BLOCK) {
        return Err(Broken::new(
            "Full blocks hold exactly BLOCK bytes: that is how a place in the stream is found again.",
            format!("a full block holds {} bytes", block.len()),
        ));
    }
    if tail.len() >= BLOCK {
        return Err(Broken::new(
            "A block that has reached BLOCK bytes is full, and a new tail begins behind it.",
            format!(
                "the tail holds {}",
                if tail.len() == BLOCK { "a whole block" } else { "more than a block" }
            ),
        ));
    }
    if backlog.end() != end || kept.concat() != stream(backlog.start(), backlog.len()) {
        return Err(Broken::new(
            "The backlog holds the stream behind its start, every byte of it, in order.",
            "what it holds is not what was written there",
        ));
    }
    Ok(())
}

fn append(trace: &mut Trace, backlog: &mut Backlog, end: &mut Offset, bytes: usize) -> Result<(), Broken> {
    backlog.append(&stream(*end, bytes));
    *end = end.plus(bytes);
    trace.call(format!("append {bytes} bytes"), extent(backlog));
    check_pieces(backlog, *end)
}

fn trim(trace: &mut Trace, backlog: &mut Backlog, end: Offset, needed: Option<Offset>) -> Result<(), Broken> {
    backlog.trim(needed);
    let who = needed.map_or("nobody reads".to_string(), |at| format!("the slowest reader at {at}"));
    trace.call(format!("trim to {}, {who}", backlog.size()), extent(backlog));
    check_pieces(backlog, end)
}

fn backlog_keeps(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "what the backlog keeps".into();
    trace.timeless = true;
    let mut backlog = Backlog::new(2 * BLOCK, Offset(1000));
    let mut end = Offset(1000);
    append(trace, &mut backlog, &mut end, 0)?;
    append(trace, &mut backlog, &mut end, 100)?;
    trim(trace, &mut backlog, end, None)?;
    append(trace, &mut backlog, &mut end, BLOCK - 101)?;
    append(trace, &mut backlog, &mut end, 1)?;
    append(trace, &mut backlog, &mut end, BLOCK + 50)?;
    trim(trace, &mut backlog, end, None)?;
    append(trace, &mut backlog, &mut end, BLOCK - 51)?;
    trim(trace, &mut backlog, end, None)?;
    append(trace, &mut backlog, &mut end, 1)?;
    trim(trace, &mut backlog, end, Some(Offset(1000)))?;
    trim(trace, &mut backlog, end, Some(Offset(1000 + BLOCK as u64 - 1)))?;
    trim(trace, &mut backlog, end, Some(Offset(1000 + BLOCK as u64)))?;
    append(trace, &mut backlog, &mut end, 5 * BLOCK + 7)?;
    let reader = backlog.start().plus(2 * BLOCK + 9);
    trim(trace, &mut backlog, end, Some(reader))?;
    trim(trace, &mut backlog, end, Some(end))?;
    backlog.set_size(100);
    trim(trace, &mut backlog, end, Some(end))?;
    backlog.set_size(4 * BLOCK);
    append(trace, &mut backlog, &mut end, BLOCK)?;
    trim(trace, &mut backlog, end, None)
}

fn backlog_keeps_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let sizes = [1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 77];
    let mut end = Offset(rng.below(1 << 40));
    let mut backlog = Backlog::new(any_of(&mut rng, &sizes), end);
    for _ in 0..rng.between(3, 20) {
        let bytes = match rng.below(4) {
            0 => rng.below(5) as usize,
            1 => rng.below(2 * BLOCK as u64) as usize,
            2 => BLOCK - backlog.len() % BLOCK,
            _ => rng.below(1000) as usize,
        };
        append(trace, &mut backlog, &mut end, bytes)?;
        if rng.chance(20) {
            backlog.set_size(any_of(&mut rng, &sizes));
        }
        if rng.chance(60) {
            // A reader may stand anywhere, but most telling are the seams between blocks.
            let seam = BLOCK as u64 * rng.below(3);
            let anywhere = rng.below(90_000);
            let distance = any_of(&mut rng, &[0, seam, seam.saturating_sub(1), seam + 1, anywhere]);
            let reader = backlog.start().plus(distance as usize).min(end);
            trim(trace, &mut backlog, end, rng.chance(60).then_some(reader))?;
        }
    }
    Ok(())
}

/// Asks for the piece behind `at`, and says which bytes of the stream came.
fn read(trace: &mut Trace, backlog: &Backlog, at: Offset) -> Result<usize, Broken> {
    let covered = if backlog.covers(at) { "covered" } else { "not covered" };
    let piece = backlog.read(at);
    let what = match piece.len() {
        0 => "nothing to read".to_string(),
        length if piece[..] == stream(at, length) => format!("{length} bytes"),
        length => format!("{length} bytes, but not those behind {at}"),
    };
    trace.call(format!("covers and read {at}"), format!("{covered}; {what}"));
    let shares = |block: &[u8]| block.as_ptr_range().contains(&piece.as_ptr());
    let blocks = backlog.pieces().count() - 1;
    let in_full_block = at >= backlog.start() && at < backlog.start().plus(blocks * BLOCK);
    if in_full_block && !piece.is_empty() && !backlog.pieces().take(blocks).any(shares) {
        return Err(Broken::new(
            "Ten replicas that read the same block hold the same block: pieces of full blocks are shared, not copied.",
            "a piece of a full block is a copy",
        ));
    }
    Ok(piece.len())
}

fn backlog_is_read(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "what can be read again".into();
    trace.timeless = true;
    let start = Offset(5000);
    let backlog = Backlog::holding(BLOCK, start, &stream(start, 2 * BLOCK + 300));
    trace.call("two full blocks and a tail", extent(&backlog));
    let seam = start.plus(BLOCK);
    let end = backlog.end();
    for at in [
        start,
        start.plus(1),
        Offset(seam.0 - 1),
        seam,
        seam.plus(1),
        start.plus(2 * BLOCK),
        Offset(end.0 - 1),
        end,
        end.plus(1),
        Offset(start.0 - 1),
        Offset(0),
        Offset(u64::MAX),
    ] {
        read(trace, &backlog, at)?;
    }
    let empty = Backlog::new(BLOCK, start);
    trace.call("nothing written yet", extent(&empty));
    for at in [Offset(start.0 - 1), start, start.plus(1)] {
        read(trace, &empty, at)?;
    }
    Ok(())
}

fn backlog_is_read_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let start = Offset(rng.below(1 << 40));
    let whole = BLOCK * rng.below(4) as usize;
    let anything = rng.below(BLOCK as u64) as usize;
    let rest = any_of(&mut rng, &[0, 1, BLOCK - 1, anything]);
    let backlog = Backlog::holding(BLOCK, start, &stream(start, whole + rest));
    trace.call("a backlog", extent(&backlog));
    for _ in 0..3 {
        let around = start.plus(rng.below(backlog.len() as u64 + 20) as usize);
        read(trace, &backlog, Offset(around.0.saturating_sub(10)))?;
    }
    // From anywhere to the end, piece by piece.
    let mut at = start.plus(rng.below(backlog.len() as u64 + 1) as usize);
    while at < backlog.end() {
        match read(trace, &backlog, at)? {
            0 => return Ok(()),
            length => at = at.plus(length),
        }
    }
    read(trace, &backlog, at)?;
    Ok(())
}
