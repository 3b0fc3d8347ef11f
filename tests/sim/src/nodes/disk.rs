//! What a node asks for about files, carried out on the host's disk at once.

use std::collections::BTreeMap;

use node::{FileEffect, FileEvent, FileId, Node};

use crate::world::Io;

/// Open files and their names.
pub(super) type Files = BTreeMap<FileId, String>;

/// Bytes of a file that a node gets at a time.
const PIECE: usize = 4096;

pub(super) fn carry_out(node: &mut Node, files: &mut Files, effect: FileEffect, io: &mut Io<'_, '_>) {
    let now = io.now();
    let disk = io.disk();
    match effect {
        FileEffect::Read { file, name } => match disk.read(&name).map(<[u8]>::to_vec) {
            None => node.file_event(now, file, FileEvent::Missing),
            Some(bytes) => {
                for piece in bytes.chunks(PIECE) {
                    node.file_event(now, file, FileEvent::Piece(piece));
                }
                node.file_event(now, file, FileEvent::End);
            }
        },
        FileEffect::Create { file, name } => {
            disk.write(&name, b"");
            files.insert(file, name);
        }
        FileEffect::Open { file, name } => drop(files.insert(file, name)),
        FileEffect::Append { file, bytes, sync } => {
            let Some(name) = files.get(&file) else { return };
            disk.append(name, &bytes);
            if sync {
                disk.sync(name);
            }
            node.file_event(now, file, FileEvent::Written(bytes.len()));
        }
        FileEffect::Commit { file, to } => {
            let Some(name) = files.remove(&file) else { return };
            disk.sync(&name);
            if let Some(to) = to {
                disk.rename(&name, &to);
            }
            node.file_event(now, file, FileEvent::Committed);
        }
        FileEffect::Discard { file } => {
            if let Some(name) = files.remove(&file) {
                disk.remove(&name);
            }
        }
        FileEffect::Truncate { name, length } => {
            let Some(mut kept) = disk.read(&name).map(<[u8]>::to_vec) else { return };
            kept.truncate(usize::try_from(length).unwrap_or(usize::MAX));
            disk.write(&name, &kept);
            disk.sync(&name);
        }
        FileEffect::Remove { name } => disk.remove(&name),
    }
}
