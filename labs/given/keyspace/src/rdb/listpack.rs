use crate::packed::Item;

/// The elements of a Redis listpack, checked one by one.
///
/// A listpack is its size in bytes (32 bits), its number of elements (16 bits, all ones if there are more
/// than they can say), the elements and a byte 0xff. An element is an encoding with the number or the
/// length of the text in it, the text, and the size of both again, for a reader that walks backward.
///
/// Everything the bytes claim is compared with what is there; an error says what is wrong, and ends the
/// iteration. `listpack::elements(blob)?` then `item?` for each is all a caller needs.
pub(super) struct Elements<'a> {
    rest: &'a [u8],
    seen: usize,
    claimed: usize,
    failed: bool,
}

const HEADER: usize = 6;
const END: u8 = 0xff;
/// As many elements or more are not counted.
const UNCOUNTED: usize = 0xffff;

/// Looks at the frame and returns the elements.
pub(super) fn elements(blob: &[u8]) -> Result<Elements<'_>, &'static str> {
    let Some((total, rest)) = blob.split_first_chunk::<4>() else { return Err("no header") };
    let Some((count, rest)) = rest.split_first_chunk::<2>() else { return Err("no header") };
    if u32::from_le_bytes(*total) as usize != blob.len() || blob.len() <= HEADER {
        return Err("wrong size in the header");
    }
    let Some((&END, rest)) = rest.split_last() else { return Err("no end") };
    Ok(Elements { rest, seen: 0, claimed: usize::from(u16::from_le_bytes(*count)), failed: false })
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Item<'a>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.rest.is_empty() {
            if self.claimed == self.seen || self.claimed == UNCOUNTED {
                return None;
            }
            self.failed = true;
            return Some(Err("wrong number of elements in the header"));
        }
        let Some((item, size)) = element(self.rest) else {
            self.failed = true;
            return Some(Err("an element that is cut off or has no valid encoding"));
        };
        self.seen += 1;
        match self.rest[size..].get(..back_width(size)) {
            Some(back) if back_size(back) == Some(size) => {
                self.rest = &self.rest[size + back.len()..];
                Some(Ok(item))
            }
            _ => {
                self.failed = true;
                Some(Err("an element whose size backward is wrong"))
            }
        }
    }
}

/// The element at the beginning, and the size of its encoding and text.
fn element(bytes: &[u8]) -> Option<(Item<'_>, usize)> {
    let (&head, rest) = bytes.split_first()?;
    let text = |skip: usize, length: usize| {
        let text = rest.get(skip..skip.checked_add(length)?)?;
        Some((Item::new(text), 1 + skip + length))
    };
    let number = |width: usize| Some((Item::Int(little_endian(rest.get(..width)?)), 1 + width));
    match head {
        0x00..=0x7f => Some((Item::Int(i64::from(head)), 1)),
        0x80..=0xbf => text(0, usize::from(head & 0x3f)),
        0xc0..=0xdf => {
            let bits = u16::from(head & 0x1f) << 8 | u16::from(*rest.first()?);
            // Thirteen bits, the topmost of which is the sign.
            Some((Item::Int(i64::from((bits << 3) as i16 >> 3)), 2))
        }
        0xe0..=0xef => text(1, usize::from(head & 0x0f) << 8 | usize::from(*rest.first()?)),
        0xf0 => text(4, u32::from_le_bytes(*rest.first_chunk()?) as usize),
        0xf1 => number(2),
        0xf2 => number(3),
        0xf3 => number(4),
        0xf4 => number(8),
        _ => None,
    }
}

/// Up to eight little-endian bytes in two's complement.
pub(super) fn little_endian(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(whole)
}

/// How many bytes the size backward takes. The bounds are Redis's, who gives one value less to each width
/// than would fit (`lpEncodeBacklen`).
fn back_width(size: usize) -> usize {
    match size {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    }
}

/// Seven bits to a byte, highest first; all but the first have the top bit set.
fn back_size(bytes: &[u8]) -> Option<usize> {
    let mut size = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if (byte & 0x80 != 0) != (index > 0) {
            return None;
        }
        size = size << 7 | usize::from(byte & 0x7f);
    }
    Some(size)
}
