//! Commands of replication: for an operator, and between the nodes themselves.

use core_types::{Args, Endpoint, LogLevel, Offset, Reply};

use crate::Node;
use crate::conn::{Conn, Kind};
use crate::layers::one_replica::ReplicaOf;
use crate::layers::wire::{parse_integer, split_inline};

/// `REPLICAOF host port`, `REPLICAOF NO ONE`; `SLAVEOF` is its old name.
pub(crate) fn replicaof(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if node.cluster.is_some() {
        return node.encoder(conn).error("ERR REPLICAOF not allowed in cluster mode.");
    }
    if node.replication.failover.is_some() {
        return node.encoder(conn).error("ERR REPLICAOF not allowed while failing over.");
    }
    let request = if args.is(1, "no") && args.is(2, "one") {
        ReplicaOf::NoOne
    } else {
        let Some(port) = parse_integer(&args[2]).and_then(|port| u16::try_from(port).ok()) else {
            return node.encoder(conn).error("ERR Invalid master port");
        };
        if matches!(conn.kind, Kind::Replica(_)) {
            let text = "ERR Command is not valid when client is a replica.";
            return node.encoder(conn).error(text);
        }
        ReplicaOf::Of(Endpoint::new(String::from_utf8_lossy(&args[1]), port))
    };
    let client = format!("user request from 'id={} addr={}'", conn.client_id, conn.addr);
    let status = node.change_role(&request, &client);
    node.encoder(conn).simple(status);
}

/// `ROLE`
pub(crate) fn role(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    if node.sentinel.is_some() {
        return crate::sentinel::host::role(node, conn);
    }
    node.answer_role(conn);
}

/// `PSYNC replicationid offset [FAILOVER]`, and the old `SYNC`
pub(crate) fn psync(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
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
            // Meant for the stream of our master; from anybody else it has no answer, but the master gets one.
            return node.acknowledge_unasked();
        } else if args.is(index, "rdb-only") {
            match parse_integer(value) {
                Some(flag @ 0..=1) => conn.hello.rdb_only = flag == 1,
                Some(_) => {
                    return node.encoder(conn).error("ERR value is out of range, value must between 0 and 1");
                }
                None => return node.encoder(conn).error("ERR value is not an integer or out of range"),
            }
        } else if args.is(index, "rdb-filter-only") {
            let Ok(parts) = split_inline(value) else {
                return node.encoder(conn).error("ERR Missing rdb-filter-only values");
            };
            conn.hello.filtered = true;
            let unknown = parts.as_args().iter().find(|part| !part.eq_ignore_ascii_case(b"functions"));
            if let Some(part) = unknown {
                let text =
                    format!("ERR Unsupported rdb-filter-only option: {}", String::from_utf8_lossy(part));
                return node.encoder(conn).error(&text);
            }
        } else {
            let option = String::from_utf8_lossy(&args[index]).into_owned();
            node.log(LogLevel::Verbose, format!("Unrecognized REPLCONF option: {option}"));
            return node.encoder(conn).error(&format!("ERR Unrecognized REPLCONF option: {option}"));
        }
    }
    node.encoder(conn).simple("OK");
}
