//! `CONFIG REWRITE`: the node says what is to be in the file, and the driver reads and writes it.

use core_types::{LogLevel, Reply};
use keyspace::{TimeoutReply, Wait};

use crate::conn::Conn;
use crate::{ConnId, FileEffect, FileEvent, FileId, Node};

/// Who wants the file to be written anew.
pub(crate) enum RewriteFor {
    /// A client, who waits.
    Client(ConnId),
    /// The sentinel, with these lines of its own.
    Sentinel(Vec<String>),
}

/// A rewrite in progress.
pub(crate) struct Rewrite {
    wanted_by: RewriteFor,
    /// The file that is read, and then the one that is written.
    file: FileId,
    old: Vec<u8>,
}

/// `CONFIG REWRITE`. Its client waits until the file is on the disk.
pub(crate) fn rewrite(node: &mut Node, conn: &mut Conn, args: core_types::Args<'_>) {
    if node.config.file.is_empty() {
        return node.encoder(conn).error("ERR The server is running without a config file");
    }
    if node.rewrite.is_some() {
        return node.encoder(conn).error("ERR Rewriting config file: another rewrite is in progress");
    }
    node.rewrite_file(RewriteFor::Client(conn.id));
    node.block(conn, Wait { keys: Vec::new(), deadline: None, on_timeout: TimeoutReply::Null }, args);
}

impl Node {
    /// Begins to write the file anew. False if there is none.
    pub(crate) fn rewrite_file(&mut self, wanted_by: RewriteFor) -> bool {
        if self.config.file.is_empty() {
            return false;
        }
        let file = self.persistence.new_file();
        self.rewrite = Some(Rewrite { wanted_by, file, old: Vec::new() });
        let name = self.config.file.clone();
        self.file(FileEffect::Read { file, name });
        true
    }

    /// True if the event was about the configuration file.
    pub(crate) fn rewrite_event(&mut self, file: FileId, event: &FileEvent<'_>) -> bool {
        let Some(rewrite) = self.rewrite.as_mut().filter(|rewrite| rewrite.file == file) else {
            return false;
        };
        match event {
            FileEvent::Piece(bytes) => rewrite.old.extend_from_slice(bytes),
            // A file that is not there any more is made anew.
            FileEvent::End | FileEvent::Missing => {
                let old = std::mem::take(&mut rewrite.old);
                let lines: &[String] = match &rewrite.wanted_by {
                    RewriteFor::Client(_) => &[],
                    RewriteFor::Sentinel(lines) => lines,
                };
                let new = self.config.rewrite_with(&String::from_utf8_lossy(&old), lines);
                let file = self.persistence.new_file();
                if let Some(rewrite) = &mut self.rewrite {
                    rewrite.file = file;
                }
                let name = self.config.file.clone();
                self.file(FileEffect::Create { file, name: format!("{name}.rewrite") });
                self.file(FileEffect::Append { file, bytes: new.into(), sync: true });
                self.file(FileEffect::Commit { file, to: Some(name) });
            }
            FileEvent::Written(_) | FileEvent::Synced => {}
            FileEvent::Committed => self.rewrite_ended(None),
            FileEvent::Failed(why) => {
                let why = why.clone();
                self.rewrite_ended(Some(&why));
            }
        }
        true
    }

    fn rewrite_ended(&mut self, failure: Option<&str>) {
        let Some(rewrite) = self.rewrite.take() else { return };
        let client = match rewrite.wanted_by {
            RewriteFor::Client(client) => client,
            RewriteFor::Sentinel(_) => return self.watcher_saved(failure),
        };
        match failure {
            None => self.log(LogLevel::Notice, "CONFIG REWRITE executed with success."),
            Some(why) => self.log(LogLevel::Warning, format!("CONFIG REWRITE failed: {why}")),
        }
        let Some(mut conn) = self.conns.take(client) else { return };
        if self.unblock(&mut conn).is_some() {
            let mut reply = self.encoder(&mut conn);
            match failure {
                None => reply.simple("OK"),
                Some(why) => reply.error(&format!("ERR Rewriting config file: {why}")),
            }
        }
        self.finish(conn);
        self.resume.push_back(client);
    }
}
