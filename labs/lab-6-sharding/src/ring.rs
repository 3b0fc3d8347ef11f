//! A circle of hashes, and servers at points of it: consistent hashing as ketama does it.

use crate::hash::md5_words;

/// How many points a server of average weight has (`KETAMA_POINTS_PER_SERVER` in Twemproxy's `nc_ketama.c`).
pub const POINTS_PER_SERVER: u32 = 160;

// ANCHOR: server
/// A server that keys are distributed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name: what its points are computed from. Whoever keeps it may
    /// change the address.
    pub name: String,
    /// How much it gets, compared with the others.
    pub weight: u32,
}

/// A place on the circle, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Where.
    pub at: u32,
    /// The index of the server.
    pub server: usize,
}

/// The circle: all points, in order.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ring {
    points: Vec<Point>,
}
// ANCHOR_END: server

impl Server {
    /// A server with a name and a weight.
    pub fn new(name: impl Into<String>, weight: u32) -> Server {
        Server { name: name.into(), weight }
    }

    /// A server without a name of its own is called after its address, as libketama did: without the port if
    /// it is 11211, that of Memcached.
    pub fn at(host: &str, port: u16, weight: u32) -> Server {
        Server::new(if port == 11_211 { host.to_string() } else { format!("{host}:{port}") }, weight)
    }
}

/// The first `count` points of the server called `name`, in the order in which they are made. `count` is a multiple of 4.
///
/// Points come by fours: from the MD5 digests of `name-0`, `name-1`, `name-2` and so on. A digest is cut into four
/// numbers of 32 bits, each with its least significant byte first (that is what [`md5_words`] returns).
pub fn points_of(name: &str, count: u32) -> Vec<u32> {
    // <exercise 6.2 points_of>
    todo!("lab 6.2: Points on a circle")
    // </exercise>
}

/// How many points a server has beside others: `average` times its part of all weight times the number of servers, rounded
/// down to a multiple of 4.
///
/// Given, because it must round as Twemproxy's numbers of single precision do. Servers of weight 0 are not there.
pub fn point_count(weight: u32, all: &[u32], average: u32) -> u32 {
    let total: u32 = all.iter().fold(0, |sum, &weight| sum.saturating_add(weight));
    let servers = all.iter().filter(|&&weight| weight > 0).count();
    if total == 0 {
        return 0;
    }
    let part = weight as f32 / total as f32;
    let groups = f64::from(part * average as f32 / 4.0 * servers as f32) + 0.000_000_000_1;
    (groups as f32).floor() as u32 * 4
}

impl Ring {
    /// The circle of these servers, with [`POINTS_PER_SERVER`] points for one of average weight.
    pub fn new(servers: &[Server]) -> Ring {
        Ring::with_points(servers, POINTS_PER_SERVER)
    }

    /// The same with another number of points: a multiple of 4.
    ///
    /// Every server has as many points as [`point_count`] says, made by [`points_of`]. Points lie in ascending order;
    /// of two at the same place, that of the earlier server comes first.
    pub fn with_points(servers: &[Server], average: u32) -> Ring {
        // <exercise 6.2 with_points>
        todo!("lab 6.2: Points on a circle")
        // </exercise>
    }

    /// A circle of points that are known already; they are put in order.
    pub fn of_points(mut points: Vec<Point>) -> Ring {
        points.sort_unstable();
        Ring { points }
    }

    /// All points, in order.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The server that owns `hash`: whoever has the first point at or behind it. Behind the last point the circle begins
    /// again. `None` if there is no point at all.
    pub fn owner(&self, hash: u32) -> Option<usize> {
        // <exercise 6.3>
        todo!("lab 6.3: Who owns a hash")
        // </exercise>
    }
}
