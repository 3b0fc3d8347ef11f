use super::listpack::little_endian;
use crate::packed::Item;

/// The elements of a ziplist, the form that Redis used before the listpack (until 7.0), checked one by one.
///
/// A ziplist is its size in bytes and the place of its last element (32 bits each), its number of elements
/// (16 bits, all ones if there are more than they can say), the elements and a byte 0xff. Each element
/// begins with the size of the one before it. Usage as of `listpack::elements`.
pub(super) struct Elements<'a> {
    blob: &'a [u8],
    at: usize,
    /// Size of the element in front of `at`.
    before: usize,
    seen: usize,
    failed: bool,
}

const HEADER: usize = 10;
const END: u8 = 0xff;
const UNCOUNTED: usize = 0xffff;

/// Looks at the frame and returns the elements.
pub(super) fn elements(blob: &[u8]) -> Result<Elements<'_>, &'static str> {
    if blob.len() <= HEADER || word(blob, 0) != blob.len() {
        return Err("wrong size in the header");
    }
    if blob.last() != Some(&END) {
        return Err("no end");
    }
    Ok(Elements { blob, at: HEADER, before: 0, seen: 0, failed: false })
}

fn word(blob: &[u8], at: usize) -> usize {
    u32::from_le_bytes([blob[at], blob[at + 1], blob[at + 2], blob[at + 3]]) as usize
}

impl<'a> Elements<'a> {
    fn take(&mut self) -> Result<Option<Item<'a>>, &'static str> {
        let (body, end) = (&self.blob[..self.blob.len() - 1], self.blob.len() - 1);
        if self.at == end {
            let claimed = usize::from(u16::from_le_bytes([self.blob[8], self.blob[9]]));
            if claimed != self.seen && claimed != UNCOUNTED {
                return Err("wrong number of elements in the header");
            }
            if word(self.blob, 4) != self.at - self.before {
                return Err("wrong place of the last element in the header");
            }
            return Ok(None);
        }
        const CUT: &str = "an element that is cut off or has no valid encoding";
        let rest = &body[self.at..];
        let (before, width) = match rest {
            [0xfe, rest @ ..] => (u32::from_le_bytes(*rest.first_chunk().ok_or(CUT)?) as usize, 5),
            [size, ..] => (usize::from(*size), 1),
            [] => return Err(CUT),
        };
        if before != self.before {
            return Err("an element whose size backward is wrong");
        }
        let (item, size) = element(&rest[width..]).ok_or(CUT)?;
        self.before = width + size;
        self.at += self.before;
        self.seen += 1;
        Ok(Some(item))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Item<'a>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let taken = self.take();
        self.failed = taken.is_err();
        taken.transpose()
    }
}

/// The element behind its backward size, and how many bytes it takes.
fn element(bytes: &[u8]) -> Option<(Item<'_>, usize)> {
    let (&head, rest) = bytes.split_first()?;
    let text = |skip: usize, length: usize| {
        let text = rest.get(skip..skip.checked_add(length)?)?;
        Some((Item::new(text), 1 + skip + length))
    };
    let number = |width: usize| Some((Item::Int(little_endian(rest.get(..width)?)), 1 + width));
    match head {
        0x00..=0x3f => text(0, usize::from(head)),
        0x40..=0x7f => text(1, usize::from(head & 0x3f) << 8 | usize::from(*rest.first()?)),
        0x80..=0xbf => text(4, u32::from_be_bytes(*rest.first_chunk()?) as usize),
        0xc0 => number(2),
        0xd0 => number(4),
        0xe0 => number(8),
        0xf0 => number(3),
        0xfe => number(1),
        0xf1..=0xfd => Some((Item::Int(i64::from(head) - 0xf1), 1)),
        _ => None,
    }
}

/// A field and its value.
pub(super) type Pair<'a> = (&'a [u8], &'a [u8]);

/// The fields and values of a zipmap, the form that Redis used for short hashes until 2.6.
///
/// The number of fields (one byte, 254 or more if it cannot say), then field, value, field, value, and a
/// byte 0xff. Each is led by its length; between the length of a value and the value is a byte that says
/// how many bytes behind the value lie idle.
pub(super) fn zipmap(blob: &[u8]) -> Result<Vec<Pair<'_>>, &'static str> {
    const CUT: &str = "a zipmap that is cut off";
    let (&claimed, mut rest) = blob.split_first().ok_or(CUT)?;
    let mut pairs = Vec::new();
    loop {
        match rest {
            [END] => break,
            [] | [END, ..] => return Err(CUT),
            _ => {}
        }
        let field = zipmap_text(&mut rest, false).ok_or(CUT)?;
        let value = zipmap_text(&mut rest, true).ok_or(CUT)?;
        pairs.push((field, value));
    }
    if claimed < 254 && usize::from(claimed) != pairs.len() {
        return Err("wrong number of fields in a zipmap");
    }
    Ok(pairs)
}

fn zipmap_text<'a>(rest: &mut &'a [u8], value: bool) -> Option<&'a [u8]> {
    let (length, mut tail) = match *rest {
        [254, tail @ ..] => {
            let (length, tail) = tail.split_first_chunk::<4>()?;
            (u32::from_le_bytes(*length) as usize, tail)
        }
        [255, ..] | [] => return None,
        [length, tail @ ..] => (usize::from(*length), tail),
    };
    let mut idle = 0;
    if value {
        let (&count, behind) = tail.split_first()?;
        (idle, tail) = (usize::from(count), behind);
    }
    let (text, tail) = tail.split_at_checked(length)?;
    *rest = tail.get(idle..)?;
    Some(text)
}
