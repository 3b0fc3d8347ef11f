// 1.1 and 1.2: what the replica says first, and what it makes of the answers.

/// Plays the handshake with a master that gives `replies` in turn, until the answer decides to
/// synchronise or to give up, or the replies run out.
fn converse(
    trace: &mut Trace,
    config: &LinkConfig,
    mut reply: impl FnMut(Step) -> &'static str,
) -> Result<(), Broken> {
    const LONGEST: usize = 6;
    let mut step = Step::Ping;
    for _ in 0..LONGEST {
        let command = lab::command(step, config);
        let at = later(trace);
        trace.message(at, "replica", "master", show_command(command.as_args().iter()));
        let line = reply(step);
        let at = later(trace);
        trace.message(at, "master", "replica", line);
        let next = lab::on_reply(step, line.as_bytes(), config);
        let state = match next {
            Next::Send(to) => format!("Handshake({to:?})"),
            Next::Synchronise => "Transfer".into(),
            Next::GiveUp => "Waiting".into(),
        };
        trace.state(at, "replica", format!("Handshake({step:?}) ⇨ {state}"));
        match next {
            Next::Send(to) => step = to,
            Next::Synchronise | Next::GiveUp => return Ok(()),
        }
    }
    Err(Broken::new(
        "The handshake has six steps at the most, each of them once.",
        format!("after {LONGEST} replies it still goes on, with {step:?}"),
    ))
}

fn with_password() -> LinkConfig {
    LinkConfig { password: Some("sesame".into()), ..LinkConfig::default() }
}

fn six_steps(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "six steps".into();
    trace.host("replica");
    heading(trace, "a master that agrees to everything");
    converse(trace, &LinkConfig { listening_port: 7001, ..LinkConfig::default() }, |step| match step {
        Step::Ping => "+PONG",
        Step::Psync => "+FULLRESYNC 8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb 0",
        _ => "+OK",
    })?;
    heading(trace, "a master with a password; the replica has an address to announce");
    let config = LinkConfig {
        user: Some("replica".into()),
        announce_ip: Some("10.0.0.7".into()),
        listening_port: 7001,
        ..with_password()
    };
    converse(trace, &config, |step| match step {
        Step::Ping => "-NOAUTH Authentication required.",
        Step::Psync => "+FULLRESYNC 8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb 0",
        _ => "+OK",
    })?;
    heading(trace, "an old master, which knows no REPLCONF");
    converse(trace, &LinkConfig { announce_ip: Some("10.0.0.7".into()), ..LinkConfig::default() }, |step| {
        match step {
            Step::Ping => "+PONG",
            Step::Psync => "-LOADING Redis is loading the dataset in memory",
            _ => "-ERR unknown command 'REPLCONF'",
        }
    })?;
    heading(trace, "this user may not PING");
    converse(trace, &with_password(), |step| match step {
        Step::Ping => "-NOPERM this user has no permissions to run the 'ping' command",
        Step::Psync => "-ERR unknown command 'PSYNC'",
        _ => "+OK",
    })?;
    heading(trace, "the wrong password");
    converse(trace, &with_password(), |step| match step {
        Step::Ping => "-NOAUTH Authentication required.",
        _ => "-WRONGPASS invalid username-password pair or user is disabled.",
    })?;
    heading(trace, "a master that may not be spoken to now");
    converse(trace, &LinkConfig::default(), |_| "-MASTERDOWN Link with MASTER is down")?;
    heading(trace, "something else listens on that port");
    converse(trace, &LinkConfig::default(), |_| "HTTP/1.1 400 Bad Request")
}

fn six_steps_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.host("replica");
    let config = LinkConfig {
        user: rng.chance(30).then(|| "replica".into()),
        password: rng.chance(50).then(|| "sesame".into()),
        announce_ip: rng.chance(50).then(|| "10.0.0.7".into()),
        ..LinkConfig::default()
    };
    const PINGED: [&str; 9] = [
        "+PONG",
        "+PONG",
        "-NOAUTH Authentication required.",
        "-NOPERM no permissions",
        "-ERR operation not permitted",
        "-ERR unknown command 'PING'",
        "-LOADING Redis is loading the dataset in memory",
        "$4",
        "",
    ];
    const ANSWERS: [&str; 6] =
        ["+OK", "+OK", "+OK", ":1", "-ERR unknown command", "-NOAUTH Authentication required."];
    converse(trace, &config, |step| match step {
        Step::Ping => rng.pick(&PINGED).expect("it has elements"),
        _ => rng.pick(&ANSWERS).expect("it has elements"),
    })
}

const ID: &str = "8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb";

fn read_psync_reply(trace: &mut Trace, line: &str) {
    let read = match lab::parse_psync_reply(line.as_bytes()) {
        PsyncReply::FullResync { id, offset } => format!("a full synchronisation: {id} at {offset}"),
        PsyncReply::Continue { id: Some(id) } => format!("the stream goes on, under the name {id}"),
        PsyncReply::Continue { id: None } => "the stream goes on".into(),
        PsyncReply::TryLater => "try later".into(),
        PsyncReply::KeepAlive => "still there".into(),
        PsyncReply::Refused => "refused".into(),
    };
    trace.call(format!("\"{}\"", line.replace(ID, "<id>")), read.replace(ID, "<id>"));
}

fn psync_replies(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "answers to PSYNC".into();
    trace.timeless = true;
    for line in [
        &format!("+FULLRESYNC {ID} 0"),
        &format!("+FULLRESYNC {ID} 1234"),
        &format!("+FULLRESYNC {ID} 18446744073709551615"),
        &format!("+FULLRESYNC {ID} 18446744073709551616"),
        &format!("+FULLRESYNC {ID} -1"),
        &format!("+FULLRESYNC {ID} +7"),
        &format!("+FULLRESYNC {ID} 12ab"),
        &format!("+FULLRESYNC {ID}"),
        "+FULLRESYNC abc 1234",
        "+FULLRESYNC",
        "+CONTINUE",
        &format!("+CONTINUE {ID}"),
        "-NOMASTERLINK Can't SYNC while not connected with my master",
        "-LOADING Redis is loading the dataset in memory",
        "",
        "-ERR unknown command 'PSYNC'",
        "-NOAUTH Authentication required.",
        "+OK",
        "$99",
    ] {
        read_psync_reply(trace, line);
    }
    Ok(())
}

fn psync_replies_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let mut rng = Rng::new(seed);
    trace.timeless = true;
    let id = ReplId::random(&mut rng).to_string();
    let cut = rng.below(41) as usize;
    let offset = rng.next_u64() >> rng.below(64);
    let mut line = match rng.below(6) {
        0 | 1 => format!("+FULLRESYNC {id} {offset}"),
        2 => format!("+FULLRESYNC {} {offset}", &id[..cut]),
        3 => format!("+CONTINUE {id}"),
        4 => format!("-LOADING {id}"),
        _ => format!("-NOMASTERLINK {id}"),
    };
    if rng.chance(10) {
        line.insert(0, '-');
    }
    read_psync_reply(trace, &line);
    Ok(())
}
