use core_types::{Args, ExpiredKey, Millis};

use crate::Ctx;
use crate::context::Refusal;
use crate::errors;
use crate::extended::Extended;
use crate::number::parse_i64;

/// How a time is written: in seconds or milliseconds, from now on or since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    seconds: bool,
    absolute: bool,
}

impl Unit {
    pub(super) const EX: Unit = Unit { seconds: true, absolute: false };
    pub(super) const PX: Unit = Unit { seconds: false, absolute: false };
    pub(super) const EXAT: Unit = Unit { seconds: true, absolute: true };
    pub(super) const PXAT: Unit = Unit { seconds: false, absolute: true };

    /// The option of `SET` and `GETEX` that argument `index` is.
    pub(super) fn option(args: Args<'_>, index: usize) -> Option<Unit> {
        [("EX", Unit::EX), ("PX", Unit::PX), ("EXAT", Unit::EXAT), ("PXAT", Unit::PXAT)]
            .into_iter()
            .find(|(word, _)| args.is(index, word))
            .map(|(_, unit)| unit)
    }

    pub(super) fn is_absolute(self) -> bool {
        self.absolute
    }

    /// The instant that `time` means at `now`, in milliseconds; `None` if 64 bits cannot hold it.
    pub(super) fn instant(self, time: i64, now: Millis) -> Option<i64> {
        let millis = if self.seconds { time.checked_mul(1000)? } else { time };
        if self.absolute { Some(millis) } else { millis.checked_add(now.0 as i64) }
    }
}

/// An instant as it is kept. Before 1970 everything is past in the same way.
pub(super) fn millis(instant: i64) -> Millis {
    Millis(instant.max(0) as u64)
}

/// The time that `SET`, `SETEX` or `GETEX` (named in the error) was given: above zero, unlike `EXPIRE`'s.
pub(super) fn expiry(ctx: &Ctx<'_>, text: &[u8], unit: Unit, command: &str) -> Result<Millis, Refusal> {
    let time = parse_i64(text).ok_or(errors::NOT_AN_INTEGER)?;
    match unit.instant(time, ctx.now) {
        Some(instant) if time > 0 && instant > 0 => Ok(millis(instant)),
        _ => Err(errors::expire_time(command).into()),
    }
}

/// The moment at which a client that waits gives up: `text` is in seconds, perhaps with a fraction; 0 means
/// never.
pub(super) fn timeout(ctx: &Ctx<'_>, text: &[u8]) -> Result<Option<Millis>, Refusal> {
    let seconds = Extended::parse(text).ok_or("ERR timeout is not a float or out of range")?;
    let millis = (seconds.to_f64() * 1000.0).ceil();
    // What 64 bits cannot hold wraps around in Redis, and is refused there as if it were negative.
    if millis < 0.0 || millis >= i64::MAX as f64 {
        return Err("ERR timeout is negative".into());
    }
    Ok((millis > 0.0).then(|| ctx.now + Millis(millis as u64)))
}

/// True if a key that gets this expiry is to be deleted on the spot. Only a master decides that.
pub(super) fn is_past(policy: ExpiredKey, now: Millis, instant: i64) -> bool {
    instant <= now.0 as i64 && policy == ExpiredKey::Delete
}
