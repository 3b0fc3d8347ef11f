//! `CLUSTER FAILOVER`: an operator wants this replica to become master. Also what its master does about it.
//!
//! The replica asks its master to hold its clients' writes back (`MFSTART`). Until it has given up, the master says in
//! every packet that it is paused, and at which offset; the replica waits until it has applied the stream up to there, and
//! then stands for election at once, with the words that voters shall not mind that the master is alive. The clients'
//! writes lie where they are. When the master hears that it has been replaced, it becomes a replica, goes through them
//! again, and sends each to the new master.

use core_types::{Args, LogLevel, NodeId, Offset};

use super::commands::{Refusal, known};
use crate::layers::election::manual::{Manual, Master, Start, Way, begin, pause};
use crate::{ConnId, Node};

/// `CLUSTER FAILOVER [FORCE | TAKEOVER]`
pub(super) fn failover(node: &mut Node, args: Args<'_>) -> Result<(), Refusal> {
    let way = match args.get(2) {
        None => Way::Plain,
        Some(word) if word.eq_ignore_ascii_case(b"force") => Way::Force,
        Some(word) if word.eq_ignore_ascii_case(b"takeover") => Way::Takeover,
        Some(_) => return Err("ERR syntax error".into()),
    };
    node.call_before_first_look();
    let now = node.now;
    let cluster = known(node);
    let myself = cluster.myself();
    let master = match myself.master.and_then(|id| cluster.member(&id)) {
        _ if myself.is_master() => Master::Myself,
        None => Master::Unknown,
        Some(master) => Master::Known { reachable: !master.has_failed() && master.link.is_some() },
    };
    let asked = myself.master;
    let start = begin(way, master).map_err(|why| format!("ERR {why}"))?;
    node.forget_failover_by_hand();
    let election = &mut known(node).election;
    election.begin_anew();
    match start {
        Start::AskMaster => {
            election.manual = Some(Manual::new(now, way));
            node.log(LogLevel::Warning, "Manual failover user request accepted.");
            if let Some(master) = asked {
                node.ask_to_pause(master);
            }
        }
        Start::Stand => {
            election.manual = Some(Manual::new(now, way));
            node.log(LogLevel::Warning, "Forced failover user request accepted.");
            known(node).todo.election = true;
        }
        Start::TakeOver => {
            node.log(LogLevel::Warning, "Taking over the master (user request).");
            node.bump_config_epoch();
            let epoch = known(node).myself().config_epoch;
            node.take_over(epoch);
        }
    }
    Ok(())
}

impl Node {
    /// As a replica: the master has told where it paused. Have we got there?
    pub(super) fn catch_up_by_hand(&mut self) {
        let applied = self.replication.offset();
        let Some(cluster) = &mut self.cluster else { return };
        if cluster.election.manual.as_mut().is_some_and(|manual| manual.catch_up(applied)) {
            cluster.todo.election = true;
            let text = "All master replication stream processed, manual failover can start.";
            self.log(LogLevel::Warning, text);
        }
    }

    /// As a replica: our master says in the header of a packet that it is paused, at this offset.
    pub(super) fn hear_pause(&mut self, sender: NodeId, offset: Offset) {
        let Some(cluster) = &mut self.cluster else { return };
        let myself = cluster.myself();
        if myself.is_master() || myself.master != Some(sender) {
            return;
        }
        if cluster.election.manual.as_mut().is_some_and(|manual| manual.hear_pause(offset)) {
            let text = format!("Received replication offset for paused master manual failover: {offset}");
            self.log(LogLevel::Warning, text);
        }
    }

    /// As a master: a replica asks us to pause (`MFSTART`), on this connection.
    pub(in crate::cluster) fn hear_pause_wanted(&mut self, conn: ConnId, sender: NodeId) {
        let now = self.now;
        let Some(cluster) = &self.cluster else { return };
        let is_mine = cluster.member(&sender).is_some_and(|member| member.master == Some(cluster.me()));
        let Some(pause) = pause(now, sender, is_mine) else { return };
        if self.pauses_later(conn, sender) {
            return;
        }
        self.forget_failover_by_hand();
        if let Some(cluster) = &mut self.cluster {
            cluster.election.pause = Some(pause);
        }
        self.log(LogLevel::Warning, format!("Manual failover requested by replica {sender}."));
        // The header of any packet tells the offset, and this one leaves now.
        self.send_beat(conn, bus::Kind::Ping);
    }

    /// As a master that has paused: the replica hears of the offset again and again.
    pub(super) fn tell_pause(&mut self) {
        let replica =
            self.cluster.as_ref().and_then(|cluster| cluster.election.pause).map(|pause| pause.replica);
        if let Some(replica) = replica {
            self.send_beat_to(replica, bus::Kind::Ping);
        }
    }

    /// A failover that takes too long is called off, by the replica and by its master.
    pub(super) fn end_late_failover(&mut self) {
        let now = self.now;
        let Some(cluster) = &self.cluster else { return };
        let election = &cluster.election;
        let late = election.manual.is_some_and(|manual| manual.is_over(now))
            || election.pause.is_some_and(|pause| now > pause.until);
        if late {
            self.log(LogLevel::Warning, "Manual failover timed out.");
            self.forget_failover_by_hand();
        } else {
            self.tell_pause();
        }
    }

    /// No failover by hand is under way any more, as a replica or as a master; clients may write. (`resetManualFailover`)
    pub(super) fn forget_failover_by_hand(&mut self) {
        let Some(cluster) = &mut self.cluster else { return };
        cluster.election.manual = None;
        if cluster.election.pause.take().is_some() {
            self.release_postponed();
        }
    }

    /// True on a master whose clients' writes wait for a replica to take over.
    pub(crate) fn is_handing_over(&self) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| cluster.election.is_pausing())
    }
}
