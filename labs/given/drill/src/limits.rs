//! What an exercise allows: a schedule that keeps to it can be played.

use core_types::{Broken, Millis};

use crate::{Event, REST, Schedule, Sort};

/// The limits of an exercise.
#[derive(Clone, Debug)]
pub struct Limits<'a> {
    /// The hosts of the scene.
    pub hosts: Vec<&'a str>,
    /// What may happen to them.
    pub sorts: Vec<Sort>,
    /// At most so many events.
    pub events: usize,
    /// None later than this.
    pub length: Millis,
    /// At most so many processes may be killed, the same one twice counting twice.
    pub kills: usize,
}

/// The rule that a schedule which cannot be played breaks.
const PLAYABLE: &str = "A schedule keeps to its exercise's limits: the hosts of the scene, the events that are \
                        allowed, their number and the time.";

/// No message takes longer than this on a slow link.
const SLOWEST: Millis = Millis::from_secs(30);

impl Limits<'_> {
    /// Does the schedule keep to them?
    ///
    /// # Errors
    /// The first thing that it does not keep to.
    pub fn check(&self, schedule: &Schedule) -> Result<(), Broken> {
        let broken = |detail: String| Err(Broken::new(PLAYABLE, detail));
        if schedule.is_empty() {
            return broken("nothing happens in it: it has no event".into());
        }
        if schedule.len() > self.events {
            return broken(format!("it has {} events; {} are allowed", schedule.len(), self.events));
        }
        let mut kills = 0;
        for (time, event) in schedule.moments() {
            if *time > self.length {
                return broken(format!("\"{event}\" comes at {time}; the last moment is {}", self.length));
            }
            if !self.sorts.contains(&event.sort()) {
                return broken(format!("\"{event}\": this exercise knows no {}", event.sort().word()));
            }
            if let Some(stranger) = event.hosts().find(|host| !self.hosts.contains(host)) {
                return broken(format!(
                    "\"{event}\": there is no host \"{stranger}\"; there are {}",
                    self.hosts.join(", ")
                ));
            }
            if let Some(complaint) = self.sides_complaint(event) {
                return broken(format!("\"{event}\": {complaint}"));
            }
            kills += usize::from(event.sort() == Sort::Kill);
            if kills > self.kills {
                return broken(format!("it kills {kills} processes; {} are allowed", self.kills));
            }
        }
        Ok(())
    }

    fn sides_complaint(&self, event: &Event) -> Option<String> {
        if matches!(event, Event::Slow(_, _, latency) if *latency > SLOWEST) {
            return Some(format!("slower than {SLOWEST} is broken: cut the cable"));
        }
        let (one, other) = event.sides(&self.hosts)?;
        if event.hosts().next().is_none() {
            return Some(format!("one side must name its hosts; both are \"{REST}\" or nobody"));
        }
        if one.is_empty() || other.is_empty() {
            return Some("one of its sides is empty".into());
        }
        let both = one.iter().find(|host| other.contains(host))?;
        Some(format!("{both} stands on both sides"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cut, jump, kill, mend_all, slow};

    fn limits() -> Limits<'static> {
        let sorts = vec![Sort::Cut, Sort::Kill, Sort::Mend, Sort::Slow];
        Limits { hosts: vec!["master", "a", "b"], sorts, events: 3, length: Millis(100), kills: 1 }
    }

    fn complaint(schedule: Schedule) -> String {
        limits().check(&schedule).expect_err("it breaks a limit").detail
    }

    #[test]
    fn what_keeps_to_the_limits_can_be_played() {
        let schedule = Schedule::new()
            .at(Millis(0), cut(&["master"], &[REST]))
            .at(Millis(50), kill("a"))
            .at(Millis(100), mend_all());
        assert_eq!(limits().check(&schedule), Ok(()));
    }

    #[test]
    fn each_limit_is_named() {
        let one = |event| Schedule::new().at(Millis(1), event);
        assert!(complaint(Schedule::new()).contains("no event"));
        assert!(complaint(one(kill("c"))).contains("there is no host \"c\"; there are master, a, b"));
        assert!(complaint(one(jump("a", 5))).contains("no clocks that jump"));
        assert!(complaint(one(cut(&["a"], &["b", "a"]))).contains("a stands on both sides"));
        assert!(complaint(one(cut(&[REST], &[REST]))).contains("one side must name"));
        assert!(complaint(one(cut(&["a"], &[]))).contains("empty"));
        assert!(complaint(one(slow(&["a"], &[REST], Millis(u64::MAX)))).contains("cut the cable"));
        assert!(complaint(one(cut(&["a", "b", "master"], &[REST]))).contains("empty"));
        assert!(complaint(Schedule::new().at(Millis(101), kill("a"))).contains("the last moment is 100ms"));
        assert!(complaint(one(kill("a")).at(Millis(2), kill("a"))).contains("kills 2 processes; 1"));
        let four = (0..4).fold(Schedule::new(), |all, at| all.at(Millis(at), mend_all()));
        assert!(complaint(four).contains("4 events; 3 are allowed"));
    }
}
