//! Publish and subscribe: messages to whoever listens right now. Nothing is kept.
//!
//! Three kinds of subscription: to a channel, to all channels that match a pattern, and to a shard
//! channel, which in a cluster belongs to the slot of its name. A subscriber on RESP2 may send only a few
//! commands, since a message could not be told from a reply; on RESP3 messages are pushes of their own.

use std::collections::{BTreeMap, BTreeSet};

use core_types::{Args, ArgsBuf, Protocol, Reply, Slot};

use crate::commands::help;
use crate::conn::Conn;
use crate::layers::sharding::key_slot;
use crate::layers::wire::Encoder;
use crate::{ConnId, Node};

/// Which of the three a subscription is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Space {
    Channel,
    Pattern,
    Shard,
}

impl Space {
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Space::Channel => ("subscribe", "unsubscribe", "message"),
            Space::Pattern => ("psubscribe", "punsubscribe", "pmessage"),
            Space::Shard => ("ssubscribe", "sunsubscribe", "smessage"),
        }
    }
}

/// Who listens to what.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    by_name: BTreeMap<Subscription, BTreeSet<ConnId>>,
    /// Shard channels that were lost while a listener's own command ran.
    lost: Vec<(ConnId, Subscription)>,
}

/// To what, by name.
pub(crate) type Subscription = (Space, Box<[u8]>);

/// What one connection listens to.
pub(crate) type Subscriptions = BTreeSet<Subscription>;

impl Node {
    fn subscribe(&mut self, conn: &mut Conn, space: Space, args: Args<'_>) {
        for name in args.iter().skip(1) {
            let key: Subscription = (space, Box::from(name));
            if conn.subscriptions.insert(key.clone()) {
                self.listeners.by_name.entry(key).or_default().insert(conn.id);
            }
            let count = count(conn, space);
            confirm(&mut self.encoder(conn), space.words().0, Some(name), count);
        }
    }

    fn unsubscribe(&mut self, conn: &mut Conn, space: Space, args: Args<'_>) {
        let names: Vec<Box<[u8]>> = if args.len() > 1 {
            args.iter().skip(1).map(Box::from).collect()
        } else {
            conn.subscriptions.iter().filter(|(of, _)| *of == space).map(|(_, name)| name.clone()).collect()
        };
        if names.is_empty() {
            let count = count(conn, space);
            return confirm(&mut self.encoder(conn), space.words().1, None, count);
        }
        for name in names {
            self.remove_listener(conn, &(space, name.clone()));
            let count = count(conn, space);
            confirm(&mut self.encoder(conn), space.words().1, Some(&name), count);
        }
    }

    fn remove_listener(&mut self, conn: &mut Conn, key: &Subscription) {
        if !conn.subscriptions.remove(key) {
            return;
        }
        if let Some(ids) = self.listeners.by_name.get_mut(key) {
            ids.remove(&conn.id);
            if ids.is_empty() {
                self.listeners.by_name.remove(key);
            }
        }
    }

    /// A connection ends, or is reset: it listens to nothing any more.
    pub(crate) fn unsubscribe_all(&mut self, conn: &mut Conn) {
        for key in conn.subscriptions.clone() {
            self.remove_listener(conn, &key);
        }
    }

    /// Sends a message to everybody who listens; returns how many that are. `publisher` is taken out of
    /// the connections while its command runs, and may listen, too.
    pub(crate) fn publish(
        &mut self,
        space: Space,
        channel: &[u8],
        message: &[u8],
        publisher: Option<&mut Conn>,
    ) -> usize {
        let mut deliveries: Vec<(ConnId, Option<Box<[u8]>>)> = Vec::new();
        if let Some(ids) = self.listeners.by_name.get(&(space, Box::from(channel))) {
            deliveries.extend(ids.iter().map(|id| (*id, None)));
        }
        if space == Space::Channel {
            let patterns = (Space::Pattern, Box::default())..(Space::Shard, Box::default());
            for ((_, pattern), ids) in self.listeners.by_name.range(patterns) {
                if keyspace::matches(pattern, channel) {
                    deliveries.extend(ids.iter().map(|id| (*id, Some(pattern.clone()))));
                }
            }
        }
        let mut publisher = publisher;
        let heard = deliveries.len();
        for (id, pattern) in deliveries {
            let word = if pattern.is_some() { Space::Pattern.words().2 } else { space.words().2 };
            let own = publisher.as_deref_mut().filter(|conn| conn.id == id);
            if let Some(conn) = own {
                deliver(conn, word, pattern.as_deref(), channel, message);
            } else if let Some(mut conn) = self.conns.take(id) {
                deliver(&mut conn, word, pattern.as_deref(), channel, message);
                self.finish(conn);
            }
        }
        heard
    }

    /// Shard channels of these slots are not served here any more: who listens to them is told that it does not.
    pub(crate) fn drop_channels(&mut self, gone: impl Fn(Slot) -> bool) {
        let shard = (Space::Shard, Box::default())..;
        let names = self.listeners.by_name.range(shard);
        let mut listening: Vec<_> = names
            .filter(|((_, name), _)| gone(key_slot(name)))
            .flat_map(|(key, ids)| ids.iter().map(|id| (*id, key.clone())))
            .collect();
        // Slot by slot, as Redis does.
        listening.sort_by_key(|(_, (_, name))| key_slot(name));
        for (id, key) in listening {
            match self.conns.take(id) {
                Some(mut conn) => {
                    self.drop_channel(&mut conn, &key);
                    self.finish(conn);
                }
                // Whose command it is, is told together with the answer to it.
                None => self.listeners.lost.push((id, key)),
            }
        }
    }

    /// The same for the connection whose command has just lost them.
    pub(crate) fn drop_own_channels(&mut self, conn: &mut Conn) {
        for (id, key) in std::mem::take(&mut self.listeners.lost) {
            debug_assert_eq!(id, conn.id, "only one connection is away at a time");
            self.drop_channel(conn, &key);
        }
    }

    fn drop_channel(&mut self, conn: &mut Conn, key: &Subscription) {
        self.remove_listener(conn, key);
        let count = count(conn, Space::Shard);
        confirm(&mut self.encoder(conn), Space::Shard.words().1, Some(&key.1), count);
    }

    fn channels(&self, space: Space) -> impl Iterator<Item = (&[u8], usize)> {
        let all = self.listeners.by_name.iter().filter(move |((of, _), _)| *of == space);
        all.map(|((_, name), ids)| (&**name, ids.len()))
    }

    /// How many channels, patterns and shard channels anybody listens to (`INFO stats`).
    pub(crate) fn listened(&self, space: Space) -> usize {
        self.channels(space).count()
    }
}

/// Shard channels are counted apart, as in Redis.
fn count(conn: &Conn, space: Space) -> usize {
    conn.subscriptions.iter().filter(|(of, _)| (*of == Space::Shard) == (space == Space::Shard)).count()
}

fn confirm(reply: &mut Encoder<'_>, word: &str, name: Option<&[u8]>, count: usize) {
    reply.push(3);
    reply.bulk(word.as_bytes());
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    reply.integer(count as i64);
}

fn deliver(conn: &mut Conn, word: &str, pattern: Option<&[u8]>, channel: &[u8], message: &[u8]) {
    let mut reply = Encoder::new(&mut conn.out, conn.protocol);
    reply.push(3 + usize::from(pattern.is_some()));
    reply.bulk(word.as_bytes());
    if let Some(pattern) = pattern {
        reply.bulk(pattern);
    }
    reply.bulk(channel);
    reply.bulk(message);
}

/// What a subscriber on RESP2 may send; anything else is refused with Redis's text.
pub(crate) fn refused_to_subscriber(conn: &Conn, name: &str) -> Option<String> {
    const ALLOWED: [&str; 9] = [
        "ping",
        "subscribe",
        "ssubscribe",
        "unsubscribe",
        "sunsubscribe",
        "psubscribe",
        "punsubscribe",
        "quit",
        "reset",
    ];
    if conn.protocol == Protocol::Resp3 || conn.subscriptions.is_empty() || ALLOWED.contains(&name) {
        return None;
    }
    Some(format!(
        "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
    ))
}

/// `SUBSCRIBE channel …`
pub(crate) fn subscribe(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    node.subscribe(conn, Space::Channel, args);
}

/// `PSUBSCRIBE pattern …`
pub(crate) fn psubscribe(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    node.subscribe(conn, Space::Pattern, args);
}

/// `SSUBSCRIBE shardchannel …`
pub(crate) fn ssubscribe(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    node.subscribe(conn, Space::Shard, args);
}

/// `UNSUBSCRIBE [channel …]`
pub(crate) fn unsubscribe(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    node.unsubscribe(conn, Space::Channel, args);
}

/// `PUNSUBSCRIBE [pattern …]`
pub(crate) fn punsubscribe(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    node.unsubscribe(conn, Space::Pattern, args);
}

/// `SUNSUBSCRIBE [shardchannel …]`
pub(crate) fn sunsubscribe(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    node.unsubscribe(conn, Space::Shard, args);
}

/// `PUBLISH channel message`
pub(crate) fn publish(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if node.sentinel.is_some() {
        return crate::sentinel::host::publish(node, conn, args);
    }
    publish_in(node, conn, args, Space::Channel);
}

/// `SPUBLISH shardchannel message`
pub(crate) fn spublish(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    publish_in(node, conn, args, Space::Shard);
}

fn publish_in(node: &mut Node, conn: &mut Conn, args: Args<'_>, space: Space) {
    let heard = node.publish(space, &args[1], &args[2], Some(conn));
    if node.cluster.is_some() {
        node.bus_publish(space, &args[1], &args[2]);
    } else {
        // A replica's subscribers hear what is published at its master.
        node.propagate(conn.db, args);
    }
    node.encoder(conn).integer(heard as i64);
}

/// `PUBSUB CHANNELS | NUMSUB | NUMPAT | SHARDCHANNELS | SHARDNUMSUB`
pub(crate) fn pubsub(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let sub = args[1].to_ascii_lowercase();
    match (sub.as_slice(), args.len()) {
        (b"channels" | b"shardchannels", 4..) => {
            crate::commands::wrong_arguments(node, conn, &args[1], "PUBSUB");
        }
        (b"channels" | b"shardchannels", _) => {
            let space = if sub[0] == b's' { Space::Shard } else { Space::Channel };
            let fits = |name: &[u8]| args.get(2).is_none_or(|pattern| keyspace::matches(pattern, name));
            let names: Vec<Box<[u8]>> =
                node.channels(space).map(|(name, _)| name).filter(|name| fits(name)).map(Box::from).collect();
            let mut reply = node.encoder(conn);
            reply.array(names.len());
            for name in names {
                reply.bulk(&name);
            }
        }
        (b"numsub" | b"shardnumsub", _) => {
            let space = if sub[0] == b's' { Space::Shard } else { Space::Channel };
            let counts: Vec<(ArgsBuf, usize)> = args
                .iter()
                .skip(2)
                .map(|name| {
                    let listening = node.listeners.by_name.get(&(space, Box::from(name)));
                    (ArgsBuf::from_parts([name]), listening.map_or(0, BTreeSet::len))
                })
                .collect();
            let mut reply = node.encoder(conn);
            reply.array(counts.len() * 2);
            for (name, count) in counts {
                reply.bulk(name.as_args().name());
                reply.integer(count as i64);
            }
        }
        (b"numpat", _) => {
            let count = node.listened(Space::Pattern);
            node.encoder(conn).integer(count as i64);
        }
        _ => help::answer(node, conn, help::PUBSUB),
    }
}
