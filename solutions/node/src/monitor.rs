//! `MONITOR`: a client that is shown every command as it runs.

use std::fmt::Write;

use core_types::{Args, show_bytes};

use crate::Node;
use crate::conn::{Conn, Kind};

/// `MONITOR`
pub(crate) fn monitor(node: &mut Node, conn: &mut Conn, _: Args<'_>) {
    if !matches!(conn.kind, Kind::Client) || conn.is_monitor {
        // Asked for twice, it is not answered, as in Redis.
        return;
    }
    conn.is_monitor = true;
    node.monitors.insert(conn.id);
    core_types::Reply::simple(&mut node.encoder(conn), "OK");
}

impl Node {
    /// Shows a command that has run to everybody who watches.
    pub(crate) fn show_to_monitors(&mut self, conn: &mut Conn, db: usize, args: Args<'_>) {
        let now = self.now;
        let mut line = format!("+{}.{:03}000 [{db} {}]", now.as_secs(), now.0 % 1000, conn.addr);
        for (place, arg) in args.iter().enumerate() {
            let arg = if is_secret(args, place) { REDACTED } else { arg };
            let _ = write!(line, " \"{}\"", show_bytes(arg));
        }
        line.push_str("\r\n");
        for id in self.monitors.clone() {
            if id == conn.id {
                conn.out.extend_from_slice(line.as_bytes());
            } else {
                self.send_raw(id, line.as_bytes());
            }
        }
    }
}

/// What is shown in the place of a password.
pub(crate) const REDACTED: &[u8] = b"(redacted)";

/// True for an argument that nobody but its sender should see.
pub(crate) fn is_secret(args: Args<'_>, place: usize) -> bool {
    if args.is(0, "auth") {
        return place > 0;
    }
    if args.is(0, "hello") {
        return (place > 1 && args.is(place - 1, "auth")) || (place > 2 && args.is(place - 2, "auth"));
    }
    let secret = ["requirepass", "masterauth", "masteruser"];
    args.is(0, "config")
        && args.is(1, "set")
        && place > 2
        && secret.iter().any(|name| args.is(place - 1, name))
}
