/// True if `text` matches `pattern`, as `KEYS`, `SCAN MATCH` and `PSUBSCRIBE` understand patterns.
///
/// `*` stands for any bytes, `?` for one, `[abc]`, `[a-z]` and `[^a]` for one of (or outside) a set, and
/// `\` takes the next byte as it is. A set that is never closed ends with the pattern.
///
/// Every element but `*` takes exactly one byte. So when the rest does not match, it is enough to let
/// the *last* star take one byte more: no earlier star could do better. The work is at most the product
/// of the two lengths, whatever the pattern; Redis 7.0 tries every star against every other, and a
/// client can keep it busy for minutes with `KEYS a*a*a*a*a*b`.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the pattern goes on behind the last star, and where in the text that star ends so far.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            star = Some((p, t));
            continue;
        }
        if t == text.len() && p == pattern.len() {
            return true;
        }
        if let Some(&byte) = text.get(t)
            && p < pattern.len()
            && let Some(next) = match_one(pattern, p, byte)
        {
            p = next;
            t += 1;
            continue;
        }
        match star {
            Some((behind, end)) if end < text.len() => {
                star = Some((behind, end + 1));
                (p, t) = (behind, end + 1);
            }
            _ => return false,
        }
    }
}

/// Matches `byte` with the element at `p`; returns where the next element begins.
fn match_one(pattern: &[u8], p: usize, byte: u8) -> Option<usize> {
    match pattern[p] {
        b'?' => Some(p + 1),
        b'[' => match_set(pattern, p + 1, byte),
        b'\\' if p + 1 < pattern.len() => (pattern[p + 1] == byte).then_some(p + 2),
        literal => (literal == byte).then_some(p + 1),
    }
}

/// Matches `byte` with the set that begins at `p`, just behind its bracket.
fn match_set(pattern: &[u8], mut p: usize, byte: u8) -> Option<usize> {
    let negated = pattern.get(p) == Some(&b'^');
    p += usize::from(negated);
    let mut found = false;
    loop {
        match pattern.get(p..).unwrap_or_default() {
            [b'\\', escaped, ..] => {
                found |= *escaped == byte;
                p += 2;
            }
            [b']', ..] => {
                p += 1;
                break;
            }
            [] => break,
            [from, b'-', to, ..] => {
                found |= (*from.min(to)..=*from.max(to)).contains(&byte);
                p += 3;
            }
            [literal, ..] => {
                found |= *literal == byte;
                p += 1;
            }
        }
    }
    (found != negated).then_some(p)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("h?llo", "hello", true),
            ("h*llo", "heeeello", true),
            ("h*llo", "hllo", true),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h\\?llo", "h?llo", true),
            ("h\\?llo", "hello", false),
            ("a\\", "a\\", true),
            ("[abc", "b", true),
            ("[abc", "d", false),
            ("[]", "a", false),
            ("[^]", "a", true),
            ("[a\\]]", "]", true),
            ("[a-]", "-", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxaxxbxx", false),
            ("a**", "a", true),
            ("foo:*", "foo", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_one() {
        let pattern = "a*".repeat(200) + "b";
        assert!(!matches(pattern.as_bytes(), "a".repeat(5000).as_bytes()));
    }
}
