// 1.3: where the snapshot ends and the stream begins.

/// Bytes for the transcript; of many, the first.
fn brief(bytes: &[u8]) -> String {
    match bytes.len() {
        0..=100 => show_bytes(bytes),
        many => format!("{}… ({many} bytes)", show_bytes(&bytes[..60])),
    }
}

/// Feeds `chunks` to a transfer. What counts is where the snapshot begins and ends; into how many parts
/// an answer cuts the payload does not.
fn receive(trace: &mut Trace, chunks: &[&[u8]], wanted: Option<&[u8]>) -> Result<(), Broken> {
    let (mut transfer, mut buffer, mut snapshot) = (Transfer::new(), BytesMut::new(), Vec::new());
    for chunk in chunks {
        let at = later(trace);
        trace.message(at, "master", "replica", brief(chunk));
        buffer.extend_from_slice(chunk);
        loop {
            match transfer.next(&mut buffer) {
                Ok(Some(Chunk::Payload(bytes))) if bytes.is_empty() => {
                    return Err(Broken::new("A part of the snapshot is never empty.", "Payload(\"\")"));
                }
                Ok(Some(Chunk::Payload(bytes))) => snapshot.extend_from_slice(&bytes),
                Ok(Some(Chunk::Begin(Framing::Length(length)))) => {
                    trace.note(at, Some("replica"), format!("a snapshot of {length} bytes begins"));
                }
                Ok(Some(Chunk::Begin(Framing::Mark(mark)))) => {
                    trace.note(
                        at,
                        Some("replica"),
                        format!("a snapshot begins that ends with {}", show_bytes(&mark)),
                    );
                }
                Ok(Some(Chunk::Done)) => {
                    trace.note(at, Some("replica"), format!("the snapshot is \"{}\"", brief(&snapshot)));
                    trace.note(
                        at,
                        Some("replica"),
                        format!("the stream begins with \"{}\"", show_bytes(&buffer)),
                    );
                    if wanted.is_some_and(|wanted| wanted != snapshot) {
                        return Err(Broken::new(
                            "Every byte in front of the end belongs to the snapshot, and no byte behind it.",
                            "the snapshot is not the one that was sent",
                        ));
                    }
                    let left = buffer.len();
                    return match transfer.next(&mut buffer) {
                        Ok(None) if buffer.len() == left => Ok(()),
                        other => Err(Broken::new(
                            "After Done a transfer has nothing more to say.",
                            format!("{other:?}, and {} bytes of the stream are gone", left - buffer.len()),
                        )),
                    };
                }
                Ok(None) => break,
                Err(why) => {
                    trace.note(at, Some("replica"), why.to_string());
                    return Ok(());
                }
            }
        }
        let most = lab::transfer::MAX_HEADER - 1;
        if buffer.len() > most {
            return Err(Broken::new(
                "What can be decided about is taken from the buffer: memory does not grow with the snapshot.",
                format!("more than {most} bytes are left in it"),
            ));
        }
    }
    let at = trace.now();
    trace.note(at, Some("replica"), "waits for more");
    Ok(())
}

const MARK: &[u8; 40] = b"0123456789abcdef0123456789abcdef01234567";

fn transfers(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "where the snapshot ends".into();
    trace.host("master");
    trace.host("replica");
    heading(trace, "by length, after a while; the stream follows in the same packet");
    receive(trace, &[b"\n", b"\n\n$1", b"1\r\nREDIS", b"-abcdefrest"], None)?;
    heading(trace, "a length of nothing");
    receive(trace, &[b"$0\r\n", b"rest"], None)?;
    heading(trace, "by mark; the stream follows in the same packet");
    receive(trace, &[b"$EOF:", MARK, b"\r\n", b"REDIS-abc", &[&MARK[..], b"rest"].concat()], None)?;
    heading(trace, "the mark comes in two pieces");
    receive(trace, &[&[b"$EOF:", &MARK[..], b"\r\nREDIS", &MARK[..15]].concat(), &MARK[15..]], None)?;
    heading(trace, "it only looks like the mark");
    receive(
        trace,
        &[
            &[b"$EOF:", &MARK[..], b"\r\nREDIS", &MARK[..39]].concat(),
            &[b"!", &MARK[..20]].concat(),
            &[b"?", &MARK[..], b"rest"].concat(),
        ],
        None,
    )?;
    heading(trace, "the master could not make a snapshot");
    receive(trace, &[b"\n-ERR no fork\r\n"], None)?;
    heading(trace, "this is no snapshot");
    receive(trace, &[b"+OK\r\n"], None)?;
    heading(trace, "a length that is none");
    receive(trace, &[b"$-1\r\n"], None)?;
    heading(trace, "cut off in the middle");
    receive(trace, &[b"$100\r\nREDIS", b"-abc"], None)
}

fn transfer_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let mut mark = rng.hex40();
    if rng.chance(50) {
        mark[1..39].fill(b'0');
    }
    let mut payload = Vec::new();
    for _ in 0..rng.below(6) {
        match rng.below(4) {
            0 => payload.extend_from_slice(&mark[..rng.between(1, 39) as usize]),
            1 => payload.extend_from_slice(b"\r\n$5\r\n"),
            2 => payload.extend(std::iter::repeat_n(b'x', rng.below(3000) as usize)),
            _ => payload.push(rng.below(256) as u8),
        }
    }
    // By chance the pieces could make up the mark, in the payload or across its end.
    let whole = [&payload[..], &mark[..]].concat();
    if whole.windows(mark.len()).position(|window| window == mark) != Some(payload.len()) {
        payload.clear();
    }
    let mut sent = b"\n".repeat(rng.below(3) as usize);
    let eof = rng.chance(60);
    if eof {
        sent.extend_from_slice(&[b"$EOF:", &mark[..], b"\r\n", &payload, &mark[..]].concat());
    } else {
        sent.extend_from_slice(&[format!("${}\r\n", payload.len()).as_bytes(), &payload].concat());
    }
    if rng.chance(70) {
        sent.extend_from_slice(b"*1\r\n$4\r\nPING\r\n");
    }
    let mut chunks = Vec::new();
    let mut rest = &sent[..];
    while !rest.is_empty() {
        let most = if rng.chance(50) { 50 } else { rest.len() as u64 };
        let (chunk, left) = rest.split_at(1 + rng.below(most.min(rest.len() as u64)) as usize);
        chunks.push(chunk);
        rest = left;
    }
    receive(trace, &chunks, Some(&payload))
}
