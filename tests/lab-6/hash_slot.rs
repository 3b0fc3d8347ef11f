// 6.4 and 6.5: from a key to its slot.

fn checksum(trace: &mut Trace, bytes: &[u8]) {
    trace.call(format!("crc16 of {}", shown(bytes)), format!("{:#06x}", lab::crc16_by_hand(bytes)));
}

fn checksums(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "checksums");
    for bytes in [&b""[..], b"\0", b"\x01", b"\x80", b"\xff", b"\x01\0", b"\0\x01", b"A", b"AA", b"123456789"]
    {
        checksum(trace, bytes);
    }
    checksum(trace, &[b'x'; MEGABYTE]);
    Ok(())
}

fn checksums_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "checksums");
    let mut rng = Rng::new(seed);
    let bytes: Vec<u8> = (0..rng.below(40)).map(|_| rng.below(256) as u8).collect();
    checksum(trace, &bytes);
    // The crate is asked too, so that whoever mends both sides at once is still told.
    let by_table = crc16::State::<crc16::XMODEM>::calculate(&bytes);
    if lab::crc16_by_hand(&bytes) != by_table {
        let detail = format!("{} has {by_table:#06x} by the crate's table", shown(&bytes));
        return Err(Broken::new("By hand and by table are the same checksum.", detail));
    }
    Ok(())
}

fn tagged(trace: &mut Trace, key: &[u8]) {
    trace.call(format!("of {} is hashed", shown(key)), shown(lab::hash_tag(key, lab::BRACES)));
    trace.call(format!("slot of {}", shown(key)), lab::key_slot(key).to_string());
}

fn slots(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "slots");
    for key in
        ["key:test:2", "num", "{itcast}num", "", "cart:{7}:lines", "{7}", "{}", "{}{x}", "{x}{y}", "{a}b}"]
    {
        tagged(trace, key.as_bytes());
    }
    for key in ["}{a}", "{{a}}", "{a{b}c}", "{a", "a}", "{", "}", "a{", "{ }", "{}}"] {
        tagged(trace, key.as_bytes());
    }
    for key in [&b"{\0}"[..], b"\xff{\xfe}\xfd", "{ключ}".as_bytes()] {
        tagged(trace, key);
    }
    let mut long = vec![b'{'; MEGABYTE];
    tagged(trace, &long);
    long.push(b'}');
    tagged(trace, &long);
    long[1..].fill(b'}');
    tagged(trace, &long);
    trace.note(Millis::ZERO, None, "an operator has chosen other characters");
    for (key, characters) in [("{a}[b]", *b"[]"), ("%a%b%", *b"%%"), ("{a}", *b"[]"), ("a>b<c", *b"<>")] {
        let told = format!("of {} is hashed, between {}", shown(key.as_bytes()), shown(&characters));
        trace.call(told, shown(lab::hash_tag(key.as_bytes(), characters)));
    }
    Ok(())
}

fn slots_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "slots");
    let mut rng = Rng::new(seed);
    for _ in 0..4 {
        let key: Vec<u8> = (0..rng.below(12)).map(|_| b"{}{}ab"[rng.below(6) as usize]).collect();
        tagged(trace, &key);
    }
    Ok(())
}
