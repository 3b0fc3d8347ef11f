//! The replica's side: the link to the master, the snapshot that comes over it, and then the stream.

use bytes::{Bytes, BytesMut};
use core_types::{Args, ArgsBuf, Endpoint, LogLevel, Machine, Millis, Offset, ReplId, Role, write_command};
use keyspace::rdb;

use crate::conn::{Input, Kind};
use crate::layers::one_replica::{
    Apply, Link, LinkConfig, LinkInput, LinkOutput, LinkState, ReplicaOf, RoleStep, StreamReader,
    StreamWriter, replicaof,
};
use crate::layers::wire::Limits;
use crate::{ConnId, Effect, Node};

/// Everything about the link to the master.
pub(crate) struct Upstream {
    link: Link,
    conn: Option<ConnId>,
    reader: StreamReader,
    /// Bytes of the stream that do not make a whole command yet.
    input: Input,
    /// The snapshot that is being received, and the point in the master's history it stands for.
    incoming: Option<Incoming>,
    pub(crate) since_down: Millis,
    /// Bytes of the snapshot received so far.
    pub(crate) snapshot_bytes: u64,
    /// Between `MULTI` and `EXEC` of the stream: the commands so far, with their sizes in bytes. They are
    /// applied and counted at the `EXEC`, so that no offset stands for half a transaction.
    transaction: Option<Vec<(ArgsBuf, usize)>>,
    /// The bytes of that transaction, not yet passed on.
    held: BytesMut,
    /// Work that the link asked for while it was itself being fed.
    outputs: Vec<LinkOutput>,
}

struct Incoming {
    id: ReplId,
    offset: Offset,
    loader: rdb::Loader,
    error: Option<String>,
}

impl Upstream {
    pub(crate) fn offset(&self) -> Offset {
        self.reader.offset()
    }

    pub(crate) fn db(&self) -> usize {
        self.reader.db()
    }

    /// The link is broken: what had arrived and could not be used yet is void.
    fn forget_received(&mut self) {
        self.incoming = None;
        self.input = Input::default();
        self.transaction = None;
        self.held = BytesMut::new();
    }

    pub(crate) fn last_io(&self) -> Millis {
        self.link.last_io()
    }

    pub(crate) fn state(&self) -> LinkState {
        self.link.state()
    }
}

impl Node {
    /// `REPLICAOF`: carries out what the layer decides, and returns the status for the client.
    pub(crate) fn change_role(&mut self, request: &ReplicaOf, client: &str) -> &'static str {
        let mut status = "OK";
        for step in replicaof(&self.replication.role, request) {
            match step {
                RoleStep::CloseLink => self.close_link(),
                RoleStep::CloseReplicas => {
                    self.flush_stream();
                    self.close_replicas();
                }
                RoleStep::NewReplicationId => self.replication.id = ReplId::random(&mut self.rng),
                RoleStep::Become(Role::Master) => {
                    let offset = self.replication.offset();
                    self.replication.upstream = None;
                    self.replication.role = Role::Master;
                    self.replication.writer = StreamWriter::new(offset);
                    self.log(LogLevel::Notice, format!("MASTER MODE enabled (user request from '{client}')"));
                }
                RoleStep::Become(Role::Replica { of }) => {
                    self.become_replica(of.clone());
                    self.log(
                        LogLevel::Notice,
                        format!("REPLICAOF {of} enabled (user request from '{client}')"),
                    );
                }
                RoleStep::Connect(_) => self.drive_link(LinkInput::Tick),
                RoleStep::Reply(text) => status = text,
            }
        }
        status
    }

    /// The configuration names a master.
    pub(crate) fn start_as_replica(&mut self, master: Endpoint) {
        self.become_replica(master);
        self.drive_link(LinkInput::Tick);
    }

    fn become_replica(&mut self, master: Endpoint) {
        self.send_waiting_away();
        self.flush_stream();
        let offset = self.replication.offset();
        let config = self.link_config();
        self.replication.role = Role::Replica { of: master.clone() };
        self.replication.upstream = Some(Box::new(Upstream {
            link: Link::new(master, config),
            conn: None,
            reader: StreamReader::new(offset),
            input: Input::default(),
            incoming: None,
            since_down: self.now,
            snapshot_bytes: 0,
            transaction: None,
            held: BytesMut::new(),
            outputs: Vec::new(),
        }));
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

    fn close_link(&mut self) {
        let Some(upstream) = &mut self.replication.upstream else { return };
        upstream.forget_received();
        if let Some(conn) = upstream.conn.take() {
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
            self.drive_link(LinkInput::ConnectFailed(why.to_string()));
        }
    }

    pub(crate) fn link_closed(&mut self, id: ConnId) {
        if self.is_link(id) {
            self.forget_link_conn();
            self.drive_link(LinkInput::Closed);
        }
    }

    fn is_link(&self, id: ConnId) -> bool {
        self.replication.upstream.as_ref().is_some_and(|upstream| upstream.conn == Some(id))
    }

    fn forget_link_conn(&mut self) {
        let now = self.now;
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.conn = None;
            upstream.forget_received();
            upstream.since_down = now;
        }
    }

    pub(crate) fn link_tick(&mut self) {
        if self.link_deadline().is_some_and(|deadline| self.now >= deadline) {
            self.drive_link(LinkInput::Tick);
        }
    }

    pub(crate) fn link_deadline(&self) -> Option<Millis> {
        self.replication.upstream.as_ref()?.link.next_deadline()
    }

    pub(crate) fn receive_from_master(&mut self, data: &[u8]) {
        let now = self.now;
        let Some(upstream) = &mut self.replication.upstream else { return };
        if upstream.link.state() == LinkState::Online {
            upstream.link.touch(now);
            self.apply_stream(data);
        } else {
            self.drive_link(LinkInput::Received(Bytes::copy_from_slice(data)));
        }
    }

    /// Feeds the link one event and does what it asks for.
    fn drive_link(&mut self, input: LinkInput) {
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
                LinkOutput::Disconnect => self.close_link(),
                LinkOutput::BeginSync { id, offset } => self.begin_sync(id, offset),
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
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.conn = Some(id);
        }
        self.ask(Effect::Connect { conn: id, to });
    }

    fn send_to_master(&mut self, command: &ArgsBuf) {
        if let Some(conn) = self.replication.upstream.as_ref().and_then(|upstream| upstream.conn) {
            let mut bytes = BytesMut::new();
            write_command(&mut bytes, command.as_args().iter());
            self.send_raw(conn, &bytes);
        }
    }

    fn begin_sync(&mut self, id: ReplId, offset: Offset) {
        let seed = self.rng.next_u64();
        let options = rdb::Options { compact: self.config.compact, ..rdb::Options::default() };
        let loader = rdb::Loader::new(self.config.databases, seed, options);
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.snapshot_bytes = 0;
            upstream.incoming = Some(Incoming { id, offset, loader, error: None });
        }
    }

    /// The snapshot is read as it arrives, into a data set of its own. What is wrong with it is told when
    /// it is complete; until then it is just not read any further.
    fn load_more(&mut self, bytes: &[u8]) {
        let Some(upstream) = &mut self.replication.upstream else { return };
        upstream.snapshot_bytes += bytes.len() as u64;
        let Some(incoming) = &mut upstream.incoming else { return };
        if incoming.error.is_none()
            && let Err(error) = incoming.loader.feed(bytes)
        {
            incoming.error = Some(error.to_string());
        }
    }

    /// The snapshot is complete. If it is sound, it takes the place of the old data: this is the one
    /// moment at which a replica gives up what it had.
    fn swap_in_snapshot(&mut self) -> Result<(), String> {
        let Some(upstream) = &mut self.replication.upstream else { return Err("not a replica".into()) };
        let Some(incoming) = upstream.incoming.take() else {
            return Err("there is no snapshot to load".into());
        };
        if let Some(error) = incoming.error {
            return Err(error);
        }
        let (keyspace, aux) = incoming.loader.finish().map_err(|error| error.to_string())?;
        upstream.reader = StreamReader::new(incoming.offset);
        // A replica of a replica joins in the middle of a stream: the snapshot tells which database that
        // stream has selected, as a SELECT that was sent before we came.
        if let Some(db) = aux.repl_stream_db.filter(|&db| db > 0) {
            let select = ArgsBuf::from_parts(["SELECT", &db.to_string()]);
            upstream.reader.apply(select.as_args(), 0);
        }
        self.replication.id = incoming.id;
        // A snapshot in progress is one of data that are gone.
        self.cancel_job();
        self.keyspace = keyspace;
        self.restart_aof();
        // Our own replicas have followed another history until now.
        self.close_replicas();
        Ok(())
    }

    /// Applies bytes of the stream, and passes them on.
    fn apply_stream(&mut self, data: &[u8]) {
        let Some(upstream) = &mut self.replication.upstream else { return };
        let mut input = std::mem::take(&mut upstream.input);
        if input.pending.is_empty() {
            let used = self.apply_commands(&mut input, data);
            input.pending.extend_from_slice(&data[used..]);
        } else {
            input.pending.extend_from_slice(data);
            let pending = std::mem::take(&mut input.pending);
            let used = self.apply_commands(&mut input, &pending);
            input.pending = pending;
            let _ = input.pending.split_to(used);
        }
        // What the stream held may have ended the link; then the rest of it is void.
        if let Some(upstream) = self.replication.upstream.as_mut().filter(|upstream| upstream.conn.is_some())
        {
            upstream.input = input;
        }
    }

    fn apply_commands(&mut self, input: &mut Input, buffer: &[u8]) -> usize {
        let mut used = 0;
        // Up to here bytes are applied and passed on; behind it they belong to an open transaction.
        let mut passed = 0;
        while used < buffer.len() {
            let rest = &buffer[used..];
            match input.decoder.decode(rest, &Limits::DEFAULT) {
                Ok(Some(length)) => {
                    let args = input.decoder.args(rest);
                    let Some(upstream) = &mut self.replication.upstream else { return used };
                    let opens = args.is(0, "MULTI");
                    let closes = args.is(0, "EXEC");
                    if opens && upstream.transaction.is_none() {
                        self.pass_on(&buffer[passed..used]);
                        passed = used;
                    }
                    let Some(upstream) = &mut self.replication.upstream else { return used };
                    if opens {
                        upstream.transaction.get_or_insert_default().push((args.to_buf(), length));
                    } else if let Some(mut commands) = upstream.transaction.take() {
                        commands.push((args.to_buf(), length));
                        if closes {
                            self.begin_unit();
                            for (command, length) in &commands {
                                self.apply_one(command.as_args(), *length);
                            }
                            self.end_unit();
                        } else {
                            upstream.transaction = Some(commands);
                        }
                    } else {
                        self.apply_one(args, length);
                    }
                    used += length;
                }
                Ok(None) => break,
                Err(error) => {
                    self.log(LogLevel::Warning, format!("Protocol error from master: {error}"));
                    self.close_link_and_retry();
                    return used;
                }
            }
        }
        let Some(upstream) = &mut self.replication.upstream else { return used };
        if upstream.transaction.is_some() {
            upstream.held.extend_from_slice(&buffer[passed..used]);
        } else {
            self.pass_on(&buffer[passed..used]);
        }
        used
    }

    fn apply_one(&mut self, args: Args<'_>, length: usize) {
        let Some(upstream) = &mut self.replication.upstream else { return };
        match upstream.reader.apply(args, length) {
            Apply::Run { db } => self.execute_from_master(db, args),
            Apply::Nothing => {}
            Apply::Ack(offset) => self.acknowledge(offset),
        }
    }

    /// Passes the master's bytes on, unchanged, so that offsets agree in the whole tree.
    fn pass_on(&mut self, bytes: &[u8]) {
        let Some(upstream) = &mut self.replication.upstream else { return };
        let mut all = std::mem::take(&mut upstream.held);
        all.extend_from_slice(bytes);
        if !all.is_empty() && !self.replication.replicas.is_empty() {
            self.feed(&all.freeze());
        }
    }

    fn close_link_and_retry(&mut self) {
        if let Some(conn) = self.replication.upstream.as_ref().and_then(|upstream| upstream.conn) {
            // Closing tells the link that its connection is gone, and it tries again.
            self.close(conn);
        }
    }

    fn acknowledge(&mut self, offset: Offset) {
        let ack = ArgsBuf::from_parts(["REPLCONF", "ACK", &offset.to_string()]);
        self.send_to_master(&ack);
    }

    /// Once a second.
    pub(crate) fn replication_cron(&mut self) {
        if self.replication.link_is_online() {
            let offset = self.replication.offset();
            self.acknowledge(offset);
        }
        self.feed_cron();
    }
}
