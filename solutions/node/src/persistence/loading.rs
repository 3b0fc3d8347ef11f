//! Files at the start, read in pieces. Between two pieces clients are served, and hear `-LOADING`.
//!
//! First comes the manifest of the append-only file. With `appendonly yes` its parts follow, otherwise the
//! RDB file. Only the last part may end in the middle of a command: that is what a crash leaves behind, and
//! what was not written was never promised. Anything else that cannot be read ends the process: it is for a
//! human to decide which data to give up.
//!
//! Keys whose time is up are left out of an RDB file on a master, and its backlog begins with a `DEL` of each
//! if replicas may come and go on from the file's place in the history. Commands find them as they were: whether a
//! key is there is decided by the commands, not by today's clock.

use core_types::{ArgsBuf, ExpiredKey, Millis, Position, Protocol};
use keyspace::{Ctx, Flags, Keyspace, rdb};

use super::manifest::Manifest;
use super::reload::Reload;
use crate::conn::Input;
use crate::layers::wire::Limits;
use crate::replication::{Discard, Saved};
use crate::table::{self, Run};
use crate::{Effect, FileEffect, FileEvent, FileId, Node};

pub(crate) struct Loading {
    begun: Millis,
    file: FileId,
    name: String,
    stage: Stage,
    manifest: Manifest,
    /// Which part of the manifest is read: the base is 0.
    part: usize,
    /// Bytes read so far: in all, and of the base.
    pub(super) bytes: u64,
    base_bytes: u64,
    /// Something cannot be read: the process is about to end.
    failed: bool,
    /// It was not at the start: `DEBUG RELOAD`.
    pub(super) reload: Option<Reload>,
}

enum Stage {
    Manifest(Vec<u8>),
    /// A part that is empty so far: its first bytes tell what it is.
    Part,
    Rdb(Box<rdb::Loader>),
    Commands(Box<Commands>),
}

/// A part that holds commands.
#[derive(Default)]
struct Commands {
    input: Input,
    db: usize,
    /// Commands since `MULTI`; they are run at the `EXEC`.
    transaction: Option<Vec<ArgsBuf>>,
    /// Bytes read as commands, and those of them that end outside a transaction.
    read: u64,
    whole: u64,
}

impl Loading {
    pub(super) fn file(&self) -> Option<FileId> {
        (!self.failed).then_some(self.file)
    }

    /// The file that is written before it can be read.
    pub(super) fn saving(&self) -> Option<FileId> {
        self.reload.as_ref()?.saving
    }

    /// The RDB file that is read.
    pub(super) fn take_loader(&mut self) -> Option<Box<rdb::Loader>> {
        match std::mem::replace(&mut self.stage, Stage::Part) {
            Stage::Rdb(loader) => Some(loader),
            _ => None,
        }
    }

    /// The name of the file that is read, without its folder: the words of Redis have it so.
    fn short_name(&self) -> &str {
        self.name.rsplit_once('/').map_or(&self.name, |(_, name)| name)
    }

    pub(super) fn begun(&self) -> Millis {
        self.begun
    }
}

impl Node {
    /// Begins to load what an earlier run has left. The node begins to follow its master when that is done.
    pub(crate) fn begin_load(&mut self) {
        let file = self.persistence.new_file();
        let name = self.manifest_path();
        self.persistence.loading = Some(Box::new(Loading {
            begun: self.now,
            file,
            name: name.clone(),
            stage: Stage::Manifest(Vec::new()),
            manifest: Manifest::default(),
            part: 0,
            bytes: 0,
            base_bytes: 0,
            failed: false,
            reload: None,
        }));
        self.file(FileEffect::Read { file, name });
    }

    /// Begins to load the RDB file while the node is at work.
    pub(super) fn begin_loading_again(&mut self, name: String, reload: Reload) {
        let file = self.persistence.new_file();
        self.persistence.loading = Some(Box::new(Loading {
            begun: self.now,
            file,
            name: name.clone(),
            stage: Stage::Rdb(Box::new(self.loader())),
            manifest: Manifest::default(),
            part: 0,
            bytes: 0,
            base_bytes: 0,
            failed: false,
            reload: Some(reload),
        }));
        self.file(FileEffect::Read { file, name });
    }

    pub(super) fn loading_event(&mut self, event: FileEvent<'_>) {
        let Some(mut loading) = self.persistence.loading.take() else { return };
        if loading.reload.is_some() {
            return self.reload_event(loading, event);
        }
        let outcome = match event {
            FileEvent::Piece(bytes) => self.load_piece(&mut loading, bytes).map(|()| true),
            FileEvent::End => self.load_end(&mut loading),
            FileEvent::Missing => self.load_missing(&mut loading),
            FileEvent::Failed(why) => {
                Err(format!("Fatal error: can't open {} for reading: {why}", loading.name))
            }
            FileEvent::Written(_) | FileEvent::Synced | FileEvent::Committed => Ok(true),
        };
        match outcome {
            Ok(true) => self.persistence.loading = Some(loading),
            Ok(false) => self.loaded(*loading),
            Err(text) => {
                // Clients that are served until the process is gone still must not see half a data set.
                loading.failed = true;
                self.persistence.loading = Some(loading);
                self.warn(text);
                self.ask(Effect::Exit { code: 1 });
            }
        }
    }

    pub(super) fn load_piece(&mut self, loading: &mut Loading, bytes: &[u8]) -> Result<(), String> {
        loading.bytes += bytes.len() as u64;
        if let Stage::Part = loading.stage {
            loading.stage =
                if bytes.starts_with(b"R") { self.rdb_stage() } else { Stage::Commands(Box::default()) };
        }
        match &mut loading.stage {
            Stage::Manifest(text) => text.extend_from_slice(bytes),
            Stage::Part => {}
            Stage::Rdb(loader) => loader.feed(bytes).map_err(|error| bad_rdb(&loading.name, &error))?,
            Stage::Commands(commands) => {
                commands.input.pending.extend_from_slice(bytes);
                self.load_commands(commands).map_err(|why| bad_commands(loading.short_name(), &why))?;
            }
        }
        Ok(())
    }

    /// `Ok(false)`: that was the last file.
    fn load_end(&mut self, loading: &mut Loading) -> Result<bool, String> {
        match std::mem::replace(&mut loading.stage, Stage::Part) {
            Stage::Manifest(text) => {
                loading.manifest = Manifest::parse(&text)
                    .map_err(|why| format!("Error reading the AOF manifest file {}: {why}", loading.name))?;
                return self.load_first(loading);
            }
            // An empty file holds no command.
            Stage::Part => {}
            Stage::Rdb(loader) => {
                let (keys, expired) = (loader.keys_loaded(), loader.keys_expired());
                let (keyspace, aux) = loader.finish().map_err(|error| bad_rdb(&loading.name, &error))?;
                let expired = expired + self.take_loaded(keyspace, &aux);
                self.notice(format!("Done loading RDB, keys loaded: {keys}, keys expired: {expired}."));
                if !self.config.appendonly {
                    return Ok(false);
                }
            }
            Stage::Commands(commands) => self.end_commands(loading, &commands)?,
        }
        if loading.part == 0 {
            loading.base_bytes = loading.bytes;
        }
        Ok(self.load_part(loading, loading.part + 1))
    }

    fn load_missing(&mut self, loading: &mut Loading) -> Result<bool, String> {
        match loading.stage {
            Stage::Manifest(_) => self.load_first(loading),
            _ if self.config.appendonly => Err(format!(
                "Fatal error: can't open the append log file {} for reading: No such file or directory",
                loading.name
            )),
            _ => Ok(false),
        }
    }

    /// The manifest is known: goes on with what the configuration asks for.
    fn load_first(&mut self, loading: &mut Loading) -> Result<bool, String> {
        loading.bytes = 0;
        if self.config.appendonly {
            let first = usize::from(loading.manifest.base.is_none());
            return Ok(self.load_part(loading, first));
        }
        loading.stage = self.rdb_stage();
        self.read_next(loading, self.config.dbfilename.clone());
        Ok(true)
    }

    fn load_part(&mut self, loading: &mut Loading, part: usize) -> bool {
        let found = match part {
            0 => loading.manifest.base.as_ref(),
            part => loading.manifest.increments.get(part - 1),
        };
        let Some(found) = found else { return false };
        let name = self.aof_path(&found.name);
        loading.part = part;
        loading.stage = Stage::Part;
        self.read_next(loading, name);
        true
    }

    fn read_next(&mut self, loading: &mut Loading, name: String) {
        loading.file = self.persistence.new_file();
        loading.name.clone_from(&name);
        self.file(FileEffect::Read { file: loading.file, name });
    }

    fn rdb_stage(&mut self) -> Stage {
        Stage::Rdb(Box::new(self.loader()))
    }

    pub(super) fn loader(&mut self) -> rdb::Loader {
        let options = rdb::Options {
            compact: self.config.compact,
            usage: self.config.usage(),
            ..rdb::Options::default()
        };
        let seed = self.rng.next_u64();
        let mut loader = rdb::Loader::new(self.config.databases, seed, options);
        self.index_slots_of(&mut loader);
        loader
    }

    /// Returns how many keys were left out.
    fn take_loaded(&mut self, keyspace: Keyspace, aux: &rdb::Aux) -> u64 {
        self.keyspace = keyspace;
        let as_replica = self.config.replicaof.is_some();
        if let (Some(id), Some(offset), false) = (aux.repl_id, aux.repl_offset, aux.aof_base) {
            let db = aux.repl_stream_db.and_then(|db| usize::try_from(db).ok()).unwrap_or(0);
            let saved = Saved { position: Position { id, offset }, db };
            self.take_over_history(saved, as_replica);
        }
        if as_replica { 0 } else { self.drop_expired() }
    }

    /// A master leaves out keys whose time is up. A replica that goes on from this file's place in the history
    /// has them, and is told.
    fn drop_expired(&mut self) -> u64 {
        let now = self.now;
        let volatile = (0..self.keyspace.databases()).any(|db| self.keyspace.db(db).volatile_len() > 0);
        if !volatile {
            return 0;
        }
        let expired: Vec<(usize, Vec<u8>)> = self
            .keyspace
            .iter()
            .filter(|(.., entry)| entry.is_expired(now))
            .map(|(db, key, _)| (db, key.to_vec()))
            .collect();
        for (db, key) in &expired {
            self.keyspace.db_mut(*db).remove(key);
            if self.replication.is_feeding() {
                let del = ArgsBuf::from_parts([b"DEL".as_slice(), key]);
                self.replication.append(Some(*db), del.as_args());
            }
        }
        expired.len() as u64
    }

    fn loaded(&mut self, loading: Loading) {
        let seconds = self.now.since(loading.begun).0 as f64 / 1000.0;
        if self.config.appendonly {
            if loading.bytes > 0 {
                self.notice(format!("DB loaded from append only file: {seconds:.3} seconds"));
            }
            let sizes = (loading.base_bytes, loading.bytes - loading.base_bytes);
            self.open_aof_after_load(loading.manifest, sizes);
        } else {
            if loading.bytes > 0 {
                self.notice(format!("DB loaded from disk: {seconds:.3} seconds"));
            }
            self.persistence.aof.manifest = loading.manifest;
        }
        self.persistence.last_save = self.now;
        self.persistence.dirty_at_save = self.replication.dirty;
        self.claim_loaded_slots();
        self.notice("Ready to accept connections");
        if let Some(master) = self.config.replicaof.clone() {
            self.start_as_replica(master);
        }
    }

    /// Runs every whole command. `Err`: what follows is no command.
    fn load_commands(&mut self, commands: &mut Commands) -> Result<(), String> {
        let Commands { input, db, transaction, read, whole } = commands;
        let pending = std::mem::take(&mut input.pending);
        let mut used = 0;
        while let Some(first) = pending.get(used) {
            let rest = &pending[used..];
            let length = match first {
                // A line that Redis writes if `aof-timestamp-enabled` is set.
                b'#' => match rest.iter().position(|byte| *byte == b'\n') {
                    Some(end) => end + 1,
                    None => break,
                },
                b'*' => match input.decoder.decode(rest, &Limits::DEFAULT) {
                    Ok(Some(length)) => {
                        self.load_command(input.decoder.args(rest).to_buf(), db, transaction)?;
                        length
                    }
                    Ok(None) => break,
                    Err(error) => return Err(error.to_string()),
                },
                _ => return Err("a command does not begin with '*'".into()),
            };
            used += length;
            *read += length as u64;
            if transaction.is_none() {
                *whole = *read;
            }
        }
        input.pending = pending;
        let _ = input.pending.split_to(used);
        Ok(())
    }

    fn load_command(
        &mut self,
        command: ArgsBuf,
        db: &mut usize,
        transaction: &mut Option<Vec<ArgsBuf>>,
    ) -> Result<(), String> {
        let args = command.as_args();
        if args.is(0, "multi") {
            *transaction = Some(Vec::new());
        } else if args.is(0, "exec") {
            for command in transaction.take().into_iter().flatten() {
                self.run_loaded(&command, db)?;
            }
        } else if let Some(commands) = transaction {
            commands.push(command);
        } else {
            return self.run_loaded(&command, db);
        }
        Ok(())
    }

    fn run_loaded(&mut self, command: &ArgsBuf, db: &mut usize) -> Result<(), String> {
        let args = command.as_args();
        let known = table::lookup(args.name()).filter(|known| known.spec.accepts(args.len()));
        let Some(known) = known else {
            return Err(format!("unknown command '{}'", String::from_utf8_lossy(args.name())));
        };
        if args.is(0, "select") {
            let wanted = keyspace::parse_i64(&args[1]).and_then(|db| usize::try_from(db).ok());
            *db = wanted.filter(|db| *db < self.keyspace.databases()).ok_or("no such database")?;
        }
        let Run::Data(handler) = known.run else { return Ok(()) };
        // Nobody writes commands that only read into this file. One that is there anyway would do nothing but
        // take time, and `SRANDMEMBER key -4000000000000000000` would take it for ever.
        if !known.spec.flags.contains(Flags::WRITE) {
            return Ok(());
        }
        let mut reply = Discard::default();
        handler(
            &mut Ctx {
                keyspace: &mut self.keyspace,
                db: *db,
                now: self.now,
                expired: ExpiredKey::Keep,
                protocol: Protocol::Resp2,
                may_block: false,
                reply: &mut reply,
                effects: &mut self.effects,
            },
            args,
        );
        self.effects.clear();
        Ok(())
    }

    /// The part is at its end. If a command or a transaction is not, and nothing follows, it is cut off.
    fn end_commands(&mut self, loading: &mut Loading, commands: &Commands) -> Result<(), String> {
        if commands.input.pending.is_empty() && commands.transaction.is_none() {
            return Ok(());
        }
        let (path, name) = (loading.name.clone(), loading.short_name().to_owned());
        let last = loading.part == loading.manifest.increments.len();
        if !last {
            return Err(format!("Fatal error: the truncated file {name} is not the last file"));
        }
        if commands.transaction.is_some() {
            self.warn(format!("Revert incomplete MULTI/EXEC transaction in AOF file {name}"));
        }
        if !self.config.aof_load_truncated {
            return Err(format!(
                "Unexpected end of file reading the append only file {name}. You can: 1) Make a backup of your AOF \
                 file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the \
                 'aof-load-truncated' configuration option to yes and restart the server."
            ));
        }
        self.warn(format!("!!! Warning: short read while loading the AOF file {name}!!!"));
        let length = commands.whole;
        self.warn(format!("!!! Truncating the AOF {name} at offset {length} !!!"));
        self.warn(format!("AOF {name} loaded anyway because aof-load-truncated is enabled"));
        loading.bytes -= commands.input.pending.len() as u64 + (commands.read - commands.whole);
        self.file(FileEffect::Truncate { name: path, length });
        Ok(())
    }
}

fn bad_rdb(name: &str, error: &rdb::RdbError) -> String {
    format!("Fatal error loading the DB, check server logs. Exiting. {name}: {error}")
}

fn bad_commands(name: &str, why: &str) -> String {
    format!(
        "Bad file format reading the append only file {name}: make a backup of your AOF file, then use \
         ./redis-check-aof --fix <filename.manifest> ({why})"
    )
}
