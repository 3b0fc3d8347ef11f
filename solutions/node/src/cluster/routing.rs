//! Every command on its way in: served here, or sent elsewhere. The decision is chapter 8's
//! ([`route`](crate::layers::redirection::route)); this is where its questions are answered.

use core_types::{Args, Endpoint, NodeId, Reply, Slot};
use keyspace::{CommandSpec, Flags};

use super::{Cluster, Member};
use crate::config::EndpointType;
use crate::conn::{Conn, Kind};
use crate::layers::redirection::{Asked, Dealt, Held, Moving, Route, Serving, View, route};
use crate::layers::sharding::key_slot;
use crate::layers::wire::parse_integer;
use crate::table::{self, Call};
use crate::{ConnId, Node};

/// Commands whose "keys" are channels: nothing has to exist for them, and a slot on the move serves them.
const ON_CHANNELS: [&str; 3] = ["spublish", "ssubscribe", "sunsubscribe"];

impl Node {
    /// Why this command is not served here: the whole text for the client. Only for a node of a cluster.
    pub(crate) fn redirection(&self, conn: &Conn, call: Call, args: Args<'_>) -> Option<String> {
        let cluster = self.cluster.as_ref()?;
        let spec = call.spec;
        if spec.name == "exec" {
            let transaction = conn.transaction.as_ref()?;
            let commands = || {
                transaction.commands().filter_map(|args| Some((table::resolve(args, false).ok()?.spec, args)))
            };
            let keys = || {
                commands()
                    .flat_map(|(spec, args)| spec.key_places(args).filter_map(move |place| args.get(place)))
            };
            let mut asked = asked_about(keys())?;
            asked.write = transaction.writes();
            return self.decide(cluster, conn, asked, false, keys());
        }
        if spec.keys.first == 0 && !spec.flags.contains(Flags::MOVABLE_KEYS) {
            return None;
        }
        let keys = || spec.key_places(args).filter_map(|place| args.get(place));
        let mut asked = asked_about(keys())?;
        asked.write = spec.flags.contains(Flags::WRITE);
        asked.migrate = spec.name == "migrate";
        asked.asking = spec.flags.contains(Flags::ASKING);
        self.decide(cluster, conn, asked, ON_CHANNELS.contains(&spec.name), keys())
    }

    fn decide<'a>(
        &self,
        cluster: &Cluster,
        conn: &Conn,
        mut asked: Asked,
        channels: bool,
        keys: impl Iterator<Item = &'a [u8]>,
    ) -> Option<String> {
        let slot = asked.slot?;
        asked.asking |= conn.says.asking;
        // A replica serves its master's channels to everybody: nobody can read old data there.
        asked.read_only = conn.says.read_only || channels;
        let held = || {
            let mut held = Held::default();
            for key in keys {
                let there = self.keyspace.db(0).get(key).is_some_and(|entry| !entry.is_expired(self.now));
                match there || channels {
                    true => held.present += 1,
                    false => held.missing += 1,
                }
            }
            held
        };
        let view = self.view(cluster, slot, channels);
        // The usual case must cost no more than this.
        let way = route(&asked, &view, held);
        if way == Route::Serve { None } else { way.error(slot, |id| self.place_of(cluster, id)) }
    }

    fn view(&self, cluster: &Cluster, slot: Slot, channels: bool) -> View<NodeId> {
        let me = cluster.myself();
        let serving = match cluster.health.ok {
            true => Serving::All,
            false if channels => match self.config.cluster_allow_pubsubshard_when_down {
                true => Serving::All,
                false => Serving::Nothing,
            },
            false if self.config.cluster_allow_reads_when_down => Serving::Reads,
            false => Serving::Nothing,
        };
        View {
            me: me.id,
            my_master: me.master.filter(|_| !me.is_master()),
            owner: cluster.owner(slot),
            moving: Moving {
                to: cluster.migrating.get(&slot).copied(),
                from: cluster.importing.get(&slot).copied(),
            },
            serving,
        }
    }

    /// Where clients reach a member, as it is told to them.
    fn place_of(&self, cluster: &Cluster, id: &NodeId) -> Endpoint {
        let member = cluster.member(id);
        Endpoint::new(
            member.map_or("", |member| self.preferred_name(member)),
            member.map_or(0, |member| member.port),
        )
    }

    /// `cluster-preferred-endpoint-type`
    pub(super) fn preferred_name<'a>(&self, member: &'a Member) -> &'a str {
        match self.config.cluster_preferred_endpoint_type {
            EndpointType::Ip => &member.ip,
            EndpointType::Hostname if member.hostname.is_empty() => "?",
            EndpointType::Hostname => &member.hostname,
            EndpointType::Unknown => "",
        }
    }

    /// Answers with a redirection, if there is one. Who has not given the password hears of that first.
    pub(crate) fn redirect(&mut self, conn: &mut Conn, call: Call, args: Args<'_>) -> bool {
        if !conn.authenticated {
            return false;
        }
        let Some(text) = self.redirection(conn, call, args) else { return false };
        self.send_away(conn, call, &text);
        Node::dealt_with(conn, args);
        true
    }

    /// The command was sent away. A transaction it belongs to cannot run without it; one that was sent away itself is
    /// over.
    #[cold]
    pub(crate) fn send_away(&mut self, conn: &mut Conn, call: Call, text: &str) {
        self.stats.command(call.index).rejected += 1;
        if call.spec.name == "exec" {
            conn.transaction = None;
            self.unwatch_all(conn);
        } else {
            Node::refuse_transaction(conn);
        }
        let begin = conn.out.len();
        self.encoder(conn).error(text);
        self.stats.count_error(&conn.out[begin + 1..]);
    }

    /// A client of a cluster's node has got its answer: what it had said for one command is over.
    pub(crate) fn dealt_with(conn: &mut Conn, args: Args<'_>) {
        let in_transaction = conn.transaction.is_some();
        let failed = conn.out.last().is_none();
        let dealt = match () {
            () if in_transaction || failed => Dealt::Other,
            () if args.is(0, "asking") => Dealt::Asking,
            () if args.is(0, "readonly") => Dealt::ReadOnly,
            () if args.is(0, "readwrite") => Dealt::ReadWrite,
            () if args.is(0, "reset") => Dealt::Reset,
            () => Dealt::Other,
        };
        conn.says.after(dealt, in_transaction);
    }

    /// Clients that wait for keys of slots which are not ours any more are sent after them, as are all while the cluster
    /// is down. (`clusterRedirectBlockedClientIfNeeded`)
    pub(super) fn redirect_waiting(&mut self) {
        if self.blocked_clients == 0 {
            return;
        }
        let Some(cluster) = &self.cluster else { return };
        let away = |conn: &Conn| {
            let mut keys = conn.blocked.as_ref()?.keys();
            let first = keys.next().filter(|_| matches!(conn.kind, Kind::Client))?;
            if !cluster.health.ok {
                return Route::Down.error(key_slot(first), |id| self.place_of(cluster, id));
            }
            std::iter::once(first).chain(keys).map(key_slot).find_map(|slot| {
                let way = match cluster.owner(slot) {
                    Some(owner) if owner == cluster.me() => return None,
                    _ if cluster.importing.contains_key(&slot) => return None,
                    Some(owner) => Route::Moved(owner),
                    None => Route::Unbound,
                };
                way.error(slot, |id| self.place_of(cluster, id))
            })
        };
        let leave: Vec<(ConnId, String)> =
            self.conns.iter().filter_map(|conn| Some((conn.id, away(conn)?))).collect();
        for (id, text) in leave {
            self.give_up(id, Some(&text));
        }
    }

    /// What a node of a cluster refuses because it has one database only.
    pub(crate) fn refused_in_cluster(&self, spec: &CommandSpec, args: Args<'_>) -> Option<&'static str> {
        self.cluster.as_ref()?;
        match spec.name {
            "move" => Some("ERR MOVE is not allowed in cluster mode"),
            "swapdb" => Some("ERR SWAPDB is not allowed in cluster mode"),
            "copy" => self.refused_copy(args),
            "sort" | "sort_ro" => refused_sort(args),
            _ => None,
        }
    }

    fn refused_copy(&self, args: Args<'_>) -> Option<&'static str> {
        let chosen = (3..args.len().saturating_sub(1)).find(|place| args.is(*place, "db"))?;
        let db = usize::try_from(parse_integer(&args[chosen + 1])?).ok()?;
        let elsewhere = db > 0 && db < self.keyspace.databases();
        elsewhere.then_some("ERR Copying to another database is not allowed in cluster mode")
    }
}

/// What a pattern names may lie anywhere.
fn refused_sort(args: Args<'_>) -> Option<&'static str> {
    for place in 2..args.len().saturating_sub(1) {
        if args.is(place, "by") && args[place + 1].contains(&b'*') {
            return Some("ERR BY option of SORT denied in Cluster mode.");
        }
        if args.is(place, "get") {
            return Some("ERR GET option of SORT denied in Cluster mode.");
        }
    }
    None
}

/// A command by its keys; `None`: it has none.
fn asked_about<'a>(mut keys: impl Iterator<Item = &'a [u8]>) -> Option<Asked> {
    let first = keys.next()?;
    let mut asked = Asked::about([key_slot(first)], false);
    for key in keys.filter(|key| *key != first) {
        asked.several = true;
        asked.crosses |= Some(key_slot(key)) != asked.slot;
    }
    Some(asked)
}

/// What `ASKING`, `READONLY` and `CLUSTER` say where there is no cluster.
pub(crate) const DISABLED: &str = "ERR This instance has cluster support disabled";

fn said(node: &mut Node, conn: &mut Conn) {
    match node.cluster {
        Some(_) => node.encoder(conn).simple("OK"),
        None => node.encoder(conn).error(DISABLED),
    }
}

/// `ASKING`: the next command may touch a slot that is just arriving. The connection remembers it when the command
/// has been dealt with, and so with the two others.
pub(crate) fn asking(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    said(node, conn);
}

/// `READONLY`
pub(crate) fn readonly(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    said(node, conn);
}

/// `READWRITE`
pub(crate) fn readwrite(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    said(node, conn);
}
