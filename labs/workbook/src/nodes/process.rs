//! Processes that an earlier call of the bench has started: are they still there, and ours?

use std::process::{Command, Stdio};

/// True if the process `pid` exists and runs one of our nodes: a number alone may belong to somebody else
/// by now.
pub(super) fn is_ours(pid: u32) -> bool {
    let output = if cfg!(windows) {
        Command::new("tasklist").args(["/NH", "/FO", "CSV", "/FI", &format!("PID eq {pid}")]).output()
    } else {
        Command::new("ps").args(["-p", &pid.to_string(), "-o", "args="]).output()
    };
    match output {
        Ok(output) => is_node(&output.stdout),
        // A system without `ps`; Linux at least tells by a file.
        Err(_) => std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| is_node(&line)),
    }
}

fn is_node(command_line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(command_line);
    ["ha-server", "redis-server"].iter().any(|program| text.contains(program))
}

/// Ends a process at once, as a crash would. Ask [`is_ours`] first.
pub(super) fn kill(pid: u32) -> Result<(), String> {
    let pid_text = pid.to_string();
    let mut command = if cfg!(windows) { Command::new("taskkill") } else { Command::new("kill") };
    if cfg!(windows) {
        command.args(["/F", "/PID", &pid_text]);
    } else {
        command.args(["-9", &pid_text]);
    }
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cannot end process {pid}: {status}")),
        Err(error) => Err(format!("cannot end process {pid}: {error}")),
    }
}
