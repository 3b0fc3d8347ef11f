//! Commands of replication: for an operator, and between the nodes themselves.

use core_types::{Args, Endpoint, LogLevel, Offset, Reply, Role};

use crate::Node;
use crate::conn::{Conn, Kind};
use crate::layers::one_replica::{Phase, ReplicaOf};
use crate::layers::wire::parse_integer;
use crate::replication::master::replica_ip;

/// `REPLICAOF host port`, `REPLICAOF NO ONE`; `SLAVEOF` is its old name.
pub(crate) fn replicaof(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let request = if args.is(1, "no") && args.is(2, "one") {
        ReplicaOf::NoOne
    } else {
        let Some(port) = parse_integer(&args[2]).and_then(|port| u16::try_from(port).ok()) else {
            return node.encoder(conn).error("ERR Invalid master port");
        };
        ReplicaOf::Of(Endpoint::new(String::from_utf8_lossy(&args[1]), port))
    };
    let client = format!("id={} addr={}", conn.client_id, conn.addr);
    let status = node.change_role(&request, &client);
    node.config.replicaof = match node.role() {
        Role::Master => None,
        Role::Replica { of } => Some(of.clone()),
    };
    node.encoder(conn).simple(status);
}

/// `ROLE`
pub(crate) fn role(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    let offset = node.replication.offset().0 as i64;
    if let (Role::Replica { of }, Some(state)) = (node.role().clone(), node.link_state()) {
        let mut reply = node.encoder(conn);
        reply.array(5);
        reply.bulk(b"slave");
        reply.bulk(of.host.as_bytes());
        reply.integer(i64::from(of.port));
        reply.bulk(state.role_word().as_bytes());
        reply.integer(offset);
        return;
    }
    let replicas: Vec<(String, u16, Offset)> = node
        .replication
        .replicas
        .iter()
        .filter_map(|id| Some((node.conns.get(*id)?, node.replica(*id)?)))
        .filter(|(_, replica)| replica.attachment.phase() == Phase::Online)
        .map(|(conn, replica)| (replica_ip(conn), conn.hello.port, replica.attachment.acked()))
        .collect();
    let mut reply = node.encoder(conn);
    reply.array(3);
    reply.bulk(b"master");
    reply.integer(offset);
    reply.array(replicas.len());
    for (ip, port, acked) in replicas {
        reply.array(3);
        reply.bulk(ip.as_bytes());
        reply.bulk(port.to_string().as_bytes());
        reply.bulk(acked.to_string().as_bytes());
    }
}

/// `PSYNC replicationid offset`, and the old `SYNC`
pub(crate) fn psync(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if args.is(0, "psync") && parse_integer(&args[2]).is_none() {
        return node.encoder(conn).error("ERR value is not an integer or out of range");
    }
    node.attach_replica(conn, args);
}

/// `REPLCONF option value …`: what a replica tells about itself, and its acknowledgements.
pub(crate) fn replconf(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if args.len().is_multiple_of(2) {
        return node.encoder(conn).error("ERR syntax error");
    }
    for index in (1..args.len()).step_by(2) {
        let value = &args[index + 1];
        if args.is(index, "listening-port") {
            let Some(port) = parse_integer(value) else {
                return node.encoder(conn).error("ERR value is not an integer or out of range");
            };
            conn.hello.port = u16::try_from(port).unwrap_or(0);
        } else if args.is(index, "ip-address") {
            // Longer than any name that DNS allows: `replconfCommand` in Redis's replication.c.
            if value.len() > 255 {
                let text = format!(
                    "ERR REPLCONF ip-address provided by replica instance is too long: {} bytes",
                    value.len()
                );
                return node.encoder(conn).error(&text);
            }
            conn.hello.ip = Some(String::from_utf8_lossy(value).into_owned());
        } else if args.is(index, "capa") {
            conn.hello.eof |= args.is(index + 1, "eof");
            conn.hello.psync2 |= args.is(index + 1, "psync2");
        } else if args.is(index, "ack") {
            // Never answered: a replica sends one a second, and reads nothing but its stream.
            if let (Kind::Replica(_), Some(offset)) = (&conn.kind, parse_integer(value)) {
                node.replica_acked(conn, Offset(offset.max(0) as u64));
            }
            return;
        } else if args.is(index, "getack") {
            // Meant for the stream of our master; from anybody else it has no answer.
            return;
        } else {
            let option = String::from_utf8_lossy(&args[index]).into_owned();
            node.log(LogLevel::Verbose, format!("Unrecognized REPLCONF option: {option}"));
            return node.encoder(conn).error(&format!("ERR Unrecognized REPLCONF option: {option}"));
        }
    }
    node.encoder(conn).simple("OK");
}
