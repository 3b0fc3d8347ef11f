//! A Chromium without a window, spoken to in its own protocol over a pair of pipes: no port, no further crate.
//!
//! `--remote-debugging-pipe` lets it read commands at descriptor 3 and write answers to descriptor 4, each a JSON
//! object that ends with a zero byte. A shell lays our ordinary pipes there.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::text;

/// Names under which it is installed.
const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/// When it has not answered for so long it never will. Far more than a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// After so long without a word about a page that is being opened, it is looked at.
const QUIET: Duration = Duration::from_secs(5);

/// How often a page is asked for.
const ATTEMPTS: usize = 4;

/// The browser, with one page. Dropping it ends it.
pub struct Chromium {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: String,
    last_id: u64,
    /// What happened while an answer was awaited.
    events: Vec<Value>,
    /// Its profile, which goes with it.
    _profile: TempDir,
}

/// The program, if one is installed.
pub fn find() -> Option<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        return Some(chosen.into());
    }
    let folders = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let candidates = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|path| path.is_file())
}

impl Chromium {
    /// Starts it, with an empty page.
    ///
    /// # Errors
    /// If there is none, or it does not start.
    pub fn start() -> Result<Chromium> {
        let program = find().context("no Chromium found: install `chromium`, or name one in $CHROMIUM")?;
        let profile = tempfile::Builder::new().prefix("book-look-").tempdir()?;
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$@\" 3<&0 4>&1 >/dev/null 2>&1 </dev/null", "sh"]).arg(program);
        command.args([
            "--headless",
            "--remote-debugging-pipe",
            "--disable-gpu",
            "--no-first-run",
            "--mute-audio",
        ]);
        // Nobody else's pages are opened here; in containers its sandbox cannot be set up.
        command.args(["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]);
        command.args(["--disable-extensions", "--disable-sync", "--font-render-hinting=none"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start sh")?;
        let input = child.stdin.take().expect("it is piped");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (told, messages) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            // Ends when the browser does, or when nobody listens any more.
            while output.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { return };
                if told.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let (session, events) = (String::new(), Vec::new());
        let mut browser = Chromium { child, input, messages, session, last_id: 0, events, _profile: profile };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))?;
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = text(&browser.call("Target.attachToTarget", &target)?, "/sessionId").to_string();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}))?;
        }
        // Before the first page is opened: what is enabled while a page loads can miss its last event.
        browser.call("Page.setLifecycleEventsEnabled", &json!({ "enabled": true }))?;
        Ok(browser)
    }

    /// Carries out one command of the protocol.
    ///
    /// # Errors
    /// If it fails, or is not answered.
    pub fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).context("the browser has gone")?;
        loop {
            let message = self.next().with_context(|| format!("no answer to {method}"))?;
            if message["id"] != json!(self.last_id) {
                self.events.push(message);
            } else if let Some(error) = message.get("error") {
                bail!("{method}: {}", text(error, "/message"));
            } else {
                return Ok(message["result"].clone());
            }
        }
    }

    fn next(&self) -> Result<Value> {
        match self.messages.recv_timeout(PATIENCE) {
            Ok(message) => Ok(message),
            Err(RecvTimeoutError::Timeout) => bail!("the browser has been silent for {PATIENCE:?}"),
            Err(RecvTimeoutError::Disconnected) => bail!("the browser has ended"),
        }
    }

    /// Opens a page and waits until it has loaded. What happened before is forgotten.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(&mut self, url: &str) -> Result<()> {
        // Nothing of the page before may still be under way, and complain later.
        self.call("Page.navigate", &json!({ "url": "about:blank" }))?;
        // A busy browser sometimes drops a navigation that follows another one at once, and says nothing.
        for _ in 0..ATTEMPTS {
            self.events.clear();
            let opened = self.call("Page.navigate", &json!({ "url": url }))?;
            if let Some(error) = opened.get("errorText") {
                bail!("{}", error.as_str().unwrap_or("it cannot be opened"));
            }
            if self.has_loaded(&opened["loaderId"])? {
                return Ok(());
            }
        }
        bail!("the page never finishes loading")
    }

    /// Waits for a navigation to end. False if nothing was heard of it for a while and the page says that it is not
    /// there.
    fn has_loaded(&mut self, loader: &Value) -> Result<bool> {
        let is_loaded = |event: &Value| {
            event["method"] == "Page.lifecycleEvent"
                && event["params"]["name"] == "load"
                && event["params"]["loaderId"] == *loader
        };
        while !self.events.iter().any(is_loaded) {
            match self.messages.recv_timeout(QUIET) {
                Ok(event) => self.events.push(event),
                Err(RecvTimeoutError::Timeout) => {
                    let there = "document.readyState === 'complete' && location.href !== 'about:blank'";
                    return Ok(self.value(there)? == json!(true));
                }
                Err(RecvTimeoutError::Disconnected) => bail!("the browser has ended"),
            }
        }
        Ok(true)
    }

    /// The value of a script, which may be a promise.
    ///
    /// # Errors
    /// If it throws.
    pub fn value(&mut self, script: &str) -> Result<Value> {
        let params = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", &params)?;
        match answer.get("exceptionDetails") {
            None => Ok(answer["result"]["value"].clone()),
            Some(thrown) => bail!("{}{}", text(thrown, "/text"), text(thrown, "/exception/description")),
        }
    }

    /// What the page's scripts and its loading complained about since it was opened.
    pub fn complaints(&mut self) -> Vec<String> {
        let mut complaints = Vec::new();
        for event in std::mem::take(&mut self.events) {
            let params = &event["params"];
            match text(&event, "/method") {
                "Runtime.exceptionThrown" => {
                    let details = &params["exceptionDetails"];
                    let what = text(details, "/exception/description");
                    complaints.push(format!("a script fails: {} {what}", text(details, "/text")));
                }
                "Runtime.consoleAPICalled"
                    if ["error", "warning", "assert"].contains(&text(params, "/type")) =>
                {
                    let words = params["args"].as_array().into_iter().flatten();
                    let words: Vec<String> = words
                        .map(|word| match &word["value"] {
                            Value::Null => text(word, "/description").to_string(),
                            Value::String(words) => words.clone(),
                            other => other.to_string(),
                        })
                        .collect();
                    complaints.push(format!("console {}: {}", text(params, "/type"), words.join(" ")));
                }
                "Log.entryAdded" if ["error", "warning"].contains(&text(params, "/entry/level")) => {
                    let (what, url) = (text(params, "/entry/text"), text(params, "/entry/url"));
                    // The port is another one each time.
                    let path = url.splitn(4, '/').nth(3).unwrap_or(url);
                    complaints.push(format!("the browser says: {what} /{path}"));
                }
                _ => {}
            }
        }
        complaints
    }

    /// A picture of the whole page, as PNG.
    ///
    /// # Errors
    /// If there is none.
    pub fn picture(&mut self) -> Result<Vec<u8>> {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.call("Page.captureScreenshot", &params)?;
        decoded(text(&picture, "/data")).context("not a picture")
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Asked to, it also ends its helpers and leaves the profile alone; then we can remove that.
        self.session.clear();
        let asked = self.call("Browser.close", &json!({}));
        if asked.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Base64, as the protocol sends pictures.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn base64() {
        assert_eq!(decoded("TWFu").unwrap(), b"Man");
        assert_eq!(decoded("TWE=").unwrap(), b"Ma");
        assert_eq!(decoded("/+8A").unwrap(), [255, 239, 0]);
        assert_eq!(decoded("T?"), None);
    }
}
