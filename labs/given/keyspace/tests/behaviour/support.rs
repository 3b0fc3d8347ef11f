//! A keyspace that takes commands as one types them, and shows replies as `redis-cli` does.

use core_types::{Args, ArgsBuf, ExpiredKey, Millis, Protocol, Reply, show_bytes, show_command};
use keyspace::{COMMANDS, Ctx, Effects, Keyspace};

pub(crate) struct Shell {
    pub(crate) keyspace: Keyspace,
    pub(crate) db: usize,
    pub(crate) now: Millis,
    pub(crate) expired: ExpiredKey,
    pub(crate) may_block: bool,
    pub(crate) protocol: Protocol,
    pub(crate) effects: Effects,
    /// What the replicas were told by the last command.
    pub(crate) told: Vec<String>,
}

impl Shell {
    /// An empty master at a time when nothing has expired yet.
    pub(crate) fn new() -> Shell {
        Shell {
            keyspace: Keyspace::new(16, 1),
            db: 0,
            now: Millis(1_000_000),
            expired: ExpiredKey::Delete,
            may_block: true,
            protocol: Protocol::Resp2,
            effects: Effects::default(),
            told: Vec::new(),
        }
    }

    /// Runs a command; words are separated by single blanks, `""` is the empty word.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let words = line.split(' ').map(|word| if word == "\"\"" { "" } else { word });
        self.run_args(ArgsBuf::from_parts(words).as_args())
    }

    pub(crate) fn run_args(&mut self, args: Args<'_>) -> String {
        let name = String::from_utf8_lossy(args.name()).to_lowercase();
        let (spec, handler) =
            COMMANDS.iter().find(|(spec, _)| spec.name == name).expect("a command that exists");
        assert!(spec.accepts(args.len()), "wrong number of arguments: {args:?}");
        self.effects.clear();
        let mut reply = Shown::default();
        handler(
            &mut Ctx {
                keyspace: &mut self.keyspace,
                db: self.db,
                now: self.now,
                expired: self.expired,
                protocol: self.protocol,
                may_block: self.may_block,
                reply: &mut reply,
                effects: &mut self.effects,
            },
            args,
        );
        assert_eq!(reply.open, 0, "{args:?} left its reply incomplete");
        self.told = self.effects.told(args).map(|command| show_command(command.iter())).collect();
        self.keyspace.check_invariants().unwrap();
        reply.text
    }

    /// Runs each command and compares its reply.
    pub(crate) fn check(&mut self, session: &[(&str, &str)]) {
        for (command, reply) in session {
            assert_eq!(self.run(command), *reply, "{command}");
        }
    }

    /// Runs each command and compares what the replicas are told.
    pub(crate) fn check_told(&mut self, session: &[(&str, &[&str])]) {
        for (command, told) in session {
            self.run(command);
            assert_eq!(self.told, *told, "{command}");
        }
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        self.now += Millis(millis);
    }
}

/// A reply as text: lists in brackets, `nil` for no value.
#[derive(Default)]
struct Shown {
    text: String,
    open: usize,
    levels: Vec<usize>,
    started: bool,
}

impl Shown {
    fn item(&mut self, text: &str) {
        assert!(self.open > 0 || !self.started, "a second reply: {text}");
        self.started = true;
        if !self.text.is_empty() && !self.text.ends_with('[') {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.close();
    }

    fn close(&mut self) {
        while let Some(left) = self.levels.last_mut() {
            *left -= 1;
            self.open -= 1;
            if *left > 0 {
                return;
            }
            self.levels.pop();
            self.text.push(']');
        }
    }

    fn list(&mut self, len: usize) {
        if len == 0 {
            return self.item("[]");
        }
        assert!(self.open > 0 || !self.started, "a second reply");
        self.started = true;
        if !self.text.is_empty() && !self.text.ends_with('[') {
            self.text.push(' ');
        }
        self.text.push('[');
        self.levels.push(len);
        self.open += len;
    }
}

impl Reply for Shown {
    fn simple(&mut self, text: &str) {
        self.item(text);
    }
    fn error(&mut self, text: &str) {
        self.item(&format!("-{text}"));
    }
    fn integer(&mut self, value: i64) {
        self.item(&value.to_string());
    }
    fn bulk(&mut self, bytes: &[u8]) {
        self.item(&format!("\"{}\"", show_bytes(bytes)));
    }
    fn null(&mut self) {
        self.item("nil");
    }
    fn null_array(&mut self) {
        self.item("nil");
    }
    fn array(&mut self, len: usize) {
        self.list(len);
    }
    fn map(&mut self, pairs: usize) {
        self.list(2 * pairs);
    }
    fn set(&mut self, len: usize) {
        self.list(len);
    }
    fn push(&mut self, len: usize) {
        self.list(len);
    }
    fn double(&mut self, value: f64) {
        self.item(&value.to_string());
    }
    fn boolean(&mut self, value: bool) {
        self.item(&value.to_string());
    }
    fn big_number(&mut self, digits: &str) {
        self.item(digits);
    }
    fn verbatim(&mut self, _format: &str, text: &[u8]) {
        self.bulk(text);
    }
}
