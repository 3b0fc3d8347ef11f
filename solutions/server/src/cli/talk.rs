//! What a command is to the client: how its replies come, and how they are shown.

/// What kind of conversation a command begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Talk {
    /// One reply.
    Reply,
    /// Pushes, for ever.
    Subscribe,
    /// Pushes, one for each name that is given up.
    Unsubscribe,
    /// Replies, for ever.
    Monitor,
}

impl Talk {
    pub(super) fn of(command: &[Vec<u8>]) -> Talk {
        match command[0].to_ascii_lowercase().as_slice() {
            b"subscribe" | b"psubscribe" | b"ssubscribe" => Talk::Subscribe,
            b"unsubscribe" | b"punsubscribe" | b"sunsubscribe" => Talk::Unsubscribe,
            b"monitor" => Talk::Monitor,
            _ => Talk::Reply,
        }
    }
}

/// Its answer is the connection's end, unless it is refused.
pub(super) fn ends_the_server(command: &[Vec<u8>]) -> bool {
    command[0].eq_ignore_ascii_case(b"shutdown")
}

/// `5 INCR x` runs five times: takes the number away and returns it.
pub(super) fn take_repetition(command: &mut Vec<Vec<u8>>) -> u32 {
    let number = command.first().and_then(|first| std::str::from_utf8(first).ok()?.parse().ok());
    match number {
        Some(times) if command.len() > 1 => {
            command.remove(0);
            times
        }
        _ => 1,
    }
}

/// Commands whose reply is a text that is shown as it is.
pub(super) fn is_text_for_people(command: &[Vec<u8>]) -> bool {
    let word = |index: usize| command.get(index).map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    match (word(0).as_slice(), word(1).as_slice()) {
        (b"info" | b"lolwut", _) => true,
        (b"memory", b"malloc-stats" | b"doctor") | (b"client", b"list" | b"info") => true,
        (b"cluster", b"nodes" | b"info") => command.len() == 2,
        (b"latency", b"graph") => command.len() == 3,
        (b"latency", b"doctor") => command.len() == 2,
        _ => false,
    }
}
