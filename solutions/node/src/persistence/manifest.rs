//! The list of an append-only file's parts, as Redis 7 keeps it: one base, then increments in order.

use std::fmt::Write;

use crate::layers::wire::split_inline;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its name inside `appenddirname`.
    pub(super) name: String,
    pub(super) number: u64,
}

/// What an append-only file consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) base: Option<Part>,
    pub(super) increments: Vec<Part>,
    /// Parts that are not needed any more and may still be there.
    pub(super) history: Vec<String>,
    /// The highest numbers that were given so far.
    pub(super) last_base: u64,
    pub(super) last_increment: u64,
}

impl Manifest {
    /// Reads a manifest: lines `file NAME seq NUMBER type b|h|i`.
    pub(super) fn parse(text: &[u8]) -> Result<Manifest, &'static str> {
        let mut manifest = Manifest::default();
        if text.is_empty() {
            return Err("Empty AOF manifest file");
        }
        for line in text.split(|byte| *byte == b'\n') {
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let words = split_inline(line).map_err(|_| "Invalid AOF manifest file format")?;
            let words: Vec<String> =
                words.as_args().iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            if words.len() < 6 || !words.len().is_multiple_of(2) {
                return Err("Invalid AOF manifest file format");
            }
            let value = |name: &str| {
                words.chunks(2).find(|pair| pair[0].eq_ignore_ascii_case(name)).map(|pair| pair[1].clone())
            };
            let (name, number, kind) = (value("file"), value("seq"), value("type"));
            let number = number.and_then(|number| number.parse().ok()).filter(|number| *number > 0);
            let (Some(name), Some(number), Some(kind)) = (name, number, kind) else {
                return Err("Invalid AOF manifest file format");
            };
            if name.contains(['/', '\\']) {
                return Err("File can't be a path, just a filename");
            }
            let part = Part { name, number };
            match kind.as_str() {
                "b" if manifest.base.is_some() => return Err("Found duplicate base file information"),
                "b" => {
                    manifest.last_base = number;
                    manifest.base = Some(part);
                }
                "i" if number <= manifest.last_increment => {
                    return Err("Found a non-monotonic sequence number");
                }
                "i" => {
                    manifest.last_increment = number;
                    manifest.increments.push(part);
                }
                "h" => manifest.history.push(part.name),
                _ => return Err("Unknown AOF file type"),
            }
        }
        Ok(manifest)
    }

    /// The text of the file. What is history is not in it: it is deleted once this is on the disk.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        let mut add = |part: &Part, kind: char| {
            // A name with blanks or quotes could not be read back as it stands.
            let plain = part.name.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte));
            let name = if plain {
                part.name.clone()
            } else {
                format!("\"{}\"", core_types::show_bytes(part.name.as_bytes()))
            };
            let _ = writeln!(text, "file {name} seq {} type {kind}", part.number);
        };
        self.base.iter().for_each(|part| add(part, 'b'));
        self.increments.iter().for_each(|part| add(part, 'i'));
        text
    }

    /// The name of the next base, if the file is called `name`.
    pub(super) fn next_base(&self, name: &str) -> Part {
        let number = self.last_base + 1;
        Part { name: format!("{name}.{number}.base.rdb"), number }
    }

    /// A new increment, the last one from now on.
    pub(super) fn next_increment(&mut self, name: &str) -> Part {
        self.last_increment += 1;
        let number = self.last_increment;
        Part { name: format!("{name}.{number}.incr.aof"), number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM_REDIS: &str = "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.1.incr.aof seq 1 \
                              type h\nfile appendonly.aof.2.incr.aof seq 2 type i\nfile appendonly.aof.3.incr.aof \
                              seq 3 type i\n";

    #[test]
    fn what_redis_writes_is_read() {
        let manifest = Manifest::parse(FROM_REDIS.as_bytes()).unwrap();
        assert_eq!(manifest.base.as_ref().unwrap().name, "appendonly.aof.2.base.rdb");
        assert_eq!(manifest.increments.len(), 2);
        assert_eq!(manifest.history, ["appendonly.aof.1.incr.aof"]);
        assert_eq!(manifest.next_base("appendonly.aof").name, "appendonly.aof.3.base.rdb");
        let again = Manifest::parse(manifest.to_text().as_bytes()).unwrap();
        assert_eq!((again.base, again.increments), (manifest.base, manifest.increments));
    }

    #[test]
    fn names_that_need_quotes_survive() {
        let mut manifest = Manifest::default();
        let part = manifest.next_increment("my \"file\"");
        manifest.increments.push(part);
        assert_eq!(Manifest::parse(manifest.to_text().as_bytes()).unwrap(), manifest);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (text, why) in [
            ("", "Empty AOF manifest file"),
            ("file a seq 1", "Invalid AOF manifest file format"),
            ("file a seq x type b", "Invalid AOF manifest file format"),
            ("file ../a seq 1 type b", "File can't be a path, just a filename"),
            ("file a seq 1 type b\nfile b seq 2 type b", "Found duplicate base file information"),
            ("file a seq 2 type i\nfile b seq 1 type i", "Found a non-monotonic sequence number"),
            ("file a seq 1 type z", "Unknown AOF file type"),
        ] {
            assert_eq!(Manifest::parse(text.as_bytes()), Err(why), "{text}");
        }
    }
}
