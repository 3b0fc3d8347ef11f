/// The polynomial 0xad93d23594c935a9 (Jones), bits reversed.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// `TABLES[n][byte]`: what `byte` does to the sum when `n` more bytes follow it. With eight of them the
/// sum takes eight bytes in one step.
static TABLES: [[u64; 256]; 8] = make_tables();

const fn make_tables() -> [[u64; 256]; 8] {
    let mut tables = [[0u64; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut n = 1;
    while n < 8 {
        byte = 0;
        while byte < 256 {
            let sum = tables[n - 1][byte];
            tables[n][byte] = (sum >> 8) ^ tables[0][(sum & 0xff) as usize];
            byte += 1;
        }
        n += 1;
    }
    tables
}

/// The checksum of an RDB file, of bytes that arrive in pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crc64(u64);

impl Crc64 {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let mut sum = self.0;
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            let mixed = (sum ^ u64::from_le_bytes(*eight)).to_le_bytes();
            sum = 0;
            for (n, &byte) in mixed.iter().enumerate() {
                sum ^= TABLES[7 - n][usize::from(byte)];
            }
        }
        for &byte in rest {
            sum = TABLES[0][usize::from(sum as u8 ^ byte)] ^ (sum >> 8);
        }
        self.0 = sum;
    }

    /// The sum of all bytes so far.
    pub fn value(self) -> u64 {
        self.0
    }
}

/// The checksum of `bytes`: CRC-64 with Jones's polynomial, reflected, starting from zero.
pub fn crc64(bytes: &[u8]) -> u64 {
    let mut sum = Crc64::default();
    sum.update(bytes);
    sum.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_value_of_the_catalogue() {
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }

    #[test]
    fn pieces_give_the_sum_of_the_whole() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for cut in [0, 1, 7, 8, 9, 500, 999, 1000] {
            let mut sum = Crc64::default();
            sum.update(&bytes[..cut]);
            sum.update(&bytes[cut..]);
            assert_eq!(sum.value(), crc64(&bytes), "cut at {cut}");
        }
    }
}
