//! What connections have to say, and their end.

use crate::cluster::Ended;
use crate::conn::{Conn, Input, Kind};
use crate::{ConnId, Effect, Node};

impl Node {
    /// Gives a connection that was taken out back, and notes whether it has something to say.
    pub(crate) fn finish(&mut self, mut conn: Box<Conn>) {
        self.check_output(&mut conn);
        self.hold_output(&mut conn);
        if !conn.out.is_empty() && !conn.queued {
            conn.queued = true;
            self.writers.push_back(conn.id);
        }
        self.conns.put_back(conn);
    }

    /// Appends bytes to what a connection has to say.
    pub(crate) fn send_raw(&mut self, id: ConnId, bytes: &[u8]) {
        if let Some(mut conn) = self.conns.take(id) {
            conn.out.extend_from_slice(bytes);
            self.finish(conn);
        }
    }

    /// Something a connection has to say may leave now.
    pub(crate) fn queue_writer(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(id)
            && !conn.queued
            && !conn.out.is_empty()
        {
            conn.queued = true;
            self.writers.push_back(id);
        }
    }

    /// Closes a connection after what is pending on it.
    pub(crate) fn close(&mut self, id: ConnId) {
        if let Some(mut conn) = self.conns.take(id) {
            self.close_taken(&mut conn);
            self.finish(conn);
        }
    }

    /// The same for a connection that is taken out.
    pub(crate) fn close_taken(&mut self, conn: &mut Conn) {
        if !conn.closing {
            conn.closing = true;
            conn.input = Input::default();
            self.detach(conn);
            self.outbox.push_back(Effect::Close { conn: conn.id });
        }
    }

    /// What a connection was for ends here.
    pub(crate) fn detach(&mut self, conn: &mut Conn) {
        self.unblock(conn);
        conn.postponed = false;
        self.monitors.remove(&conn.id);
        self.unwatch_all(conn);
        self.unsubscribe_all(conn);
        match conn.kind {
            Kind::Client => {}
            Kind::Replica(_) => self.replica_gone(conn),
            Kind::MasterLink => self.link_closed(conn.id),
            Kind::Courier(_) => self.courier_failed(conn.id, Ended::Closed),
            Kind::Watch(_) => self.watch_lost(conn.id, "Server closed the connection"),
            Kind::Bus(_) => self.bus_lost(conn),
        }
    }
}
