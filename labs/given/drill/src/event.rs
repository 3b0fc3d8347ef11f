//! What can happen in a schedule.

use std::fmt;

use core_types::Millis;

/// In place of a list of hosts: all that the other list does not name.
pub const REST: &str = "everybody else";

/// One thing that happens: something breaks or is repaired, or somebody types a command.
///
/// Hosts go by the names of the scene, such as `master` or `s1`. Made by the functions beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Nothing gets through any more between the hosts of one list and those of the other.
    Cut(Vec<String>, Vec<String>),
    /// Nothing gets from the hosts of the first list to those of the second; the other direction still works.
    CutOneWay(Vec<String>, Vec<String>),
    /// Between the hosts of one list and those of the other everything gets through again, both ways.
    Mend(Vec<String>, Vec<String>),
    /// All cuts are mended, and all links are fast again.
    MendAll,
    /// The process dies with all that was only in its memory.
    Kill(String),
    /// It starts again from its disk.
    Restart(String),
    /// The process stands still; what arrives waits in its kernel.
    Pause(String),
    /// It goes on.
    Resume(String),
    /// What goes between the hosts of one list and those of the other takes up to so long, either way.
    Slow(Vec<String>, Vec<String>, Millis),
    /// It takes as long as usual again.
    Fast(Vec<String>, Vec<String>),
    /// The host's clock jumps by so many milliseconds, forward or backward.
    Jump(String, i64),
    /// Somebody at this host types a command, in words separated by spaces; a `"quoted part"` is one word.
    Say(String, String),
    /// From now on the host writes so many bytes a second; 0 ends it.
    Load(String, u64),
}

/// An event's kind, without its hosts: what an exercise allows, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// [`Event::Cut`], [`Event::CutOneWay`].
    Cut,
    /// [`Event::Mend`], [`Event::MendAll`].
    Mend,
    /// [`Event::Kill`].
    Kill,
    /// [`Event::Restart`].
    Restart,
    /// [`Event::Pause`], [`Event::Resume`].
    Pause,
    /// [`Event::Slow`], [`Event::Fast`].
    Slow,
    /// [`Event::Jump`].
    Jump,
    /// [`Event::Say`].
    Say,
    /// [`Event::Load`].
    Load,
}

impl Sort {
    /// As in "this exercise knows no …".
    pub fn word(self) -> &'static str {
        match self {
            Sort::Cut => "cut cables",
            Sort::Mend => "mended cables",
            Sort::Kill => "kills",
            Sort::Restart => "restarts",
            Sort::Pause => "pauses",
            Sort::Slow => "slow links",
            Sort::Jump => "clocks that jump",
            Sort::Say => "commands",
            Sort::Load => "loads",
        }
    }
}

/// Nothing gets through any more between the hosts of one list and those of the other. One of the two may be
/// [`REST`].
pub fn cut(one: &[&str], other: &[&str]) -> Event {
    Event::Cut(names(one), names(other))
}

/// Nothing gets from the hosts of the first list to those of the second; the other direction still works.
pub fn cut_one_way(from: &[&str], to: &[&str]) -> Event {
    Event::CutOneWay(names(from), names(to))
}

/// Everything gets through again between the hosts of one list and those of the other.
pub fn mend(one: &[&str], other: &[&str]) -> Event {
    Event::Mend(names(one), names(other))
}

/// All cuts are mended, and all links are fast again.
pub fn mend_all() -> Event {
    Event::MendAll
}

/// The process dies with all that was only in its memory.
pub fn kill(host: &str) -> Event {
    Event::Kill(host.into())
}

/// A process that died starts again from its disk.
pub fn restart(host: &str) -> Event {
    Event::Restart(host.into())
}

/// The process stands still; what arrives waits in its kernel.
pub fn pause(host: &str) -> Event {
    Event::Pause(host.into())
}

/// A process that stands still goes on.
pub fn resume(host: &str) -> Event {
    Event::Resume(host.into())
}

/// What goes between the hosts of one list and those of the other takes between half of `latency` and `latency`, either
/// way.
pub fn slow(one: &[&str], other: &[&str], latency: Millis) -> Event {
    Event::Slow(names(one), names(other), latency)
}

/// It takes as long as usual again.
pub fn fast(one: &[&str], other: &[&str]) -> Event {
    Event::Fast(names(one), names(other))
}

/// The host's clock jumps by so many milliseconds.
pub fn jump(host: &str, by: i64) -> Event {
    Event::Jump(host.into(), by)
}

/// Somebody at this host types a command: `say("client", "SET order:1 lamp")`.
pub fn say(host: &str, command: &str) -> Event {
    Event::Say(host.into(), command.into())
}

/// From now on the host writes so many bytes a second, until the next `load`.
pub fn load(host: &str, bytes_a_second: u64) -> Event {
    Event::Load(host.into(), bytes_a_second)
}

fn names(hosts: &[&str]) -> Vec<String> {
    hosts.iter().map(|host| (*host).to_string()).collect()
}

impl Event {
    /// Its kind.
    pub fn sort(&self) -> Sort {
        match self {
            Event::Cut(..) | Event::CutOneWay(..) => Sort::Cut,
            Event::Mend(..) | Event::MendAll => Sort::Mend,
            Event::Kill(_) => Sort::Kill,
            Event::Restart(_) => Sort::Restart,
            Event::Pause(_) | Event::Resume(_) => Sort::Pause,
            Event::Slow(..) | Event::Fast(..) => Sort::Slow,
            Event::Jump(..) => Sort::Jump,
            Event::Say(..) => Sort::Say,
            Event::Load(..) => Sort::Load,
        }
    }

    /// Every host that it names, [`REST`] left out.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        let (one, other): (&[String], &[String]) = match self {
            Event::Cut(one, other)
            | Event::CutOneWay(one, other)
            | Event::Mend(one, other)
            | Event::Slow(one, other, _)
            | Event::Fast(one, other) => (one, other),
            Event::MendAll => (&[], &[]),
            Event::Kill(host)
            | Event::Restart(host)
            | Event::Pause(host)
            | Event::Resume(host)
            | Event::Jump(host, _)
            | Event::Say(host, _)
            | Event::Load(host, _) => (std::slice::from_ref(host), &[]),
        };
        one.iter().chain(other).map(String::as_str).filter(|host| *host != REST)
    }

    /// Both sides of an event between hosts, [`REST`] replaced by those of `all` that the other side does not name.
    pub fn sides<'a>(&'a self, all: &[&'a str]) -> Option<(Vec<&'a str>, Vec<&'a str>)> {
        let (Event::Cut(one, other)
        | Event::CutOneWay(one, other)
        | Event::Mend(one, other)
        | Event::Slow(one, other, _)
        | Event::Fast(one, other)) = self
        else {
            return None;
        };
        let resolved = |side: &'a [String], opposite: &'a [String]| -> Vec<&'a str> {
            if !side.iter().any(|host| host == REST) {
                return side.iter().map(String::as_str).collect();
            }
            all.iter().copied().filter(|host| !opposite.iter().any(|named| named == host)).collect()
        };
        Some((resolved(one, other), resolved(other, one)))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |hosts: &[String]| hosts.join(", ");
        match self {
            Event::Cut(one, other) => write!(f, "the cable breaks: {} | {}", list(one), list(other)),
            Event::CutOneWay(from, to) => write!(f, "nothing gets from {} to {}", list(from), list(to)),
            Event::Mend(one, other) => write!(f, "mended: {} and {}", list(one), list(other)),
            Event::MendAll => write!(f, "all cables are mended"),
            Event::Kill(host) => write!(f, "{host} is killed"),
            Event::Restart(host) => write!(f, "{host} is started again"),
            Event::Pause(host) => write!(f, "{host} stands still"),
            Event::Resume(host) => write!(f, "{host} goes on"),
            Event::Slow(one, other, latency) => {
                write!(f, "slow, {latency}: {} and {}", list(one), list(other))
            }
            Event::Fast(one, other) => write!(f, "fast again: {} and {}", list(one), list(other)),
            Event::Jump(host, by) => write!(f, "the clock of {host} jumps by {by}ms"),
            Event::Say(host, command) => write!(f, "{host} says {command}"),
            Event::Load(host, 0) => write!(f, "{host} writes no more"),
            Event::Load(host, rate) => write!(f, "{host} writes {rate} bytes a second"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_are_all_whom_the_other_side_does_not_name() {
        let event = cut(&["master", "client"], &[REST]);
        let (one, other) = event.sides(&["master", "a", "b", "client"]).expect("a cut has sides");
        assert_eq!(one, ["master", "client"]);
        assert_eq!(other, ["a", "b"]);
        assert_eq!(event.hosts().collect::<Vec<_>>(), ["master", "client"]);
        assert!(kill("a").sides(&["a"]).is_none());
    }
}
