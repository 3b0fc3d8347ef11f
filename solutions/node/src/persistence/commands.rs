//! Commands about files.

use core_types::{Args, Reply};
use keyspace::{TimeoutReply, Wait};

use super::job::Purpose;
use crate::Node;
use crate::conn::Conn;

const IN_PROGRESS: &str = "ERR Background save already in progress";

/// `SAVE`: a `BGSAVE` whose client waits for its end.
pub(crate) fn save(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if node.persistence.job.is_some() {
        return node.encoder(conn).error(IN_PROGRESS);
    }
    node.begin_save();
    node.persistence.savers.push(conn.id);
    wait_for_end(node, conn, args);
}

/// `BGSAVE [SCHEDULE]`
pub(crate) fn bgsave(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let schedule = args.is(1, "schedule");
    if args.len() > 2 || (args.len() == 2 && !schedule) {
        return node.encoder(conn).error("ERR syntax error");
    }
    let busy = node.persistence.job.as_ref().map(|job| job.purpose());
    match busy {
        Some(Some(Purpose::Save)) => node.encoder(conn).error(IN_PROGRESS),
        Some(_) if schedule => {
            node.persistence.save_scheduled = true;
            node.encoder(conn).simple("Background saving scheduled");
        }
        Some(_) => node.encoder(conn).error(
            "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to \
             schedule a BGSAVE whenever possible.",
        ),
        None => {
            node.begin_save();
            node.encoder(conn).simple("Background saving started");
        }
    }
}

/// `LASTSAVE`
pub(crate) fn lastsave(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    let seconds = node.persistence.last_save.as_secs() as i64;
    node.encoder(conn).integer(seconds);
}

/// `BGREWRITEAOF`
pub(crate) fn bgrewriteaof(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    let busy = node.persistence.job.as_ref().map(|job| job.purpose());
    match busy {
        Some(Some(Purpose::Base)) => {
            node.encoder(conn).error("ERR Background append only file rewriting already in progress");
        }
        Some(_) => {
            node.persistence.aof.rewrite_scheduled = true;
            node.encoder(conn).simple("Background append only file rewriting scheduled");
        }
        None => {
            node.begin_rewrite();
            node.encoder(conn).simple("Background append only file rewriting started");
        }
    }
}

/// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]`
pub(crate) fn shutdown(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let (mut save, mut force, mut abort, mut at_once) = (None, false, false, false);
    for index in 1..args.len() {
        if args.is(index, "nosave") && save != Some(true) {
            save = Some(false);
        } else if args.is(index, "save") && save != Some(false) {
            save = Some(true);
        } else if args.is(index, "force") {
            force = true;
        } else if args.is(index, "abort") {
            abort = true;
        } else if args.is(index, "now") {
            at_once = true;
        } else {
            return node.encoder(conn).error("ERR syntax error");
        }
    }
    if abort {
        return match args.len() {
            3.. => node.encoder(conn).error("ERR syntax error"),
            _ if node.stay() => node.encoder(conn).simple("OK"),
            _ => node.encoder(conn).error("ERR No shutdown in progress."),
        };
    }
    // While files are loaded there is nothing worth saving, and half a data set must not replace a whole one.
    let save = if node.persistence.is_loading() { Some(false) } else { save };
    wait_for_end(node, conn, args);
    node.leave(save, force, at_once, Some(conn.id));
}

pub(crate) fn wait_for_end(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    node.block(conn, Wait { keys: Vec::new(), deadline: None, on_timeout: TimeoutReply::Null }, args);
}
