//! A partition for tests: nothing passes on the connections with chosen peers, as if a cable had been cut.
//!
//! **Redis has nothing like this.** It is off unless the configuration says `enable-test-partition yes`, which only the
//! file and the command line can; otherwise `PARTITION` is a command that does not exist. Neither the command nor the
//! directive shows in `COMMAND`, `CONFIG GET` or `INFO`.
//!
//! ```text
//! PARTITION CUT <peer> [<peer> …]   these peers are cut off from now on, and nobody else
//! PARTITION HEAL                    nobody is
//! PARTITION LIST                    who is
//! ```
//!
//! A peer is
//! - `7001` or `127.0.0.1:7001`: where somebody listens. This is about the connections that we have opened to it, about
//!   replicas that have told us that this is their port (`REPLCONF listening-port`), and, if a member of our cluster
//!   serves clients there, about the connections of the bus with it, whoever has opened them;
//! - `name:<text>`: everybody whose `CLIENT SETNAME` begins with that text. A sentinel calls itself
//!   `sentinel-<8 digits of its id>-cmd`.
//!
//! Nobody else who connects to us can be recognised. So a partition between two of ours is complete only if both of them
//! are told: each cuts the connections that it has opened itself. A member of the cluster that connects to our bus is
//! recognised by its first packet, which is thrown away, and the connection with it.
//!
//! # What a cut does
//!
//! The node decides who is cut off, and its driver does the rest. Connections that are there stay, and neither reads nor
//! writes reach their sockets; what either side says is kept by itself or by the system, and passes after the cut is
//! healed. New connections are neither made nor refused. If the node closes a connection that is cut, the other end does
//! not hear of it before the cut is healed.

use core_types::{Args, Endpoint, Reply, show_bytes};

use crate::conn::Conn;
use crate::{ConnId, Effect, Node};

/// Somebody who is cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Peer {
    /// Who listens on this port, at this address or at any.
    At { host: Option<String>, port: u16 },
    /// Whose connections have a name that begins so.
    Named(Vec<u8>),
}

/// Who is cut off at the moment.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    peers: Vec<Peer>,
}

impl Peer {
    fn parse(word: &[u8]) -> Option<Peer> {
        if let Some(name) = word.strip_prefix(b"name:") {
            return (!name.is_empty()).then(|| Peer::Named(name.to_vec()));
        }
        let text = std::str::from_utf8(word).ok()?;
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (Some(host.to_owned()).filter(|host| !host.is_empty())?, port),
            None => return Some(Peer::At { host: None, port: text.parse().ok().filter(|port| *port != 0)? }),
        };
        Some(Peer::At { host: Some(host), port: port.parse().ok().filter(|port| *port != 0)? })
    }

    fn is_at(&self, its_host: &str, its_port: u16) -> bool {
        matches!(self, Peer::At { host, port }
            if *port == its_port && host.as_ref().is_none_or(|host| host == its_host))
    }

    fn is_behind(&self, conn: &Conn) -> bool {
        match self {
            Peer::Named(prefix) => conn.name.starts_with(prefix),
            Peer::At { port, .. } => match &conn.target {
                Some(Endpoint { host: there, port: its }) => self.is_at(there, *its),
                None => *port == conn.hello.port,
            },
        }
    }

    fn show(&self) -> String {
        match self {
            Peer::At { host: None, port } => port.to_string(),
            Peer::At { host: Some(host), port } => format!("{host}:{port}"),
            Peer::Named(prefix) => format!("name:{}", show_bytes(prefix)),
        }
    }
}

impl Node {
    /// Is the peer of this connection cut off?
    pub fn is_cut(&self, id: ConnId) -> bool {
        let peers = &self.partition.peers;
        let Some(conn) = self.conns.get(id).filter(|_| !peers.is_empty()) else { return false };
        let member = self.bus_member(id).and_then(|id| self.cluster.as_ref()?.member(&id));
        let is_it = |peer: &Peer| {
            peer.is_behind(conn) || member.is_some_and(|member| peer.is_at(&member.ip, member.port))
        };
        peers.iter().any(is_it)
    }

    /// Is anybody cut off?
    pub fn is_partitioned(&self) -> bool {
        !self.partition.peers.is_empty()
    }

    /// `PARTITION …`, if it exists here. False if it does not.
    pub(crate) fn partition_command(&mut self, conn: &mut Conn, args: Args<'_>) -> bool {
        if !self.config.enable_test_partition || !conn.authenticated || !args.is(0, "partition") {
            return false;
        }
        let word = args.get(1).map(<[u8]>::to_ascii_lowercase).unwrap_or_default();
        let peers: Option<Vec<Peer>> = match (word.as_slice(), args.len()) {
            (b"list", 2) => {
                let shown: Vec<String> = self.partition.peers.iter().map(Peer::show).collect();
                let mut reply = self.encoder(conn);
                reply.array(shown.len());
                shown.iter().for_each(|peer| reply.bulk(peer.as_bytes()));
                return true;
            }
            (b"heal", 2) => Some(Vec::new()),
            (b"cut", 3..) => args.iter().skip(2).map(Peer::parse).collect(),
            _ => None,
        };
        match peers {
            Some(peers) => {
                self.partition.peers = peers;
                self.ask(Effect::Partition);
                self.encoder(conn).simple("OK");
            }
            None => self.encoder(conn).error(
                "ERR try PARTITION CUT <port>|<ip:port>|name:<prefix> …, PARTITION HEAL or PARTITION LIST",
            ),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_read_and_shown_alike() {
        for good in ["7001", "127.0.0.1:7001", "::1:7001", "name:sentinel-0123"] {
            assert_eq!(Peer::parse(good.as_bytes()).expect(good).show(), good);
        }
        for bad in ["", "0", "x", "70000", ":7001", "127.0.0.1:", "name:", "-1"] {
            assert_eq!(Peer::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
