use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use core_types::{Endpoint, Frame, Protocol};
use node::layers::redirection::{Answer, Next};
use solution_0::split_inline;

use super::client::{Client, hello};
use super::format::{Style, for_programs};
use super::interrupt::Interrupt;
use super::settings::Settings;
use super::smart::{Smart, redirection};
use super::stream::Stream;
use super::talk::{Talk, ends_the_server, is_text_for_people, take_repetition};
use crate::reason;

/// A conversation with a server that survives its connections; in cluster mode, with several.
pub(super) struct Session {
    pub(super) settings: Settings,
    /// Where the last command went, and the next one goes if nothing speaks for another place.
    pub(super) here: Endpoint,
    /// Between `MULTI` and what ends it; the prompt shows it.
    pub(super) in_transaction: bool,
    pub(super) interrupt: Interrupt,
    /// The last command was ended by Ctrl-C.
    pub(super) interrupted: bool,
    /// Say where a command was sent on to; not for a single command, whose output is its reply.
    pub(super) talkative: bool,
    clients: BTreeMap<Endpoint, Client>,
    smart: Option<Smart>,
}

/// How an exchange with one server ended.
enum Outcome {
    /// The reply has been shown. False: it was an error, where that counts as failure.
    Shown(bool),
    /// The reply sends the command elsewhere.
    Redirected(Frame),
    /// The user pressed Ctrl-C.
    Interrupted,
}

impl Session {
    pub(super) fn new(settings: Settings) -> Session {
        let here = settings.start.clone();
        Session {
            smart: settings.cluster_mode.then(|| Smart::new(here.clone())),
            settings,
            here,
            in_transaction: false,
            interrupt: Interrupt::default(),
            interrupted: false,
            talkative: false,
            clients: BTreeMap::new(),
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.clients.contains_key(&self.here)
    }

    /// Goes to another server, and forgets what it knew of the last one.
    pub(super) fn go_to(&mut self, place: Endpoint) -> bool {
        self.clients.clear();
        self.settings.socket = None;
        self.smart = self.settings.cluster_mode.then(|| Smart::new(place.clone()));
        self.here = place;
        self.connect()
    }

    /// Connects if there is no connection: address, password, protocol, database. False if the server
    /// cannot be reached; the user has been told.
    pub(super) fn connect(&mut self) -> bool {
        if self.is_connected() {
            return true;
        }
        let connected = match &self.settings.socket {
            Some(path) if *path == self.here.host => Stream::unix(path),
            _ => Stream::tcp(&self.here.host, self.here.port, None),
        };
        match connected.and_then(|stream| self.introduce(Client::new(stream))) {
            Ok(client) => {
                self.clients.insert(self.here.clone(), client);
                self.in_transaction = false;
                true
            }
            Err(error) => {
                let place = self.settings.show(&self.here);
                eprintln!("Could not connect to Redis at {place}: {}", reason(&error));
                false
            }
        }
    }

    /// The connection itself, to use it in another way. `None` if there is none to be had; the user knows.
    pub(super) fn into_client(mut self) -> Option<Client> {
        self.connect();
        self.clients.remove(&self.here)
    }

    fn introduce(&mut self, mut client: Client) -> io::Result<Client> {
        let settings = &self.settings;
        let reply = client.log_in(settings.user.as_deref(), settings.password.as_deref())?;
        // Whoever is not let in need not try the rest. What is refused is told, and the connection can be used.
        if let Frame::Error(why) = reply {
            eprintln!("AUTH failed: {why}");
            return Ok(client);
        }
        if settings.db > 0
            && let Frame::Error(why) = client.call(&["SELECT", &settings.db.to_string()])?
        {
            eprintln!("SELECT {} failed: {why}", settings.db);
            self.settings.db = 0;
            return Ok(client);
        }
        if let Some(protocol) = settings.protocol
            && let Frame::Error(why) = client.call(&hello(protocol))?
        {
            eprintln!("HELLO {} failed: {why}", hello(protocol)[1]);
        }
        Ok(client)
    }

    /// Runs a command from the command line, as often as it was asked for.
    pub(super) fn run_repeatedly(&mut self, command: &[Vec<u8>]) -> bool {
        let mut done = 0;
        while self.settings.repeat.is_none_or(|times| done < times) {
            if done > 0 {
                pause(self.settings.interval);
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
        self.talkative = true;
        for line in lines.split(b'\n') {
            let Ok(line) = line else { return false };
            let Ok(words) = split_inline(&line) else {
                tell!("Invalid argument(s)");
                return false;
            };
            let mut command: Vec<Vec<u8>> = words.as_args().iter().map(<[u8]>::to_vec).collect();
            let times = take_repetition(&mut command);
            if command.first().is_some_and(|first| matches!(first.as_slice(), b"quit" | b"exit")) {
                return true;
            }
            for _ in 0..times {
                if !command.is_empty() && !self.run(&command) {
                    return false;
                }
            }
        }
        true
    }

    /// Runs one command and prints what the server says. False if there is no server to talk to (or if the
    /// answer is an error, where that counts as failure).
    pub(super) fn run(&mut self, command: &[Vec<u8>]) -> bool {
        self.interrupted = false;
        if self.smart.is_some() && !self.in_transaction {
            self.follow(command)
        } else {
            self.run_here(command)
        }
    }

    /// To the server where we are, and nowhere else.
    fn run_here(&mut self, command: &[Vec<u8>]) -> bool {
        match self.attempt(command, false) {
            None => false,
            Some(Outcome::Shown(well)) => well,
            Some(Outcome::Redirected(reply)) => self.show_reply(command, &reply),
            Some(Outcome::Interrupted) => true,
        }
    }

    /// To the server that the slot table names, and on to where it sends us.
    fn follow(&mut self, command: &[Vec<u8>]) -> bool {
        let Some(mut smart) = self.smart.take() else { return false };
        let well = self.follow_with(&mut smart, command);
        self.smart = Some(smart);
        well
    }

    fn follow_with(&mut self, smart: &mut Smart, command: &[Vec<u8>]) -> bool {
        let slot = self.clients.get_mut(&self.here).and_then(|client| {
            smart.refresh(client, &self.here);
            smart.slot_of(client, command)
        });
        let mut errand = smart.errand(slot, &self.here);
        let mut broken = 0;
        loop {
            self.here = errand.to.clone();
            let reply = match self.attempt(command, errand.asking) {
                Some(Outcome::Shown(well)) => return well,
                Some(Outcome::Interrupted) => return true,
                Some(Outcome::Redirected(reply)) => Some(reply),
                None => None,
            };
            let answer = reply.as_ref().map_or(Some(Answer::Broken), |reply| redirection(reply, &self.here));
            // Another node may be there and know more; but nobody wants to wait for one that has been tried.
            broken += usize::from(reply.is_none());
            let next = match &answer {
                Some(answer) if broken < smart.places() => smart.answered(&mut errand, answer),
                _ => Next::GiveUp,
            };
            match (next, reply, answer) {
                (Next::Done | Next::GiveUp, Some(reply), _) => return self.show_reply(command, &reply),
                (Next::Done | Next::GiveUp, None, _) => return false,
                (_, _, Some(Answer::Moved(slot, to) | Answer::Ask(slot, to))) if self.talkative => {
                    tell!("-> Redirected to slot [{slot}] located at {to}");
                }
                _ => {}
            }
        }
    }

    /// One exchange, with a second attempt if the connection has died while we were idle. `None`: there is no
    /// answer, and the user has been told why.
    fn attempt(&mut self, command: &[Vec<u8>], asking: bool) -> Option<Outcome> {
        let fresh = !self.is_connected();
        if !self.connect() {
            return None;
        }
        match self.exchange(command, asking) {
            Ok(outcome) => Some(outcome),
            Err(_) if self.interrupt.take() => {
                self.clients.remove(&self.here);
                tell!("");
                // For the next command, and for the prompt.
                self.connect();
                self.interrupted = true;
                Some(Outcome::Interrupted)
            }
            // A server that does what it is told here does not answer any more.
            Err(_) if ends_the_server(command) => {
                self.clients.remove(&self.here);
                Some(Outcome::Shown(true))
            }
            Err(_) if !fresh => {
                self.clients.remove(&self.here);
                if !self.connect() {
                    return None;
                }
                self.exchange(command, asking).map_err(|error| self.lost(&error)).ok()
            }
            Err(error) => {
                self.lost(&error);
                None
            }
        }
    }

    fn lost(&mut self, error: &io::Error) {
        self.clients.remove(&self.here);
        eprintln!("Error: {}", reason(error));
    }

    fn exchange(&mut self, command: &[Vec<u8>], asking: bool) -> io::Result<Outcome> {
        let Some(client) = self.clients.get_mut(&self.here) else { return Ok(Outcome::Shown(false)) };
        let _guard = self.interrupt.guard(client);
        if asking {
            client.queue(&["ASKING"]);
        }
        client.send(command)?;
        if asking {
            client.next_reply()?;
        }
        let talk = Talk::of(command);
        let mut expected =
            if let Talk::Unsubscribe = talk { command.len().saturating_sub(1).max(1) } else { 1 };
        if matches!(talk, Talk::Subscribe) && !matches!(self.settings.style, Style::Plain { .. }) {
            tell!("Reading messages... (press Ctrl-C to quit)");
        }
        let reply = loop {
            match client.next_frame()? {
                // Something that nobody asked for comes first; a subscription's answer is a push, too.
                push @ Frame::Push(_) if matches!(talk, Talk::Reply | Talk::Monitor) => {
                    if self.settings.show_pushes {
                        print(&self.settings.style.show(&push));
                    }
                }
                reply if expected > 1 => {
                    expected -= 1;
                    print(&show(&self.settings, command, &reply));
                }
                reply => break reply,
            }
        };
        if self.settings.cluster_mode && redirection(&reply, &self.here).is_some() {
            return Ok(Outcome::Redirected(reply));
        }
        let failed = matches!(reply, Frame::Error(_));
        if failed && self.settings.error_is_failure {
            return Ok(Outcome::Shown(self.show_reply(command, &reply)));
        }
        print(&show(&self.settings, command, &reply));
        if matches!(talk, Talk::Subscribe | Talk::Monitor) && !failed {
            loop {
                let message = client.next_frame()?;
                print(&show(&self.settings, command, &message));
            }
        }
        self.remember(command, &reply);
        Ok(Outcome::Shown(true))
    }

    /// Shows a reply that is to be shown although it is an error. False if that counts as failure.
    fn show_reply(&self, command: &[Vec<u8>], reply: &Frame) -> bool {
        if let Frame::Error(text) = reply
            && self.settings.error_is_failure
        {
            eprintln!("{text}");
            return false;
        }
        print(&show(&self.settings, command, reply));
        true
    }

    /// Keeps what the prompt shows, and what a new connection must repeat, up to date.
    fn remember(&mut self, command: &[Vec<u8>], reply: &Frame) {
        if matches!(reply, Frame::Error(_)) {
            return;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let name = command[0].to_ascii_lowercase();
        match (name.as_slice(), command) {
            (b"select", [_, db]) => {
                let db = std::str::from_utf8(db).ok().and_then(|db| db.parse().ok());
                self.settings.db = db.unwrap_or(self.settings.db);
            }
            (b"auth", [_, password]) => {
                self.settings.user = None;
                self.settings.password = Some(text(password));
            }
            (b"auth", [_, user, password]) => {
                self.settings.user = Some(text(user));
                self.settings.password = Some(text(password));
            }
            (b"hello", [_, version, ..]) => match version.as_slice() {
                b"2" => self.settings.protocol = Some(Protocol::Resp2),
                b"3" => self.settings.protocol = Some(Protocol::Resp3),
                _ => {}
            },
            (b"multi", _) => self.in_transaction = true,
            (b"exec" | b"discard" | b"reset", _) => self.in_transaction = false,
            (b"quit", _) => drop(self.clients.remove(&self.here)),
            _ => {}
        }
    }

    /// A command of our own to where we are, such as one for the list of commands. `None` if it fails.
    pub(super) fn ask(&mut self, command: &[&str]) -> Option<Frame> {
        let client = self.clients.get_mut(&self.here)?;
        let reply = client.call(command).ok();
        if reply.is_none() {
            self.clients.remove(&self.here);
        }
        reply.filter(|reply| !matches!(reply, Frame::Error(_)))
    }
}

fn show(settings: &Settings, command: &[Vec<u8>], reply: &Frame) -> Vec<u8> {
    if is_text_for_people(command) { for_programs(reply, b"\n") } else { settings.style.show(reply) }
}

fn print(text: &[u8]) {
    let mut stdout = io::stdout().lock();
    // Nobody reads any more: then nobody misses it.
    let _ = stdout.write_all(text).and_then(|()| stdout.flush());
}

#[expect(clippy::disallowed_methods, reason = "the user asked for a pause between two runs")]
fn pause(seconds: f64) {
    if seconds > 0.0 {
        std::thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    }
}
