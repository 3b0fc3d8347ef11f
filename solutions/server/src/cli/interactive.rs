use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use solution_0::split_inline;

use super::session::Session;

/// A prompt, until the user has enough.
pub(super) fn run(session: &mut Session) {
    let Ok(mut editor) = DefaultEditor::new() else {
        session.run_lines(std::io::stdin().lock());
        return;
    };
    let history = std::env::home_dir().map(|home| home.join(".ha-cli-history"));
    if let Some(path) = &history {
        // There is none the first time.
        let _ = editor.load_history(path);
    }
    session.connect();
    loop {
        match editor.readline(&prompt(session)) {
            Ok(line) => {
                if !line.trim().is_empty() && !holds_a_password(&line) {
                    let _ = editor.add_history_entry(line.as_str());
                }
                if !obey(session, &mut editor, &line) {
                    break;
                }
            }
            // Ctrl-C drops the line, as in a shell; Ctrl-D leaves.
            Err(ReadlineError::Interrupted) => {}
            Err(_) => break,
        }
    }
    if let Some(path) = &history {
        let _ = editor.save_history(path);
    }
}

fn prompt(session: &Session) -> String {
    if !session.is_connected() {
        return "not connected> ".into();
    }
    let options = &session.options;
    let host = if options.host.contains(':') { format!("[{}]", options.host) } else { options.host.clone() };
    let db = if options.db > 0 { format!("[{}]", options.db) } else { String::new() };
    let transaction = if session.in_transaction { "(TX)" } else { "" };
    format!("{host}:{}{db}{transaction}> ", options.port)
}

/// Passwords stay out of the history file.
fn holds_a_password(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let is_auth = line.trim_start().starts_with("auth");
    is_auth || ["requirepass", "masterauth", " auth "].iter().any(|word| line.contains(word))
}

/// Does what a line asks for. False to leave.
fn obey(session: &mut Session, editor: &mut DefaultEditor, line: &str) -> bool {
    let Ok(words) = split_inline(line.as_bytes()) else {
        println!("Invalid argument(s)");
        return true;
    };
    let mut command: Vec<Vec<u8>> = words.as_args().iter().map(<[u8]>::to_vec).collect();
    let Some(first) = command.first() else { return true };
    match first.to_ascii_lowercase().as_slice() {
        b"quit" | b"exit" => return false,
        b"clear" => {
            let _ = editor.clear_screen();
            return true;
        }
        b"connect" if command.len() == 3 => {
            let port = std::str::from_utf8(&command[2]).ok().and_then(|port| port.parse().ok());
            let Some(port) = port else {
                println!("Invalid port");
                return true;
            };
            session.options.host = String::from_utf8_lossy(&command[1]).into_owned();
            session.options.port = port;
            session.disconnect();
            session.connect();
            return true;
        }
        _ => {}
    }
    // `5 INCR x` runs five times.
    let times = std::str::from_utf8(first).ok().and_then(|first| first.parse::<u32>().ok());
    if times.is_some() && command.len() > 1 {
        command.remove(0);
    }
    for _ in 0..times.unwrap_or(1) {
        if !session.run(&command) {
            break;
        }
    }
    true
}
