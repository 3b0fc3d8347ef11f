//! Events in the order in which they happen.

use core_types::Millis;

use crate::Event;

/// An event and when it happens, counted from the moment at which the scene is set: everybody runs and knows everybody.
pub type Moment = (Millis, Event);

/// What happens, and when. Events of the same millisecond happen in the order in which they were written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    moments: Vec<Moment>,
}

impl Schedule {
    /// Nothing happens.
    pub fn new() -> Schedule {
        Schedule::default()
    }

    /// Adds an event.
    #[must_use]
    pub fn at(mut self, time: Millis, event: Event) -> Schedule {
        let place = self.moments.partition_point(|(other, _)| *other <= time);
        self.moments.insert(place, (time, event));
        self
    }

    /// Adds all events of another schedule, `later` than they stand there.
    #[must_use]
    pub fn then(self, later: Millis, other: Schedule) -> Schedule {
        other.moments.into_iter().fold(self, |whole, (time, event)| whole.at(time + later, event))
    }

    /// Everything, in order of time.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.moments.len()
    }

    /// True if nothing happens.
    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }

    /// When the last event happens.
    pub fn end(&self) -> Millis {
        self.moments.last().map_or(Millis::ZERO, |(time, _)| *time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kill, restart};

    #[test]
    fn events_stand_in_order_of_time_and_equals_as_written() {
        let schedule =
            Schedule::new().at(Millis(5), kill("c")).at(Millis(1), kill("a")).at(Millis(5), restart("c"));
        let schedule = schedule.then(Millis(2), Schedule::new().at(Millis(0), kill("b")));
        let times: Vec<u64> = schedule.moments().iter().map(|(time, _)| time.0).collect();
        assert_eq!(times, [1, 2, 5, 5]);
        assert_eq!(schedule.moments()[3].1, restart("c"));
        assert_eq!(schedule.end(), Millis(5));
    }
}
