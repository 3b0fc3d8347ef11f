//! Tells the pages in the browser about a new build.
//!
//! Each page asks `/-live?VERSION` and gets its answer when there is a newer version. A page in the background
//! does not ask: browsers allow few connections to one host, and many tabs would use them up.

use std::sync::Mutex;

use tiny_http::{Request, Response};

/// Where pages ask.
pub(super) const PATH: &str = "/-live";

/// More than this many waiting pages are not plausible; the oldest is told to ask again.
const MOST_WAITING: usize = 64;

/// The state of the book, and the pages that wait for another.
#[derive(Default)]
pub(super) struct Live {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Counts the builds.
    version: u64,
    /// What is wrong with the last one.
    problems: Vec<String>,
    waiting: Vec<Request>,
}

impl State {
    fn json(&self) -> String {
        serde_json::json!({ "version": self.version, "problems": self.problems }).to_string()
    }

    fn tell(&self, request: Request) {
        // The page may be gone; then nobody needs to know.
        let _ = request.respond(Response::from_string(self.json()));
    }
}

impl Live {
    /// There is a new build, or one that failed.
    pub(super) fn show(&self, problems: Vec<String>) {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        state.version += 1;
        state.problems = problems;
        for request in std::mem::take(&mut state.waiting) {
            state.tell(request);
        }
    }

    /// Answers a page that knows `version`, now or later.
    pub(super) fn answer_when_newer(&self, version: u64, request: Request) {
        let mut state = self.state.lock().expect("nobody panics while holding it");
        if version != state.version {
            state.tell(request);
            return;
        }
        if state.waiting.len() >= MOST_WAITING {
            let oldest = state.waiting.remove(0);
            state.tell(oldest);
        }
        state.waiting.push(request);
    }

    /// The script that a page needs for this.
    pub(super) fn script(&self) -> String {
        let state = self.state.lock().expect("nobody panics while holding it").json();
        // Inside a script, `</` would end it.
        let state = state.replace('<', "\\u003c");
        format!("<script>(function (live, path) {{{SCRIPT}}})({state}, \"{PATH}\");</script>\n")
    }
}

const SCRIPT: &str = r#"
    function show(problems) {
        let box = document.getElementById("live-problems");
        if (!box) {
            box = document.createElement("pre");
            box.id = "live-problems";
            box.style.cssText = "position:fixed;inset:auto 0 0 0;margin:0;padding:1em;max-height:50vh;overflow:auto;"
                + "z-index:999;background:#7a1020;color:#fff;white-space:pre-wrap;font-size:1.3rem";
            document.body.appendChild(box);
        }
        box.textContent = problems.join("\n");
        box.hidden = problems.length === 0;
    }
    async function ask() {
        for (;;) {
            if (document.visibilityState === "hidden") {
                await new Promise(done => document.addEventListener("visibilitychange", done, { once: true }));
            }
            try {
                const now = await (await fetch(path + "?" + live.version)).json();
                if (now.version !== live.version && now.problems.length === 0) { location.reload(); return; }
                live = now;
                show(live.problems);
            } catch (gone) {
                await new Promise(done => setTimeout(done, 1000));
            }
        }
    }
    show(live.problems);
    // Not before the page is complete: the browser would say that it still loads.
    addEventListener("load", () => setTimeout(ask, 500));
"#;
