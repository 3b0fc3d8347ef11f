//! A host's files, and what a crash leaves of them.

use std::collections::BTreeMap;

use core_types::Rng;

/// Named files in a flat folder. What is written is visible at once, and survives a crash once it is synced.
///
/// Of an unsynced file a crash keeps what was synced last; if the file only grew since then, any first part
/// of what was appended may have reached the disk too. A rename is atomic and durable, and takes the target's
/// place: what Redis relies on when it replaces a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    files: BTreeMap<String, File>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct File {
    /// What a crash leaves. `None`: not even the file's name has reached the disk.
    synced: Option<Vec<u8>>,
    current: Vec<u8>,
}

impl Disk {
    /// The file's content as the running process sees it.
    pub fn read(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(|file| file.current.as_slice())
    }

    /// Replaces the content, or makes the file.
    pub fn write(&mut self, name: &str, content: &[u8]) {
        self.files.entry(name.into()).or_default().current = content.to_vec();
    }

    /// Adds to the end, or makes the file.
    pub fn append(&mut self, name: &str, more: &[u8]) {
        self.files.entry(name.into()).or_default().current.extend_from_slice(more);
    }

    /// Puts what the file holds now out of a crash's reach.
    pub fn sync(&mut self, name: &str) {
        if let Some(file) = self.files.get_mut(name) {
            file.synced = Some(file.current.clone());
        }
    }

    /// Gives the file another name, in place of any file that has that name.
    pub fn rename(&mut self, from: &str, to: &str) {
        if let Some(file) = self.files.remove(from) {
            self.files.insert(to.into(), file);
        }
    }

    /// Deletes the file, durably.
    pub fn remove(&mut self, name: &str) {
        self.files.remove(name);
    }

    /// The names of all files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Takes away what a crash at this moment would take.
    pub fn crash(&mut self, rng: &mut Rng) {
        self.files.retain(|_, file| {
            let Some(synced) = file.synced.clone() else { return false };
            let grown = file.current.len().saturating_sub(synced.len());
            if grown > 0 && file.current.starts_with(&synced) {
                let kept = synced.len() + rng.between(0, grown as u64) as usize;
                file.current.truncate(kept);
            } else {
                file.current.clone_from(&synced);
            }
            file.synced = Some(file.current.clone());
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_keeps_what_was_synced_and_perhaps_a_part_of_the_tail() {
        let mut lengths = [false; 7];
        for seed in 0..200 {
            let mut disk = Disk::default();
            disk.append("aof", b"abc");
            disk.sync("aof");
            disk.append("aof", b"def");
            disk.write("never-synced", b"x");
            disk.write("conf", b"old");
            disk.sync("conf");
            disk.write("conf", b"new");
            disk.crash(&mut Rng::new(seed));
            let aof = disk.read("aof").expect("it was synced once");
            assert!(b"abcdef".starts_with(aof) && aof.len() >= 3);
            lengths[aof.len()] = true;
            assert_eq!(disk.read("conf"), Some(&b"old"[..]));
            assert_eq!(disk.read("never-synced"), None);
        }
        assert_eq!(lengths, [false, false, false, true, true, true, true]);
    }

    #[test]
    fn a_synced_file_replaces_another_by_its_name() {
        let mut disk = Disk::default();
        disk.write("temp.rdb", b"new");
        disk.sync("temp.rdb");
        disk.write("dump.rdb", b"old");
        disk.rename("temp.rdb", "dump.rdb");
        disk.crash(&mut Rng::new(1));
        assert_eq!(disk.read("dump.rdb"), Some(&b"new"[..]));
        assert_eq!(disk.names().count(), 1);
    }
}
