// 4.3: what a hello says.

fn read_hello(trace: &mut Trace, text: &str) {
    let answer = match Hello::parse(text) {
        Ok(hello) => format!(
            "{} at {}, epoch {}; {} is at {}, epoch {}",
            letter(&hello.id),
            hello.from,
            hello.current_epoch,
            hello.master_name,
            hello.master,
            hello.config_epoch
        ),
        Err(error) => format!("none: {error}"),
    };
    trace.call(text.replace(&"a".repeat(40), "<40 × a>"), answer);
}

fn hellos(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "hellos");
    let a = "a".repeat(40);
    for text in [
        format!("10.0.0.1,26379,{a},7,mymaster,10.0.0.9,6379,5"),
        format!("sentinel-1.example,26379,{a},0,my master,db.example,6379,0"),
        format!("10.0.0.1,26379,{a},7,mymaster,10.0.0.9,6379"),
        format!("10.0.0.1,26379,{a},7,mymaster,10.0.0.9,6379,5,more"),
        String::new(),
        format!("10.0.0.1,0,{a},7,mymaster,10.0.0.9,6379,5"),
        format!("10.0.0.1,65536,{a},7,mymaster,10.0.0.9,6379,5"),
        format!("10.0.0.1,-1,{a},7,mymaster,10.0.0.9,6379,5"),
        format!("10.0.0.1,26379,{a},7,mymaster,10.0.0.9,0,5"),
        format!("10.0.0.1,26379,{a}a,7,mymaster,10.0.0.9,6379,5"),
        "10.0.0.1,26379,,7,mymaster,10.0.0.9,6379,5".into(),
        format!("10.0.0.1,26379,{a},seven,mymaster,10.0.0.9,6379,5"),
        format!("10.0.0.1,26379,{a},-7,mymaster,10.0.0.9,6379,5"),
        format!("10.0.0.1,26379,{a},7,mymaster,10.0.0.9,6379,"),
        format!("10.0.0.1,26379,{a},18446744073709551615,mymaster,10.0.0.9,6379,5"),
        format!("10.0.0.1,26379,{a},18446744073709551616,mymaster,10.0.0.9,6379,5"),
        // More than one is wrong: the first from the left is told.
        format!("10.0.0.1,0,{a}a,seven,mymaster,10.0.0.9,0,5"),
        format!("10.0.0.1,26379,{a}a,seven,mymaster,10.0.0.9,0,5"),
        format!("10.0.0.1,26379,{a},seven,mymaster,10.0.0.9,0,5"),
        format!("10.0.0.1,26379,{a},7,mymaster,10.0.0.9,0,five"),
    ] {
        read_hello(trace, &text);
    }
    Ok(())
}

fn hello_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "hellos");
    let mut rng = Rng::new(seed);
    let endpoint =
        |rng: &mut Rng| Endpoint::new(format!("10.0.0.{}", rng.below(256)), rng.between(1, 65_535) as u16);
    let hello = Hello {
        from: endpoint(&mut rng),
        id: id('a'),
        current_epoch: Epoch(rng.next_u64() >> rng.below(64)),
        master_name: "mymaster".into(),
        master: endpoint(&mut rng),
        config_epoch: Epoch(rng.next_u64() >> rng.below(64)),
    };
    let text = hello.to_string();
    read_hello(trace, &text);
    match Hello::parse(&text) {
        Ok(read) if read == hello => {}
        other => {
            return Err(Broken::new(
                "What one sentinel writes, the other reads.",
                format!("{text} was read as {other:?}"),
            ));
        }
    }
    // One field is spoilt.
    let mut fields: Vec<String> = text.split(',').map(String::from).collect();
    let field = rng.below(8) as usize;
    let spoilt = ["", "x", "-1", "65536", "1,2"][rng.below(5) as usize];
    if field != 0 && field != 4 && field != 5 {
        fields[field] = spoilt.into();
        if !(matches!(field, 3 | 7) && spoilt == "65536") {
            read_hello(trace, &fields.join(","));
        }
    }
    Ok(())
}
