use std::time::{Duration, Instant};

use core_types::Endpoint;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use solution_0::split_inline;

use super::docs::Docs;
use super::format::Style;
use super::help;
use super::hints::Hints;
use super::session::Session;
use super::talk::take_repetition;

/// How long a command may take before its time is worth a line.
const SLOW: Duration = Duration::from_millis(500);

type Prompt = Editor<Hints, FileHistory>;

/// A prompt, until the user has enough.
pub(super) fn run(session: &mut Session) {
    let config = Config::builder().completion_type(CompletionType::List).auto_add_history(false).build();
    let Ok(mut editor) = Prompt::with_config(config) else {
        session.run_lines(std::io::stdin().lock());
        return;
    };
    let history = std::env::home_dir().map(|home| home.join(".ha-cli-history"));
    if let Some(path) = &history {
        // There is none the first time.
        let _ = editor.load_history(path);
    }
    session.interrupt.listen();
    session.talkative = true;
    session.connect();
    editor.set_helper(Some(Hints::new(learn(session))));
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
    let settings = &session.settings;
    let db = if settings.db > 0 { format!("[{}]", settings.db) } else { String::new() };
    let transaction = if session.in_transaction { "(TX)" } else { "" };
    format!("{}{db}{transaction}> ", settings.show(&session.here))
}

/// Passwords stay out of the history file.
fn holds_a_password(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let is_auth = line.trim_start().starts_with("auth");
    is_auth || ["requirepass", "masterauth", " auth ", " setuser "].iter().any(|word| line.contains(word))
}

/// What the server says of its commands. Nothing if it is none that can.
fn learn(session: &mut Session) -> Docs {
    session.ask(&["COMMAND", "DOCS"]).map(|answer| Docs::read(&answer)).unwrap_or_default()
}

/// Does what a line asks for. False to leave.
fn obey(session: &mut Session, editor: &mut Prompt, line: &str) -> bool {
    let Ok(words) = split_inline(line.as_bytes()) else {
        tell!("Invalid argument(s)");
        return true;
    };
    let mut command: Vec<Vec<u8>> = words.as_args().iter().map(<[u8]>::to_vec).collect();
    let Some(first) = command.first() else { return true };
    match first.to_ascii_lowercase().as_slice() {
        b"quit" | b"exit" => return false,
        b"clear" => drop(editor.clear_screen()),
        b"help" | b"?" => {
            let words: Vec<_> = command[1..].iter().map(|word| String::from_utf8_lossy(word)).collect();
            print!("{}", help::about(editor.helper().map(Hints::docs), &words.join(" ")));
        }
        b":set" => match (command.get(1).map(Vec::as_slice), editor.helper_mut()) {
            (Some(b"hints"), Some(hints)) => hints.shown = true,
            (Some(b"nohints"), Some(hints)) => hints.shown = false,
            _ => tell!("`:set hints` or `:set nohints`"),
        },
        b"connect" if command.len() == 3 => {
            let port = std::str::from_utf8(&command[2]).ok().and_then(|port| port.parse().ok());
            match port {
                None => tell!("Invalid port"),
                Some(port) => {
                    let host = String::from_utf8_lossy(&command[1]).into_owned();
                    if session.go_to(Endpoint { host, port }) {
                        let docs = learn(session);
                        editor.set_helper(Some(Hints::new(docs)));
                    }
                }
            }
        }
        _ => {
            let times = take_repetition(&mut command);
            run_timed(session, &command, times);
        }
    }
    true
}

#[expect(clippy::disallowed_methods, reason = "a person wants to know how long it took")]
fn run_timed(session: &mut Session, command: &[Vec<u8>], times: u32) {
    let start = Instant::now();
    for _ in 0..times {
        if !session.run(command) || session.interrupted {
            return;
        }
    }
    let elapsed = start.elapsed();
    if elapsed >= SLOW && session.settings.style == Style::People {
        tell!("({:.2}s)", elapsed.as_secs_f64());
    }
}
