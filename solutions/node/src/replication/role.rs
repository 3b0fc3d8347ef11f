//! Whom this node follows, and under which names its data are known.

use core_types::{Endpoint, LogLevel, ReplId, Role};

use super::{Saved, Upstream};
use crate::Node;
use crate::layers::offsets::Backlog;
use crate::layers::one_replica::{LinkInput, ReplicaOf, RoleStep, StreamWriter, replicaof};
use crate::layers::trees::{self, Fate, Past, fate};

impl Node {
    /// `REPLICAOF`, and the same decided by this node: carries out what the layer says, and returns the status
    /// for the client. `who` asked for it.
    pub(crate) fn change_role(&mut self, request: &ReplicaOf, who: &str) -> &'static str {
        let mut status = "OK";
        for step in replicaof(&self.replication.role, request) {
            match step {
                RoleStep::CloseLink => self.close_link(),
                // Chapter 1 always closes them. From chapter 3 on it depends on what happens.
                RoleStep::CloseReplicas => {
                    self.flush_stream();
                    self.upstream_changed(match request {
                        ReplicaOf::NoOne => trees::Upstream::Promoted,
                        ReplicaOf::Of(_) => trees::Upstream::Repointed,
                    });
                }
                RoleStep::NewReplicationId => self.begin_own_history(),
                RoleStep::Become(Role::Master) => {
                    self.become_master();
                    self.log(LogLevel::Notice, format!("MASTER MODE enabled ({who})"));
                }
                RoleStep::Become(Role::Replica { of }) => {
                    self.become_replica(of.clone(), false);
                    self.log(LogLevel::Notice, format!("REPLICAOF {of} enabled ({who})"));
                }
                RoleStep::Connect(_) => self.drive_link(LinkInput::Tick),
                RoleStep::Reply(text) => status = text,
            }
        }
        self.config.replicaof = match &self.replication.role {
            Role::Master => None,
            Role::Replica { of } => Some(of.clone()),
        };
        status
    }

    /// The same, decided by this node itself.
    pub(super) fn follow(&mut self, request: &ReplicaOf, why: &str) {
        self.change_role(request, why);
    }

    /// Our master has asked us to take its place.
    pub(super) fn promote(&mut self, why: &str, client: &str) {
        self.change_role(&ReplicaOf::NoOne, &format!("{why} from '{client}'"));
    }

    /// Something happened between this node and its master: the layer says what that means for its replicas.
    pub(super) fn upstream_changed(&mut self, event: trees::Upstream) {
        if fate(event) == Fate::Disconnect {
            self.close_replicas();
        }
    }

    /// The configuration names a master.
    pub(crate) fn start_as_replica(&mut self, master: Endpoint) {
        self.become_replica(master, true);
        self.drive_link(LinkInput::Tick);
    }

    /// A replica goes on under a name of its own.
    fn begin_own_history(&mut self) {
        let fresh = ReplId::random(&mut self.rng);
        let offset = self.replication.offset();
        let history = trees::promoted(self.replication.history, offset, fresh);
        self.replication.history = history;
        if let Some(past) = history.earlier {
            let text = format!(
                "Setting secondary replication ID to {}, valid up to offset: {}. New replication ID is {}",
                past.id,
                past.offset.0 + 1,
                history.id
            );
            self.log(LogLevel::Warning, text);
        }
    }

    fn become_master(&mut self) {
        self.flush_stream();
        let offset = self.replication.offset();
        self.replication.upstream = None;
        self.replication.saved = None;
        self.replication.role = Role::Master;
        // Nobody knows what a reader of the stream has selected: the first write will say.
        self.replication.writer = StreamWriter::new(offset);
        self.replication.alone_since = self.now;
        self.replication.turn.acked = true;
    }

    /// `at_start`: it was nobody's master before.
    fn become_replica(&mut self, master: Endpoint, at_start: bool) {
        self.send_waiting_away();
        self.flush_stream();
        let offset = self.replication.offset();
        let link = self.new_link(master.clone());
        let upstream = match self.replication.upstream.take() {
            // It goes on from where it is in its old master's stream.
            Some(old) => old.repointed(link, self.now),
            None => match self.replication.saved.take() {
                Some(saved) => {
                    Upstream::new(link, offset, saved.db, Past::Loaded { saved: Some(saved.position) })
                }
                None if at_start => Upstream::new(link, offset, 0, Past::Loaded { saved: None }),
                None => {
                    let text = "Before turning into a replica, using my own master parameters to synthesize a \
                                cached master: I may be able to synchronize with the new master with just a \
                                partial transfer.";
                    self.log(LogLevel::Notice, text);
                    let history = self.replication.history;
                    Upstream::new(link, offset, 0, Past::Master { history, offset })
                }
            },
        };
        self.replication.role = Role::Replica { of: master };
        self.replication.upstream = Some(Box::new(upstream));
    }

    /// A file says which history the data are from, and how far. A replica goes on there. A master begins a
    /// history of its own, and remembers the file's.
    pub(crate) fn take_over_history(&mut self, saved: Saved, as_replica: bool) {
        if as_replica {
            self.replication.history = core_types::History::new(saved.position.id);
            self.replication.writer = StreamWriter::new(saved.position.offset);
            self.replication.saved = Some(saved);
            return;
        }
        let (history, offset) = trees::restarted(Some(saved.position), self.replication.history.id);
        self.replication.history = history;
        self.replication.writer = StreamWriter::new(offset);
        self.replication.log = Some(Backlog::new(self.config.repl_backlog_size, offset));
        self.replication.alone_since = self.now;
    }

    /// `DEBUG CHANGE-REPL-ID`
    pub(crate) fn change_replication_id(&mut self) {
        self.replication.history = core_types::History::new(ReplId::random(&mut self.rng));
    }
}
