//! A master is cut off together with one of its clients, and another one is promoted on the other side. What was the
//! old master's `OK` worth?

use core_types::{Endpoint, Frame, Millis};
use node::config::Config;

use super::Group;
use crate::Trace;
use crate::nodes::Client;
use crate::nodes::stories::PORT;
use crate::world::{HostId, Profile};

/// What is set in such a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// With `min-replicas-to-write 1`: `min-replicas-max-lag`. `None`: the old master takes every write.
    pub gate: Option<Millis>,
    /// How long the cable is broken.
    pub lasts: Millis,
    /// Each client writes once in so long.
    pub every: Millis,
}

/// What came of it. Times count from the cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Writes that the old master answered with `OK`, from the cut on.
    pub acknowledged: usize,
    /// Those of them that are nowhere once there is one master again.
    pub lost: usize,
    /// When it last answered one with `OK`.
    pub last_ok: Millis,
    /// When the other side had a new master.
    pub promoted: Millis,
    /// When the old master followed the new one.
    pub converted: Millis,
}

/// The cable breaks between master and client A on one side, two replicas, three sentinels and client B on the other. B
/// writes to whom the sentinels name, A to whom it knows. `down-after` is a second. With a trace the run is recorded, and
/// begins with the cut.
///
/// # Panics
/// If there is no failover, or the old master is never converted.
pub fn partition(setting: Partition, trace: Option<&mut Trace>) -> Loss {
    let Partition { gate, lasts, every } = setting;
    let mut own = Trace::default();
    let mut group = Group::new(Profile::calm(), Some(trace.unwrap_or(&mut own)));
    let tune = move |config: &mut Config| {
        if let Some(lag) = gate {
            config.min_replicas_to_write = 1;
            config.min_replicas_max_lag = lag;
        }
    };
    let ours = group.client("client A", "master");
    let master = group.node("master", None, tune);
    let file = ["down-after-milliseconds shop 1000", "failover-timeout shop 10000"];
    let sentinels = ["s1", "s2", "s3"].map(|name| group.sentinel(name, 2, &file));
    let a = group.node("a", Some("master"), move |config| {
        tune(config);
        config.replica_priority = 50;
    });
    let b = group.node("b", Some("master"), tune);
    let theirs = group.client("client B", "master");
    group.start_all(&[master, a, b, ours, theirs], &sentinels, 370);

    let there = [sentinels[0], sentinels[1], sentinels[2], a, b, theirs];
    let cut = group.world.now();
    group.cut(&[ours, master], &there, "the cable breaks");
    let mut loss = Loss::default();
    let (mut acknowledged, mut number) = (Vec::new(), 0);
    let mut mended = false;
    while loss.converted == Millis::ZERO {
        let now = group.world.now().since(cut);
        assert!(now < lasts + Millis::from_secs(60), "the old master is never converted");
        if now >= lasts && !mended {
            mended = true;
            group.mend(&[ours, master], &there, "the cable is mended");
        }
        number += 1;
        let key = format!("order:a{number}");
        if write(&mut group, ours, &key) {
            loss.last_ok = group.world.now().since(cut);
            acknowledged.push(key);
        }
        if loss.promoted != Millis::ZERO {
            write(&mut group, theirs, &format!("order:b{number}"));
        }
        let next = cut + Millis(every.0 * number);
        while group.world.now() < next {
            group.wait(1);
            let now = group.world.now().since(cut);
            if loss.promoted == Millis::ZERO
                && sentinels.iter().any(|&host| group.has_said(host, "+switch-master"))
            {
                loss.promoted = now;
                group.retarget(theirs, &Endpoint::new("a", PORT));
            }
            if loss.converted == Millis::ZERO && !group.is_master(master) {
                loss.converted = now;
            }
        }
    }
    group.wait(2000);
    // At most once refused: the connection was closed with the change of role.
    write(&mut group, ours, "order:late");
    let command = acknowledged.iter().fold("EXISTS".to_string(), |command, key| command + " " + key);
    let left = match ask(&mut group, theirs, &command) {
        Some(Frame::Integer(left)) => usize::try_from(left).expect("a count"),
        other => panic!("the new master says {other:?}"),
    };
    loss.acknowledged = acknowledged.len();
    loss.lost = acknowledged.len() - left;
    loss
}

/// True if the write is answered with `OK`.
fn write(group: &mut Group<'_>, client: HostId, key: &str) -> bool {
    ask(group, client, &format!("SET {key} lamp")) == Some(Frame::Simple("OK".into()))
}

/// The answer, if there is one in time.
fn ask(group: &mut Group<'_>, client: HostId, command: &str) -> Option<Frame> {
    let count = |group: &Group<'_>| group.world.get::<Client>(client).expect("it runs").answered;
    let before = count(group);
    let sent = group.world.act(client, |client: &mut Client, io| client.send(io, command));
    if sent.expect("no rule is broken") != Some(true) {
        return None;
    }
    group.wait(3);
    let client = group.world.get::<Client>(client)?;
    client.replies.back().filter(|_| client.answered > before).map(|(_, reply)| reply.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(gate: Option<u64>, seconds: u64) -> Loss {
        let gate = gate.map(Millis::from_secs);
        partition(Partition { gate, lasts: Millis::from_secs(seconds), every: Millis(100) }, None)
    }

    #[test]
    fn without_a_gate_all_is_lost_that_was_acknowledged_behind_the_partition() {
        let (short, long) = (run(None, 10), run(None, 40));
        assert_eq!(short.lost, short.acknowledged, "{short:?}");
        assert_eq!(long.lost, long.acknowledged, "{long:?}");
        // As long as the partition lasts; until a sentinel gets through to the old master, which tries again each 15 s
        // at the latest; and eight seconds in which it calls itself a master, seen by an `INFO` each ten.
        assert!(long.lost > 400 && long.lost > short.lost + 250, "{short:?} {long:?}");
        assert!((Millis(48_000)..Millis(68_000)).contains(&long.converted), "{long:?}");
    }

    #[test]
    fn the_gate_bounds_the_loss_by_its_lag_and_two_seconds() {
        for (lag, seconds) in [(2, 10), (2, 40), (10, 40)] {
            let loss = run(Some(lag), seconds);
            assert!(loss.last_ok <= Millis::from_secs(lag + 2), "{loss:?}");
            assert!(loss.lost > 0 && loss.lost as u64 <= 10 * (lag + 2), "{loss:?}");
        }
    }
}
