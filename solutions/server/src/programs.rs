//! Programs of the operator's that a sentinel runs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::Stdio;
use std::rc::Rc;

use tokio::process::Command;
use tokio::sync::oneshot;

use crate::driver::Driver;

/// The programs that run, by the node's names for them.
#[derive(Default)]
pub(crate) struct Programs {
    running: RefCell<BTreeMap<u64, oneshot::Sender<()>>>,
}

impl Programs {
    /// Ends a program by force.
    pub(crate) fn end(&self, id: u64) {
        if let Some(end) = self.running.borrow_mut().remove(&id) {
            let _ = end.send(());
        }
    }
}

/// Runs a program to its end, and tells the node how it ended.
pub(crate) async fn run(driver: Rc<Driver>, id: u64, path: String, args: Vec<String>) {
    let (end, ended) = oneshot::channel();
    driver.programs.running.borrow_mut().insert(id, end);
    let started = Command::new(path).args(args).stdin(Stdio::null()).kill_on_drop(true).spawn();
    let code = match started {
        Err(_) => None,
        Ok(mut child) => tokio::select! {
            status = child.wait() => status.ok().and_then(|status| status.code()),
            _ = ended => {
                let _ = child.kill().await;
                None
            }
        },
    };
    driver.programs.running.borrow_mut().remove(&id);
    driver.event(|node, now| node.run_ended(now, id, code));
}
