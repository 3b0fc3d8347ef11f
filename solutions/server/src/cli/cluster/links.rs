use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use core_types::{Endpoint, Frame};

use super::super::args::Login;
use super::super::client::Client;
use super::super::stream::Stream;
use super::say::Failure;
use crate::reason;

/// How long a node may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// A command as its words.
pub(super) type Words = Vec<Vec<u8>>;

/// The words of a text, split at blanks.
pub(super) fn words(text: impl AsRef<str>) -> Words {
    text.as_ref().split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

/// A connection to each node that was spoken to.
pub(super) struct Links {
    login: Login,
    /// How long a node may take to answer.
    patience: Duration,
    open: BTreeMap<Endpoint, Client>,
}

impl Links {
    pub(super) fn new(login: Login, patience: Duration) -> Links {
        Links { login, patience, open: BTreeMap::new() }
    }

    /// How we log in, for those who log in in our place (`MIGRATE`).
    pub(super) fn login(&self) -> &Login {
        &self.login
    }

    fn client(&mut self, at: &Endpoint) -> io::Result<&mut Client> {
        if !self.open.contains_key(at) {
            let stream = Stream::tcp(&at.host, at.port, Some(CONNECT))?;
            stream.set_patience(Some(self.patience))?;
            let mut client = Client::new(stream);
            let reply = client.log_in(self.login.user.as_deref(), self.login.password.as_deref())?;
            if let Frame::Error(why) = reply {
                return Err(io::Error::other(format!("AUTH failed: {why}")));
            }
            self.open.insert(at.clone(), client);
        }
        Ok(self.open.get_mut(at).expect("it has just been put there"))
    }

    /// One command and its reply, which may be an error.
    pub(super) fn call(&mut self, at: &Endpoint, command: impl AsRef<str>) -> Result<Frame, Failure> {
        let [reply] =
            self.round(vec![(at.clone(), words(command))]).try_into().expect("one reply for one command");
        reply.map_err(|error| unreachable_text(at, &error).into())
    }

    /// One command that has to succeed.
    pub(super) fn must(&mut self, at: &Endpoint, command: impl AsRef<str>) -> Result<Frame, Failure> {
        match self.call(at, command.as_ref())? {
            Frame::Error(why) => Err(format!("{at} refuses `{}`: {why}", command.as_ref()).into()),
            reply => Ok(reply),
        }
    }

    /// One command whose reply is a text.
    pub(super) fn text(&mut self, at: &Endpoint, command: &str) -> Result<String, Failure> {
        let reply = self.must(at, command)?;
        Ok(String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()).into_owned())
    }

    /// Many commands at once: each node gets all of its own in one piece and works while the others do, too.
    /// The replies are in the order of the commands. A connection that breaks is made anew the next time.
    pub(super) fn round(&mut self, commands: Vec<(Endpoint, Words)>) -> Vec<io::Result<Frame>> {
        let mut broken: BTreeMap<Endpoint, (io::ErrorKind, String)> = BTreeMap::new();
        let mut used = BTreeSet::new();
        let note = |broken: &mut BTreeMap<_, _>, at: &Endpoint, error: &io::Error| {
            broken.insert(at.clone(), (error.kind(), error.to_string()));
        };
        for (at, command) in &commands {
            if broken.contains_key(at) {
                continue;
            }
            match self.client(at) {
                Ok(client) => {
                    client.queue(command);
                    used.insert(at.clone());
                }
                Err(error) => note(&mut broken, at, &error),
            }
        }
        for at in &used {
            if let Some(client) = self.open.get_mut(at)
                && let Err(error) = client.flush()
            {
                note(&mut broken, at, &error);
            }
        }
        let mut replies = Vec::with_capacity(commands.len());
        for (at, _) in &commands {
            if let Some((kind, text)) = broken.get(at) {
                replies.push(Err(io::Error::new(*kind, text.clone())));
                continue;
            }
            let reply = self.open.get_mut(at).expect("a command was sent to it").next_reply();
            if let Err(error) = &reply {
                note(&mut broken, at, error);
            }
            replies.push(reply);
        }
        for at in broken.keys() {
            self.open.remove(at);
        }
        replies
    }
}

/// That a node cannot be talked to.
pub(super) fn unreachable_text(at: &Endpoint, error: &io::Error) -> String {
    match error.kind() {
        // It took the command, and then our patience came to its end.
        io::ErrorKind::WouldBlock => format!("No answer from Redis at {at}"),
        _ => format!("Could not connect to Redis at {at}: {}", reason(error)),
    }
}
