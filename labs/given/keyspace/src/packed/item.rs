//! One element: how it is written and read. The layout is in [`Packed`](super::Packed).

use std::fmt;

use crate::number::parse_i64;
use crate::value::Digits;

/// An element of a [`Packed`](super::Packed).
///
/// [`Item::new`] decides which of the two a text is; a text that could be a number must not be handed
/// over as [`Item::Bytes`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// The canonical decimal form of this number.
    Int(i64),
    /// Anything else.
    Bytes(&'a [u8]),
}

impl<'a> Item<'a> {
    /// What `text` is: a number, if its canonical form is one.
    #[inline]
    pub fn new(text: &'a [u8]) -> Item<'a> {
        match parse_i64(text) {
            Some(number) => Item::Int(number),
            None => Item::Bytes(text),
        }
    }

    /// The text. A number is written into `digits` first.
    #[inline]
    pub fn as_bytes<'b>(&'b self, digits: &'b mut Digits) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Item::Int(number) => digits.write(*number),
            Item::Bytes(bytes) => bytes,
        }
    }

    /// A copy of the text.
    pub fn to_vec(&self) -> Vec<u8> {
        self.as_bytes(&mut Digits::default()).to_vec()
    }

    /// Length of the text in bytes.
    pub fn text_len(&self) -> usize {
        self.as_bytes(&mut Digits::default()).len()
    }

    /// How many bytes head and body take.
    fn size(&self) -> usize {
        match self {
            Item::Int(0..=MAX_SMALL) => 1,
            Item::Int(number) => 1 + int_width(*number),
            Item::Bytes(bytes) if bytes.len() <= MAX_SHORT => 1 + bytes.len(),
            Item::Bytes(bytes) => 1 + length_width(bytes.len()) + bytes.len(),
        }
    }

    /// How many bytes it takes in a [`Packed`](super::Packed).
    pub fn packed_size(&self) -> usize {
        let size = self.size();
        size + tail_width(size)
    }

    /// Writes head, body and tail, which together fill `out`.
    pub(super) fn write(&self, out: &mut [u8]) {
        let size = self.size();
        match self {
            Item::Int(number @ 0..=MAX_SMALL) => out[0] = SMALL + *number as u8,
            Item::Int(number) => {
                out[0] = INT + (size - 1) as u8;
                out[1..size].copy_from_slice(&number.to_le_bytes()[..size - 1]);
            }
            Item::Bytes(bytes) if bytes.len() <= MAX_SHORT => {
                out[0] = bytes.len() as u8;
                out[1..size].copy_from_slice(bytes);
            }
            Item::Bytes(bytes) => {
                let width = length_width(bytes.len());
                out[0] = LONG + width as u8;
                out[1..1 + width].copy_from_slice(&bytes.len().to_le_bytes()[..width]);
                out[1 + width..size].copy_from_slice(bytes);
            }
        }
        let mut rest = size;
        for (index, byte) in out[size..].iter_mut().enumerate().rev() {
            *byte = (rest & 0x7f) as u8 | if index > 0 { 0x80 } else { 0 };
            rest >>= 7;
        }
    }
}

impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Int(number) => write!(f, "{number}"),
            Item::Bytes(bytes) => write!(f, "{:?}", core_types::show_bytes(bytes)),
        }
    }
}

/// The longest text whose length is its head.
const MAX_SHORT: usize = 0x7f;
/// The largest number that is its head.
const MAX_SMALL: i64 = 0x5f;
const SMALL: u8 = 0x80;
const INT: u8 = 0xe0;
const LONG: u8 = 0xf0;

/// The fewest bytes that hold `number` in two's complement.
fn int_width(number: i64) -> usize {
    let magnitude = if number < 0 { !number } else { number };
    (65 - magnitude.leading_zeros() as usize).div_ceil(8)
}

fn length_width(length: usize) -> usize {
    assert!(u32::try_from(length).is_ok(), "a text of 4 GiB or more does not belong here");
    (usize::BITS as usize - length.leading_zeros() as usize).div_ceil(8)
}

pub(super) fn tail_width(size: usize) -> usize {
    if size < 1 << 7 { 1 } else { (usize::BITS as usize - size.leading_zeros() as usize).div_ceil(7) }
}

/// Up to eight little-endian bytes as a number without sign.
fn unsigned(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(whole)
}

/// The element at `at`, and how many bytes its head and body take.
#[inline]
pub(super) fn read(bytes: &[u8], at: usize) -> (Item<'_>, usize) {
    let head = bytes[at];
    let rest = &bytes[at + 1..];
    match head {
        0..SMALL => (Item::Bytes(&rest[..usize::from(head)]), 1 + usize::from(head)),
        SMALL..INT => (Item::Int(i64::from(head - SMALL)), 1),
        INT..LONG => {
            let width = usize::from(head - INT);
            let shift = 64 - 8 * width as u32;
            // Up and down again: the sign bit of the short number fills what is above.
            (Item::Int((unsigned(&rest[..width]) << shift) as i64 >> shift), 1 + width)
        }
        LONG.. => {
            let width = usize::from(head - LONG);
            let length = unsigned(&rest[..width]) as usize;
            (Item::Bytes(&rest[width..width + length]), 1 + width + length)
        }
    }
}

/// How many bytes the element in front of `end` takes.
#[inline]
pub(super) fn size_before(bytes: &[u8], end: usize) -> usize {
    let (mut size, mut shift, mut tail) = (0usize, 0, 1);
    loop {
        let byte = bytes[end - tail];
        size |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return size + tail;
        }
        shift += 7;
        tail += 1;
    }
}
