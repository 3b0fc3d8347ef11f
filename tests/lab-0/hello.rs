// 0.9: HELLO.

fn hello_row(trace: &mut Trace, words: &[&str]) {
    // One buffer with the words behind each other, as a decoder leaves them.
    let buffer = words.concat();
    let mut start = 0;
    let mut spans = Vec::new();
    for word in words {
        spans.push(Span { start, end: start + word.len() });
        start += word.len();
    }
    let args = Args::new(buffer.as_bytes(), &spans);
    let shown = match lab::parse_hello(args) {
        Err(error) => format!("-{error}"),
        Ok(hello) => {
            let protocol = match hello.protocol {
                None => "protocol as it is",
                Some(Protocol::Resp2) => "RESP2",
                Some(Protocol::Resp3) => "RESP3",
            };
            let mut parts = vec![protocol.to_string()];
            if let Some((user, password)) = hello.auth {
                parts.push(format!("user {}, password {}", quoted(user), quoted(password)));
            }
            if let Some(name) = hello.name {
                parts.push(format!("name {}", quoted(name)));
            }
            parts.join(", ")
        }
    };
    trace.call(show_command(args.iter()), shown);
}

fn hellos(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("HELLO");
    for line in [
        "HELLO",
        "HELLO 2",
        "HELLO 3",
        "HELLO 1",
        "HELLO 4",
        "HELLO -3",
        "HELLO three",
        "HELLO AUTH default secret",
        "HELLO 3 AUTH default secret",
        "HELLO 3 SETNAME worker-1",
        "HELLO 3 AUTH default secret SETNAME worker-1",
        "HELLO 3 setname worker-1 Auth default secret",
        "HELLO 3 AUTH default",
        "HELLO 3 AUTH",
        "HELLO 3 SETNAME",
        "HELLO 3 COLOUR blue",
        "HELLO 4 COLOUR blue",
        "HELLO 3 AUTH AUTH SETNAME",
        "HELLO 3 SETNAME AUTH",
        "HELLO 3 SETNAME a SETNAME b",
        "HELLO 3 AUTH a b c",
    ] {
        hello_row(trace, &line.split(' ').collect::<Vec<_>>());
    }
    hello_row(trace, &["HELLO", "3", "SETNAME", "two words"]);
    hello_row(trace, &["HELLO", "3", "SETNAME", "line\nbreak"]);
    hello_row(trace, &["HELLO", "3", "SETNAME", "caf\u{e9}"]);
    hello_row(trace, &["HELLO", "3", "SETNAME", ""]);
    hello_row(trace, &["HELLO", "3", "AUTH", "default", "any bytes \u{e9}\n"]);
    Ok(())
}

fn random_hellos(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::table("HELLO");
    let mut rng = Rng::new(seed);
    for _ in 0..20 {
        let mut words = vec!["HELLO"];
        words.extend(rng.pick(&["2", "3", "3", "3", "4"]));
        for _ in 0..rng.below(6) {
            words.extend(rng.pick(&["AUTH", "auth", "SETNAME", "SetName", "a", "b", "a b"]));
        }
        hello_row(trace, &words);
    }
    Ok(())
}
