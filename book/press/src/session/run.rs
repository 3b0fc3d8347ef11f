//! Runs a session: real processes, real sockets, a time limit for every step.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use regex::Regex;
use tempfile::TempDir;

use super::compare::{self, Masks};
use super::ids;
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
        if let Some((line, program)) = self.missing(blocks) {
            let name = blocks.first().map_or("", |block| &block.name);
            let required = std::env::var("HA_REQUIRE_REDIS").is_ok_and(|value| value == "1");
            match required {
                true => outcome.problems.push((line, format!("it needs {program}, which is not installed"))),
                false => eprintln!("SKIPPED session {name} (line {line}): {program} not found"),
            }
            return outcome;
        }
        let folder = match tempfile::Builder::new().prefix("book-session-").tempdir() {
            Ok(folder) => folder,
            Err(error) => {
                outcome.problems.push((0, format!("no folder for the session: {error}")));
                return outcome;
            }
        };
        let texts = blocks.iter().flat_map(|block| &block.steps).flat_map(|step| step.action.texts());
        let mut stage = Stage {
            runner: self,
            folder,
            ports: Ports::beside(texts),
            servers: BTreeMap::new(),
            background: Vec::new(),
            client: None,
            interrupt: None,
            masks: Masks::default(),
            limit: self.limit,
            outcome,
        };
        // A mask holds for its whole session, also for what stands above it.
        for step in blocks.iter().flat_map(|block| &block.steps) {
            if let Action::Mask(mask) = &step.action {
                stage.masks.own.push(mask.clone());
            }
        }
        for block in blocks {
            for step in &block.steps {
                let done = stage.end_client_before(&step.action).and_then(|()| stage.step(block, step));
                if let Err(what) = done {
                    // What follows builds on this step: one problem, not twenty.
                    stage.outcome.problems.push((step.line, what));
                    return stage.outcome;
                }
            }
        }
        if let Err(what) = stage.end_client() {
            stage.outcome.problems.push((blocks.last().map_or(0, |block| block.line), what));
        }
        stage.outcome
    }

    /// The first line that needs a program of Redis that is not there, and its name.
    fn missing(&self, blocks: &[&Block]) -> Option<(usize, String)> {
        let steps = blocks.iter().flat_map(|block| &block.steps);
        steps
            .filter_map(|step| Some((step.line, step.action.command()?)))
            .find_map(|(line, command)| self.programs.missing(command).map(|program| (line, program)))
    }
}

/// Ends the output of a command that is interrupted; or stands where one that ran beside the others was, and said more.
const BREAK: &str = "^C";

/// What was printed, with the ports and ids of the page.
fn on_page(ports: &Ports, masks: &Masks, line: &str) -> String {
    masks.ids.on_the_page(&ports.on_the_page(line))
}

/// A session on its way.
struct Stage<'a> {
    runner: &'a Runner,
    folder: TempDir,
    ports: Ports,
    /// By their port on the page.
    servers: BTreeMap<u16, Process>,
    /// Commands that end in `&`, without that.
    background: Vec<(String, Process)>,
    /// The client that lines are typed at, and how many lines of its output belong to earlier commands.
    client: Option<(Process, usize)>,
    /// When the next command is interrupted.
    interrupt: Option<(String, Regex)>,
    masks: Masks,
    /// The longest that a step may take.
    limit: Duration,
    outcome: Outcome,
}

impl Stage<'_> {
    /// Carries out one line. An error ends the session; output that differs is only noted.
    fn step(&mut self, block: &Block, step: &Step) -> Result<(), String> {
        match &step.action {
            Action::Shown { command, expected, at, stays } => {
                let is_server = CommandLine::parse(command)?.is_server();
                let is_interrupted = expected.iter().rfind(|line| !line.trim().is_empty());
                let is_interrupted = is_interrupted.is_some_and(|line| line.trim() == BREAK);
                let has_break = expected.iter().any(|line| line.trim() == BREAK);
                let beside = self.background.iter().position(|(running, _)| running == command);
                let (actual, complete) = match is_server {
                    true => self.start(command, expected)?,
                    false if has_break && beside.is_some() => {
                        let (_, process) = self.background.remove(beside.unwrap_or_default());
                        (self.finish(command, process, expected)?, true)
                    }
                    false if *stays => (self.open(command)?, true),
                    false if is_interrupted => (self.cut_short(command)?, true),
                    false if command.ends_with('&') => (self.in_background(command)?, true),
                    false => (self.once(command)?.0, true),
                };
                self.compare(block, step.line, command, (expected, at), (&actual, complete));
            }
            Action::Typed { command, expected, at, .. } => {
                let actual = self.type_line(command, expected)?;
                self.compare(block, step.line, command, (expected, at), (&actual, true));
            }
            Action::Id { id, command } => {
                let (output, _) = self.once(command)?;
                let real =
                    output.iter().flat_map(|line| line.split([' ', '"'])).find(|word| ids::is_id(word));
                let real = real.ok_or_else(|| format!("`{command}` prints no id: {}", output.join(" / ")))?;
                self.masks.ids.learn(id, real);
            }
            Action::Interrupt { command, until } => self.interrupt = Some((command.clone(), until.clone())),
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
                let deadline = Deadline::after(self.limit);
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
            Action::Limit(seconds) => self.limit = self.runner.limit.max(Duration::from_secs(*seconds)),
            Action::File { name, content } => {
                if name.contains(['/', '\\']) || name.starts_with('.') {
                    return Err(format!("`{name}` is not a plain file name"));
                }
                let path = self.folder.path().join(name);
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let content = self.on_this_machine(content);
                std::fs::write(&path, format!("{text}{content}\n")).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// Is it what the page shows?
    fn compare(
        &mut self,
        block: &Block,
        line: usize,
        command: &str,
        (expected, at): (&[String], &[usize]),
        (actual, complete): (&[String], bool),
    ) {
        let same = match complete {
            true => compare::matches(expected, actual, &self.masks),
            false => compare::follows(expected, actual, &self.masks),
        };
        if !same {
            let difference = compare::difference(expected, actual, &self.masks);
            self.outcome.problems.push((line, format!("`{command}`: {difference}")));
            if !expected.iter().any(|line| line.trim() == "…") {
                let indented = |line: String| format!("{}{line}", " ".repeat(block.indentation));
                let insert = compare::blessed(expected, actual, &self.masks);
                let insert = insert.into_iter().map(indented).collect();
                self.outcome.edits.push(Edit { after: line, remove: at.to_vec(), insert });
            }
        }
        compare::learn_ids(expected, actual, &mut self.masks);
    }

    /// A command as it is run here.
    fn prepared(&mut self, command: &str) -> Result<Command, String> {
        let line = CommandLine::parse(command)?;
        let mut program = self.runner.programs.command(&line.program, &line.arguments)?;
        program.args(line.arguments.iter().map(|word| self.on_this_machine(word)));
        program.current_dir(self.folder.path());
        Ok(program)
    }

    fn on_this_machine(&mut self, text: &str) -> String {
        let text = self.masks.ids.on_this_machine(text);
        self.ports.on_this_machine(&text)
    }

    /// Starts a client that stays. It says nothing before something is typed.
    fn open(&mut self, command: &str) -> Result<Vec<String>, String> {
        let program = self.prepared(command)?;
        self.client = Some((Process::start_to_type(program)?, 0));
        Ok(Vec::new())
    }

    /// Types a line, and waits for the output that the page shows. What comes later counts as that of the next line, or is
    /// complained of at the end.
    fn type_line(&mut self, line: &str, expected: &[String]) -> Result<Vec<String>, String> {
        let line = self.on_this_machine(line);
        let deadline = Deadline::after(self.limit);
        let (process, seen) = self.client.as_mut().ok_or("the client has ended")?;
        process.type_line(&line)?;
        let (ports, masks, before) = (&self.ports, &self.masks, *seen);
        let translated = |lines: &[String]| -> Vec<String> {
            lines[before..].iter().map(|line| on_page(ports, masks, line)).collect()
        };
        let output = process.output(deadline, |lines| {
            lines.len() > before && compare::matches(expected, &translated(lines), masks)
        });
        *seen = output.len();
        Ok(translated(&output))
    }

    /// The next step may be for the client that is there; if not, it ends.
    fn end_client_before(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Shown { .. } => self.end_client(),
            _ => Ok(()),
        }
    }

    fn end_client(&mut self) -> Result<(), String> {
        let Some((mut process, seen)) = self.client.take() else { return Ok(()) };
        process.stop_typing();
        let output = process.output(Deadline::after(self.limit), |_| false);
        match output.get(seen) {
            None => Ok(()),
            Some(line) => {
                Err(format!("the client above says more than the page: `{}`", self.on_page_line(line)))
            }
        }
    }

    /// Starts a command that runs beside the others, until the session ends.
    fn in_background(&mut self, command: &str) -> Result<Vec<String>, String> {
        let program = self.prepared(command)?;
        let shown = command.trim_end_matches('&').trim().to_owned();
        self.background.push((shown, Process::start(program)?));
        Ok(Vec::new())
    }

    /// Interrupts a command that has run beside the others, and returns all that it has said.
    fn finish(
        &mut self,
        command: &str,
        mut process: Process,
        expected: &[String],
    ) -> Result<Vec<String>, String> {
        if let Some(status) = process.ended() {
            let said = process.output(Deadline::after(self.limit), |_| false);
            let said = self.on_page(&said).join(" / ");
            return Err(format!("`{command}` ended ({status}) before it was interrupted: {said}"));
        }
        // What it shall have said by now may still be on its way.
        let awaited = expected.iter().take_while(|line| line.trim() != BREAK).cloned().collect::<Vec<_>>();
        let (ports, masks) = (&self.ports, &self.masks);
        let translated =
            |lines: &[String]| lines.iter().map(|line| on_page(ports, masks, line)).collect::<Vec<_>>();
        let before = process
            .output(Deadline::after(self.limit), |lines| {
                compare::matches(&awaited, &translated(lines), masks)
            })
            .len();
        process.interrupt();
        let deadline = Deadline::after(self.limit);
        let mut output = process.output(deadline, |_| false);
        process.wait(deadline).ok_or_else(|| format!("`{command}` does not end when it is interrupted"))?;
        let mut after = output.split_off(before);
        // On a terminal the `^C` stands on the line that the program then ends.
        if after.first().is_some_and(String::is_empty) {
            after.remove(0);
        }
        output.push(BREAK.into());
        output.append(&mut after);
        Ok(self.on_page(&output))
    }

    /// Runs a command and interrupts it when it is time.
    fn cut_short(&mut self, command: &str) -> Result<Vec<String>, String> {
        let (question, until) = self
            .interrupt
            .take()
            .ok_or("when is it interrupted? Put `#interrupt command ~ regex` above it")?;
        let program = self.prepared(command)?;
        let deadline = Deadline::after(self.limit);
        let mut process = Process::start(program)?;
        loop {
            if self.once(&question)?.0.iter().any(|line| until.is_match(line)) {
                break;
            }
            if let Some(status) = process.ended() {
                return Err(format!("`{command}` had ended ({status}) before `{question}` said `{until}`"));
            }
            if !deadline.pause() {
                return Err(format!("`{question}` never said `{until}` while `{command}` ran"));
            }
        }
        process.interrupt();
        let output = process.output(deadline, |_| false);
        if process.wait(deadline).is_none_or(|status| status.success()) {
            return Err(format!("`{command}` came to its end before it was interrupted"));
        }
        let mut output = self.on_page(&output);
        output.push(BREAK.into());
        Ok(output)
    }

    fn on_page_line(&self, line: &str) -> String {
        on_page(&self.ports, &self.masks, line)
    }

    /// Runs a command to its end. Returns its output with the page's ports, and whether it succeeded.
    fn once(&mut self, command: &str) -> Result<(Vec<String>, bool), String> {
        let program = self.prepared(command)?;
        let deadline = Deadline::after(self.limit);
        let mut process = Process::start(program)?;
        let output = process.output(deadline, |_| false);
        let status = process
            .wait(deadline)
            .ok_or_else(|| format!("`{command}` was stopped after {} s", self.limit.as_secs_f32()))?;
        Ok((self.on_page(&output), status.success()))
    }

    fn on_page(&self, output: &[String]) -> Vec<String> {
        output.iter().map(|line| self.on_page_line(line)).collect()
    }

    /// Starts a server and waits until it takes connections and has printed what is expected. True if it has
    /// ended instead: then that was all of its output.
    fn start(&mut self, command: &str, expected: &[String]) -> Result<(Vec<String>, bool), String> {
        let line = CommandLine::parse(command)?;
        let mut program = self.runner.programs.command(&line.program, &line.arguments)?;
        let page_port = self.port_of(&line)?;
        let port = self.ports.real(page_port);
        if self.servers.get_mut(&page_port).is_some_and(|server| server.ended().is_none()) {
            return Err(format!("a server with port {page_port} is still running"));
        }
        // Each server has a folder of its own, as if on a machine of its own: no shared dump.rdb.
        let home = self.folder.path().join(page_port.to_string());
        std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        self.prepare(&mut program, &line, &home);
        let deadline = Deadline::after(self.limit);
        let mut process = Process::start(program)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        loop {
            if process.ended().is_some() {
                let output = process.output(deadline, |_| false);
                return Ok((self.on_page(&output), true));
            }
            // A listening socket that belongs to somebody else would be a different port: `ports` saw to it.
            if TcpStream::connect_timeout(&address, self.limit).is_ok() {
                break;
            }
            if !deadline.pause() {
                return Err(format!("`{command}` takes no connections"));
            }
        }
        let (ports, masks) = (&self.ports, &self.masks);
        let output = process.output(deadline, |lines| {
            let lines: Vec<String> = lines.iter().map(|line| on_page(ports, masks, line)).collect();
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
            // A proxy's pools have an address each; the first one tells the proxy from others.
            let port = text.lines().find_map(|line| {
                let listens = || line.strip_prefix("listen = ")?.trim_matches('"').rsplit(':').next();
                line.strip_prefix("port ").or_else(listens)
            })?;
            Some(self.ports.on_the_page(port.trim()))
        };
        let port = by_flag.cloned().or_else(by_file).and_then(|port| port.parse().ok());
        port.filter(|port| (7000..8000).contains(port))
            .ok_or_else(|| "a server in a session has a port between 7000 and 7999".into())
    }
}
