//! `DEBUG RELOAD`: the data set is written to its file, and what is in the file takes its place.
//!
//! The bytes of the file are made at once, in one step that stops everybody, so that they are the data of
//! one moment. From then until the file is read again, clients hear `-LOADING`, as they do at the start: what
//! they wrote would be gone. If the file cannot be written or read, the data stay as they are (Redis is
//! empty then).
//!
//! The stream of a master cannot be told to wait. On a replica the file is written, but what is loaded are
//! the bytes that went into it.

use core_types::LogLevel;
use keyspace::rdb;

use super::loading::Loading;
use crate::{ConnId, FileEvent, FileId, Node};

/// What a reload waits for.
pub(super) struct Reload {
    client: ConnId,
    /// The file that is being written, until it is.
    pub(super) saving: Option<FileId>,
    /// The keys that are there stay.
    merge: bool,
    /// It has failed, with this reply; what is still to come of the file does not matter any more.
    broken: Option<String>,
}

const NOT_LOADED: &str = "ERR Error trying to load the RDB dump";

impl Node {
    /// Begins it. False if it is done already, with the reply to give.
    pub(crate) fn begin_reload(
        &mut self,
        client: ConnId,
        save: bool,
        merge: bool,
    ) -> Option<Result<(), String>> {
        // A snapshot in progress walks the old data; it could not be finished.
        self.cancel_job();
        let name = self.config.dbfilename.clone();
        let mut bytes = Vec::new();
        let mut saving = None;
        let replica = self.replication.is_replica();
        if save || replica {
            rdb::save(&self.keyspace, &self.aux(false), &mut bytes);
        }
        if save {
            saving = Some(self.write_whole(&name, bytes.clone().into()));
        }
        if replica {
            let mut loader = self.loader();
            let loaded = loader.feed(&bytes).and_then(|()| loader.finish());
            return Some(self.take_reloaded(loaded, merge));
        }
        self.begin_loading_again(name, Reload { client, saving, merge, broken: None });
        None
    }

    /// The file that is to be loaded is written, or will not be.
    pub(super) fn reload_saved(&mut self, event: &FileEvent<'_>) {
        match event {
            FileEvent::Committed => {
                self.persistence.last_save = self.now;
                self.persistence.dirty_at_save = self.replication.dirty;
                if let Some(reload) =
                    self.persistence.loading.as_mut().and_then(|loading| loading.reload.as_mut())
                {
                    reload.saving = None;
                }
            }
            FileEvent::Failed(why) => {
                self.warn(format!("Write error saving DB on disk: {why}"));
                let reload = self.persistence.loading.as_mut().and_then(|loading| loading.reload.as_mut());
                if let Some(reload) = reload {
                    (reload.saving, reload.broken) = (None, Some("ERR".into()));
                }
            }
            _ => {}
        }
    }

    /// News of the file that is loaded.
    pub(super) fn reload_event(&mut self, mut loading: Box<Loading>, event: FileEvent<'_>) {
        let Some(mut reload) = loading.reload.take() else { return };
        let ends = matches!(event, FileEvent::End | FileEvent::Missing | FileEvent::Failed(_));
        let outcome = match event {
            _ if reload.broken.is_some() => Ok(()),
            FileEvent::Piece(bytes) => self.load_piece(&mut loading, bytes),
            FileEvent::End => loading.take_loader().map_or(Ok(()), |loader| {
                let loaded = loader.finish();
                self.take_reloaded(loaded, reload.merge)
            }),
            FileEvent::Missing => Err("No such file or directory".into()),
            FileEvent::Failed(why) => Err(why),
            FileEvent::Written(_) | FileEvent::Synced | FileEvent::Committed => Ok(()),
        };
        if let Err(why) = outcome {
            self.log(LogLevel::Warning, format!("DEBUG RELOAD: {why}"));
            reload.broken = Some(NOT_LOADED.into());
        }
        if !ends {
            loading.reload = Some(reload);
            self.persistence.loading = Some(loading);
            return;
        }
        self.answer_waiting(reload.client, |reply| match &reload.broken {
            None => reply.simple("OK"),
            Some(text) => reply.error(text),
        });
    }

    fn take_reloaded(
        &mut self,
        loaded: Result<(keyspace::Keyspace, rdb::Aux), rdb::RdbError>,
        merge: bool,
    ) -> Result<(), String> {
        let (loaded, _) = loaded.map_err(|error| error.to_string())?;
        if merge {
            for (db, key, entry) in loaded.iter() {
                self.keyspace.db_mut(db).insert_entry(key, entry.clone());
            }
        } else {
            self.keyspace = loaded;
        }
        self.warn("DB reloaded by DEBUG RELOAD");
        Ok(())
    }
}
