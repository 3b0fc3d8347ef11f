//! The replica that a leader has chosen: had it a right to be promoted, and was there no better one?

use std::cmp::Reverse;

use core_types::{Broken, Millis};
use node::{Watched, WatchedReplica};

use super::scrutiny::{Mind, Scrutiny};
use super::{BEST, LEGAL, host};
use crate::world::{HostId, World};

/// A node's clock counts a lost link in whole seconds, and its `INFO` is a little old when it is read.
const SLACK: Millis = Millis(2500);

impl Scrutiny {
    /// To be called in the step in which the choice was made: the sentinel still sees what it decided by.
    pub(super) fn check_choice(
        &self,
        world: &World<'_>,
        sentinel: HostId,
        mind: &Mind,
        watched: &Watched<'_>,
    ) -> Result<(), Broken> {
        let Some(chosen) = watched.promoted() else { return Ok(()) };
        let replicas: Vec<WatchedReplica> = watched.replicas().collect();
        let Some(replica) = replicas.iter().find(|replica| replica.at == *chosen) else {
            return Err(Broken::new(LEGAL, format!("{chosen} is no replica")));
        };
        let now = world.clock(sentinel);
        if let Some(why) = self.objection(now, watched, replica) {
            return Err(Broken::new(LEGAL, format!("{chosen} was chosen: {why}")));
        }
        if let Some(why) = self.truth_against(world, now, watched, replica, mind) {
            return Err(Broken::new(LEGAL, format!("{chosen} was chosen: {why}")));
        }
        let rank = |replica: &WatchedReplica| {
            let id = self.true_id(world, replica);
            (replica.priority, Reverse(replica.offset), id.is_none(), id)
        };
        let able = replicas.iter().filter(|other| self.objection(now, watched, other).is_none());
        match able.min_by_key(|other| rank(other)) {
            Some(best) if rank(best) < rank(replica) => {
                let detail =
                    format!("{chosen} {:?} was chosen, not {} {:?}", rank(replica), best.at, rank(best));
                Err(Broken::new(BEST, detail))
            }
            _ => Ok(()),
        }
    }

    /// Why a replica may not be promoted, by what the sentinel knows.
    fn objection(&self, now: Millis, watched: &Watched<'_>, replica: &WatchedReplica) -> Option<String> {
        let rhythm = &self.cast.rhythm;
        let fresh = match watched.down_since() {
            Some(_) => Millis(rhythm.ping.0 * 5),
            None => Millis(rhythm.info.0 * 3),
        };
        let apart = Millis(self.cast.down_after.0 * 10)
            + watched.down_since().map_or(Millis::ZERO, |since| now.since(since));
        let age = replica.info_at.map(|at| now.since(at));
        if replica.down || !replica.connected {
            Some("it is down or cannot be reached".into())
        } else if replica.priority == 0 {
            Some("its priority is 0".into())
        } else if age.is_none_or(|age| age > fresh) {
            Some(format!("what is known of it is {age:?} old"))
        } else if replica.without_master > apart {
            Some(format!("it was without its master for {}, the limit is {apart}", replica.without_master))
        } else {
            None
        }
    }

    /// Why it should not be, by what the replica really is; a sentinel can know that, if a little late.
    fn truth_against(
        &self,
        world: &World<'_>,
        now: Millis,
        watched: &Watched<'_>,
        replica: &WatchedReplica,
        mind: &Mind,
    ) -> Option<String> {
        let place = self.cast.nodes.iter().position(|id| world.ip(*id) == replica.at.host)?;
        // A master's `INFO` says nothing of its priority. An old one that is back counts as 100 until it is a replica,
        // in Redis too, and may be promoted although its file says 0.
        if self.cast.priorities[place] == 0 && !replica.says_master {
            return Some("its priority is 0, in truth".into());
        }
        let apart = world.now().since(self.bodies[place].apart_since?);
        let down = watched.down_since().map_or(Millis::ZERO, |since| now.since(since));
        let old = Millis(self.cast.rhythm.ping.0 * 5).max(Millis(self.cast.rhythm.info.0 * 3));
        let limit = down + Millis(self.cast.down_after.0 * 10) + old + SLACK;
        let clocks_tell = mind.clock_is_true(world) && self.bodies[place].clock_is_true(world);
        let lost = format!("it lost its master {apart} ago, in truth; the limit is {limit}");
        (clocks_tell && apart > limit).then_some(lost)
    }

    /// The run id of the process that told the sentinel about itself, whatever the sentinel made of it.
    fn true_id(&self, world: &World<'_>, replica: &WatchedReplica) -> Option<String> {
        let believed = replica.run_id.map(|id| id.as_str().to_string());
        let place = self.cast.nodes.iter().position(|id| world.ip(*id) == replica.at.host)?;
        let known = &self.bodies[place].run_ids;
        if believed.as_ref().is_some_and(|id| known.contains(id)) {
            return believed;
        }
        host(world, self.cast.nodes[place]).map(|host| host.node().run_id().to_string())
    }
}
