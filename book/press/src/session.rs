//! Terminal sessions: what a page shows, and what `cargo book check` really runs.
//!
//! A block looks like this; the lines that begin with `#` are directives for the run and are not shown.
//!
//! ````text
//! ```session NAME
//! #start ha-server --port 7000
//! $ ha-cli -p 7000 SET greeting hello
//! OK
//! #wait ha-cli -p 7001 GET greeting ~ hello
//! ```
//! ````
//!
//! Blocks of one chapter with the same name belong together: they share servers, ports and folder. Only our
//! own programs are run, and those of Redis: a session that needs one of these is skipped where it is not installed. A line
//! `…` in the expected output stands for any lines.
//!
//! A client without a command stays connected for the lines below it that show its prompt:
//!
//! ````text
//! $ ha-cli -p 7000
//! 127.0.0.1:7000> MULTI
//! OK
//! ````
//!
//! Ids of nodes are new in each run. Where a page shows one in an output, this run's id takes its place in the commands
//! that follow. Output that ends with a line `^C` is that of a command that is interrupted. If the command was started
//! above with a `&`, it is interrupted now, all that it has said is its output, and more may stand below the `^C`.

mod compare;
mod ids;
mod ports;
mod process;
mod programs;
mod run;

use std::sync::LazyLock;

use regex::Regex;

use crate::figure::escape;

pub use programs::Programs;
pub use run::{Edit, Outcome, Runner};

/// The opening line of a block.
#[derive(Debug)]
pub struct Opening {
    name: String,
    /// What stands before the marks on every line of the block.
    indentation: usize,
    marks: String,
}

impl Opening {
    /// The opening line of a session block, if `line` is one.
    pub fn read(line: &str) -> Option<Opening> {
        let content = line.trim_start_matches(' ');
        let marks: String = content.chars().take_while(|&c| c == '`').collect();
        let mut words = content[marks.len()..].split_whitespace();
        if marks.len() < 3 || words.next() != Some("session") {
            return None;
        }
        let name = words.collect::<Vec<_>>().join(" ");
        Some(Opening { name, indentation: line.len() - content.len(), marks })
    }

    /// True for the line that ends the block.
    pub fn closes(&self, line: &str) -> bool {
        line.trim() == self.marks
    }
}

/// One block of a session.
#[derive(Debug)]
pub struct Block {
    /// The session it belongs to.
    pub name: String,
    /// The line it begins on.
    pub line: usize,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What stands before every line of it.
    pub indentation: usize,
}

/// One line of a block, with the output that belongs to it.
#[derive(Debug)]
pub struct Step {
    /// The line in the chapter.
    pub line: usize,
    /// What to do.
    pub action: Action,
}

/// What a line asks for.
#[derive(Debug)]
pub enum Action {
    /// `$ command`: shown, run, and its output compared with the lines below it.
    Shown {
        /// The command as the reader types it.
        command: String,
        /// The output on the page.
        expected: Vec<String>,
        /// The lines of the chapter that it stands on.
        at: Vec<usize>,
        /// It is a client that [`Action::Typed`] lines are for.
        stays: bool,
    },
    /// `127.0.0.1:7000> command`: typed at the prompt of the client that was started last.
    Typed {
        /// The prompt on the page, which is not compared.
        prompt: String,
        /// What is typed.
        command: String,
        /// The output on the page.
        expected: Vec<String>,
        /// The lines of the chapter that it stands on.
        at: Vec<usize>,
    },
    /// `#id <id on the page> ~ command`: the command prints the id that it stands for.
    Id {
        /// The id on the page.
        id: String,
        /// What prints this run's id.
        command: String,
    },
    /// `#interrupt command ~ regex`: the next command on the page is interrupted once this one prints that.
    Interrupt {
        /// The command to repeat meanwhile.
        command: String,
        /// What its output must hold.
        until: Regex,
    },
    /// `#start command`: a server that the page does not show.
    Start(String),
    /// `#run command`: run for its effect; it must succeed.
    Run(String),
    /// `#wait command ~ text`: run until its output holds `text`.
    Wait {
        /// The command to repeat.
        command: String,
        /// What its output must hold.
        until: String,
    },
    /// `#kill port`: end the server that was started with this port, at once.
    Kill(u16),
    /// `#limit seconds`: from here on a step may take so long.
    Limit(u64),
    /// `#mask regex`: what it matches (its first group, if it has one) differs from run to run.
    Mask(Regex),
    /// `#file name ~ line`: adds a line to a file in the session's folder.
    File {
        /// The file.
        name: String,
        /// The line, without its break.
        content: String,
    },
}

impl Action {
    /// The program that it runs, with its arguments, if it runs one.
    fn command(&self) -> Option<&str> {
        match self {
            Action::Shown { command, .. }
            | Action::Start(command)
            | Action::Run(command)
            | Action::Wait { command, .. }
            | Action::Interrupt { command, .. }
            | Action::Id { command, .. } => Some(command),
            Action::Typed { .. }
            | Action::Kill(_)
            | Action::Limit(_)
            | Action::Mask(_)
            | Action::File { .. } => None,
        }
    }

    /// What of it stands on the page, or is run.
    fn texts(&self) -> Vec<&str> {
        match self {
            Action::Shown { command, expected, .. } | Action::Typed { command, expected, .. } => {
                std::iter::once(command).chain(expected).map(String::as_str).collect()
            }
            Action::Start(command) | Action::Run(command) => vec![command],
            Action::Wait { command, until } => vec![command, until],
            Action::Interrupt { command, .. } | Action::Id { command, .. } => vec![command],
            Action::Kill(_) | Action::Limit(_) | Action::Mask(_) | Action::File { .. } => Vec::new(),
        }
    }
}

impl Block {
    /// Reads the lines between the fences. An error names its line.
    pub fn parse(opening: &Opening, line: usize, body: &[(usize, &str)]) -> Result<Block, (usize, String)> {
        if opening.name.is_empty() || opening.name.contains(' ') {
            return Err((
                line,
                "a session needs a name, one word: blocks with the same name belong together".into(),
            ));
        }
        let mut steps: Vec<Step> = Vec::new();
        for &(line, text) in body {
            let indentation = text.len() - text.trim_start_matches(' ').len();
            let text = &text[indentation.min(opening.indentation)..];
            if let Some(command) = text.strip_prefix("$ ") {
                let (expected, at) = (Vec::new(), Vec::new());
                let action = Action::Shown { command: command.trim().into(), expected, at, stays: false };
                steps.push(Step { line, action });
            } else if let Some((prompt, command)) = prompt(text) {
                let shown = steps.iter_mut().rev().find_map(|step| match &mut step.action {
                    Action::Shown { expected, stays, .. } => Some((expected, stays)),
                    _ => None,
                });
                match shown {
                    Some((expected, stays)) if expected.is_empty() => *stays = true,
                    _ => return Err((line, "a prompt without a client above it".into())),
                }
                let (prompt, command) = (prompt.into(), command.trim().into());
                let action = Action::Typed { prompt, command, expected: Vec::new(), at: Vec::new() };
                steps.push(Step { line, action });
            } else if text.starts_with('#') && text[1..].starts_with(|c: char| c.is_ascii_lowercase()) {
                let action = directive(&text[1..]).map_err(|what| (line, what))?;
                steps.push(Step { line, action });
            } else {
                // Output belongs to the command before it, also across a directive.
                let shown = steps.iter_mut().rev().find_map(|step| match &mut step.action {
                    Action::Shown { expected, at, .. } | Action::Typed { expected, at, .. } => {
                        Some((expected, at))
                    }
                    _ => None,
                });
                match shown {
                    Some((expected, at)) => {
                        expected.push(text.to_string());
                        at.push(line);
                    }
                    None => return Err((line, "output before the first `$ command`".into())),
                }
            }
        }
        Ok(Block { name: opening.name.clone(), line, steps, indentation: opening.indentation })
    }

    /// The block as the reader sees it. The prompt is drawn by the style sheet, so that copying a command
    /// leaves it out.
    pub fn to_html(&self) -> String {
        let mut lines = Vec::new();
        for step in &self.steps {
            let expected = match &step.action {
                Action::Shown { command, expected, .. } => {
                    lines.push(format!("<span class=\"command\">{}</span>", escape(command)));
                    expected
                }
                Action::Typed { prompt, command, expected, .. } => {
                    let (prompt, command) = (escape(prompt), escape(command));
                    lines.push(format!(
                        "<span class=\"typed\"><span class=\"prompt\">{prompt}&gt; </span>{command}</span>"
                    ));
                    expected
                }
                _ => continue,
            };
            lines.extend(expected.iter().map(|line| escape(line)));
        }
        let indentation = " ".repeat(self.indentation);
        format!(
            "{indentation}<pre class=\"session\">{}</pre>",
            lines.join("\n").replace('\n', &format!("\n{indentation}"))
        )
    }
}

/// The prompt of a client, and what was typed there: `127.0.0.1:7000> GET a`, also with a database or `(TX)`.
fn prompt(text: &str) -> Option<(&str, &str)> {
    static PROMPT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^([\w.]+:\d+(?:\[\d+\])?(?:\(TX\))?)> (.+)$").expect("a fixed pattern")
    });
    let found = PROMPT.captures(text)?;
    Some((found.get(1)?.as_str(), found.get(2)?.as_str()))
}

fn directive(text: &str) -> Result<Action, String> {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    let halves =
        || rest.split_once(" ~ ").ok_or_else(|| format!("`#{name}` has two parts, with ` ~ ` between"));
    match name {
        "start" | "run" | "wait" | "file" | "mask" | "id" | "interrupt" if rest.is_empty() => {
            Err(format!("`#{name}` needs more"))
        }
        "start" => Ok(Action::Start(rest.into())),
        "run" => Ok(Action::Run(rest.into())),
        "wait" => {
            halves().map(|(command, until)| Action::Wait { command: command.into(), until: until.into() })
        }
        "id" => {
            let (id, command) = halves()?;
            match ids::is_id(id) {
                true => Ok(Action::Id { id: id.into(), command: command.into() }),
                false => Err(format!("`#id` needs an id of 40 hexadecimal digits, not `{id}`")),
            }
        }
        "interrupt" => {
            let (command, until) = halves()?;
            let until = Regex::new(until).map_err(|error| format!("`#interrupt`: {error}"))?;
            Ok(Action::Interrupt { command: command.into(), until })
        }
        "kill" => rest.parse().map(Action::Kill).map_err(|_| format!("`#kill` needs a port, not `{rest}`")),
        "limit" => {
            rest.parse().map(Action::Limit).map_err(|_| format!("`#limit` needs seconds, not `{rest}`"))
        }
        "mask" => Regex::new(rest).map(Action::Mask).map_err(|error| format!("`#mask`: {error}")),
        "file" => halves().map(|(name, content)| Action::File { name: name.into(), content: content.into() }),
        _ => Err(format!("there is no directive `#{name}` in sessions")),
    }
}

/// A ```` ```console ```` block: it looks like a session, but nobody runs it. For what a session cannot do, such
/// as a build with a learner's lab.
#[derive(Debug)]
pub struct Console(Opening);

impl Console {
    /// The opening line of a console block, if `line` is one.
    pub fn read(line: &str) -> Option<Console> {
        let content = line.trim_start_matches(' ');
        let marks: String = content.chars().take_while(|&c| c == '`').collect();
        let opening =
            Opening { name: String::new(), indentation: line.len() - content.len(), marks: marks.clone() };
        (marks.len() >= 3 && content[marks.len()..].trim() == "console").then_some(Console(opening))
    }

    /// True for the line that ends the block.
    pub fn closes(&self, line: &str) -> bool {
        self.0.closes(line)
    }

    /// The block as the reader sees it. A command may go on behind a `\\` at the end of its line.
    pub fn to_html(&self, body: &[(usize, &str)]) -> String {
        let mut goes_on = false;
        let line = |&(_, text): &(usize, &str)| {
            let begins = text.trim_start().strip_prefix("$ ");
            let html = match begins {
                Some(command) => format!("<span class=\"command\">{}</span>", escape(command)),
                None if goes_on => {
                    format!("<span class=\"command more\">{}</span>", escape(text.trim_start()))
                }
                None => escape(text.get(self.0.indentation..).unwrap_or_default()),
            };
            goes_on = (begins.is_some() || goes_on) && text.ends_with('\\');
            html
        };
        let indentation = " ".repeat(self.0.indentation);
        let lines: Vec<String> = body.iter().map(line).collect();
        format!("{indentation}<pre class=\"session\">{}</pre>", lines.join(&format!("\n{indentation}")))
    }
}

/// Every session block of a chapter.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut outer: Option<String> = None;
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((number, line)) = lines.next() {
        let content = line.trim_start_matches([' ', '>']);
        let marks: String = content.chars().take_while(|&c| c == '`').collect();
        match &outer {
            // A session inside a longer fence is an example of how to write one.
            Some(open) => {
                if marks.starts_with(open.as_str()) && content.trim() == marks {
                    outer = None;
                }
            }
            None => {
                if let Some(opening) = Opening::read(line) {
                    let body: Vec<_> = lines.by_ref().take_while(|(_, line)| !opening.closes(line)).collect();
                    // What does not parse is reported where the page is made.
                    blocks.extend(Block::parse(&opening, number, &body).ok());
                } else if marks.len() >= 3 && !content[marks.len()..].contains('`') {
                    outer = Some(marks);
                }
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAPTER: &str = "\
# A

````text
```session example
$ not run
```
````

```session one
#start ha-server --port 7000
$ ha-cli -p 7000 GET \"a<b\"
(nil)
#wait ha-cli -p 7000 ROLE ~ master
#mask lag=(\\d+)
# Replication
```
";

    #[test]
    fn directives_are_hidden_and_headings_of_info_are_not() {
        let blocks = blocks(CHAPTER);
        assert_eq!(blocks.len(), 1);
        assert_eq!((blocks[0].name.as_str(), blocks[0].line, blocks[0].steps.len()), ("one", 9, 4));
        assert_eq!(
            blocks[0].to_html(),
            "<pre class=\"session\"><span class=\"command\">ha-cli -p 7000 GET &quot;a&lt;b&quot;</span>\n(nil)\n# Replication</pre>"
        );
    }

    #[test]
    fn lines_with_a_prompt_are_typed_at_the_client_above() {
        let text = "```session s\n$ ha-cli\n127.0.0.1:7000[1](TX)> GET a\n\"1\"\n$ ha-cli PING\nPONG\n```\n";
        let block = &blocks(text)[0];
        assert!(matches!(&block.steps[0].action, Action::Shown { stays: true, .. }));
        let Action::Typed { command, expected, at, .. } = &block.steps[1].action else { panic!("typed") };
        assert_eq!(
            (command.as_str(), &expected[..], &at[..]),
            ("GET a", &["\"1\"".to_string()][..], &[4][..])
        );
        assert!(matches!(&block.steps[2].action, Action::Shown { stays: false, .. }));
        assert_eq!(
            block.to_html(),
            "<pre class=\"session\"><span class=\"command\">ha-cli</span>\n<span class=\"typed\"><span class=\"prompt\">\
             127.0.0.1:7000[1](TX)&gt; </span>GET a</span>\n&quot;1&quot;\n<span class=\"command\">ha-cli PING</span>\nPONG</pre>"
        );
    }

    #[test]
    fn a_console_block_looks_like_a_session() {
        let console = Console::read("```console").unwrap();
        let body = [(2, "$ cargo run \\"), (3, "    --bin a"), (4, "# heading"), (5, "$ b")];
        assert_eq!(
            console.to_html(&body),
            "<pre class=\"session\"><span class=\"command\">cargo run \\</span>\n<span class=\"command more\">--bin a</span>\n# heading\n<span class=\"command\">b</span></pre>"
        );
        assert!(Console::read("```consoles").is_none());
    }

    #[test]
    fn mistakes_have_lines() {
        let parse = |body: &str| {
            let opening = Opening::read("```session s").unwrap();
            let body: Vec<_> = body.lines().enumerate().map(|(index, line)| (index + 2, line)).collect();
            Block::parse(&opening, 1, &body).map(|_| ()).unwrap_err().0
        };
        assert_eq!(parse("out\n$ a"), 2);
        assert_eq!(parse("$ a\n#sleep 5"), 3);
        assert_eq!(parse("$ a\n#wait x"), 3);
        assert_eq!(parse("$ a\n#kill x"), 3);
        assert_eq!(parse("$ a\n#limit x"), 3);
        assert_eq!(parse("$ a\n#id x ~ y"), 3);
        assert_eq!(parse("$ a\n#interrupt y ~ ("), 3);
        assert_eq!(parse("127.0.0.1:7000> PING"), 2);
        assert_eq!(parse("$ a\noutput\n127.0.0.1:7000> PING"), 4);
        assert_eq!(parse("$ a\n#mask ("), 3);
        assert_eq!(parse("$ a\n#start"), 3);
        let opening = Opening::read("```session").unwrap();
        assert_eq!(Block::parse(&opening, 7, &[]).unwrap_err().0, 7);
    }
}
