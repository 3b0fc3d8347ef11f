//! How a replica comes in step with its master: it goes on where it was, or loads a snapshot.

use core_types::{ArgsBuf, LogLevel, Offset, ReplId};
use keyspace::rdb;

use crate::Node;
use crate::layers::offsets::Pulse;
use crate::layers::one_replica::StreamReader;
use crate::layers::trees;

/// A snapshot that is being received.
pub(super) struct Incoming {
    id: ReplId,
    offset: Offset,
    loader: rdb::Loader,
    error: Option<String>,
}

/// A reader that begins in the middle of a stream that has selected a database.
pub(super) fn reader_at(offset: Offset, db: usize) -> StreamReader {
    let mut reader = StreamReader::new(offset);
    if db > 0 {
        // As if the SELECT that was sent before we came cost no bytes.
        let select = ArgsBuf::from_parts(["SELECT", &db.to_string()]);
        reader.apply(select.as_args(), 0);
    }
    reader
}

impl Node {
    /// `+CONTINUE [id]`: what we asked for follows.
    pub(super) fn continue_stream(&mut self, told: Option<ReplId>) {
        let (history, offset) = (self.replication.history, self.replication.offset());
        let event = match trees::continued(history, offset, told) {
            Some(renamed) => {
                self.log(LogLevel::Notice, format!("Master replication ID changed to {}", renamed.id));
                self.replication.history = renamed;
                trees::Upstream::ContinuedUnderNewId
            }
            None => trees::Upstream::ContinuedSame,
        };
        self.upstream_changed(event);
        self.come_in_step();
        self.end_failover();
    }

    fn come_in_step(&mut self) {
        let now = self.now;
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.in_step = true;
            upstream.in_doubt = false;
            upstream.pulse = Some(Pulse::new(now));
            upstream.since_down = Some(now);
        }
        self.look_after_backlog();
    }

    /// `+FULLRESYNC`: a snapshot follows.
    pub(super) fn begin_sync(&mut self, id: ReplId, offset: Offset) {
        let seed = self.rng.next_u64();
        let options = rdb::Options {
            compact: self.config.compact,
            usage: self.config.usage(),
            ..rdb::Options::default()
        };
        let mut loader = rdb::Loader::new(self.config.databases, seed, options);
        self.index_slots_of(&mut loader);
        if let Some(upstream) = &mut self.replication.upstream {
            upstream.snapshot_bytes = 0;
            upstream.incoming = Some(Incoming { id, offset, loader, error: None });
        }
        self.upstream_changed(trees::Upstream::Resynchronising);
        self.end_failover();
    }

    /// The snapshot is read as it arrives, into a data set of its own. What is wrong with it is told when
    /// it is complete; until then it is just not read any further.
    pub(super) fn load_more(&mut self, bytes: &[u8]) {
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
    pub(super) fn swap_in_snapshot(&mut self) -> Result<(), String> {
        let Some(upstream) = &mut self.replication.upstream else { return Err("not a replica".into()) };
        let Some(incoming) = upstream.incoming.take() else {
            return Err("there is no snapshot to load".into());
        };
        if let Some(error) = incoming.error {
            return Err(error);
        }
        let (keyspace, aux) = incoming.loader.finish().map_err(|error| error.to_string())?;
        // What is left of the old history's stream belongs to the old log.
        self.flush_stream();
        // A snapshot in progress is one of data that are gone.
        self.cancel_job();
        self.upstream_changed(trees::Upstream::Replaced);
        self.keyspace = keyspace;
        self.restart_aof();
        self.replication.history = trees::resynchronised(incoming.id);
        self.replication.log = None;
        if let Some(upstream) = &mut self.replication.upstream {
            // A replica of a replica joins in the middle of a stream: the snapshot tells which database that
            // stream has selected.
            let db = aux.repl_stream_db.and_then(|db| usize::try_from(db).ok()).unwrap_or(0);
            upstream.reader = reader_at(incoming.offset, db);
        }
        self.come_in_step();
        Ok(())
    }
}
