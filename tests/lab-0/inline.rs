// 0.5: what a person types.

fn inline_row(trace: &mut Trace, buffer: &[u8], limits: &lab::Limits) {
    let shown = match lab::find_inline(buffer, limits) {
        Err(error) => format!("-ERR Protocol error: {error}"),
        Ok(None) => "not yet".to_string(),
        Ok(Some(line)) => match buffer.get(line.span.start..line.span.end) {
            Some(text) => format!("{}, go on at {}", quoted(text), line.next),
            None => format!("{}..{} of a buffer of {} bytes", line.span.start, line.span.end, buffer.len()),
        },
    };
    trace.call(format!("find_inline {}", quoted(buffer)), shown);
}

fn split_row(trace: &mut Trace, line: &[u8]) {
    let shown = match lab::split_inline(line) {
        Err(error) => format!("-ERR Protocol error: {error}"),
        Ok(words) if words.as_args().is_empty() => "no words".to_string(),
        Ok(words) => words.as_args().iter().map(quoted).collect::<Vec<_>>().join(" "),
    };
    trace.call(format!("split_inline {}", show_raw(line)), shown);
}

/// Between typographic marks, since both kinds of plain ones mean something here.
fn show_raw(line: &[u8]) -> String {
    let shown = line.iter().map(|&byte| match byte {
        b'\t' => "⇥".to_string(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("⟨{byte:02x}⟩"),
    });
    format!("‹{}›", shown.collect::<String>())
}

fn inline_commands(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("inline commands");
    let limits = lab::Limits { inline: 8, ..lab::Limits::DEFAULT };
    for buffer in [
        "PING\r\n",
        "PING\n",
        "PING\nPING\n",
        "PING",
        "PING\r",
        "",
        "\r\n",
        "\n",
        "PI\rNG\r\n",
        "\n\r\n",
        "12345678",
        "12345678\n",
        "1234567\r\n",
        "123456789",
    ] {
        inline_row(trace, buffer.as_bytes(), &limits);
    }
    for line in [
        "PING",
        "SET name value",
        "  SET\t name   value  ",
        "",
        "   ",
        r#"SET name "two words""#,
        r#"SET name 'two words'"#,
        r#"SET name """#,
        "SET name ''",
        r#"ECHO "a\nb\r\t\b\a\\\"c\q""#,
        r#"ECHO "\x41\x0a\xFf""#,
        r#"ECHO "\x4 \xzz""#,
        r"ECHO 'a\nb\\\'c'",
        r"ECHO a\nb\x41",
        r#"ECHO ab"c d"e"#,
        r#"ECHO ab"c d""#,
        "ECHO it's",
        r#"ECHO "it's""#,
        r#"ECHO 'say "hi"'"#,
        r#"ECHO "not closed"#,
        "ECHO 'not closed",
        r#"ECHO "not closed\""#,
        r#"ECHO "closed"then"#,
        "ECHO 'closed'then",
        r#"ECHO "one""two""#,
        "ECHO \u{e9}",
    ] {
        split_row(trace, line.as_bytes());
    }
    Ok(())
}

fn random_inline_commands(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("inline commands");
    let mut rng = Rng::new(seed);
    for _ in 0..10 {
        let line: Vec<u8> =
            (0..rng.below(14)).filter_map(|_| rng.pick(b"  \tab\"'\\x41n\"'").copied()).collect();
        split_row(trace, &line);
        let buffer: Vec<u8> = (0..rng.below(12)).filter_map(|_| rng.pick(b"abcdef\r\n").copied()).collect();
        inline_row(trace, &buffer, &lab::Limits { inline: 8, ..lab::Limits::DEFAULT });
    }
    Ok(())
}
