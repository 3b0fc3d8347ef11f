// 1.5 and 1.6: commands become the stream, and the stream becomes commands.

/// Bytes of the stream as commands, `SELECT 0 · SET a 1`; as they are if they are none.
fn show_stream(bytes: &[u8]) -> String {
    let mut rest = bytes;
    let mut shown = Vec::new();
    while !rest.is_empty() {
        let Some(command) = take_command(&mut rest) else { return format!("\"{}\"", show_bytes(bytes)) };
        shown.push(show_command(command.iter().copied()));
    }
    if shown.is_empty() { "nothing".into() } else { shown.join(" · ") }
}

fn take_command<'a>(rest: &mut &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let count = take_length(rest, b'*').filter(|&count| (1..=64).contains(&count))?;
    (0..count)
        .map(|_| {
            let length = take_length(rest, b'$')?;
            let part = rest.get(..length)?;
            *rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
            Some(part)
        })
        .collect()
}

fn take_length(rest: &mut &[u8], kind: u8) -> Option<usize> {
    let line = rest.strip_prefix(&[kind])?;
    let end = line.windows(2).position(|pair| pair == b"\r\n")?;
    *rest = &line[end + 2..];
    std::str::from_utf8(&line[..end]).ok()?.parse().ok()
}

fn append(
    trace: &mut Trace,
    writer: &mut StreamWriter,
    out: &mut BytesMut,
    db: Option<usize>,
    command: &[&str],
) {
    let before = out.len();
    writer.append(db, ArgsBuf::from_parts(command).as_args(), out);
    let place = db.map_or("anywhere".to_string(), |db| format!("in db {db}"));
    let added = out.get(before..).unwrap_or_default();
    trace.call(
        format!("append {place}: {}", command.join(" ")),
        format!("{}; offset {}", show_stream(added), writer.offset()),
    );
}

fn stream_is_written(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "commands become the stream".into();
    trace.timeless = true;
    let mut writer = StreamWriter::new(Offset(1000));
    let mut out = BytesMut::new();
    append(trace, &mut writer, &mut out, Some(0), &["SET", "a", "1"]);
    append(trace, &mut writer, &mut out, Some(0), &["INCR", "a"]);
    append(trace, &mut writer, &mut out, None, &["PING"]);
    append(trace, &mut writer, &mut out, Some(0), &["DEL", "a"]);
    append(trace, &mut writer, &mut out, Some(12), &["SET", "b", "two words"]);
    append(trace, &mut writer, &mut out, None, &["REPLCONF", "GETACK", "*"]);
    append(trace, &mut writer, &mut out, Some(12), &["INCR", "c"]);
    writer.forget_db();
    trace.call("forget_db", format!("offset {}", writer.offset()));
    append(trace, &mut writer, &mut out, None, &["PING"]);
    append(trace, &mut writer, &mut out, Some(12), &["INCR", "c"]);
    append(trace, &mut writer, &mut out, Some(0), &["INCR", "a"]);
    Ok(())
}

fn stream_is_written_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let mut writer = StreamWriter::new(Offset(rng.below(5000)));
    let mut out = BytesMut::new();
    for _ in 0..20 {
        match rng.below(10) {
            0 => {
                writer.forget_db();
                trace.call("forget_db", format!("offset {}", writer.offset()));
            }
            1 => append(trace, &mut writer, &mut out, None, &["PING"]),
            2 => out.clear(),
            _ => {
                let value = "v".repeat(rng.below(120) as usize);
                append(trace, &mut writer, &mut out, Some(rng.below(3) as usize), &["SET", "key", &value]);
            }
        }
    }
    Ok(())
}

fn apply(trace: &mut Trace, reader: &mut StreamReader, command: &[&str]) {
    let mut bytes = BytesMut::new();
    let command = ArgsBuf::from_parts(command);
    write_command(&mut bytes, command.as_args().iter());
    apply_args(trace, reader, command.as_args(), bytes.len());
}

fn apply_args(trace: &mut Trace, reader: &mut StreamReader, command: Args<'_>, bytes: usize) {
    let at = later(trace);
    trace.message(at, "master", "replica", show_command(command.iter()));
    let before = reader.offset();
    let does = match reader.apply(command, bytes) {
        Apply::Run { db } => format!("runs it in db {db}"),
        Apply::Nothing => "nothing to run".into(),
        Apply::Ack(offset) => {
            trace.message(at, "replica", "master", format!("REPLCONF ACK {offset}"));
            "answers".into()
        }
    };
    trace.state(at, "replica", format!("offset {before} ⇨ {}: {does}", reader.offset()));
}

fn stream_is_read(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "the stream becomes commands".into();
    trace.host("master");
    trace.host("replica");
    let mut reader = StreamReader::new(Offset(100));
    for command in [
        &["REPLCONF", "GETACK", "*"][..],
        &["SELECT", "0"],
        &["SET", "a", "1"],
        &["PING"],
        &["REPLCONF", "GETACK", "*"],
        &["REPLCONF", "GETACK", "*"],
        &["select", "12"],
        &["set", "b", "2"],
        &["ping"],
        &["DEL", "select"],
        &["replconf", "getack", "*"],
        &["SELECT", "none"],
        &["INCR", "a"],
        &["SELECT", "0"],
        &["INCR", "a"],
    ] {
        apply(trace, &mut reader, command);
    }
    Ok(())
}

fn stream_is_read_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    let mut reader = StreamReader::new(Offset(rng.below(5000)));
    for _ in 0..15 {
        let db = rng.below(16).to_string();
        let value = "v".repeat(rng.below(50) as usize);
        match rng.below(6) {
            0 => apply(trace, &mut reader, &["SELECT", &db]),
            1 => apply(trace, &mut reader, &["PING"]),
            2 => apply(trace, &mut reader, &["REPLCONF", "GETACK", "*"]),
            _ => apply(trace, &mut reader, &["SET", "key", &value]),
        }
    }
    Ok(())
}
