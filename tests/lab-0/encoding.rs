// 0.6 and 0.7: replies as bytes.

/// One or more calls of an encoder.
type Write = fn(&mut lab::Encoder<'_>);

/// One row: what was asked for, and the bytes that were appended to a buffer that was not empty.
fn reply_row(
    trace: &mut Trace,
    shown: String,
    protocol: Protocol,
    write: impl FnOnce(&mut lab::Encoder<'_>),
) {
    let mut out = bytes::BytesMut::from("~");
    write(&mut lab::Encoder::new(&mut out, protocol));
    let shown_bytes = match out.strip_prefix(b"~") {
        Some(reply) => show_bytes(reply),
        None => format!("{}: what was already in the buffer is gone", show_bytes(&out)),
    };
    trace.call(shown, shown_bytes);
}

fn five_types(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("the five types of RESP2");
    let mut row = |shown: &str, write: Write| {
        reply_row(trace, shown.to_string(), Protocol::Resp2, write);
    };
    row("simple OK", |e| e.simple("OK"));
    row("error ERR syntax error", |e| e.error("ERR syntax error"));
    row("integer 0", |e| e.integer(0));
    row("integer 1000", |e| e.integer(1000));
    row("integer -7", |e| e.integer(-7));
    row("integer, the largest", |e| e.integer(i64::MAX));
    row("integer, the smallest", |e| e.integer(i64::MIN));
    row("bulk hello", |e| e.bulk(b"hello"));
    row("bulk, empty", |e| e.bulk(b""));
    row("bulk with a line break inside", |e| e.bulk(b"a\r\nb"));
    row("bulk, two letters in four bytes", |e| e.bulk("\u{e9}\u{fc}".as_bytes()));
    row("bulk, bytes that are no text", |e| e.bulk(b"\x00\xff\x80"));
    row("array of nothing", |e| e.array(0));
    row("array of three", |e| {
        e.array(3);
        e.bulk(b"a");
        e.integer(2);
        e.array(1);
        e.simple("QUEUED");
    });
    row("simple, empty", |e| e.simple(""));
    row("error that quotes a line break", |e| e.error("ERR unknown command 'NO\r\n+OK'"));
    row("simple with a line break", |e| e.simple("a\nb\rc"));
    Ok(())
}

fn random_five_types(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("the five types of RESP2");
    let mut rng = Rng::new(seed);
    for _ in 0..20 {
        let text: String =
            (0..rng.below(8)).filter_map(|_| rng.pick(&['a', ' ', '\r', '\n', '\u{e9}'])).collect();
        let number = rng.next_u64() as i64 >> rng.below(64);
        let data = random_bytes(12, &mut rng);
        match rng.below(4) {
            0 => reply_row(trace, format!("simple {text:?}"), Protocol::Resp2, |e| e.simple(&text)),
            1 => reply_row(trace, format!("error {text:?}"), Protocol::Resp2, |e| e.error(&text)),
            2 => reply_row(trace, format!("integer {number}"), Protocol::Resp2, |e| e.integer(number)),
            _ => reply_row(trace, format!("bulk {}", quoted(&data)), Protocol::Resp2, |e| e.bulk(&data)),
        }
    }
    Ok(())
}

fn two_faces(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("RESP3, and how it looks in RESP2");
    let calls: [(&str, Write); 20] = [
        ("null", |e| e.null()),
        ("null_array", |e| e.null_array()),
        ("map of 2", |e| {
            e.map(2);
            for text in ["server", "redis", "proto"] {
                e.bulk(text.as_bytes());
            }
            e.integer(3);
        }),
        ("map of 0", |e| e.map(0)),
        ("set of 3", |e| e.set(3)),
        ("push of 3", |e| e.push(3)),
        ("double 1.5", |e| e.double(1.5)),
        ("double 0.1", |e| e.double(0.1)),
        ("double -3", |e| e.double(-3.0)),
        ("double 1e100", |e| e.double(1e100)),
        ("double inf", |e| e.double(f64::INFINITY)),
        ("double -inf", |e| e.double(f64::NEG_INFINITY)),
        ("boolean true", |e| e.boolean(true)),
        ("boolean false", |e| e.boolean(false)),
        ("big_number", |e| e.big_number("-123456789012345678901234567890")),
        ("verbatim txt", |e| e.verbatim("txt", b"some text")),
        ("verbatim mkd", |e| e.verbatim("mkd", b"# heading")),
        ("simple OK", |e| e.simple("OK")),
        ("integer 3", |e| e.integer(3)),
        ("bulk hello", |e| e.bulk(b"hello")),
    ];
    for (shown, write) in calls {
        for (protocol, name) in [(Protocol::Resp2, "RESP2"), (Protocol::Resp3, "RESP3")] {
            reply_row(trace, format!("{shown} in {name}"), protocol, write);
        }
    }
    Ok(())
}

fn random_two_faces(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("RESP3, and how it looks in RESP2");
    let mut rng = Rng::new(seed);
    for _ in 0..20 {
        let (protocol, name) = *rng
            .pick(&[(Protocol::Resp2, "RESP2"), (Protocol::Resp3, "RESP3")])
            .unwrap_or(&(Protocol::Resp2, "RESP2"));
        let count = rng.below(200) as usize;
        let double = (rng.below(4000) as f64 - 2000.0) / rng.between(1, 9) as f64;
        let text = vec![b'x'; rng.between(1, 20) as usize];
        match rng.below(5) {
            0 => reply_row(trace, format!("map of {count} in {name}"), protocol, |e| e.map(count)),
            1 => reply_row(trace, format!("set of {count} in {name}"), protocol, |e| e.set(count)),
            2 => reply_row(trace, format!("push of {count} in {name}"), protocol, |e| e.push(count)),
            3 => reply_row(trace, format!("double {double} in {name}"), protocol, |e| e.double(double)),
            _ => reply_row(trace, format!("verbatim {} in {name}", quoted(&text)), protocol, |e| {
                e.verbatim("txt", &text);
            }),
        }
    }
    Ok(())
}
