//! Faults, as they are drawn: of each alone, of groups, and those that hurt sentinels most.

use core_types::{Millis, Rng};
use sim::nodes::sentinels::Cast;
use sim::{Fault, FaultPlan, HostId};

/// While faults happen.
pub(crate) const BUSY: Millis = Millis(5000);
/// No fault lasts longer.
const LONGEST: u64 = 3500;

/// Nothing but the end of the master, soon; it comes back when everything is repaired.
pub(crate) fn only_the_master_dies(rng: &mut Rng, begin: Millis, cast: &Cast) -> FaultPlan {
    FaultPlan::none().at(begin + Millis(rng.between(200, 1500)), Fault::Crash(cast.nodes[0]))
}

/// A plan for a bad day that begins at `begin`.
pub(crate) fn bad_day(rng: &mut Rng, begin: Millis, cast: &Cast) -> FaultPlan {
    let mut day = Day { plan: FaultPlan::none(), begin, cast };
    // Without a master's end there is little to see.
    let master = cast.nodes[0];
    if rng.chance(75) {
        let at = begin + Millis(rng.below(BUSY.0 / 4));
        let span = (at, at + Millis(rng.between(500, BUSY.0)));
        match rng.below(4) {
            0..=1 => day.both(span, Fault::Crash(master), Fault::Restart(master)),
            2 => day.both(span, Fault::Pause(master), Fault::Resume(master)),
            _ => day.cut_off(rng, span, &[master]),
        }
    }
    for _ in 0..rng.between(1, 7) {
        day.add(rng);
    }
    day.plan.faults.sort_by_key(|&(time, _)| time);
    day.plan
}

struct Day<'a> {
    plan: FaultPlan,
    begin: Millis,
    cast: &'a Cast,
}

type Span = (Millis, Millis);

impl Day<'_> {
    /// When a fault begins and ends. Short ones are as interesting as long ones: the magnitude is drawn first.
    fn span(&self, rng: &mut Rng) -> Span {
        let begin = self.begin + Millis(rng.below(BUSY.0 * 2 / 3));
        let longest = rng.between(300, LONGEST);
        (begin, begin + Millis(rng.between(100, longest.max(200))))
    }

    fn both(&mut self, (begin, end): Span, fault: Fault, repair: Fault) {
        self.plan.faults.extend([(begin, fault), (end, repair)]);
    }

    fn all(&self) -> Vec<HostId> {
        self.cast.nodes.iter().chain(&self.cast.sentinels).chain(&self.cast.seeker).copied().collect()
    }

    /// These and the rest don't hear each other; or only one of the two hears the other.
    fn cut_off(&mut self, rng: &mut Rng, span: Span, some: &[HostId]) {
        let way = rng.below(4);
        for one in some {
            for other in self.all().iter().filter(|other| !some.contains(other)) {
                let fault = match way {
                    0 => Fault::OneWay(*one, *other),
                    1 => Fault::OneWay(*other, *one),
                    _ => Fault::Partition(*one, *other),
                };
                self.both(span, fault, Fault::Heal(*one, *other));
            }
        }
    }

    fn add(&mut self, rng: &mut Rng) {
        let span = self.span(rng);
        let all = self.all();
        let sentinel = *rng.pick(&self.cast.sentinels).expect("there are sentinels");
        // The client is not worth a fault of its own.
        let watched = all.len() as u64 - u64::from(self.cast.seeker.is_some());
        let (one, other) = (all[rng.below(watched) as usize], all[rng.below(watched) as usize]);
        match rng.below(20) {
            0..=3 => {
                let mut some = all;
                some.retain(|_| rng.chance(40));
                self.cut_off(rng, span, &some);
            }
            4..=5 => self.cut_off(rng, span, &[one]),
            6 if one != other => self.both(span, Fault::Partition(one, other), Fault::Heal(one, other)),
            7 if one != other => self.both(span, Fault::OneWay(one, other), Fault::Heal(one, other)),
            8..=9 => self.both(span, Fault::Pause(one), Fault::Resume(one)),
            10..=11 => {
                // About as long as a sentinel may miss before it does not trust its clock.
                let end = span.0 + Millis(rng.between(1900, 2100));
                self.both((span.0, end), Fault::Pause(sentinel), Fault::Resume(sentinel));
            }
            12..=13 => self.both(span, Fault::Crash(one), Fault::Restart(one)),
            14 => self.both(span, Fault::Crash(sentinel), Fault::Restart(sentinel)),
            15 if one != other => self.plan.faults.push((span.0, Fault::Reset(one, other))),
            16 if one != other => {
                let latency = Millis(rng.between(20, 1500));
                self.both(span, Fault::Slow(one, other, latency), Fault::Fast(one, other));
            }
            17..=18 => {
                let by = rng.between(100, 5000) as i64;
                self.plan
                    .faults
                    .push((span.0, Fault::ClockJump(sentinel, if rng.chance(50) { by } else { -by })));
            }
            19 => {
                let by = rng.between(100, 3000) as i64;
                self.plan.faults.push((span.0, Fault::ClockJump(one, if rng.chance(50) { by } else { -by })));
            }
            _ => {}
        }
    }
}
