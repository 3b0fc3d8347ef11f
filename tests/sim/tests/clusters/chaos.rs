//! Faults, as they are drawn: of each alone, of groups, and those that hurt a cluster most.

use core_types::{Millis, Rng};
use sim::nodes::clusters::Cast;
use sim::{Fault, FaultPlan, HostId};

/// While faults happen.
pub(crate) const BUSY: Millis = Millis(7000);
/// No fault lasts longer.
pub(crate) const LONGEST: Millis = Millis(4500);

/// A plan for a bad day that begins at `begin`. `masters`: who they are by then.
pub(crate) fn bad_day(rng: &mut Rng, begin: Millis, cast: &Cast, masters: &[HostId]) -> FaultPlan {
    let mut day = Day { plan: FaultPlan::none(), begin, cast };
    // Without a master's end there is little to see.
    if let Some(master) = rng.pick(masters).copied().filter(|_| rng.chance(75)) {
        let at = begin + Millis(rng.below(BUSY.0 / 4));
        let span = (at, at + Millis(rng.between(500, LONGEST.0)));
        match rng.below(4) {
            0..=1 => day.both(span, Fault::Crash(master), Fault::Restart(master)),
            2 => day.both(span, Fault::Pause(master), Fault::Resume(master)),
            _ => day.cut_off(rng, span, &[master]),
        }
    }
    for _ in 0..rng.between(1, 7) {
        day.add(rng, masters);
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
        let begin = self.begin + Millis(rng.below(BUSY.0 * 3 / 4));
        let longest = rng.between(300, LONGEST.0);
        (begin, begin + Millis(rng.between(100, longest)))
    }

    fn both(&mut self, (begin, end): Span, fault: Fault, repair: Fault) {
        self.plan.faults.extend([(begin, fault), (end, repair)]);
    }

    /// These and the rest don't hear each other; or only one of the two hears the other.
    fn cut_off(&mut self, rng: &mut Rng, span: Span, some: &[HostId]) {
        let way = rng.below(4);
        let all: Vec<HostId> = self.cast.nodes.iter().chain(&self.cast.clients).copied().collect();
        for one in some {
            for other in all.iter().filter(|other| !some.contains(other)) {
                let fault = match way {
                    0 => Fault::OneWay(*one, *other),
                    1 => Fault::OneWay(*other, *one),
                    _ => Fault::Partition(*one, *other),
                };
                self.both(span, fault, Fault::Heal(*one, *other));
            }
        }
    }

    fn add(&mut self, rng: &mut Rng, masters: &[HostId]) {
        let span = self.span(rng);
        let nodes = &self.cast.nodes;
        let (one, other) = (*rng.pick(nodes).expect("nodes"), *rng.pick(nodes).expect("nodes"));
        let master = *rng.pick(masters).expect("masters");
        match rng.below(20) {
            0..=3 => {
                let all = nodes.iter().chain(&self.cast.clients);
                let some: Vec<HostId> = all.copied().filter(|_| rng.chance(40)).collect();
                self.cut_off(rng, span, &some);
            }
            4..=5 => self.cut_off(rng, span, &[one]),
            6 if one != other => self.both(span, Fault::Partition(one, other), Fault::Heal(one, other)),
            7..=8 if one != other => self.both(span, Fault::OneWay(one, other), Fault::Heal(one, other)),
            9 => self.both(span, Fault::Pause(one), Fault::Resume(one)),
            10..=11 => {
                // Longer than the timeout, so that it wakes up as somebody who was replaced.
                let end = span.0 + Millis(rng.between(self.cast.timeout.0 * 3 / 2, LONGEST.0));
                self.both((span.0, end), Fault::Pause(master), Fault::Resume(master));
            }
            12..=13 => self.both(span, Fault::Crash(one), Fault::Restart(one)),
            14..=15 => self.both(span, Fault::Crash(master), Fault::Restart(master)),
            16 if one != other => self.plan.faults.push((span.0, Fault::Reset(one, other))),
            17 if one != other => {
                let latency = Millis(rng.between(20, 1500));
                self.both(span, Fault::Slow(one, other, latency), Fault::Fast(one, other));
            }
            18..=19 => {
                let by = rng.between(100, 5000) as i64;
                let by = if rng.chance(50) { by } else { -by };
                self.plan.faults.push((span.0, Fault::ClockJump(one, by)));
            }
            _ => {}
        }
    }
}
