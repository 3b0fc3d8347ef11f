//! Who belongs to the cluster, who follows whom, and epochs that an operator sets: `CLUSTER MEET`, `FORGET`,
//! `REPLICATE`, `RESET` and their kin.

use core_types::{Args, Endpoint, Epoch, LogLevel, Millis, NodeId, Reply};

use super::Flag;
use super::commands::{Refusal, integer_at, known, known_at, text_at};
use super::state::Forgotten;
use crate::Node;
use crate::conn::Conn;
use crate::layers::election::epochs::without_vote;
use crate::layers::one_replica::ReplicaOf;
use crate::layers::wire::parse_integer;

/// For so long nobody can talk us into adding a member again that was removed here
/// (`CLUSTER_BLACKLIST_TTL` in Redis's `cluster.c`).
const FORGOTTEN_FOR: Millis = Millis::from_secs(60);

/// `CLUSTER MEET ip port [bus port]`
pub(super) fn meet(node: &mut Node, args: Args<'_>) -> Result<(), Refusal> {
    let port = parse_integer(&args[3]);
    let port = port.ok_or_else(|| format!("ERR Invalid TCP base port specified: {}", text_at(args, 3)))?;
    let bus_port = match args.len() {
        4 => port.wrapping_add(10_000),
        _ => parse_integer(&args[4])
            .ok_or_else(|| format!("ERR Invalid TCP bus port specified: {}", text_at(args, 4)))?,
    };
    let ip: Option<std::net::IpAddr> = text_at(args, 2).parse().ok();
    let ports = u16::try_from(port).ok().zip(u16::try_from(bus_port).ok());
    match (ip, ports.filter(|(port, bus_port)| *port > 0 && *bus_port > 0)) {
        (Some(ip), Some((port, bus_port))) => {
            node.bus_meet(&ip.to_string(), port, bus_port);
            Ok(())
        }
        _ => Err(format!("ERR Invalid node address specified: {}:{}", text_at(args, 2), text_at(args, 3))),
    }
}

/// `CLUSTER FORGET id`
pub(super) fn forget(node: &mut Node, args: Args<'_>) -> Result<(), Refusal> {
    let cluster = known(node);
    let told_before = |id| cluster.forgotten.get(&id).is_some_and(|gone| gone.hearsay);
    if NodeId::parse(&args[2]).is_ok_and(|id| cluster.member(&id).is_none() && told_before(id)) {
        // The operator says it to every node, and a newer one was faster.
        return Ok(());
    }
    let id = known_at(cluster, args, 2)?;
    if id == cluster.me() {
        return Err("ERR I tried hard but I can't forget myself...".into());
    }
    if !cluster.myself().is_master() && cluster.myself().master == Some(id) {
        return Err("ERR Can't forget my master!".into());
    }
    node.forget_member(id, FORGOTTEN_FOR, false);
    known(node).must_sync();
    Ok(())
}

/// `CLUSTER REPLICATE id`
pub(super) fn replicate(node: &mut Node, args: Args<'_>) -> Result<(), Refusal> {
    let keys = node.keyspace.len(0);
    let cluster = known(node);
    let id = known_at(cluster, args, 2)?;
    if id == cluster.me() {
        return Err("ERR Can't replicate myself".into());
    }
    if cluster.member(&id).is_some_and(|member| member.flags.has(Flag::Replica)) {
        return Err("ERR I can only replicate a master, not a replica.".into());
    }
    let myself = cluster.myself();
    if myself.is_master() && (!myself.slots().is_empty() || keys > 0) {
        return Err("ERR To set a master the node must be empty and without assigned slots.".into());
    }
    node.set_cluster_master(id);
    let cluster = known(node);
    cluster.todo.update_health = true;
    cluster.must_sync();
    Ok(())
}

/// `CLUSTER RESET [HARD | SOFT]`
pub(super) fn reset(node: &mut Node, args: Args<'_>) -> Result<(), Refusal> {
    let hard = match args.get(2) {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"hard") => true,
        Some(word) if word.eq_ignore_ascii_case(b"soft") => false,
        Some(_) => return Err("ERR syntax error".into()),
    };
    if known(node).myself().is_master() && node.keyspace.len(0) > 0 {
        return Err("ERR CLUSTER RESET can't be called with master nodes containing keys".into());
    }
    if !known(node).myself().is_master() {
        node.become_cluster_master("CLUSTER RESET");
        node.keyspace.flush_all();
    }
    node.forget_failover_by_hand();
    let cluster = known(node);
    let me = cluster.me();
    cluster.migrating.clear();
    cluster.importing.clear();
    let others: Vec<NodeId> = cluster.members().map(|member| member.id).filter(|id| *id != me).collect();
    cluster.unassign_all(&me);
    let removed: Vec<_> = others.iter().filter_map(|id| cluster.remove(id)).collect();
    if hard {
        cluster.current_epoch = Epoch(0);
        cluster.last_vote_epoch = Epoch(0);
        cluster.myself_mut().config_epoch = Epoch(0);
        let id = NodeId::random(&mut node.rng);
        known(node).rename(&me, id);
        node.log(LogLevel::Warning, "configEpoch set to 0 via CLUSTER RESET HARD");
        node.log(LogLevel::Notice, format!("Node hard reset, now I'm {id}"));
    }
    let cluster = known(node);
    cluster.todo.update_health = true;
    cluster.must_sync();
    removed.iter().for_each(|member| node.bus_forgot(member));
    node.drop_channels(|_| true);
    Ok(())
}

/// `CLUSTER SET-CONFIG-EPOCH epoch`
pub(super) fn set_config_epoch(node: &mut Node, args: Args<'_>) -> Result<(), Refusal> {
    let number = integer_at(args, 2)?;
    let epoch =
        Epoch(u64::try_from(number).map_err(|_| format!("ERR Invalid config epoch specified: {number}"))?);
    let cluster = known(node);
    if cluster.known() > 1 {
        return Err("ERR The user can assign a config epoch only when the node does not know any other \
                    node."
            .into());
    }
    if cluster.myself().config_epoch != Epoch(0) {
        return Err("ERR Node config epoch is already non-zero".into());
    }
    cluster.myself_mut().config_epoch = epoch;
    cluster.current_epoch = cluster.current_epoch.max(epoch);
    cluster.todo.update_health = true;
    cluster.must_sync();
    node.log(LogLevel::Warning, format!("configEpoch set to {epoch} via CLUSTER SET-CONFIG-EPOCH"));
    Ok(())
}

/// `CLUSTER BUMPEPOCH`
pub(super) fn bump_epoch(node: &mut Node, conn: &mut Conn) {
    let word = if node.bump_config_epoch() { "BUMPED" } else { "STILL" };
    let epoch = known(node).myself().config_epoch;
    node.encoder(conn).simple(&format!("{word} {epoch}"));
}

/// `CLUSTER COUNT-FAILURE-REPORTS id`
pub(super) fn count_failure_reports(node: &mut Node, args: Args<'_>) -> Result<i64, Refusal> {
    let (now, timeout) = (node.now, node.config.cluster_node_timeout);
    let cluster = known(node);
    let id = known_at(cluster, args, 2)?;
    let reports = cluster.member_mut(&id).map_or(0, |member| member.fail_reports.count(now, timeout));
    Ok(reports as i64)
}

impl Node {
    /// Another node tells that it has been made to forget a member, and for how much longer it will not have it back. What
    /// follows is what would follow if the operator said it to us. (`clusterProcessPingExtensions` in Redis 7.2)
    pub(super) fn hear_forgotten(&mut self, teller: NodeId, id: NodeId, left: Millis) {
        let Some(cluster) = &self.cluster else { return };
        let myself = cluster.myself();
        let my_master = myself.master.filter(|_| !myself.is_master());
        let ours_to_keep = id == cluster.me() || id == teller || Some(id) == my_master;
        if ours_to_keep || left == Millis::ZERO || cluster.member(&id).is_none() {
            return;
        }
        self.log(LogLevel::Notice, format!("Forgetting node {id}, as node {teller} has done"));
        // Whoever still wants it gone then says so in every heartbeat.
        self.forget_member(id, left.min(FORGOTTEN_FOR), true);
    }

    fn forget_member(&mut self, id: NodeId, time: Millis, hearsay: bool) {
        let until = self.now + time;
        let Some(cluster) = &mut self.cluster else { return };
        cluster.forgotten.insert(id, Forgotten { until, hearsay });
        let member = cluster.remove(&id);
        cluster.todo.update_health = true;
        cluster.must_save();
        if let Some(member) = member {
            self.bus_forgot(&member);
        }
    }

    /// Takes a configuration epoch greater than all that are known, unless our own is the greatest already. Asks
    /// nobody. (`clusterBumpConfigEpochWithoutConsensus`)
    pub(crate) fn bump_config_epoch(&mut self) -> bool {
        let Some(cluster) = &mut self.cluster else { return false };
        let epochs = cluster.members().map(|member| member.config_epoch);
        // What a replica calls its own epoch may be its master's, from our file.
        let mine = Some(cluster.myself()).filter(|myself| myself.is_master());
        let mine = mine.map_or(Epoch(0), |myself| myself.config_epoch);
        let fresh = without_vote(mine, cluster.current_epoch, epochs);
        let Some(epoch) = fresh else { return false };
        cluster.current_epoch = epoch;
        cluster.myself_mut().config_epoch = epoch;
        cluster.must_sync();
        self.log(LogLevel::Warning, format!("New configEpoch set to {epoch}"));
        true
    }

    /// We are a replica of this member from now on. (`clusterSetMaster`)
    pub(crate) fn set_cluster_master(&mut self, id: NodeId) {
        let Some(cluster) = &mut self.cluster else { return };
        if cluster.myself().is_master() {
            cluster.migrating.clear();
            cluster.importing.clear();
        }
        let myself = cluster.myself_mut();
        myself.flags.clear(Flag::Master);
        myself.flags.clear(Flag::MigrateTo);
        myself.flags.set(Flag::Replica);
        let before = myself.master.replace(id);
        cluster.note_replicas_of(before);
        cluster.note_replicas_of(Some(id));
        if before != Some(id) {
            // Votes for the place of another master are none for this one's.
            cluster.election.begin_anew();
        }
        cluster.todo.update_health = true;
        cluster.must_save();
        let at = cluster.member(&id).map(|master| Endpoint::new(master.ip.clone(), master.port));
        if let Some(at) = at.filter(|at| !at.host.is_empty()) {
            self.change_role(&ReplicaOf::Of(at), "the cluster");
        }
        self.forget_failover_by_hand();
    }

    /// We are a master from now on, of no slots yet. (`clusterSetNodeAsMaster` for ourselves)
    pub(crate) fn become_cluster_master(&mut self, why: &str) {
        let Some(cluster) = &mut self.cluster else { return };
        let myself = cluster.myself_mut();
        myself.flags.clear(Flag::Replica);
        myself.flags.set(Flag::Master);
        let before = myself.master.take();
        cluster.note_replicas_of(before);
        cluster.todo.update_health = true;
        cluster.must_save();
        if self.replication.is_replica() {
            self.change_role(&ReplicaOf::NoOne, why);
        }
    }

    /// After a start, or when our master's address is known at last or has changed: follows it.
    pub(super) fn follow_cluster_master(&mut self) {
        let Some(cluster) = &self.cluster else { return };
        let myself = cluster.myself();
        if myself.is_master() || self.persistence.is_loading() {
            return;
        }
        let Some(master) = myself.master.and_then(|id| cluster.member(&id)) else { return };
        if master.ip.is_empty() || master.flags.has(Flag::NoAddress) {
            return;
        }
        let at = Endpoint::new(master.ip.clone(), master.port);
        if !self.replication.is_replica() {
            self.change_role(&ReplicaOf::Of(at), "the cluster");
        }
    }
}
