//! What a body may hold, it may hold in a seal: returns, `?`, helpers, captured names, `self`, and nothing at all.
//!
//! Each seal below holds the body that the comment above it shows; see `code.rs` beside the macro.

#![expect(
    clippy::semicolon_if_nothing_returned,
    reason = "a body that returns nothing is sealed like any other"
)]

// // Leaves in the middle, and by `?`.
// if text.is_empty() {
//     return None;
// }
// let [first, ..] = text.as_bytes() else { return Some(0) };
// let last = text.bytes().next_back()?;
// Some(first.wrapping_sub(last))
fn early(text: &str) -> Option<u8> {
    seal::open!(
        "
        ee868ef62dd01c3ce2ce085cef859bccbf77cce4af753748347ae3a4eb6fc40dd2ca3a5de2a19b4c0c81135132639e6c
        4b60d0ea5a3073b9fd5395d7ebc4aa39f44ca4b8737ba61b0cfe30fbccfeef1879788cf7a16f7cd000e56683bb0bf313
        a1e7013e6dc37281e7664f8016f827bf8065f2be34e1d5a2fd6003a4d42fd301a96af94cc8ece3a7ca6cd7f675eb3e06
        c4b7e5196b9c851187df96d4721af54c0d331ab81da604f84c33eedae4390daebf93477158ad6c0e89b6e3103a1abfe5
        cffc21c9b0c924bb164dd03a2d2fd2b9bb91102f
        "
    )
}

// /// Helpers belong into the region.
// const STEP: u64 = 2;
// fn squares(up_to: u64) -> impl Iterator<Item = u64> {
//     (0..up_to).step_by(STEP as usize).map(|n| n * n)
// }
// squares(limit).collect()
fn nested(limit: u64) -> Vec<u64> {
    seal::open!(
        "
        ee86819a00d40629f49c1212ad949fc6f17d85e9a56d3d446073e8e0b968da44dd9b74798ba7931f0cc43871595ad713
        5b3b94be1e3868a28c3fdbd7b895ad3df25ca5fe2645960106ff1af3f0a6a34c741dcaf7be6c64dc69bf2dacfa42bc15
        f8d60175619010c3eb241ecd1eaa0dfacc36b7b67fef89b2f94a05a5dd52cf18a932960791b98bf9e35983b76aaa3801
        8df0a0442089904fcdda8ccd215cfc4843384bc63fce16ea527ab580ac1b32a8bf9f1b3e1fbc7016cba4f20562435ff6
        a7c017e6d2de
        "
    )
}

// let text = format!("{who} \u{d7} {times:>3}\n");
// assert!(text.contains(who), "{who} is lost");
// text
fn named(who: &str, times: u32) -> String {
    seal::open!(
        "
        adccda9a3cd4122db1d34154a0839ec8eb3b8da2b06e3a0b693bd1b5b0698a50928e2e1a85ad8e5646d716797228c408
        246cd3ed466a2eb8ae2dd08fbfcabb33ee4db7bf3d46e10201aa13aae6b0f11b314c97beba6f28904fb83cfcb20dd913
        a1e7012a7496da07810442
        "
    )
}

struct Reader {
    sum: u64,
}

impl Reader {
    // self.sum += u64::from(*bytes.first().unwrap_or(&b'\0'));
    // *bytes = &bytes[1.min(bytes.len())..];
    fn step(&mut self, bytes: &mut &[u8]) {
        seal::open!(
            "
            b2ccc2dc66c21f34b1c55c12bac7c793a57cd7efa63178066d6fe8b3e56bd45fc181725ac6bd931b0a851b7a7378c515
            4c2afcae043173a28c73d78ebf81ab7cbd19f0b42a41ac0632f414ebaffca20e20578fedfd706d9208e261f0b56be8e8
            a74f86d98c788f
            "
        )
    }

    // Nothing.
    fn rest(&self) {
        seal::open!(
            "
            0a5b325ecc93497c
            "
        )
    }
}

#[test]
fn bodies_mean_what_they_meant() {
    assert_eq!((early(""), early("a"), early("ca")), (None, Some(0), Some(2)));
    assert_eq!(nested(6), [0, 4, 16]);
    assert_eq!(named("Redis", 7), "Redis \u{d7}   7\n");
    let mut reader = Reader { sum: 0 };
    let mut bytes: &[u8] = &[3, 4];
    for _ in 0..3 {
        reader.step(&mut bytes);
        reader.rest();
    }
    assert_eq!((reader.sum, bytes), (7, &[][..]));
}
