//! Who serves which slot: what `CLUSTER ADDSLOTS` and its kin do, and `CLUSTER SETSLOT`.

use core_types::{Args, LogLevel, NodeId, Reply, Slot, SlotSet};

use super::Cluster;
use super::commands::{Refusal, integer_at, known, known_at, member_at, slot_at, text_at};
use crate::Node;
use crate::conn::Conn;
use crate::layers::redirection::{Effects, Moving, SetSlot, SlotState};

/// Ranges come as pairs.
pub(super) fn paired(args: Args<'_>) -> bool {
    !is_range(args) || args.len().is_multiple_of(2)
}

fn is_range(args: Args<'_>) -> bool {
    args[1].len() > "addslots".len()
}

/// `CLUSTER ADDSLOTS`, `ADDSLOTSRANGE`, `DELSLOTS`, `DELSLOTSRANGE`: all of them, or none.
pub(super) fn assign(node: &mut Node, args: Args<'_>) -> Result<(), Refusal> {
    let delete = args[1].to_ascii_lowercase().starts_with(b"del");
    let mut ranges = Vec::new();
    if is_range(args) {
        for place in (2..args.len()).step_by(2) {
            let (first, last) = (slot_at(args, place)?, slot_at(args, place + 1)?);
            if first > last {
                return Err(format!("ERR start slot number {first} is greater than end slot number {last}"));
            }
            ranges.push((first, last));
        }
    } else {
        for place in 2..args.len() {
            let slot = slot_at(args, place)?;
            ranges.push((slot, slot));
        }
    }
    let cluster = known(node);
    let mut chosen = SlotSet::new();
    for slot in ranges
        .iter()
        .flat_map(|(first, last)| Slot::all().skip(first.index()).take_while(move |slot| slot <= last))
    {
        match (cluster.owner(slot), delete) {
            (None, true) => return Err(format!("ERR Slot {slot} is already unassigned")),
            (Some(_), false) => return Err(format!("ERR Slot {slot} is already busy")),
            _ if !chosen.insert(slot) => return Err(format!("ERR Slot {slot} specified multiple times")),
            _ => {}
        }
    }
    let me = cluster.me();
    for slot in chosen.iter() {
        if delete {
            cluster.unassign(slot);
        } else {
            // What is ours does not have to arrive.
            cluster.importing.remove(&slot);
            cluster.assign(slot, me);
        }
    }
    cluster.todo.update_health = true;
    cluster.must_save();
    if delete {
        node.drop_channels(|slot| chosen.contains(slot));
    }
    Ok(())
}

/// `CLUSTER FLUSHSLOTS`
pub(super) fn flush(node: &mut Node, _: Args<'_>) -> Result<(), Refusal> {
    if node.keyspace.len(0) > 0 {
        return Err("ERR DB must be empty to perform CLUSTER FLUSHSLOTS.".into());
    }
    let cluster = known(node);
    let me = cluster.me();
    let mine = cluster.myself().slots().clone();
    cluster.unassign_all(&me);
    cluster.todo.update_health = true;
    cluster.must_save();
    node.drop_channels(|slot| mine.contains(slot));
    Ok(())
}

/// `CLUSTER COUNTKEYSINSLOT slot`
pub(super) fn count_keys(node: &mut Node, args: Args<'_>) -> Result<i64, Refusal> {
    let slot = integer_at(args, 2)?;
    let slot = u16::try_from(slot).ok().and_then(Slot::new).ok_or("ERR Invalid slot")?;
    Ok(node.keyspace.db(0).count_in_slot(slot) as i64)
}

/// `CLUSTER GETKEYSINSLOT slot count`
pub(super) fn get_keys(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let asked = integer_at(args, 2).and_then(|slot| {
        let most = integer_at(args, 3)?;
        let slot = u16::try_from(slot).ok().and_then(Slot::new);
        let most = usize::try_from(most).ok();
        slot.zip(most).ok_or_else(|| "ERR Invalid slot or number of keys".into())
    });
    match asked {
        Ok((slot, most)) => {
            let db = node.keyspace.db(0);
            let count = db.count_in_slot(slot).min(most);
            let mut reply = crate::layers::wire::Encoder::new(&mut conn.out, conn.protocol);
            reply.array(count);
            db.keys_in_slot(slot).take(count).for_each(|key| reply.bulk(key));
        }
        Err(text) => node.encoder(conn).error(&text),
    }
}

/// `CLUSTER SETSLOT slot (MIGRATING id | IMPORTING id | STABLE | NODE id)`
pub(super) fn set(node: &mut Node, args: Args<'_>) -> Result<(), Refusal> {
    let cluster = known(node);
    if !cluster.myself().is_master() {
        return Err("ERR Please use SETSLOT only with masters.".into());
    }
    let slot = slot_at(args, 2)?;
    let keys = node.keyspace.db(0).count_in_slot(slot);
    let cluster = known(node);
    let mut state = SlotState {
        me: cluster.me(),
        owner: cluster.owner(slot),
        moving: Moving {
            to: cluster.migrating.get(&slot).copied(),
            from: cluster.importing.get(&slot).copied(),
        },
        keys,
    };
    let effects = change(cluster, args, slot, &mut state)?;
    let owner_before = cluster.owner(slot);
    mark(&mut cluster.migrating, slot, state.moving.to);
    mark(&mut cluster.importing, slot, state.moving.from);
    if let Some(owner) = state.owner.filter(|owner| Some(*owner) != owner_before) {
        cluster.assign(slot, owner);
    }
    cluster.todo.update_health = true;
    cluster.must_save();
    let left_without = effects.lost && cluster.myself().slots().is_empty();
    if effects.lost {
        node.drop_channels(|other| other == slot);
    }
    if let Some(owner) = state.owner.filter(|_| left_without && node.config.cluster_allow_replica_migration) {
        let text = format!("Configuration change detected. Reconfiguring myself as a replica of {owner}");
        node.log(LogLevel::Warning, text);
        node.set_cluster_master(owner);
        known(node).must_sync();
    }
    if effects.bump_epoch && node.bump_config_epoch() {
        node.log(LogLevel::Warning, format!("configEpoch updated after importing slot {slot}"));
    }
    if effects.tell_all {
        node.bus_tell_all();
    }
    Ok(())
}

/// Carries the command out on `state`, with the checks in Redis's order.
fn change(
    cluster: &Cluster,
    args: Args<'_>,
    slot: Slot,
    state: &mut SlotState<NodeId>,
) -> Result<Effects, Refusal> {
    let text = |error: crate::layers::redirection::SetSlotError| error.text(slot);
    let two_sided: Option<fn(NodeId) -> SetSlot<NodeId>> = match () {
        () if args.len() == 5 && args.is(3, "migrating") => Some(SetSlot::Migrating),
        () if args.len() == 5 && args.is(3, "importing") => Some(SetSlot::Importing),
        () => None,
    };
    if let Some(command) = two_sided {
        // Whether it may be at all comes before the question with whom.
        state.clone().set_slot(command(cluster.me())).map_err(text)?;
        let other = member_at(cluster, args, 4)
            .ok_or_else(|| format!("ERR I don't know about node {}", text_at(args, 4)))?;
        return state.set_slot(command(master(cluster, other)?)).map_err(text);
    }
    if args.len() == 4 && args.is(3, "stable") {
        state.set_slot(SetSlot::Stable).map_err(text)
    } else if args.len() == 5 && args.is(3, "node") {
        let owner = known_at(cluster, args, 4)?;
        state.set_slot(SetSlot::Node(master(cluster, owner)?)).map_err(text)
    } else {
        Err("ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP".into())
    }
}

fn master(cluster: &Cluster, id: NodeId) -> Result<NodeId, Refusal> {
    match cluster.member(&id) {
        Some(member) if !member.flags.has(super::Flag::Replica) => Ok(id),
        _ => Err("ERR Target node is not a master".into()),
    }
}

fn mark(marks: &mut std::collections::BTreeMap<Slot, NodeId>, slot: Slot, other: Option<NodeId>) {
    match other {
        Some(other) => drop(marks.insert(slot, other)),
        None => drop(marks.remove(&slot)),
    }
}

impl Node {
    /// A data set that is being loaded shall have what ours has.
    pub(crate) fn index_slots_of(&self, loader: &mut keyspace::rdb::Loader) {
        if self.config.cluster_enabled {
            loader.index_slots(crate::layers::sharding::key_slot);
        }
    }

    /// The data set was loaded: a master owns the slots of its keys, or holds them for their owners
    /// (`verifyClusterConfigWithData`). Only now it begins to hear whether it was replaced meanwhile, and its quiet time
    /// before it serves begins.
    pub(crate) fn claim_loaded_slots(&mut self) {
        let now = self.now;
        let Some(cluster) = &mut self.cluster else { return };
        cluster.health.started = now;
        cluster.todo.update_health = true;
        if !cluster.myself().is_master() {
            return;
        }
        let (me, db) = (cluster.me(), self.keyspace.db(0));
        let mut lines = Vec::new();
        for slot in Slot::all().filter(|slot| db.count_in_slot(*slot) > 0) {
            if cluster.is_mine(slot) || cluster.importing.contains_key(&slot) {
                continue;
            }
            match cluster.owner(slot) {
                None => {
                    lines.push(format!(
                        "I have keys for unassigned slot {slot}. Taking responsibility for it."
                    ));
                    cluster.assign(slot, me);
                }
                Some(owner) => {
                    lines.push(format!(
                        "I have keys for slot {slot}, but the slot is assigned to another node. Setting it to \
                         importing state."
                    ));
                    cluster.importing.insert(slot, owner);
                }
            }
        }
        if !lines.is_empty() {
            cluster.todo.update_health = true;
            cluster.must_save();
        }
        lines.into_iter().for_each(|line| self.log(LogLevel::Warning, line));
    }

    /// Deletes the keys of slots that are not ours any more, and tells the replicas. How many keys there were.
    pub(crate) fn delete_keys_in_slot(&mut self, slot: Slot) -> usize {
        let keys: Vec<Vec<u8>> = self.keyspace.db(0).keys_in_slot(slot).map(<[u8]>::to_vec).collect();
        for key in &keys {
            self.keyspace.db_mut(0).remove(key);
            let del = core_types::ArgsBuf::from_parts([b"DEL".as_slice(), key]);
            self.replication.dirty += 1;
            self.touch_written(0, del.as_args());
            self.propagate(0, del.as_args());
        }
        keys.len()
    }
}
