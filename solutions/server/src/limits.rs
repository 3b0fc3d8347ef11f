//! The system's limit on open files, which is a limit on clients.

use core_types::LogLevel;
use node::config::Config;

use crate::log::Log;

/// Files we need beside the clients' sockets (`CONFIG_MIN_RESERVED_FDS` in Redis's `server.h`).
const RESERVED: u64 = 32;

/// Raises the soft limit to what `maxclients` needs, or lowers `maxclients` to what the system gives.
#[cfg(unix)]
pub(crate) fn make_room_for_clients(config: &mut Config, log: &Log) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let wanted = config.maxclients as u64 + RESERVED;
    let limit = getrlimit(Resource::Nofile);
    // No limit at all is `None`.
    let Some(current) = limit.current.filter(|current| *current < wanted) else { return };
    let allowed = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = Rlimit { current: Some(allowed), maximum: limit.maximum };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { allowed } else { current };
    if now < wanted {
        let asked = config.maxclients;
        config.maxclients = now.saturating_sub(RESERVED).max(1) as usize;
        log.line('M', LogLevel::Warning, &format!(
            "Current maximum open files is {now}. maxclients has been reduced to {} to compensate for low \
             ulimit. If you need higher maxclients increase 'ulimit -n'. (It was set to {asked}.)",
            config.maxclients
        ));
    }
}

/// Elsewhere sockets do not count as open files.
#[cfg(not(unix))]
pub(crate) fn make_room_for_clients(_config: &mut Config, _log: &Log) {
    let _ = RESERVED;
}
