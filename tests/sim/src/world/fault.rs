//! What can go wrong, and when.

use core_types::{Millis, Rng};

use super::HostId;

/// One thing that breaks, or is repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing gets through between two hosts, in either direction.
    Partition(HostId, HostId),
    /// Nothing gets from the first host to the second; the other direction still works.
    OneWay(HostId, HostId),
    /// Both directions between two hosts work again.
    Heal(HostId, HostId),
    /// The process stands still; what arrives waits in its kernel.
    Pause(HostId),
    /// It goes on.
    Resume(HostId),
    /// The process dies with all that was only in memory. Peers see a reset.
    Crash(HostId),
    /// It starts again from its disk.
    Restart(HostId),
    /// The connections between two hosts break at once: each side hears of a reset, and what was on its way is lost.
    Reset(HostId, HostId),
    /// What goes between two hosts, in either direction, takes so long from now on.
    Slow(HostId, HostId, Millis),
    /// What goes between two hosts takes as long as usual again.
    Fast(HostId, HostId),
    /// The host's clock jumps by so many milliseconds, forward or backward.
    ClockJump(HostId, i64),
}

/// Faults with their times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// When, counted from the start of the run, and what. In order of time.
    pub faults: Vec<(Millis, Fault)>,
}

/// What a random plan is made of: which faults, by weight, and how long they last.
#[derive(Clone, Debug)]
pub struct FaultMix {
    /// Every fault begins before this time and is repaired before twice this time.
    pub until: Millis,
    /// At most so many faults.
    pub at_most: u64,
    /// Weight of partitions in both directions; 0 means never.
    pub partition: u64,
    /// Weight of partitions in one direction.
    pub one_way: u64,
    /// Weight of processes standing still.
    pub pause: u64,
    /// Weight of crashes, each with a restart.
    pub crash: u64,
    /// Weight of jumping clocks.
    pub clock_jump: u64,
    /// Weight of connections that break.
    pub reset: u64,
    /// Weight of slow links.
    pub slow: u64,
    /// The longest a fault lasts.
    pub longest: Millis,
}

impl Default for FaultMix {
    fn default() -> FaultMix {
        FaultMix {
            until: Millis::from_secs(30),
            at_most: 4,
            partition: 3,
            one_way: 2,
            pause: 2,
            crash: 2,
            clock_jump: 0,
            reset: 0,
            slow: 0,
            longest: Millis::from_secs(20),
        }
    }
}

impl FaultPlan {
    /// No faults.
    pub fn none() -> FaultPlan {
        FaultPlan::default()
    }

    /// Adds a fault at a time.
    #[must_use]
    pub fn at(mut self, time: Millis, fault: Fault) -> FaultPlan {
        self.faults.push((time, fault));
        self.faults.sort_by_key(|&(time, _)| time);
        self
    }

    /// A random plan that follows from `rng` alone: each fault hits some of `hosts`, and is repaired later.
    pub fn random(rng: &mut Rng, hosts: &[HostId], mix: &FaultMix) -> FaultPlan {
        let mut plan = FaultPlan::none();
        let weights = [mix.partition, mix.one_way, mix.pause, mix.crash, mix.clock_jump, mix.reset, mix.slow];
        let total: u64 = weights.iter().sum();
        if hosts.is_empty() || total == 0 {
            return plan;
        }
        for _ in 0..rng.between(0, mix.at_most) {
            let begin = Millis(rng.below(mix.until.0.max(1)));
            // Short faults are as interesting as long ones: draw the magnitude first.
            let longest = rng.between(1, mix.longest.0.max(1));
            let end = begin + Millis(rng.between(1, longest));
            let one = hosts[rng.below(hosts.len() as u64) as usize];
            let other = hosts[rng.below(hosts.len() as u64) as usize];
            let mut draw = rng.below(total);
            let kind = weights.iter().position(|&weight| {
                let hit = draw < weight;
                draw = draw.wrapping_sub(weight);
                hit
            });
            let (fault, repair) = match kind {
                Some(0 | 1 | 5 | 6) if one == other => continue,
                Some(0) => (Fault::Partition(one, other), Some(Fault::Heal(one, other))),
                Some(1) => (Fault::OneWay(one, other), Some(Fault::Heal(one, other))),
                Some(2) => (Fault::Pause(one), Some(Fault::Resume(one))),
                Some(3) => (Fault::Crash(one), Some(Fault::Restart(one))),
                Some(5) => (Fault::Reset(one, other), None),
                Some(6) => {
                    // Two seconds a segment is a link that hardly works.
                    let longest = 1 << rng.between(4, 11);
                    let latency = Millis(rng.between(1, longest));
                    (Fault::Slow(one, other, latency), Some(Fault::Fast(one, other)))
                }
                _ => {
                    let by = rng.between(1, mix.longest.0.max(1)) as i64;
                    (Fault::ClockJump(one, if rng.chance(50) { by } else { -by }), None)
                }
            };
            plan.faults.push((begin, fault));
            plan.faults.extend(repair.map(|repair| (end, repair)));
        }
        plan.faults.sort_by_key(|&(time, _)| time);
        plan
    }
}
