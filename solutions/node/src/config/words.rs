//! Directives whose values are more than one number or word: how they are checked, set and shown.

use core_types::Endpoint;

use super::Config;
use super::values::{self, WRONG_NUMBER};

pub(super) fn plain_file_name(name: &str) -> Result<(), String> {
    if name.contains(['/', '\\']) {
        return Err("dbfilename can't be a path, just a filename".into());
    }
    Ok(())
}

pub(super) fn plain_append_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err("appendfilename can't be a path, just a filename".into());
    }
    Ok(())
}

pub(super) fn plain_folder_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err("appenddirname can't be a path, just a dirname".into());
    }
    Ok(())
}

pub(super) fn set_bind(config: &mut Config, words: &[&str]) -> Result<(), String> {
    /// Redis's CONFIG_BINDADDR_MAX.
    const MOST: usize = 16;
    if words.is_empty() {
        return Err(WRONG_NUMBER.into());
    }
    if words.len() > MOST {
        return Err("Too many bind addresses specified.".into());
    }
    config.bind = words.iter().filter(|word| !word.is_empty()).map(|word| (*word).to_owned()).collect();
    Ok(())
}

pub(super) fn show_replicaof(config: &Config) -> String {
    config.replicaof.as_ref().map(|master| format!("{} {}", master.host, master.port)).unwrap_or_default()
}

pub(super) fn set_replicaof(config: &mut Config, words: &[&str]) -> Result<(), String> {
    let &[host, port] = words else { return Err(WRONG_NUMBER.into()) };
    if host.eq_ignore_ascii_case("no") && port.eq_ignore_ascii_case("one") {
        config.replicaof = None;
        return Ok(());
    }
    let port = port.parse().map_err(|_| "Invalid master port")?;
    config.replicaof = Some(Endpoint::new(host, port));
    Ok(())
}

pub(super) fn show_save(config: &Config) -> String {
    let points: Vec<String> =
        config.save.iter().map(|(seconds, changes)| format!("{seconds} {changes}")).collect();
    points.join(" ")
}

pub(super) fn set_save(config: &mut Config, words: &[&str]) -> Result<(), String> {
    config.save = values::save_points(words)?;
    Ok(())
}
