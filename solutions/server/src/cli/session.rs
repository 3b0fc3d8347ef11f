use std::io::{self, BufRead, Write};
use std::time::Duration;

use core_types::{Frame, Protocol};
use solution_0::split_inline;

use super::client::{Client, hello};
use super::format;
use super::options::Options;
use crate::reason;

/// A conversation with a server that survives its connections.
pub(super) struct Session {
    pub(super) options: Options,
    client: Option<Client>,
    /// Between `MULTI` and what ends it; the prompt shows it.
    pub(super) in_transaction: bool,
}

impl Session {
    pub(super) fn new(options: Options) -> Session {
        Session { options, client: None, in_transaction: false }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.is_some()
    }

    /// Connects if there is no connection: address, password, protocol, database. False if the server
    /// cannot be reached; the user has been told.
    pub(super) fn connect(&mut self) -> bool {
        if self.client.is_some() {
            return true;
        }
        let Options { host, port, .. } = &self.options;
        match Client::connect(host, *port).and_then(|client| self.introduce(client)) {
            Ok(client) => {
                self.client = Some(client);
                self.in_transaction = false;
                true
            }
            Err(error) => {
                eprintln!("Could not connect to Redis at {host}:{port}: {}", reason(&error));
                false
            }
        }
    }

    fn introduce(&self, mut client: Client) -> io::Result<Client> {
        let options = &self.options;
        if let Some(password) = &options.password {
            let mut auth = vec!["AUTH"];
            auth.extend(options.user.as_deref());
            auth.push(password);
            if let Frame::Error(why) = client.call(&auth)? {
                eprintln!("AUTH failed: {why}");
            }
        }
        if let Some(protocol) = options.protocol
            && let Frame::Error(why) = client.call(&hello(protocol))?
        {
            eprintln!("HELLO {} failed: {why}", hello(protocol)[1]);
        }
        if options.db > 0
            && let Frame::Error(why) = client.call(&["SELECT", &options.db.to_string()])?
        {
            eprintln!("SELECT {} failed: {why}", options.db);
        }
        Ok(client)
    }

    /// Runs a command from the command line, as often as it was asked for.
    pub(super) fn run_repeatedly(&mut self, command: &[Vec<u8>]) -> bool {
        let mut done = 0;
        while self.options.repeat.is_none_or(|times| done < times) {
            if done > 0 {
                pause(self.options.interval);
            }
            if !self.run(command) {
                return false;
            }
            done += 1;
        }
        true
    }

    /// Runs each line of a text. A line that makes no sense ends it.
    pub(super) fn run_lines(&mut self, lines: impl BufRead) -> bool {
        for line in lines.split(b'\n') {
            let Ok(line) = line else { return false };
            let Ok(words) = split_inline(&line) else {
                println!("Invalid argument(s)");
                return false;
            };
            let command: Vec<Vec<u8>> = words.as_args().iter().map(<[u8]>::to_vec).collect();
            if !command.is_empty() && !self.run(&command) {
                return false;
            }
        }
        true
    }

    /// Runs one command and prints what the server says. False if there is no server to talk to (or if the
    /// answer is an error, where that counts as failure).
    pub(super) fn run(&mut self, command: &[Vec<u8>]) -> bool {
        let fresh = !self.is_connected();
        if !self.connect() {
            return false;
        }
        match self.exchange(command) {
            Ok(well) => well,
            // The connection may have died while we were idle: that is worth one more attempt.
            Err(_) if !fresh => {
                self.client = None;
                self.connect() && self.exchange(command).unwrap_or_else(|error| self.lost(&error))
            }
            Err(error) => self.lost(&error),
        }
    }

    fn lost(&mut self, error: &io::Error) -> bool {
        self.client = None;
        eprintln!("Error: {}", reason(error));
        false
    }

    fn exchange(&mut self, command: &[Vec<u8>]) -> io::Result<bool> {
        let Some(client) = &mut self.client else { return Ok(false) };
        client.send(command)?;
        let reply = loop {
            match client.next_frame()? {
                // Something that nobody asked for comes first; a subscription's answer is a push, too.
                push @ Frame::Push(_) if !listens_after(command) => show(&self.options, command, &push)?,
                reply => break reply,
            }
        };
        if let Frame::Error(text) = &reply
            && self.options.error_is_failure
        {
            eprintln!("{text}");
            return Ok(false);
        }
        show(&self.options, command, &reply)?;
        let failed = matches!(reply, Frame::Error(_));
        if listens_after(command) && !failed {
            loop {
                let message = client.next_frame()?;
                show(&self.options, command, &message)?;
            }
        }
        self.follow(command, &reply);
        Ok(true)
    }

    /// Keeps what the prompt shows, and what a new connection must repeat, up to date.
    fn follow(&mut self, command: &[Vec<u8>], reply: &Frame) {
        if matches!(reply, Frame::Error(_)) {
            return;
        }
        let name = command[0].to_ascii_lowercase();
        match (name.as_slice(), command) {
            (b"select", [_, db]) => {
                let db = std::str::from_utf8(db).ok().and_then(|db| db.parse().ok());
                self.options.db = db.unwrap_or(self.options.db);
            }
            (b"auth", [_, password]) => {
                self.options.user = None;
                self.options.password = Some(String::from_utf8_lossy(password).into_owned());
            }
            (b"auth", [_, user, password]) => {
                self.options.user = Some(String::from_utf8_lossy(user).into_owned());
                self.options.password = Some(String::from_utf8_lossy(password).into_owned());
            }
            (b"hello", [_, version, ..]) => match version.as_slice() {
                b"2" => self.options.protocol = Some(Protocol::Resp2),
                b"3" => self.options.protocol = Some(Protocol::Resp3),
                _ => {}
            },
            (b"multi", _) => self.in_transaction = true,
            (b"exec" | b"discard" | b"reset", _) => self.in_transaction = false,
            (b"quit", _) => self.client = None,
            _ => {}
        }
    }

    /// Forgets the connection, to make one to another server.
    pub(super) fn disconnect(&mut self) {
        self.client = None;
    }
}

fn show(options: &Options, command: &[Vec<u8>], reply: &Frame) -> io::Result<()> {
    let text = if is_text_for_people(command) {
        format::for_programs(reply)
    } else if options.raw {
        let mut text = format::for_programs(reply);
        text.push(b'\n');
        text
    } else {
        format::for_people(reply)
    };
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(&text).and_then(|()| stdout.flush());
    Ok(())
}

/// Commands whose reply is a text that is shown as it is.
fn is_text_for_people(command: &[Vec<u8>]) -> bool {
    let word = |index: usize| command.get(index).map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    match (word(0).as_slice(), word(1).as_slice()) {
        (b"info" | b"lolwut", _) => true,
        (b"memory", b"malloc-stats" | b"doctor") | (b"client", b"list" | b"info") => true,
        (b"cluster", b"nodes" | b"info") => command.len() == 2,
        (b"latency", b"graph") => command.len() == 3,
        (b"latency", b"doctor") => command.len() == 2,
        _ => false,
    }
}

/// After these a server keeps talking.
fn listens_after(command: &[Vec<u8>]) -> bool {
    let name = command[0].to_ascii_lowercase();
    matches!(name.as_slice(), b"subscribe" | b"psubscribe" | b"ssubscribe" | b"monitor")
}

#[expect(clippy::disallowed_methods, reason = "the user asked for a pause between two runs")]
fn pause(seconds: f64) {
    if seconds > 0.0 {
        std::thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    }
}
