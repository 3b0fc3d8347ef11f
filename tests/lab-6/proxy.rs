// 6.8: one command for several servers, and several replies for one client.

/// In these scenarios a key lives at the server that its last digit names; one without a digit at server 0.
fn server_of(key: &[u8]) -> usize {
    key.last().filter(|byte| byte.is_ascii_digit()).map_or(0, |byte| usize::from(byte - b'0'))
}

fn command(text: &str) -> ArgsBuf {
    ArgsBuf::from_parts(text.split(' '))
}

fn parts_shown(parts: &[Part]) -> String {
    let shown: Vec<String> = parts
        .iter()
        .map(|part| format!("server {} gets {:?} for {:?}", part.server, part.command, part.elements))
        .collect();
    shown.join("; ")
}

fn send(trace: &mut Trace, text: &str) {
    let answer = match lab::route(command(text).as_args(), server_of) {
        Route::Forward(server) => format!("as it is to server {server}"),
        Route::Split { join, parts } => format!("{join:?}: {}", parts_shown(&parts)),
        Route::Own => "answered by the proxy".into(),
        Route::Refuse(refusal) => format!("refused: {refusal:?}"),
    };
    trace.call(text, answer);
}

fn frame_shown(frame: &Frame) -> String {
    match frame {
        Frame::Simple(text) => format!("+{text}"),
        Frame::Error(text) => format!("-{text}"),
        Frame::Integer(number) => format!(":{number}"),
        Frame::Bulk(bytes) => show_bytes(bytes),
        Frame::Null => "nil".into(),
        Frame::Array(list) => format!("[{}]", list.iter().map(frame_shown).collect::<Vec<_>>().join(" ")),
        other => format!("{other:?}"),
    }
}

fn list(text: &str) -> Frame {
    let value = |word: &str| match word {
        "nil" => Frame::Null,
        word => Frame::Bulk(word.as_bytes().to_vec().into()),
    };
    Frame::Array(text.split_whitespace().map(value).collect())
}

/// Parts by their elements; what they were sent does not matter any more.
fn reply(trace: &mut Trace, how: Join, elements: &[&[usize]], replies: Vec<Frame>) {
    let parts: Vec<Part> = elements
        .iter()
        .enumerate()
        .map(|(server, elements)| Part { server, command: ArgsBuf::default(), elements: elements.to_vec() })
        .collect();
    let shown: Vec<String> = elements
        .iter()
        .zip(&replies)
        .map(|(elements, reply)| format!("{} for {elements:?}", frame_shown(reply)))
        .collect();
    let answer = frame_shown(&lab::join(how, &parts, replies));
    trace.call(format!("join {how:?}: {}", shown.join(", ")), answer);
}

fn routes(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "routes");
    for text in ["GET user1", "set user2 x", "PING", "KEYS *", "MULTI", "BLPOP list1 0", "GET", "NOSUCH key1"]
    {
        send(trace, text);
    }
    for text in [
        "RENAME a1 b1",
        "RENAME a1 b2",
        "SUNIONSTORE a2 b2 c2",
        "SUNIONSTORE a2 b2 c3",
        "EVAL return 2 a1 b2",
    ] {
        send(trace, text);
    }
    for text in ["MGET a1", "MGET a1 b1 c1", "MGET a1 b2", "mget a1 b2 c1 d2 e3", "MGET a2 a1 a2 a2"] {
        send(trace, text);
    }
    for text in [
        "DEL a1 b2",
        "EXISTS a1 a1 b2",
        "MSET a1 x b2 y c1 z",
        "MSET a1 x b1 y",
        "MSET a1 x b2",
        "MSETNX a1 x b2 y",
    ] {
        send(trace, text);
    }
    let (one, two) = (Frame::Integer(1), Frame::Integer(2));
    let ok = || Frame::Simple("OK".into());
    let error = |text: &str| Frame::Error(text.into());
    reply(trace, Join::List, &[&[0], &[1]], vec![list("a"), list("b")]);
    reply(trace, Join::List, &[&[0, 2], &[1, 3], &[4]], vec![list("a c"), list("b nil"), list("nil")]);
    reply(trace, Join::List, &[&[0], &[1]], vec![list("a"), error("LOADING wait")]);
    reply(trace, Join::List, &[&[0], &[1]], vec![error("ERR first"), error("ERR second")]);
    reply(trace, Join::List, &[&[0, 1], &[2]], vec![list("a"), list("c")]);
    reply(trace, Join::List, &[&[0], &[1]], vec![list("a"), list("b c")]);
    reply(trace, Join::List, &[&[0], &[1]], vec![list("a"), one.clone()]);
    reply(trace, Join::Sum, &[&[0, 2], &[1]], vec![two.clone(), one.clone()]);
    reply(trace, Join::Sum, &[&[0, 2], &[1]], vec![two, error("READONLY replica")]);
    reply(trace, Join::Sum, &[&[0], &[1]], vec![one.clone(), ok()]);
    reply(trace, Join::Status, &[&[0], &[1]], vec![ok(), ok()]);
    reply(trace, Join::Status, &[&[0], &[1]], vec![ok(), error("OOM no memory")]);
    reply(trace, Join::Status, &[&[0], &[1]], vec![ok(), one]);
    Ok(())
}

fn routes_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "routes");
    let mut rng = Rng::new(seed);
    let name = ["MGET", "DEL", "MSET", "SUNION", "PFCOUNT", "TOUCH"][rng.below(6) as usize];
    let mut text = name.to_string();
    for number in 0..rng.between(1, 7) {
        text += &format!(" k{}", rng.below(3));
        if name == "MSET" {
            text += &format!(" v{number}");
        }
    }
    send(trace, &text);
    let how = [Join::List, Join::Sum, Join::Status][rng.below(3) as usize];
    let elements: Vec<usize> = (0..rng.between(2, 6)).map(|_| rng.below(3) as usize).collect();
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for server in 0..3 {
        let mine: Vec<usize> = (0..elements.len()).filter(|&element| elements[element] == server).collect();
        if !mine.is_empty() {
            parts.push(mine);
        }
    }
    let mut replies = Vec::new();
    for part in &parts {
        let words: Vec<String> = part.iter().map(|element| format!("v{element}")).collect();
        replies.push(match how {
            _ if rng.chance(10) => Frame::Error("ERR a part failed".into()),
            _ if rng.chance(5) => Frame::Null,
            Join::List => list(&words.join(" ")),
            Join::Sum => Frame::Integer(rng.below(5) as i64),
            Join::Status => Frame::Simple("OK".into()),
        });
    }
    let views: Vec<&[usize]> = parts.iter().map(|part| &part[..]).collect();
    reply(trace, how, &views, replies);
    Ok(())
}
