/// Redis's glob patterns over configuration names: `*`, `?`, `[a-c]`, `[^x]`, `\` for the next
/// character as it is. Letters match in either case.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let Some((&first, rest)) = pattern.split_first() else { return text.is_empty() };
    match first {
        b'*' => {
            let rest = &pattern[pattern.iter().take_while(|&&byte| byte == b'*').count()..];
            (0..=text.len()).any(|skipped| matches(rest, &text[skipped..]))
        }
        b'?' => text.split_first().is_some_and(|(_, text)| matches(rest, text)),
        b'[' => {
            let Some((&byte, text)) = text.split_first() else { return false };
            let (found, rest) = class(rest, byte.to_ascii_lowercase());
            found && matches(rest, text)
        }
        _ => {
            let (wanted, rest) = match (first, rest.split_first()) {
                (b'\\', Some((&escaped, rest))) => (escaped, rest),
                _ => (first, rest),
            };
            text.split_first()
                .is_some_and(|(byte, text)| byte.eq_ignore_ascii_case(&wanted) && matches(rest, text))
        }
    }
}

/// Reads a class behind its `[`: whether it holds `byte`, and what follows it. A class that is never
/// closed ends with the pattern.
fn class(mut pattern: &[u8], byte: u8) -> (bool, &[u8]) {
    let inverted = pattern.first() == Some(&b'^');
    pattern = &pattern[usize::from(inverted)..];
    let mut found = false;
    loop {
        match *pattern {
            [] => break,
            [b']', ..] => {
                pattern = &pattern[1..];
                break;
            }
            [b'\\', escaped, ..] => {
                found |= escaped.to_ascii_lowercase() == byte;
                pattern = &pattern[2..];
            }
            [from, b'-', to, ..] => {
                let (from, to) = (from.to_ascii_lowercase(), to.to_ascii_lowercase());
                found |= (from.min(to)..=from.max(to)).contains(&byte);
                pattern = &pattern[3..];
            }
            [one, ..] => {
                found |= one.to_ascii_lowercase() == byte;
                pattern = &pattern[1..];
            }
        }
    }
    (found != inverted, pattern)
}
