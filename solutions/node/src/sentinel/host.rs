//! The sentinel's place in the node: its connections among the others, its file, its clients.
//!
//! # On disk before it leaves
//!
//! A vote that is told and then forgotten can be given twice. So what the machine asks for *behind* a
//! [`Output::Save`] waits until the file is on the disk, and so does the answer to the command that caused it. While
//! the file is being written the machine goes on: time passes and answers are heard; only what it wants to say
//! queues up. One write serves every save that was asked for before it began.

use std::collections::{BTreeMap, VecDeque};

use bytes::BytesMut;
use core_types::{Args, LogLevel, Millis, Reply, RunId, write_command};
use keyspace::{TimeoutReply, Wait};

use super::{LinkId, Output, Sentinel};
use crate::commands::RewriteFor;
use crate::conn::{Conn, Kind};
use crate::layers::wire::{Encoder, FrameDecoder};
use crate::pubsub::Space;
use crate::{ConnId, Effect, Node};

/// A connection that the sentinel opened.
#[derive(Debug)]
pub(crate) struct Watch {
    link: LinkId,
    decoder: FrameDecoder,
    buffer: BytesMut,
}

/// A sentinel in its node.
pub(crate) struct Watcher {
    pub(crate) machine: Sentinel,
    conns: BTreeMap<LinkId, ConnId>,
    /// What it has asked for and was not carried out yet.
    queue: VecDeque<Output>,
    /// The file is being written.
    saving: bool,
    /// How often the file was begun to be written.
    saves: u64,
    /// Clients whose answers wait for the file, and for which write of it.
    answers: Vec<(ConnId, BytesMut, u64)>,
    next_tick: Millis,
}

impl Watcher {
    /// A sentinel of what the configuration says. A new one takes a name for life, and writes it down.
    pub(crate) fn new(lines: &[Vec<String>], port: u16, id: RunId, seed: u64, now: Millis) -> Watcher {
        let mut machine = Sentinel::new(id, port, seed, now);
        // They have been checked when the configuration was read.
        let _ = machine.load(now, lines);
        Watcher {
            machine,
            conns: BTreeMap::new(),
            queue: VecDeque::new(),
            saving: false,
            saves: 0,
            answers: Vec::new(),
            next_tick: now,
        }
    }

    /// Do these lines make sense? `Err`: the place of the first that does not, and why.
    pub(crate) fn check(lines: &[Vec<String>]) -> Result<(), (usize, String)> {
        let nobody = RunId::random(&mut core_types::Rng::new(0));
        Sentinel::new(nobody, 0, 0, Millis::ZERO).load(Millis::ZERO, lines)
    }

    /// How many times a second it looks around, as in Redis: between 10 and 20, anew each time. Sentinels that
    /// were started together do not stay in step, which makes split votes rarer.
    fn schedule(&mut self, now: Millis) {
        self.next_tick = now + Millis(1000 / (10 + self.machine.draw(10)));
    }
}

impl Node {
    /// The sentinel starts to watch.
    pub(crate) fn start_watching(&mut self) {
        let Some(watcher) = &mut self.sentinel else { return };
        let id = watcher.machine.id;
        watcher.machine.begin();
        self.log(LogLevel::Warning, format!("Sentinel ID is {id}"));
        self.serve_watcher();
    }

    pub(crate) fn watch_tick(&mut self) {
        let now = self.now;
        if let Some(watcher) = self
            .sentinel
            .as_mut()
            .filter(|watcher| now >= watcher.next_tick || now + Millis(200) < watcher.next_tick)
        {
            watcher.machine.tick(now);
            watcher.schedule(now);
            self.serve_watcher();
        }
    }

    pub(crate) fn watch_deadline(&self) -> Option<Millis> {
        self.sentinel.as_ref().map(|watcher| watcher.next_tick)
    }

    /// Bytes on a connection that the sentinel opened.
    pub(crate) fn receive_for_watch(&mut self, mut conn: Box<Conn>, data: &[u8]) {
        let now = self.now;
        let mut frames = Vec::new();
        let mut broken = false;
        if let Kind::Watch(watch) = &mut conn.kind {
            watch.buffer.extend_from_slice(data);
            let link = watch.link;
            loop {
                match watch.decoder.decode(&mut watch.buffer) {
                    Ok(Some(frame)) => frames.push((link, frame)),
                    Ok(None) => break,
                    // Whatever speaks there, it is no Redis: hang up, and try again later.
                    Err(_) => {
                        broken = true;
                        break;
                    }
                }
            }
        }
        let id = conn.id;
        self.conns.put_back(conn);
        for (link, frame) in frames {
            if let Some(watcher) = &mut self.sentinel {
                watcher.machine.answered(now, link, frame);
            }
        }
        if broken {
            self.watch_lost(id, "protocol error");
            self.close(id);
        }
        self.serve_watcher();
    }

    /// A connection that the sentinel asked for is there.
    pub(crate) fn watch_connected(&mut self, id: ConnId) {
        let now = self.now;
        let Some(Kind::Watch(watch)) = self.conns.get(id).map(|conn| &conn.kind) else { return };
        let link = watch.link;
        let ip =
            |addr: &str| addr.rsplit_once(':').map_or(addr, |(ip, _)| ip).trim_matches(['[', ']']).to_owned();
        let ips = self.conns.get(id).map(|conn| [ip(&conn.local_addr), ip(&conn.addr)]);
        if let (Some(watcher), Some([local, peer])) = (&mut self.sentinel, ips) {
            watcher.machine.link_connected(now, link, &local, &peer);
        }
        self.serve_watcher();
    }

    /// A connection that the sentinel opened, or wanted to, is gone.
    pub(crate) fn watch_lost(&mut self, id: ConnId, why: &str) {
        let now = self.now;
        let Some(watcher) = &mut self.sentinel else { return };
        let found = watcher.conns.iter().find(|(_, conn)| **conn == id).map(|(link, _)| *link);
        if let Some(link) = found {
            watcher.conns.remove(&link);
            watcher.machine.link_lost(now, link, why);
            self.serve_watcher();
        }
    }

    /// Carries out what the sentinel has asked for, up to the first thing that must wait for the disk.
    pub(crate) fn serve_watcher(&mut self) {
        let Some(mut watcher) = self.sentinel.take() else { return };
        loop {
            watcher.queue.extend(watcher.machine.take_outputs());
            if watcher.saving {
                break;
            }
            let Some(output) = watcher.queue.pop_front() else { break };
            self.perform_for_watcher(&mut watcher, output);
        }
        self.sentinel = Some(watcher);
    }

    fn perform_for_watcher(&mut self, watcher: &mut Watcher, output: Output) {
        match output {
            Output::Connect { link, to } => {
                let id = self.conns.open(to.to_string(), String::new(), self.now);
                if let Some(conn) = self.conns.get_mut(id) {
                    conn.kind = Kind::Watch(Box::new(Watch {
                        link,
                        decoder: FrameDecoder::new(),
                        buffer: BytesMut::new(),
                    }));
                    conn.authenticated = true;
                }
                watcher.conns.insert(link, id);
                self.ask(Effect::Connect { conn: id, to });
            }
            Output::Send { link, command } => {
                if let Some(conn) = watcher.conns.get(&link) {
                    let mut bytes = BytesMut::new();
                    write_command(&mut bytes, command.as_args().iter());
                    self.send_raw(*conn, &bytes);
                }
            }
            Output::Close { link } => {
                if let Some(conn) = watcher.conns.remove(&link) {
                    self.close(conn);
                }
            }
            Output::Event { level, name, text } => {
                self.log(level, format!("{name} {text}"));
                if level != LogLevel::Debug {
                    self.publish(Space::Channel, name.as_bytes(), text.as_bytes(), None);
                }
            }
            Output::Log { level, text } => self.log(level, text),
            Output::Save => {
                watcher.saving = self.rewrite_file(RewriteFor::Sentinel(watcher.machine.lines()));
                watcher.saves += 1;
                watcher.queue.retain(|later| *later != Output::Save);
            }
            Output::Script { id, path, args } => self.ask(Effect::Run { id, path, args }),
            Output::EndScript { id } => self.ask(Effect::EndRun { id }),
            Output::Crash => {
                self.log(LogLevel::Warning, "Sentinel CRASH because of SENTINEL simulate-failure");
                self.ask(Effect::Exit { code: 99 });
            }
        }
    }

    /// A program that `Effect::Run` has started ended with this exit code; `None`: by a signal, or it could not even be
    /// started.
    pub fn run_ended(&mut self, now: Millis, id: u64, code: Option<i32>) {
        self.now = now;
        if let Some(watcher) = &mut self.sentinel {
            watcher.machine.script_ended(now, id, code);
            self.serve_watcher();
        }
    }

    /// The file is on the disk, or could not be written.
    pub(crate) fn watcher_saved(&mut self, failure: Option<&str>) {
        match failure {
            None => self.log(LogLevel::Notice, "Sentinel new configuration saved on disk"),
            Some(why) => self.log(
                LogLevel::Warning,
                format!("WARNING: Sentinel was not able to save the new configuration on disk!!!: {why}"),
            ),
        }
        let Some(watcher) = &mut self.sentinel else { return };
        watcher.saving = false;
        watcher.machine.saved(failure.is_none());
        let done = watcher.saves;
        let (now, later) =
            std::mem::take(&mut watcher.answers).into_iter().partition(|(.., write)| *write <= done);
        watcher.answers = later;
        let answered: Vec<(ConnId, BytesMut, u64)> = now;
        for (id, answer, _) in answered {
            let Some(mut conn) = self.conns.take(id) else { continue };
            if self.unblock(&mut conn).is_some() {
                match failure {
                    None => conn.out.extend_from_slice(&answer),
                    // What was to be promised is not on the disk: it is not promised.
                    Some(_) => {
                        self.encoder(&mut conn).error("ERR Failed to save config file. Check server logs.");
                    }
                }
            }
            self.finish(conn);
            self.resume.push_back(id);
        }
        self.serve_watcher();
        self.resume_clients();
    }
}

/// `SENTINEL subcommand …`
pub(crate) fn sentinel(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    let now = node.now;
    let protocol = conn.protocol;
    let Some(watcher) = &mut node.sentinel else { return };
    let mut answer = BytesMut::new();
    let mut reply = Encoder::new(&mut answer, protocol);
    let done = watcher.machine.command(now, args, &mut reply)
        || watcher.machine.command_about_itself(now, args, &mut reply);
    if !done {
        return crate::commands::help::answer(node, conn, crate::commands::help::SENTINEL);
    }
    // A vote that was given a moment ago to somebody else may still be on its way to the disk; whoever asks for it
    // again is not told before it is there either.
    let depends = watcher.machine.wants_to_save() || args.is(1, "is-master-down-by-addr");
    node.serve_watcher();
    let write = node.sentinel.as_ref().filter(|watcher| watcher.saving && depends).map(|watcher| {
        // What was asked for while a write was under way comes with the next one.
        watcher.saves + u64::from(watcher.queue.contains(&Output::Save))
    });
    let Some(write) = write else { return conn.out.extend_from_slice(&answer) };
    node.block(conn, Wait { keys: Vec::new(), deadline: None, on_timeout: TimeoutReply::Null }, args);
    if let Some(watcher) = &mut node.sentinel {
        watcher.answers.push((conn.id, answer, write));
    }
}

/// `PUBLISH` to a sentinel: another one says hello. Nothing else can be published here.
pub(crate) fn publish(node: &mut Node, conn: &mut Conn, args: Args<'_>) {
    if &args[1] != super::links::HELLO_CHANNEL.as_bytes() {
        return node.encoder(conn).error("ERR Only HELLO messages are accepted by Sentinel instances.");
    }
    let now = node.now;
    let text = String::from_utf8_lossy(&args[2]).into_owned();
    if let Some(watcher) = &mut node.sentinel {
        watcher.machine.hear(now, &text);
    }
    node.serve_watcher();
    node.encoder(conn).integer(1);
}

/// `ROLE` of a sentinel: the names of the masters that it watches.
pub(crate) fn role(node: &mut Node, conn: &mut Conn) {
    let names: Vec<String> = match &node.sentinel {
        Some(watcher) => watcher.machine.masters.keys().cloned().collect(),
        None => Vec::new(),
    };
    let mut reply = node.encoder(conn);
    reply.array(2);
    reply.bulk(b"sentinel");
    reply.array(names.len());
    for name in names {
        reply.bulk(name.as_bytes());
    }
}
