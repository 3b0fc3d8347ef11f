//! The link to our master: what is said on it, and the snapshot that comes over it.

use bytes::{Bytes, BytesMut};
use core_types::{ArgsBuf, Endpoint, Machine, Millis, Offset, Position, write_command};

use super::apply::Received;
use super::synchronise::{Incoming, reader_at};
use crate::conn::Kind;
use crate::layers::offsets::{Held, Pulse, psync_request};
use crate::layers::one_replica::{Link, LinkConfig, LinkInput, LinkOutput, LinkState, StreamReader};
use crate::layers::trees::{self, Past, offer};
use crate::{ConnId, Effect, Node};

/// Everything about the link to the master.
pub(crate) struct Upstream {
    link: Link,
    pub(super) conn: Option<ConnId>,
    pub(super) reader: StreamReader,
    /// What has arrived of the stream and is not applied.
    pub(super) received: Received,
    /// Where the data come from. Of no meaning once it has been in step with this master.
    past: Past,
    /// It has been in step with a master of this history; its data are that history's.
    pub(super) in_step: bool,
    /// The stream made no sense, so its place in it means nothing.
    pub(super) in_doubt: bool,
    /// How much of that history had arrived when the link broke.
    arrived: Offset,
    /// The snapshot that is being received, and the point in the master's history it stands for.
    pub(super) incoming: Option<Incoming>,
    /// While it is online: when the master was heard, and told.
    pub(super) pulse: Option<Pulse>,
    /// `None`: it has never been up.
    pub(crate) since_down: Option<Millis>,
    /// Bytes of the snapshot received so far.
    pub(crate) snapshot_bytes: u64,
    /// `PSYNC` has been sent on this connection, and nothing came of it yet.
    asked: bool,
    /// Work that the link asked for while it was itself being fed.
    outputs: Vec<LinkOutput>,
}

impl Upstream {
    pub(super) fn new(link: Link, offset: Offset, db: usize, past: Past) -> Upstream {
        Upstream {
            link,
            conn: None,
            reader: reader_at(offset, db),
            received: Received::default(),
            past,
            in_step: false,
            in_doubt: false,
            arrived: offset,
            incoming: None,
            pulse: None,
            since_down: None,
            snapshot_bytes: 0,
            asked: false,
            outputs: Vec::new(),
        }
    }

    /// The same data and the same place in the stream, and another master.
    pub(super) fn repointed(mut self: Box<Upstream>, link: Link, now: Millis) -> Upstream {
        self.forget_received();
        self.link = link;
        self.conn = None;
        self.pulse = None;
        self.asked = false;
        self.since_down = self.since_down.map(|_| now);
        *self
    }

    pub(crate) fn offset(&self) -> Offset {
        self.reader.offset()
    }

    /// How much has arrived, applied or not.
    pub(crate) fn read_offset(&self) -> Offset {
        self.reader.offset().plus(self.received.len())
    }

    pub(crate) fn db(&self) -> usize {
        self.reader.db()
    }

    /// Its data are some master's history up to its offset: it can be gone on with.
    pub(crate) fn holds_history(&self) -> bool {
        self.in_step
    }

    /// It has something that it could ask to continue.
    pub(crate) fn has_position(&self) -> bool {
        !self.in_doubt && (self.in_step || offer(&self.past).is_some())
    }

    /// The link is broken: what had arrived and could not be used yet is void.
    fn forget_received(&mut self) {
        self.arrived = self.read_offset();
        self.incoming = None;
        self.received.forget();
    }

    pub(crate) fn last_io(&self) -> Millis {
        self.pulse.as_ref().map_or(self.link.last_io(), Pulse::last_heard)
    }

    /// How many bytes of the snapshot there will be, if the master said.
    pub(crate) fn snapshot_length(&self) -> Option<u64> {
        self.link.snapshot_length()
    }

    pub(crate) fn state(&self) -> LinkState {
        self.link.state()
    }

    pub(super) fn link_deadline(&self) -> Option<Millis> {
        self.link.next_deadline()
    }
}

impl Node {
    pub(super) fn new_link(&self, master: Endpoint) -> Link {
        let mut link = Link::new(master, self.link_config());
        link.let_node_watch();
        link
    }

    /// Passwords, ports and timeouts may have changed by `CONFIG SET`; the next attempt uses the new ones.
    pub(crate) fn refresh_link_config(&mut self) {
        let config = self.link_config();
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.link.set_config(config);
        }
    }

    fn link_config(&self) -> LinkConfig {
        LinkConfig {
            user: self.config.masteruser.clone(),
            password: self.config.masterauth.clone(),
            listening_port: match self.config.replica_announce_port {
                0 => self.config.port,
                announced => announced,
            },
            announce_ip: self.config.replica_announce_ip.clone(),
            timeout: self.config.repl_timeout,
            retry: Millis::from_secs(1),
        }
    }

    pub(super) fn close_link(&mut self) {
        self.forget_link_conn();
        if let Some(conn) = self.replication.upstream.as_mut().and_then(|upstream| upstream.closing_conn()) {
            self.close(conn);
        }
    }

    pub(crate) fn link_connected(&mut self, id: ConnId) {
        if self.is_link(id) {
            self.drive_link(LinkInput::Connected);
        }
    }

    pub(crate) fn link_failed(&mut self, id: ConnId, why: &str) {
        if self.is_link(id) {
            self.forget_link_conn();
            self.drop_link_conn();
            self.drive_link(LinkInput::ConnectFailed(why.to_string()));
        }
    }

    pub(crate) fn link_closed(&mut self, id: ConnId) {
        if self.is_link(id) {
            self.forget_link_conn();
            self.drop_link_conn();
            self.upstream_changed(trees::Upstream::Lost);
            self.drive_link(LinkInput::Closed);
        }
    }

    fn is_link(&self, id: ConnId) -> bool {
        self.replication.upstream.as_ref().is_some_and(|upstream| upstream.conn == Some(id))
    }

    /// What came over the connection to the master and was not applied is void.
    fn forget_link_conn(&mut self) {
        let now = self.now;
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.forget_received();
            if upstream.pulse.take().is_some() {
                upstream.since_down = Some(now);
            }
        }
    }

    fn drop_link_conn(&mut self) {
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.conn = None;
        }
    }

    pub(crate) fn link_tick(&mut self) {
        if self.link_deadline().is_some_and(|deadline| self.now >= deadline) {
            self.drive_link(LinkInput::Tick);
            self.beat_as_replica();
        }
    }

    pub(crate) fn receive_from_master(&mut self, data: &[u8]) {
        let now = self.now;
        let Some(upstream) = &mut self.replication.upstream else { return };
        if upstream.link.state() == LinkState::Online {
            if let Some(pulse) = &mut upstream.pulse {
                pulse.heard(now);
            }
            self.apply_stream(data);
        } else {
            self.drive_link(LinkInput::Received(Bytes::copy_from_slice(data)));
        }
    }

    /// The master of a link that is online has been silent for too long.
    pub(super) fn give_master_up(&mut self) {
        let now = self.now;
        let Some(upstream) = &mut self.replication.upstream else { return };
        let mut outputs = std::mem::take(&mut upstream.outputs);
        upstream.link.give_up(now, &mut outputs);
        self.carry_out(outputs);
    }

    /// Feeds the link one event and does what it asks for.
    pub(super) fn drive_link(&mut self, input: LinkInput) {
        let now = self.now;
        let Some(upstream) = &mut self.replication.upstream else { return };
        let mut outputs = std::mem::take(&mut upstream.outputs);
        upstream.link.step(now, input, &mut outputs);
        self.carry_out(outputs);
    }

    /// Does what the link asked for. The answer to `Load` makes the link ask for more.
    fn carry_out(&mut self, mut outputs: Vec<LinkOutput>) {
        let mut next = 0;
        while next < outputs.len() {
            let output = std::mem::replace(&mut outputs[next], LinkOutput::Disconnect);
            next += 1;
            match output {
                LinkOutput::Connect(to) => self.open_link(to),
                LinkOutput::Send(command) => self.send_to_master(&command),
                LinkOutput::Disconnect => {
                    self.close_link();
                    self.failover_refused();
                }
                LinkOutput::BeginSync { id, offset } => self.begin_sync(id, offset),
                LinkOutput::Continue { id } => self.continue_stream(id),
                LinkOutput::Snapshot(bytes) => self.load_more(&bytes),
                LinkOutput::Load => {
                    let result = self.swap_in_snapshot();
                    let now = self.now;
                    if let Some(upstream) = &mut self.replication.upstream {
                        upstream.link.loaded(now, result, &mut outputs);
                    }
                }
                LinkOutput::Stream(bytes) => self.apply_stream(&bytes),
                LinkOutput::Log(level, text) => self.log(level, text),
            }
        }
        outputs.clear();
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.outputs = outputs;
        }
    }

    fn open_link(&mut self, to: Endpoint) {
        let id = self.conns.open(to.to_string(), String::new(), self.now);
        if let Some(conn) = self.conns.get_mut(id) {
            conn.kind = Kind::MasterLink;
            conn.authenticated = true;
        }
        let request = self.link_request();
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.conn = Some(id);
            upstream.asked = false;
            upstream.link.ask_with(request);
        }
        self.ask(Effect::Connect { conn: id, to });
    }

    /// What this node asks its master for: the rest of what it holds, or everything.
    fn link_request(&self) -> ArgsBuf {
        let held = self.replication.upstream.as_ref().and_then(|upstream| {
            let (applied, received) = (upstream.offset(), upstream.arrived.max(upstream.offset()));
            if upstream.in_doubt {
                return None;
            }
            let past = match upstream.in_step {
                true => Past::Replica { history: self.replication.history, applied, received },
                false => upstream.past,
            };
            let Position { id, offset } = offer(&past)?;
            Some(Held { id, received: received.max(offset), applied: offset })
        });
        let request = psync_request(held.as_ref());
        if self.replication.failover.as_ref().is_some_and(|failover| failover.is_in_progress()) {
            // The node that we ask is to become a master first.
            return ArgsBuf::from_parts(
                request.as_args().iter().chain([&b"FAILOVER"[..]]).collect::<Vec<_>>(),
            );
        }
        request
    }

    pub(super) fn send_to_master(&mut self, command: &ArgsBuf) {
        let now = self.now;
        let Some(upstream) = &mut self.replication.upstream else { return };
        let Some(conn) = upstream.conn else { return };
        let args = command.as_args();
        upstream.asked |= args.is(0, "PSYNC");
        if let Some(pulse) = &mut upstream.pulse
            && args.is(1, "ACK")
        {
            pulse.acked(now);
        }
        let mut bytes = BytesMut::new();
        write_command(&mut bytes, args.iter());
        self.send_raw(conn, &bytes);
    }

    /// The next attempt asks for everything.
    pub(super) fn doubt_position(&mut self) {
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.in_doubt = true;
        }
    }

    pub(super) fn close_link_and_retry(&mut self) {
        if let Some(conn) = self.replication.upstream.as_ref().and_then(|upstream| upstream.conn) {
            // Closing tells the link that its connection is gone, and it tries again.
            self.close(conn);
        }
    }

    /// `REPLCONF GETACK` from a client, not in the stream: answered on the link, as Redis does.
    pub(crate) fn acknowledge_unasked(&mut self) {
        if self.replication.link_is_online() {
            let offset = self.replication.offset();
            self.acknowledge(offset);
        }
    }

    pub(super) fn acknowledge(&mut self, offset: Offset) {
        let ack = ArgsBuf::from_parts(["REPLCONF", "ACK", &offset.to_string()]);
        self.send_to_master(&ack);
    }

    /// The node that we are about to follow does not take our place.
    fn failover_refused(&mut self) {
        let asked =
            self.replication.upstream.as_mut().is_some_and(|upstream| std::mem::take(&mut upstream.asked));
        let in_progress =
            self.replication.failover.as_ref().is_some_and(|failover| failover.is_in_progress());
        if asked && in_progress {
            self.abort_failover("Failover target rejected psync request");
        }
    }
}

impl Upstream {
    /// The connection, which is about to be closed.
    fn closing_conn(&mut self) -> Option<ConnId> {
        self.conn.take()
    }
}
