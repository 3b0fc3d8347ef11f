//! `FAILOVER`: a master hands its place to one of its replicas, and loses nothing.
//!
//! ```text
//!              writes wait          the target acknowledges all
//! FAILOVER ───────────────▶ WaitForSync ─────────────▶ InProgress ─────────▶ over: we follow the target
//!                               │ timeout without FORCE    │ PSYNC id offset FAILOVER
//!                               ▼                          ▼ refused, or ABORT
//!                        over: we go on as we were    we are a master again, under a new id
//! ```
//!
//! While it lasts no client may write, so the offset stands still and the target can reach it. The target is
//! told to become a master by the very `PSYNC` by which its old master asks to follow it.

use core_types::{Args, Endpoint, LogLevel, Millis, Reply};

use super::attach::{replica_ip, replica_name};
use crate::conn::{Conn, Kind};
use crate::layers::one_replica::{Phase, ReplicaOf};
use crate::layers::wire::parse_integer;
use crate::{ConnId, Node};

/// A failover that this node has begun.
#[derive(Clone, Debug)]
pub(crate) struct Failover {
    stage: Stage,
    /// Whom to hand over to; `None`: the first that has everything.
    target: Option<Endpoint>,
    /// When to give up waiting.
    deadline: Option<Millis>,
    /// Then hand over all the same.
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    WaitForSync,
    InProgress,
}

impl Failover {
    /// The word for it in `INFO`.
    pub(crate) fn word(&self) -> &'static str {
        match self.stage {
            Stage::WaitForSync => "waiting-for-sync",
            Stage::InProgress => "failover-in-progress",
        }
    }

    /// The role has been handed over, and the target has to be told.
    pub(super) fn is_in_progress(&self) -> bool {
        self.stage == Stage::InProgress
    }
}

/// `FAILOVER [TO host port [FORCE]] [TIMEOUT milliseconds] [ABORT]`
pub(crate) fn failover(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if node.cluster.is_some() {
        let text = "ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.";
        return node.encoder(conn).error(text);
    }
    if args.len() == 2 && args.is(1, "abort") {
        if node.replication.failover.is_none() {
            return node.encoder(conn).error("ERR No failover in progress.");
        }
        node.abort_failover("Failover manually aborted");
        return node.encoder(conn).simple("OK");
    }
    match parse(args).and_then(|asked| node.begin_failover(asked)) {
        Ok(()) => node.encoder(conn).simple("OK"),
        Err(text) => node.encoder(conn).error(&text),
    }
}

/// What a client asked for.
#[derive(Default)]
struct Asked {
    target: Option<(String, i64)>,
    timeout: Option<Millis>,
    force: bool,
}

fn parse(args: Args<'_>) -> Result<Asked, String> {
    const NUMBER: &str = "ERR value is not an integer or out of range";
    let mut asked = Asked::default();
    let mut at = 1;
    while at < args.len() {
        let left = args.len() - at - 1;
        if args.is(at, "timeout") && left >= 1 && asked.timeout.is_none() {
            let millis = parse_integer(&args[at + 1]).ok_or(NUMBER)?;
            if millis <= 0 {
                return Err("ERR FAILOVER timeout must be greater than 0".into());
            }
            asked.timeout = Some(Millis(millis as u64));
            at += 2;
        } else if args.is(at, "to") && left >= 2 && asked.target.is_none() {
            let port = parse_integer(&args[at + 2]).ok_or(NUMBER)?;
            asked.target = Some((String::from_utf8_lossy(&args[at + 1]).into_owned(), port));
            at += 3;
        } else if args.is(at, "force") && !asked.force {
            asked.force = true;
            at += 1;
        } else {
            return Err("ERR syntax error".into());
        }
    }
    Ok(asked)
}

impl Node {
    fn begin_failover(&mut self, asked: Asked) -> Result<(), String> {
        let refuse = |text: &str| Err(format!("ERR {text}"));
        if self.replication.failover.is_some() {
            return refuse("FAILOVER already in progress.");
        }
        if self.replication.is_replica() {
            return refuse("FAILOVER is not valid when server is a replica.");
        }
        if self.replication.replicas.is_empty() {
            return refuse("FAILOVER requires connected replicas.");
        }
        if asked.force && (asked.timeout.is_none() || asked.target.is_none()) {
            return refuse("FAILOVER with force option requires both a timeout and target HOST and IP.");
        }
        let mut target = None;
        if let Some((host, port)) = asked.target {
            let wanted = u16::try_from(port).ok().map(|port| Endpoint::new(host, port));
            let found = wanted.as_ref().and_then(|wanted| self.find_replica(wanted));
            let (Some(wanted), Some(id)) = (wanted, found) else {
                return refuse("FAILOVER target HOST and PORT is not a replica.");
            };
            if !self.is_caught_up_with_snapshot(id) {
                return refuse("FAILOVER target replica is not online.");
            }
            target = Some(wanted);
        }
        let text =
            target.as_ref().map_or("FAILOVER requested.".into(), |to| format!("FAILOVER requested to {to}."));
        self.log(LogLevel::Notice, text);
        let deadline = asked.timeout.map(|timeout| self.now + timeout);
        self.replication.failover =
            Some(Failover { stage: Stage::WaitForSync, target, deadline, force: asked.force });
        // The target may have everything already.
        self.replication.turn.acked = true;
        Ok(())
    }

    fn find_replica(&self, wanted: &Endpoint) -> Option<ConnId> {
        let mut replicas = self.replication.replicas.iter().copied();
        replicas.find(|id| {
            let conn = self.conns.get(*id);
            conn.is_some_and(|conn| conn.hello.port == wanted.port && replica_ip(conn) == wanted.host)
        })
    }

    fn is_caught_up_with_snapshot(&self, id: ConnId) -> bool {
        self.replica(id)
            .is_some_and(|replica| matches!(replica.attachment.phase(), Phase::AwaitAck | Phase::Online))
    }

    /// When this failover gives up waiting.
    pub(crate) fn failover_deadline(&self) -> Option<Millis> {
        let failover = self.replication.failover.as_ref()?;
        failover.deadline.filter(|_| failover.stage == Stage::WaitForSync)
    }

    /// Time has passed, or a replica has acknowledged: can the place be handed over?
    pub(crate) fn advance_failover(&mut self) {
        self.flush_stream();
        let Some(failover) = &self.replication.failover else { return };
        if failover.stage != Stage::WaitForSync {
            return;
        }
        if failover.deadline.is_some_and(|deadline| self.now >= deadline) {
            let Some(to) = failover.target.clone().filter(|_| failover.force) else {
                return self.abort_failover("Replica never caught up before timeout");
            };
            self.log(LogLevel::Notice, format!("Failover to {to} time out exceeded, failing over."));
            return self.hand_over_place(to);
        }
        let everything = self.replication.offset();
        let has_everything = |id: &ConnId| self.replication.acks.acked(*id) == Some(everything);
        let chosen = match &failover.target {
            Some(target) => self.find_replica(target).filter(has_everything),
            None => self.replication.replicas.iter().copied().find(has_everything),
        };
        let Some(conn) = chosen.and_then(|id| self.conns.get(id)) else { return };
        let to = Endpoint::new(replica_ip(conn), conn.hello.port);
        self.log(LogLevel::Notice, format!("Failover target {to} is synced, failing over."));
        self.hand_over_place(to);
    }

    /// Follows the replica, and tells it so by the `PSYNC` that asks for its stream.
    fn hand_over_place(&mut self, to: Endpoint) {
        if let Some(failover) = &mut self.replication.failover {
            failover.stage = Stage::InProgress;
            failover.target = Some(to.clone());
        }
        self.follow(&ReplicaOf::Of(to), "failover");
    }

    /// The target follows our wish: it is over.
    pub(super) fn end_failover(&mut self) {
        if self.replication.failover.take().is_some() {
            self.release_postponed();
        }
    }

    /// It did not come to its end. A node that had given its place away takes it back.
    pub(super) fn abort_failover(&mut self, why: &str) {
        let Some(failover) = &self.replication.failover else { return };
        let to = failover.target.as_ref().map_or(String::new(), |to| format!(" to {to}"));
        let text = format!("Aborting failover{to} while in state {}: {why}", failover.word());
        let given_away = failover.is_in_progress();
        self.log(LogLevel::Notice, text);
        if given_away {
            self.follow(&ReplicaOf::NoOne, "failover");
        }
        self.end_failover();
    }

    /// `PSYNC id offset FAILOVER` from our master: become a master in its place. False if that was refused, and
    /// answered.
    pub(super) fn take_over_place(&mut self, conn: &mut Conn, args: Args<'_>) -> bool {
        let id = String::from_utf8_lossy(&args[1]).into_owned();
        self.log(LogLevel::Warning, format!("Failover request received for replid {id}."));
        if !self.replication.is_replica() {
            self.encoder(conn).error("ERR PSYNC FAILOVER can't be sent to a master.");
            return false;
        }
        if !args[1].eq_ignore_ascii_case(self.replication.history.id.as_str().as_bytes()) {
            self.encoder(conn).error("ERR PSYNC FAILOVER replid must match my replid.");
            return false;
        }
        let client = format!("id={} addr={} {}", conn.client_id, conn.addr, replica_name(conn));
        self.promote("failover request", &client);
        debug_assert!(!matches!(conn.kind, Kind::Replica(_)), "it is not one of ours yet");
        true
    }
}
