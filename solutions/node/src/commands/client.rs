//! `CLIENT`: what a connection can ask about itself and the others, and do to them.

use core_types::{Args, Millis, Protocol, Reply};

use super::connection::check_name;
use super::help;
use crate::conn::{Conn, Kind, Replies};
use crate::layers::wire::parse_integer;
use crate::{ConnId, Node};

/// `CLIENT subcommand`. The table has seen to it that there is such a subcommand, with so many arguments.
pub(crate) fn client(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    match args[1].to_ascii_lowercase().as_slice() {
        b"id" => {
            let id = conn.client_id as i64;
            node.encoder(conn).integer(id);
        }
        b"getname" => {
            let name = std::mem::take(&mut conn.name);
            match name.is_empty() {
                true => node.encoder(conn).null(),
                false => node.encoder(conn).bulk(&name),
            }
            conn.name = name;
        }
        b"setname" => match check_name(&args[2]) {
            Ok(()) => {
                conn.name = args[2].to_vec();
                node.encoder(conn).simple("OK");
            }
            Err(text) => node.encoder(conn).error(text),
        },
        b"info" => {
            let line = describe(node, conn);
            node.encoder(conn).verbatim("txt", line.as_bytes());
        }
        b"list" => list(node, conn, args),
        b"kill" => kill(node, conn, args),
        b"pause" => pause(node, conn, args),
        b"unpause" => {
            node.unpause();
            node.encoder(conn).simple("OK");
        }
        b"unblock" => unblock(node, conn, args),
        b"reply" => reply(node, conn, args),
        b"no-evict" => match yes_no(args, 2, "on", "off") {
            Some(on) => {
                conn.no_evict = on;
                node.encoder(conn).simple("OK");
            }
            None => node.encoder(conn).error(SYNTAX),
        },
        b"getredir" => node.encoder(conn).integer(-1),
        b"trackinginfo" => {
            let mut reply = node.encoder(conn);
            reply.map(3);
            reply.bulk(b"flags");
            reply.set(1);
            reply.bulk(b"off");
            reply.bulk(b"redirect");
            reply.integer(-1);
            reply.bulk(b"prefixes");
            reply.array(0);
        }
        b"caching" => node.encoder(conn).error(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
        ),
        b"tracking" if args.is(2, "off") => node.encoder(conn).simple("OK"),
        // What a client has read is not remembered here, so nobody can be told when it changes.
        b"tracking" => node.encoder(conn).error("ERR Client tracking is not supported by this server"),
        _ => help::answer(node, conn, help::CLIENT),
    }
}

const SYNTAX: &str = "ERR syntax error";

fn yes_no(args: Args<'_>, at: usize, yes: &str, no: &str) -> Option<bool> {
    if args.is(at, yes) { Some(true) } else { args.is(at, no).then_some(false) }
}

/// `CLIENT LIST [TYPE type | ID id …]`
fn list(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let wanted: Box<dyn Fn(&Conn) -> bool> = if args.len() == 2 {
        Box::new(|_| true)
    } else if args.is(2, "type") && args.len() == 4 {
        match Class::of(&args[3]) {
            Ok(class) => Box::new(move |conn| Class::of_conn(conn) == class),
            Err(text) => return node.encoder(conn).error(&text),
        }
    } else if args.is(2, "id") && args.len() > 3 {
        let ids: Option<Vec<i64>> = args.iter().skip(3).map(parse_integer).collect();
        match ids {
            Some(ids) => Box::new(move |conn| ids.contains(&(conn.client_id as i64))),
            None => return node.encoder(conn).error("ERR Invalid client ID"),
        }
    } else {
        return node.encoder(conn).error(SYNTAX);
    };
    // Our own connection is taken out while it is served, so it joins the others here.
    let everybody = node.conns.iter().filter(|conn| conn.is_client()).chain(std::iter::once(&*conn));
    let everybody = everybody.filter(|conn| wanted(conn));
    let mut lines: Vec<(u64, String)> =
        everybody.map(|conn| (conn.client_id, describe(node, conn))).collect();
    lines.sort();
    let text: String = lines.into_iter().map(|(_, line)| line).collect();
    node.encoder(conn).verbatim("txt", text.as_bytes());
}

/// The classes by which clients are chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Normal,
    Master,
    Replica,
    Pubsub,
}

impl Class {
    fn of(word: &[u8]) -> Result<Class, String> {
        match word.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Class::Normal),
            b"master" => Ok(Class::Master),
            b"replica" | b"slave" => Ok(Class::Replica),
            b"pubsub" => Ok(Class::Pubsub),
            _ => Err(format!("ERR Unknown client type '{}'", String::from_utf8_lossy(word))),
        }
    }

    fn of_conn(conn: &Conn) -> Class {
        match conn.kind {
            // The last three are never asked: see `Conn::is_client`.
            Kind::MasterLink | Kind::Watch(_) | Kind::Courier(_) | Kind::Bus(_) => Class::Master,
            Kind::Replica(_) => Class::Replica,
            Kind::Client if !conn.subscriptions.is_empty() => Class::Pubsub,
            Kind::Client => Class::Normal,
        }
    }
}

/// Whom `CLIENT KILL` is about; what is not asked for fits everybody.
#[derive(Default)]
struct Victims {
    id: Option<u64>,
    addr: Option<String>,
    laddr: Option<String>,
    class: Option<Class>,
    spare_me: bool,
}

impl Victims {
    fn parse(args: Args<'_>) -> Result<Victims, String> {
        let mut chosen = Victims { spare_me: true, ..Victims::default() };
        for at in (2..args.len()).step_by(2) {
            let Some(value) = args.get(at + 1) else { return Err(SYNTAX.into()) };
            let text = || String::from_utf8_lossy(value).into_owned();
            if args.is(at, "id") {
                let id = parse_integer(value).filter(|id| *id > 0);
                chosen.id = Some(id.ok_or("ERR client-id should be greater than 0")? as u64);
            } else if args.is(at, "type") {
                chosen.class = Some(Class::of(value)?);
            } else if args.is(at, "addr") {
                chosen.addr = Some(text());
            } else if args.is(at, "laddr") {
                chosen.laddr = Some(text());
            } else if args.is(at, "user") {
                if value != b"default" {
                    return Err(format!("ERR No such user '{}'", text()));
                }
            } else if args.is(at, "skipme") {
                chosen.spare_me = yes_no(args, at + 1, "yes", "no").ok_or(SYNTAX)?;
            } else {
                return Err(SYNTAX.into());
            }
        }
        Ok(chosen)
    }

    fn contain(&self, conn: &Conn) -> bool {
        !conn.closing
            && self.id.is_none_or(|id| id == conn.client_id)
            && self.addr.as_ref().is_none_or(|addr| *addr == conn.addr)
            && self.laddr.as_ref().is_none_or(|addr| *addr == conn.local_addr)
            && self.class.is_none_or(|class| class == Class::of_conn(conn))
    }
}

/// `CLIENT KILL addr`, and `CLIENT KILL [ID id] [TYPE type] [ADDR addr] [LADDR addr] [USER user] [SKIPME yes|no]`
fn kill(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let old_form = args.len() == 3;
    let chosen = if old_form {
        let addr = Some(String::from_utf8_lossy(&args[2]).into_owned());
        Ok(Victims { addr, ..Victims::default() })
    } else {
        Victims::parse(args)
    };
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(text) => return node.encoder(conn).error(&text),
    };
    let others: Vec<ConnId> = node
        .conns
        .iter()
        .filter(|other| other.is_client() && chosen.contain(other))
        .map(|other| other.id)
        .collect();
    let me = !chosen.spare_me && chosen.contain(conn);
    let killed = others.len() + usize::from(me);
    for id in others {
        node.drop_now(id);
    }
    match (old_form, killed) {
        (true, 0) => node.encoder(conn).error("ERR No such client"),
        (true, _) => node.encoder(conn).simple("OK"),
        (false, _) => node.encoder(conn).integer(killed as i64),
    }
    if me {
        // It still hears what it has done.
        node.close_taken(conn);
    }
}

/// `CLIENT PAUSE milliseconds [WRITE | ALL]`
fn pause(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let all = match args.len() {
        3 => Some(true),
        4 => yes_no(args, 3, "all", "write"),
        _ => return super::wrong_arguments(node, conn, &args[1], "CLIENT"),
    };
    let Some(all) = all else {
        return node.encoder(conn).error("ERR CLIENT PAUSE mode must be WRITE or ALL");
    };
    match parse_integer(&args[2]) {
        None => node.encoder(conn).error("ERR timeout is not an integer or out of range"),
        Some(millis) if millis < 0 => node.encoder(conn).error("ERR timeout is negative"),
        Some(millis) => {
            node.pause(node.now + Millis(millis as u64), all);
            node.encoder(conn).simple("OK");
        }
    }
}

/// `CLIENT UNBLOCK id [TIMEOUT | ERROR]`
fn unblock(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let with_error = match args.len() {
        3 => Some(false),
        4 => yes_no(args, 3, "error", "timeout"),
        _ => return super::wrong_arguments(node, conn, &args[1], "CLIENT"),
    };
    let Some(with_error) = with_error else {
        return node.encoder(conn).error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    };
    let Some(id) = parse_integer(&args[2]) else {
        return node.encoder(conn).error("ERR value is not an integer or out of range");
    };
    let found = node.conns.iter().find(|other| other.client_id as i64 == id && other.blocked.is_some());
    let found = found.map(|other| other.id);
    let error = with_error.then_some("UNBLOCKED client unblocked via CLIENT UNBLOCK");
    let unblocked = found.is_some_and(|id| node.give_up(id, error));
    node.encoder(conn).integer(i64::from(unblocked));
}

/// `CLIENT REPLY ON | OFF | SKIP`
fn reply(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if args.is(2, "on") {
        conn.replies = Replies::On;
        node.encoder(conn).simple("OK");
    } else if args.is(2, "off") {
        conn.replies = Replies::Off;
    } else if args.is(2, "skip") {
        if conn.replies != Replies::Off {
            conn.replies = Replies::SkipNext;
        }
    } else {
        node.encoder(conn).error(SYNTAX);
    }
}

/// One line of `CLIENT LIST`: Redis's fields in Redis's order. What belongs to its way of buffering (the
/// free part of the query buffer, the list of reply blocks) is told as far as there is such a thing here.
fn describe(node: &Node, conn: &Conn) -> String {
    let now = node.now;
    use crate::pubsub::Space::{Channel, Pattern, Shard};
    let listens = |space| conn.subscriptions.iter().filter(|(of, _)| *of == space).count();
    let multi = conn.transaction.as_ref().map_or(-1, |queued| queued.len() as i64);
    let out = conn.out.len();
    // What a replica has not taken yet lies in the log, and counts as its.
    let behind = match &conn.kind {
        Kind::Replica(replica) => replica.stream_waiting() + node.replication.waiting_for(conn.id) as usize,
        _ => 0,
    };
    let user = if matches!(conn.kind, Kind::MasterLink) { "(superuser)" } else { "default" };
    format!(
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={multi} \
         qbuf={} qbuf-free={} argv-mem=0 multi-mem=0 rbs={} rbp={} obl={out} oll=0 omem={} tot-mem={} events={} \
         cmd={} user={user} redir=-1 resp={}\n",
        conn.client_id,
        conn.addr,
        conn.local_addr,
        conn.id.slot(),
        String::from_utf8_lossy(&conn.name),
        now.since(conn.since).as_secs(),
        now.since(conn.last_input).as_secs(),
        flags(conn),
        conn.db,
        listens(Channel),
        listens(Pattern),
        listens(Shard),
        conn.input.pending.len(),
        conn.input.pending.capacity() - conn.input.pending.len(),
        conn.out.capacity(),
        conn.out.capacity(),
        conn.out.capacity() + behind,
        size_of::<Conn>() + conn.input.pending.capacity() + conn.out.capacity() + behind,
        if out + behind > 0 { "rw" } else { "r" },
        conn.last_command,
        if conn.protocol == Protocol::Resp3 { 3 } else { 2 },
    )
}

fn flags(conn: &Conn) -> String {
    let mut flags = String::new();
    let mut add = |holds: bool, flag| {
        if holds {
            flags.push(flag);
        }
    };
    add(matches!(conn.kind, Kind::Replica(_)), 'S');
    add(conn.is_monitor, 'O');
    add(matches!(conn.kind, Kind::MasterLink), 'M');
    add(!conn.subscriptions.is_empty(), 'P');
    add(conn.transaction.is_some(), 'x');
    add(conn.waits(), 'b');
    add(conn.watch_broken, 'd');
    add(conn.closing, 'c');
    add(conn.no_evict, 'e');
    if flags.is_empty() { "N".into() } else { flags }
}
