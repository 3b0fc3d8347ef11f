use core_types::Rng;

/// Bytes that mean something to one of the formats, or lie at a border of a number.
const TELLING: &[u8] = b"\0\x01\x7f\x80\xbf\xc0\xc3\xdf\xe0\xf0\xf4\xfa\xfe\xff*$\r\n-09\"'#";

/// Changes a few things about `data`: bits, bytes, numbers; what lies where, and how much of it there is.
pub fn mutate(data: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..rng.between(1, 4) {
        if data.is_empty() {
            data.push(rng.next_u64() as u8);
            continue;
        }
        let at = rng.below(data.len() as u64) as usize;
        let length = (rng.between(1, 16) as usize).min(data.len() - at);
        match rng.below(7) {
            0 => data[at] ^= 1 << rng.below(8),
            1 => data[at] = rng.pick(TELLING).copied().unwrap_or_default(),
            2 => data[at] = data[at].wrapping_add(if rng.chance(50) { 1 } else { 0xff }),
            3 => drop(data.drain(at..at + length)),
            4 => {
                let copy = data[at..at + length].to_vec();
                let to = rng.below(data.len() as u64) as usize;
                data.splice(to..to, copy);
            }
            5 => data.insert(at, rng.pick(TELLING).copied().unwrap_or_default()),
            _ if rng.chance(20) => data.truncate(at),
            _ => data[at..at + length].iter_mut().for_each(|byte| *byte = rng.next_u64() as u8),
        }
    }
}
