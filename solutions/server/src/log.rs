//! The log, in Redis's format: `12345:M 21 Nov 2026 21:06:06.123 * Ready to accept connections`.

use std::fs::OpenOptions;
use std::io::Write;

use chrono::{Local, TimeZone};
use core_types::{LogLevel, Millis};

use crate::clock;

/// Writes lines to standard output, or to a file.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Empty for standard output. Opened for each line, as in Redis, so that the file can be moved away.
    path: String,
}

impl Log {
    pub(crate) fn to(path: &str) -> Log {
        Log { path: path.to_owned() }
    }

    /// `role` is `M` for a master, `S` for a replica, `C` while we are none of both yet.
    pub(crate) fn line(&self, role: char, level: LogLevel, text: &str) {
        let line = format_line(std::process::id(), role, clock::now(), level, text);
        // A log that cannot be written must not stop the server.
        if self.path.is_empty() {
            let mut stdout = std::io::stdout().lock();
            let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
        } else if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&self.path) {
            let _ = file.write_all(line.as_bytes());
        }
    }
}

fn format_line(pid: u32, role: char, now: Millis, level: LogLevel, text: &str) -> String {
    let time = match Local.timestamp_millis_opt(now.0 as i64).earliest() {
        Some(time) => time.format("%d %b %Y %H:%M:%S%.3f").to_string(),
        None => now.to_string(),
    };
    // A peer's bytes may be in the text: one event stays one line.
    let text = text.replace(['\r', '\n'], " ");
    format!("{pid}:{role} {time} {} {text}\n", level.mark())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_looks_like_one_of_redis() {
        let line = format_line(12345, 'M', Millis(1_795_295_166_123), LogLevel::Notice, "Ready to\r\naccept");
        let (head, rest) = line.split_at(8);
        assert_eq!(head, "12345:M ");
        // Whatever the time zone: the day may be another, the shape is the same.
        assert!(rest.contains(" Nov 2026 ") && rest.ends_with(".123 * Ready to  accept\n"), "{rest}");
    }
}
