//! Heartbeats: how each side shows that it is there, and how each side notices that the other is not.
//!
//! ```text
//! master → replica   PING                       every repl-ping-replica-period, as a part of the stream
//! master → replica   \n                         once a second, to a replica that waits for its snapshot
//! replica → master   REPLCONF ACK <offset>      once a second
//! ```
//!
//! Both give up on a silent peer after `repl-timeout`. A connection that is merely silent looks the same
//! as one whose other end is gone; only a heartbeat tells them apart.

use core_types::Millis;

/// How often a replica acknowledges (`replicationCron` in Redis runs once a second).
pub const ACK_PERIOD: Millis = Millis::from_secs(1);

// ANCHOR: timers
/// The times that operators can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// `repl-ping-replica-period`, 10 s by default.
    pub ping_period: Millis,
    /// `repl-timeout`, 60 s by default: who has been silent for longer
    /// is taken for dead.
    pub timeout: Millis,
}

/// What a master waits for from one of its replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerState {
    /// Nothing: the replica waits, for a snapshot that is being made.
    Waiting,
    /// That it takes more of the snapshot.
    Sending,
    /// That it acknowledges.
    Online,
    /// Nothing: it asked by the old `SYNC`, and never acknowledges.
    Mute,
}

/// One replica, as far as heartbeats are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer<K> {
    /// Which one it is.
    pub replica: K,
    /// What is to be expected of it.
    pub state: PeerState,
    /// When it last did that, or when the state began.
    pub heard: Millis,
}

/// What a master has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MasterBeat<K> {
    /// Write a `PING` into the stream, for all replicas.
    Ping,
    /// Send an empty line to this replica, outside the stream.
    Newline(K),
    /// This replica has been silent for too long: close its connection.
    TimedOut(K),
}
// ANCHOR_END: timers

impl Default for Timers {
    fn default() -> Timers {
        Timers { ping_period: Millis::from_secs(10), timeout: Millis::from_secs(60) }
    }
}

/// What a master has to do about its replicas now. Called once a second.
///
/// `pinged_at` is when the last `PING` was written, and is kept up to date here. `may_ping` is false on a
/// replica, whose stream is its master's, and while all writes are suspended for a failover. What is to be done is
/// appended to `out`, in any order.
pub fn master_beat<K: Copy>(
    now: Millis,
    timers: &Timers,
    pinged_at: &mut Millis,
    may_ping: bool,
    peers: &[Peer<K>],
    out: &mut Vec<MasterBeat<K>>,
) {
    // <exercise 2.5>
    todo!("lab 2.5: The master's heartbeat")
    // </exercise>
}

// ANCHOR: pulse
/// The replica's side of a link that is online: when its master was last
/// heard, and when it last told its master how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    heard: Millis,
    /// `None`: this master has not been told yet.
    acked: Option<Millis>,
}

/// What a replica has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaBeat {
    /// Send `REPLCONF ACK` with the offset up to which it has applied
    /// the stream.
    Ack,
    /// The master has been silent for too long: close the connection.
    TimedOut,
}
// ANCHOR_END: pulse

impl Pulse {
    /// The link is online from now on.
    pub fn new(now: Millis) -> Pulse {
        Pulse { heard: now, acked: None }
    }

    /// Something came from the master, whatever it is.
    pub fn heard(&mut self, now: Millis) {
        self.heard = now;
    }

    /// When the master was last heard.
    pub fn last_heard(&self) -> Millis {
        self.heard
    }

    /// A `REPLCONF ACK` has been sent, on time or because the master asked for it.
    pub fn acked(&mut self, now: Millis) {
        self.acked = Some(now);
    }

    /// The next time at which [`Pulse::beat`] has something to say. If that is now already, as before the first ACK,
    /// any time that is not in the future.
    pub fn next_deadline(&self, timers: &Timers) -> Millis {
        // <exercise 2.6 next_deadline>
        todo!("lab 2.6: The replica's heartbeat")
        // </exercise>
    }

    /// What the replica has to do now: an ACK at once when the link comes online, then whenever the last
    /// one is [`ACK_PERIOD`] old; and it gives up a master that has been silent for longer than the
    /// timeout. Who gives up does not acknowledge any more.
    pub fn beat(&self, now: Millis, timers: &Timers) -> Option<ReplicaBeat> {
        // <exercise 2.6 beat>
        todo!("lab 2.6: The replica's heartbeat")
        // </exercise>
    }
}
