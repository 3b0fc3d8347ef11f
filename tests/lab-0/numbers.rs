// 0.1 to 0.3: numbers, lines, and lengths.

fn integer_row(trace: &mut Trace, text: &[u8]) {
    let answer = lab::parse_integer(text);
    trace.call(
        format!("parse_integer {}", quoted(text)),
        answer.map_or("no number".to_string(), |value| value.to_string()),
    );
}

fn integers(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("integers");
    for text in [
        "0",
        "7",
        "42",
        "-1",
        "1000000",
        "9223372036854775807",
        "-9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551617",
        "99999999999999999999999",
        "",
        "-",
        "+7",
        "007",
        "00",
        "-0",
        "-07",
        " 7",
        "7 ",
        "1a",
        "a",
        "--1",
        "1-",
        "1.0",
        "0x10",
        "\u{664}",
    ] {
        integer_row(trace, text.as_bytes());
    }
    Ok(())
}

fn random_integers(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("integers");
    let mut rng = Rng::new(seed);
    for _ in 0..20 {
        let text = match rng.below(3) {
            0 => (rng.next_u64() as i64 >> rng.below(64)).to_string().into_bytes(),
            1 => (i128::from(i64::MAX) + i128::from(rng.below(40)) - 20).to_string().into_bytes(),
            _ => (0..rng.below(5)).filter_map(|_| rng.pick(b"-+ 0012").copied()).collect(),
        };
        integer_row(trace, &text);
    }
    Ok(())
}

fn line_row(trace: &mut Trace, buffer: &[u8], from: usize) {
    let answer = lab::find_line(buffer, from);
    let shown = match answer {
        None => "not yet".to_string(),
        Some(line) => match buffer.get(line.span.start..line.span.end) {
            Some(text) => format!("{}, go on at {}", quoted(text), line.next),
            None => format!("{}..{} of a buffer of {} bytes", line.span.start, line.span.end, buffer.len()),
        },
    };
    trace.call(format!("find_line {} from {from}", quoted(buffer)), shown);
}

fn lines(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("lines");
    for (buffer, from) in [
        ("PING\r\n", 0),
        ("PING", 0),
        ("", 0),
        ("\r\n", 0),
        ("+OK\r\n:1\r\n", 0),
        ("+OK\r\n:1\r\n", 5),
        ("+OK\r\n:1\r\n", 9),
        ("+OK\r\n:1", 5),
        ("PING\r", 0),
        ("+OK\r\n:1\r", 5),
        ("a\nb\r\n", 0),
        (" 12 \r\n", 0),
    ] {
        line_row(trace, buffer.as_bytes(), from);
    }
    Ok(())
}

fn random_lines(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("lines");
    let mut rng = Rng::new(seed);
    for _ in 0..20 {
        let mut buffer = Vec::new();
        for _ in 0..rng.below(8) {
            let word: &[u8] =
                rng.pick(&[&b"\r\n"[..], b"a", b"$12", b" ", b"\n", b"\xff"]).copied().unwrap_or_default();
            buffer.extend_from_slice(word);
        }
        if rng.chance(30) {
            buffer.push(b'\r');
        }
        let from = rng.below(buffer.len() as u64 + 1) as usize;
        line_row(trace, &buffer, from);
    }
    Ok(())
}

/// A client as the rows of 0.3 name it.
fn whose(limits: &lab::Limits) -> &'static str {
    if limits.authenticated { "" } else { " from a stranger" }
}

fn claim<T: ToString>(answer: Result<T, lab::ProtocolError>) -> String {
    answer.map_or_else(|error| format!("-ERR Protocol error: {error}"), |value| value.to_string())
}

fn claims(trace: &mut Trace) -> Result<(), Broken> {
    use lab::Limits;
    *trace = Trace::table("claims");
    let counts = ["3", "1", "0", "-1", "-5", "10", "11", "1048577", "2147483647", "2147483648", "many"];
    let lengths = ["3", "0", "-1", "16384", "16385", "536870912", "536870913", "9223372036854775807", "long"];
    for limits in [Limits::DEFAULT, Limits::UNAUTHENTICATED] {
        for text in counts {
            let answer = lab::multibulk_count(text.as_bytes(), &limits);
            trace.call(format!("multibulk_count \"{text}\"{}", whose(&limits)), claim(answer));
        }
        for text in lengths {
            let answer = lab::bulk_length(text.as_bytes(), &limits);
            trace.call(format!("bulk_length \"{text}\"{}", whose(&limits)), claim(answer));
        }
    }
    let small = Limits { bulk: 1000, ..Limits::DEFAULT };
    for text in ["1000", "1001"] {
        let answer = lab::bulk_length(text.as_bytes(), &small);
        trace.call(format!("bulk_length \"{text}\" with proto-max-bulk-len 1000"), claim(answer));
    }
    Ok(())
}

fn random_claims(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("claims");
    let mut rng = Rng::new(seed);
    for _ in 0..20 {
        let limits = lab::Limits {
            multibulk: rng.between(1, 40) as i64,
            bulk: rng.between(1, 40_000) as i64,
            authenticated: rng.chance(50),
            ..lab::Limits::DEFAULT
        };
        let (most, longest) = (limits.multibulk, limits.bulk);
        let count = (rng.below(45) as i64 - 3).to_string();
        let answer = lab::multibulk_count(count.as_bytes(), &limits);
        trace.call(
            format!("multibulk_count \"{count}\"{} with at most {most}", whose(&limits)),
            claim(answer),
        );
        let length = (rng.below(45_000) as i64 - 3).to_string();
        let answer = lab::bulk_length(length.as_bytes(), &limits);
        trace.call(
            format!("bulk_length \"{length}\"{} with at most {longest}", whose(&limits)),
            claim(answer),
        );
    }
    Ok(())
}
