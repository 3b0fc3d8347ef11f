//! Runs a session: real processes, real sockets, a time limit for every step.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use regex::Regex;
use tempfile::TempDir;

use super::compare;
use super::ports::Ports;
use super::process::{Deadline, Process};
use super::programs::{CommandLine, Programs};
use super::{Action, Block, Step};

/// How sessions are run.
#[derive(Clone, Debug)]
pub struct Runner {
    /// What may be run.
    pub programs: Programs,
    /// The longest that a single step may take.
    pub limit: Duration,
}

/// What came of a session.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What differs from the page: the line, and what.
    pub problems: Vec<(usize, String)>,
    /// How the chapter would have to change, for those of them that are a matter of output.
    pub edits: Vec<Edit>,
}

/// New output for one command of a chapter.
#[derive(Debug, PartialEq, Eq)]
pub struct Edit {
    /// The line of the command.
    pub after: usize,
    /// The lines to take away.
    pub remove: Vec<usize>,
    /// The lines to put behind the command.
    pub insert: Vec<String>,
}

impl Runner {
    /// Runs the blocks of one session in order. Whatever it starts has ended when this returns.
    pub fn run(&self, blocks: &[&Block]) -> Outcome {
        let mut outcome = Outcome::default();
        let folder = match tempfile::Builder::new().prefix("book-session-").tempdir() {
            Ok(folder) => folder,
            Err(error) => {
                outcome.problems.push((0, format!("no folder for the session: {error}")));
                return outcome;
            }
        };
        let ports = Ports::default();
        let mut stage =
            Stage { runner: self, folder, ports, servers: BTreeMap::new(), masks: Vec::new(), outcome };
        // A mask holds for its whole session, also for what stands above it.
        for step in blocks.iter().flat_map(|block| &block.steps) {
            if let Action::Mask(mask) = &step.action {
                stage.masks.push(mask.clone());
            }
        }
        for block in blocks {
            for step in &block.steps {
                if let Err(what) = stage.step(block, step) {
                    // What follows builds on this step: one problem, not twenty.
                    stage.outcome.problems.push((step.line, what));
                    return stage.outcome;
                }
            }
        }
        stage.outcome
    }
}

/// A session on its way.
struct Stage<'a> {
    runner: &'a Runner,
    folder: TempDir,
    ports: Ports,
    /// By their port on the page.
    servers: BTreeMap<u16, Process>,
    masks: Vec<Regex>,
    outcome: Outcome,
}

impl Stage<'_> {
    /// Carries out one line. An error ends the session; output that differs is only noted.
    fn step(&mut self, block: &Block, step: &Step) -> Result<(), String> {
        match &step.action {
            Action::Shown { command, expected, at } => {
                let is_server = CommandLine::parse(command)?.program == "ha-server";
                let (actual, complete) = match is_server {
                    true => self.start(command, expected)?,
                    false => (self.once(command)?.0, true),
                };
                let same = match complete {
                    true => compare::matches(expected, &actual, &self.masks),
                    false => compare::follows(expected, &actual, &self.masks),
                };
                if !same {
                    let difference = compare::difference(expected, &actual, &self.masks);
                    self.outcome.problems.push((step.line, format!("`{command}`: {difference}")));
                    if !expected.iter().any(|line| line.trim() == "…") {
                        let indented = |line: String| format!("{}{line}", " ".repeat(block.indentation));
                        let insert = compare::blessed(expected, &actual, &self.masks);
                        let insert = insert.into_iter().map(indented).collect();
                        self.outcome.edits.push(Edit { after: step.line, remove: at.clone(), insert });
                    }
                }
            }
            Action::Start(command) => match self.start(command, &[])? {
                (_, false) => {}
                (output, true) => {
                    return Err(format!("`{command}` ended at once: {}", output.join(" / ")));
                }
            },
            Action::Run(command) => {
                let (output, success) = self.once(command)?;
                if !success {
                    return Err(format!("`{command}` failed: {}", output.join(" / ")));
                }
            }
            Action::Wait { command, until } => {
                let deadline = Deadline::after(self.runner.limit);
                loop {
                    let (output, _) = self.once(command)?;
                    if output.iter().any(|line| line.contains(until)) {
                        break;
                    }
                    if !deadline.pause() {
                        let output = output.join(" / ");
                        return Err(format!("`{command}` never said `{until}`; at last it said `{output}`"));
                    }
                }
            }
            Action::Kill(port) => {
                let server = self.servers.remove(port);
                drop(server.ok_or_else(|| format!("no server was started with port {port}"))?);
            }
            Action::Mask(_) => {}
            Action::File { name, content } => {
                if name.contains(['/', '\\']) || name.starts_with('.') {
                    return Err(format!("`{name}` is not a plain file name"));
                }
                let path = self.folder.path().join(name);
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let content = self.ports.on_this_machine(content);
                std::fs::write(&path, format!("{text}{content}\n")).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// Runs a command to its end. Returns its output with the page's ports, and whether it succeeded.
    fn once(&mut self, command: &str) -> Result<(Vec<String>, bool), String> {
        let line = CommandLine::parse(command)?;
        let mut program = self.runner.programs.command(&line.program)?;
        program.args(line.arguments.iter().map(|word| self.ports.on_this_machine(word)));
        program.current_dir(self.folder.path());
        let deadline = Deadline::after(self.runner.limit);
        let mut process = Process::start(program)?;
        let output = process.output(deadline, |_| false);
        let status = process
            .wait(deadline)
            .ok_or_else(|| format!("`{command}` was stopped after {} s", self.runner.limit.as_secs_f32()))?;
        Ok((self.on_page(&output), status.success()))
    }

    fn on_page(&self, output: &[String]) -> Vec<String> {
        output.iter().map(|line| self.ports.on_the_page(line)).collect()
    }

    /// Starts a server and waits until it takes connections and has printed what is expected. True if it has
    /// ended instead: then that was all of its output.
    fn start(&mut self, command: &str, expected: &[String]) -> Result<(Vec<String>, bool), String> {
        let line = CommandLine::parse(command)?;
        let mut program = self.runner.programs.command(&line.program)?;
        let page_port = self.port_of(&line)?;
        let port = self.ports.real(page_port);
        if self.servers.get_mut(&page_port).is_some_and(|server| server.ended().is_none()) {
            return Err(format!("a server with port {page_port} is still running"));
        }
        // Each server has a folder of its own, as if on a machine of its own: no shared dump.rdb.
        let home = self.folder.path().join(page_port.to_string());
        std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        self.prepare(&mut program, &line, &home);
        let deadline = Deadline::after(self.runner.limit);
        let mut process = Process::start(program)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        loop {
            if process.ended().is_some() {
                let output = process.output(deadline, |_| false);
                return Ok((self.on_page(&output), true));
            }
            // A listening socket that belongs to somebody else would be a different port: `ports` saw to it.
            if TcpStream::connect_timeout(&address, self.runner.limit).is_ok() {
                break;
            }
            if !deadline.pause() {
                return Err(format!("`{command}` takes no connections"));
            }
        }
        let (ports, masks) = (&self.ports, &self.masks);
        let output = process.output(deadline, |lines| {
            let lines: Vec<String> = lines.iter().map(|line| ports.on_the_page(line)).collect();
            compare::follows(expected, &lines, masks)
        });
        let output = self.on_page(&output);
        self.servers.insert(page_port, process);
        Ok((output, false))
    }

    fn prepare(&mut self, program: &mut Command, line: &CommandLine, home: &std::path::Path) {
        program.current_dir(home);
        for (index, word) in line.arguments.iter().enumerate() {
            let in_folder = self.folder.path().join(word);
            match index == 0 && !word.starts_with('-') && in_folder.is_file() {
                true => program.arg(in_folder),
                false => program.arg(self.ports.on_this_machine(word)),
            };
        }
    }

    /// The port that a server is told to use, by flag or in its configuration file.
    fn port_of(&self, line: &CommandLine) -> Result<u16, String> {
        let words = &line.arguments;
        let by_flag = words.iter().position(|word| word == "--port").and_then(|at| words.get(at + 1));
        let by_file = || {
            let text = std::fs::read_to_string(self.folder.path().join(words.first()?)).ok()?;
            let port = text.lines().find_map(|line| line.strip_prefix("port "))?;
            Some(self.ports.on_the_page(port.trim()))
        };
        let port = by_flag.cloned().or_else(by_file).and_then(|port| port.parse().ok());
        port.filter(|port| (7000..8000).contains(port))
            .ok_or_else(|| "a server in a session has a port between 7000 and 7999".into())
    }
}
