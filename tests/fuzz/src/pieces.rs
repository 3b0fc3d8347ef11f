use core_types::Rng;

/// Inputs up to this length are also tried byte by byte.
const SHORT: usize = 2048;

/// Cuts bytes into pieces. The cuts follow from the bytes, so that a finding is found again.
#[derive(Debug)]
pub struct Pieces<'a> {
    rest: &'a [u8],
    /// `None`: all at once.
    cuts: Option<(Rng, u64)>,
}

impl Pieces<'_> {
    /// Other bytes, cut in the same manner.
    pub fn of<'b>(&self, data: &'b [u8]) -> Pieces<'b> {
        Pieces { rest: data, cuts: self.cuts.clone() }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let length = match &mut self.cuts {
            None => self.rest.len(),
            Some((rng, longest)) => (rng.between(1, *longest) as usize).min(self.rest.len()),
        };
        let (piece, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(piece)
    }
}

/// Reads the same bytes at once, in small and in larger random pieces, and byte by byte if there are not too
/// many, and compares what comes of it. Returns what came of reading them at once.
///
/// # Panics
/// If it makes a difference how they arrive.
pub fn every_way<R: PartialEq + std::fmt::Debug>(data: &[u8], mut read: impl FnMut(Pieces<'_>) -> R) -> R {
    let at_once = read(Pieces { rest: data, cuts: None });
    let mut rng =
        Rng::new(data.iter().fold(7, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)));
    let larger = (data.len() as u64 / 4).max(2);
    let longest = [(data.len() <= SHORT).then_some(1), Some(9), Some(larger)];
    for longest in longest.into_iter().flatten() {
        let in_pieces = read(Pieces { rest: data, cuts: Some((rng.fork(), longest)) });
        assert_eq!(in_pieces, at_once, "at once (right), and in pieces of up to {longest} bytes (left)");
    }
    at_once
}
