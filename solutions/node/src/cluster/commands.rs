//! `CLUSTER`: what it is asked, and who answers.

use core_types::{Args, NodeId, Reply, Slot};

use super::routing::DISABLED;
use super::{Cluster, manual, membership, slots};
use crate::Node;
use crate::commands::{help, wrong_arguments};
use crate::conn::Conn;
use crate::layers::sharding::key_slot;
use crate::layers::wire::parse_integer;

/// What the client gets instead: the whole text.
pub(super) type Refusal = String;

/// `CLUSTER subcommand …`
pub(crate) fn cluster(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if node.cluster.is_none() {
        return node.encoder(conn).error(DISABLED);
    }
    let begin = conn.out.len();
    match args[1].to_ascii_lowercase().as_slice() {
        b"myid" => {
            let id = known(node).me();
            node.encoder(conn).bulk(id.as_str().as_bytes());
        }
        b"nodes" => {
            let text = known(node).describe_all();
            node.encoder(conn).verbatim("txt", text.as_bytes());
        }
        b"slots" => node.cluster_slots(conn),
        b"shards" => node.cluster_shards(conn),
        b"links" => node.cluster_links(conn),
        b"info" => {
            let text = known(node).info();
            node.encoder(conn).verbatim("txt", text.as_bytes());
        }
        b"keyslot" => {
            let slot = key_slot(&args[2]);
            node.encoder(conn).integer(i64::from(slot.number()));
        }
        b"countkeysinslot" => answer(node, conn, slots::count_keys, args),
        b"getkeysinslot" => slots::get_keys(node, conn, args),
        b"addslots" | b"delslots" | b"addslotsrange" | b"delslotsrange" if !slots::paired(args) => {
            let name = String::from_utf8_lossy(&args[1]).to_ascii_lowercase();
            let text = format!("ERR wrong number of arguments for 'cluster|{name}' command");
            node.encoder(conn).error(&text);
        }
        b"addslots" | b"delslots" | b"addslotsrange" | b"delslotsrange" => {
            act(node, conn, slots::assign, args);
        }
        b"flushslots" => act(node, conn, slots::flush, args),
        b"setslot" => act(node, conn, slots::set, args),
        b"meet" if args.len() <= 5 => act(node, conn, membership::meet, args),
        b"replicate" => act(node, conn, membership::replicate, args),
        b"forget" => act(node, conn, membership::forget, args),
        b"reset" if args.len() <= 3 => act(node, conn, membership::reset, args),
        b"set-config-epoch" => act(node, conn, membership::set_config_epoch, args),
        b"bumpepoch" => membership::bump_epoch(node, conn),
        b"saveconfig" => {
            node.save_cluster_on_request();
            node.encoder(conn).simple("OK");
        }
        b"failover" if args.len() <= 3 => act(node, conn, manual::failover, args),
        b"count-failure-reports" => answer(node, conn, membership::count_failure_reports, args),
        b"replicas" | b"slaves" => node.cluster_replicas(conn, args),
        b"help" => return help::answer(node, conn, help::CLUSTER),
        _ => return wrong_arguments(node, conn, &args[1], "CLUSTER"),
    }
    node.answer_when_saved(conn, begin, args);
}

/// The cluster of a node that has one.
pub(super) fn known(node: &mut Node) -> &mut Cluster {
    node.cluster.as_mut().expect("CLUSTER was refused before")
}

/// `+OK`, or why not.
fn act(
    node: &mut Node,
    conn: &mut Conn,
    act: fn(&mut Node, Args<'_>) -> Result<(), Refusal>,
    args: Args<'_>,
) {
    let done = act(node, args);
    // Whoever gives away slots may listen to their channels itself.
    node.drop_own_channels(conn);
    match done {
        Ok(()) => node.encoder(conn).simple("OK"),
        Err(text) => node.encoder(conn).error(&text),
    }
}

/// A number, or why not.
fn answer(
    node: &mut Node,
    conn: &mut Conn,
    ask: fn(&mut Node, Args<'_>) -> Result<i64, Refusal>,
    args: Args<'_>,
) {
    match ask(node, args) {
        Ok(number) => node.encoder(conn).integer(number),
        Err(text) => node.encoder(conn).error(&text),
    }
}

/// A slot's number among the arguments.
pub(super) fn slot_at(args: Args<'_>, place: usize) -> Result<Slot, Refusal> {
    let number = parse_integer(&args[place]).and_then(|number| u16::try_from(number).ok());
    number.and_then(Slot::new).ok_or_else(|| "ERR Invalid or out of range slot".into())
}

/// A number among the arguments.
pub(super) fn integer_at(args: Args<'_>, place: usize) -> Result<i64, Refusal> {
    parse_integer(&args[place]).ok_or_else(|| "ERR value is not an integer or out of range".into())
}

/// A member's id among the arguments; `None`: there is no such member.
pub(super) fn member_at(cluster: &Cluster, args: Args<'_>, place: usize) -> Option<NodeId> {
    NodeId::parse(&args[place]).ok().filter(|id| cluster.member(id).is_some())
}

/// The same, and what Redis says if there is none.
pub(super) fn known_at(cluster: &Cluster, args: Args<'_>, place: usize) -> Result<NodeId, Refusal> {
    member_at(cluster, args, place).ok_or_else(|| format!("ERR Unknown node {}", text_at(args, place)))
}

pub(super) fn text_at(args: Args<'_>, place: usize) -> String {
    String::from_utf8_lossy(&args[place]).into_owned()
}
