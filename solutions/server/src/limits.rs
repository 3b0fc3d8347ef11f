//! The system's limit on open files, which is a limit on clients.

use core_types::LogLevel;
use node::config::Config;

use crate::log::Log;

/// Files we need beside the clients' sockets (`CONFIG_MIN_RESERVED_FDS` in Redis's `server.h`).
const RESERVED: u64 = 32;

/// Raises the soft limit to what `maxclients` needs, or lowers `maxclients` to what the system gives. False,
/// and said why, if that leaves no client at all.
#[cfg(unix)]
pub(crate) fn make_room_for_clients(config: &mut Config, log: &Log) -> bool {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let wanted = config.maxclients as u64 + RESERVED;
    let limit = getrlimit(Resource::Nofile);
    // No limit at all is `None`.
    let Some(current) = limit.current.filter(|current| *current < wanted) else { return true };
    // Who may raise the hard limit, does; otherwise the soft one goes up to it.
    let asked = Rlimit { current: Some(wanted), maximum: limit.maximum.map(|most| most.max(wanted)) };
    let Err(why) = setrlimit(Resource::Nofile, asked) else { return true };
    let most = limit.maximum.unwrap_or(wanted).min(wanted);
    let raised = Rlimit { current: Some(most), maximum: limit.maximum };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { most } else { current };
    let asked = config.maxclients;
    let warn = |text: String| log.line('M', LogLevel::Warning, &text);
    if now <= RESERVED {
        warn(format!(
            "Your current 'ulimit -n' of {now} is not enough for the server to start. Please increase your open file limit \
             to at least {wanted}. Exiting."
        ));
        return false;
    }
    config.maxclients = (now - RESERVED) as usize;
    let why = crate::reason(&why.into());
    warn(format!("You requested maxclients of {asked} requiring at least {wanted} max file descriptors."));
    warn(format!("Server can't set maximum open files to {wanted} because of OS error: {why}."));
    warn(format!(
        "Current maximum open files is {now}. maxclients has been reduced to {} to compensate for low ulimit. If you \
         need higher maxclients increase 'ulimit -n'.",
        config.maxclients
    ));
    true
}

/// Elsewhere sockets do not count as open files.
#[cfg(not(unix))]
pub(crate) fn make_room_for_clients(_config: &mut Config, _log: &Log) -> bool {
    let _ = RESERVED;
    true
}
