use std::fmt;

/// How many kinds of packets Redis 7.0 knows, those of modules included (`CLUSTERMSG_TYPE_COUNT` in `cluster.h`).
pub const KINDS: usize = 11;

/// What a packet is for. The numbers are those on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u16)]
pub enum Kind {
    /// Are you there? Answered by a `Pong`.
    Ping = 0,
    /// The answer, and what a node says unasked when its own state has changed.
    Pong = 1,
    /// A `Ping` that asks to be taken into the receiver's list of nodes.
    Meet = 2,
    /// The majority agrees that a node is down.
    Fail = 3,
    /// A message for all subscribers of a channel.
    Publish = 4,
    /// A replica asks for a vote.
    AuthRequest = 5,
    /// It has the vote.
    AuthAck = 6,
    /// You are behind: these slots are another's by now.
    Update = 7,
    /// A replica asks its master to stand still, so that it can take over.
    FailoverStart = 8,
    /// Between modules, which there are none of here.
    Module = 9,
    /// A message for the subscribers of a channel that belongs to a slot.
    PublishShard = 10,
}

impl Kind {
    /// All of them, by number.
    pub const ALL: [Kind; KINDS] = [
        Kind::Ping,
        Kind::Pong,
        Kind::Meet,
        Kind::Fail,
        Kind::Publish,
        Kind::AuthRequest,
        Kind::AuthAck,
        Kind::Update,
        Kind::FailoverStart,
        Kind::Module,
        Kind::PublishShard,
    ];

    /// The kind of this number.
    pub fn from_number(number: u16) -> Option<Kind> {
        Kind::ALL.get(usize::from(number)).copied()
    }

    /// Its number on the wire.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The same, to index a table of counters.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// What `CLUSTER INFO` and the log call it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Ping => "ping",
            Kind::Pong => "pong",
            Kind::Meet => "meet",
            Kind::Fail => "fail",
            Kind::Publish => "publish",
            Kind::AuthRequest => "auth-req",
            Kind::AuthAck => "auth-ack",
            Kind::Update => "update",
            Kind::FailoverStart => "mfstart",
            Kind::Module => "module",
            Kind::PublishShard => "publishshard",
        }
    }

    /// A heartbeat: it carries gossip.
    pub const fn is_beat(self) -> bool {
        matches!(self, Kind::Ping | Kind::Pong | Kind::Meet)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
