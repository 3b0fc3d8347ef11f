//! A partition that stops a whole cluster, although all of its nodes live and most of them hear each other.
//!
//! The scene: a cluster with `cluster-node-timeout 5000` and `cluster-require-full-coverage no`: a node goes on to serve its
//! own slots when others have no owner.

use core_types::Millis;
use drill::{Map, REST, Schedule, cut};

/// Cuts cables in this cluster, once and for all, so that nobody takes a write any more: not to any slot, and not from somebody
/// who sits on the node's own machine. At least two thirds of the nodes must still hear each other, all of them,
/// both ways.
///
/// The cluster has three to seven masters with one or two replicas each, by the names in the [`Map`]. What may happen: cables
/// that break or are mended. At most forty events in one minute. Thirty seconds after the last event it is
/// watched for twenty seconds.
pub fn stops_the_cluster(map: &Map) -> Schedule {
    // <exercise 10.7>
    let masters = map.masters();
    // So many are no majority, with everybody else around them.
    let stay = masters.len() / 2;
    let leave = masters.iter().skip(stay);
    leave.fold(Schedule::new(), |day, master| day.at(Millis(1_000), cut(&[*master], &[REST])))
    // </exercise>
}
