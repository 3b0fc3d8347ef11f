//! Files and directories that the configuration names.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;

use node::config::{Config, LoadError, Source};

use crate::reason;

/// Reads the command line and the files it names.
pub(crate) fn load_config(args: &[String]) -> Result<Config, LoadError> {
    let mut config = Config::from_args(args, &mut read)?;
    // We are going to another directory, and shall find it again.
    if let Ok(path) = std::path::absolute(&config.file)
        && !config.file.is_empty()
    {
        config.file = path.to_string_lossy().into_owned();
    }
    Ok(config)
}

fn read(source: Source<'_>) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = match source {
        Source::File(path) => std::fs::read(path).map(|read| bytes = read),
        Source::Stdin => std::io::stdin().lock().read_to_end(&mut bytes).map(drop),
    };
    read.map_err(|error| reason(&error))?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

/// True if there is a configuration file that can be written: a sentinel keeps its state there.
pub(crate) fn can_keep(path: &str) -> bool {
    !path.is_empty() && std::fs::OpenOptions::new().append(true).open(path).is_ok()
}

/// Makes sure that no other node uses the same file for what it knows of its cluster. The lock lasts as long as what is
/// returned. It is on a file of its own beside: the other is replaced whenever it is written.
pub(crate) fn lock_cluster_file(config: &Config) -> Result<Option<File>, String> {
    if !config.cluster_enabled {
        return Ok(None);
    }
    let name = &config.cluster_config_file;
    let path = format!("{name}.lock");
    let cannot =
        |error: &std::io::Error| format!("Can't lock the cluster config file {name}: {}", reason(error));
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| cannot(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(format!(
            "Sorry, the cluster configuration file {name} is already used by a different Redis Cluster node. Please make \
             sure that different nodes use different cluster configuration files."
        )),
        Err(TryLockError::Error(error)) => Err(cannot(&error)),
    }
}

/// Goes to the working directory, and puts the name of where we are into the configuration.
pub(crate) fn enter_dir(config: &mut Config) -> Result<(), String> {
    if !config.dir.is_empty() {
        let entered = std::env::set_current_dir(&config.dir);
        entered.map_err(|error| format!("Can't chdir to '{}': {}", config.dir, reason(&error)))?;
    }
    if let Ok(here) = std::env::current_dir() {
        config.dir = here.to_string_lossy().into_owned();
    }
    Ok(())
}

/// Writes our process id, if a file for it is configured. A failure is not fatal, in Redis neither.
pub(crate) fn write_pid_file(config: &Config) {
    if !config.pidfile.is_empty() {
        let _ = std::fs::write(&config.pidfile, format!("{}\n", std::process::id()));
    }
}
