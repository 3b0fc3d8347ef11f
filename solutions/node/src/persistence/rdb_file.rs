//! `dump.rdb`: when it is saved, and what depends on that.

use core_types::Millis;

use super::Exit;
use super::job::{Job, Purpose};
use crate::{ConnId, Effect, Node};

/// After a failure a save point waits so long (`CONFIG_BGSAVE_RETRY_DELAY`).
const RETRY: Millis = Millis(5000);

impl Node {
    /// Begins to save the data set to its file.
    pub(super) fn begin_save(&mut self) {
        let pid = self.process_id;
        self.persistence.last_try = self.now;
        self.notice(format!("Background saving started by pid {pid}"));
        self.begin_file_job(format!("temp-{pid}.rdb"), Purpose::Save);
    }

    /// The file is safe, or will not be.
    pub(super) fn save_ended(&mut self, job: Option<&Job>, outcome: Result<(), ()>) {
        self.persistence.last_failed = outcome.is_err();
        if let (Some(job), Ok(())) = (job, outcome) {
            self.persistence.dirty_at_save = job.dirty;
            self.persistence.last_save = self.now;
            self.persistence.last_duration = Some(self.now.since(job.started));
            self.persistence.saves += 1;
            self.notice("DB saved on disk");
            self.notice("Background saving terminated with success");
        } else {
            self.warn("Background saving error");
        }
        for client in std::mem::take(&mut self.persistence.savers) {
            self.answer_waiting(client, |reply| match outcome {
                Ok(()) => reply.simple("OK"),
                Err(()) => reply.error("ERR"),
            });
        }
        if self.persistence.exiting.is_some() {
            self.exit_after(outcome);
        }
    }

    /// Changes since the file was last saved.
    pub(super) fn unsaved_changes(&self) -> u64 {
        self.replication.dirty.saturating_sub(self.persistence.dirty_at_save)
    }

    pub(super) fn check_save_points(&mut self) {
        let changes = self.unsaved_changes();
        let age = self.now.since(self.persistence.last_save).as_secs();
        let rested = !self.persistence.last_failed || self.now.since(self.persistence.last_try) > RETRY;
        let due = self.config.save.iter().find(|(seconds, least)| changes >= *least && age > *seconds);
        if let (Some(&(seconds, least)), true) = (due, rested && changes > 0) {
            self.notice(format!("{least} changes in {seconds} seconds. Saving..."));
            self.begin_save();
        }
    }

    /// Why clients may not write, if a broken disk forbids it.
    pub(crate) fn disk_refusal(&self) -> Option<String> {
        if self.replication.is_replica() {
            return None;
        }
        if self.config.stop_writes_on_bgsave_error
            && self.persistence.last_failed
            && !self.config.save.is_empty()
        {
            return Some(MISCONF.into());
        }
        let why = self.persistence.aof.error.as_ref()?;
        Some(format!("MISCONF Errors writing to the AOF file: {why}"))
    }

    /// Ends the process: after a last save, if `save` says so or, by default, if there are save points.
    pub(crate) fn shut_down_with(&mut self, save: Option<bool>, force: bool, clients: Vec<ConnId>) {
        self.persistence.exiting = Some(Exit { clients, force });
        self.persistence.loading = None;
        if self.persistence.job.is_some() {
            self.warn("There is a child saving an .rdb. Killing it!");
            // Its end is no failure of the last save.
            let exiting = self.persistence.exiting.take();
            self.cancel_job();
            self.persistence.exiting = exiting;
        }
        if self.persistence.aof.is_on() {
            self.notice("Calling fsync() on the AOF file.");
            self.close_aof();
        }
        if save.unwrap_or(!self.config.save.is_empty()) {
            self.notice("Saving the final RDB snapshot before exiting.");
            self.begin_file_job(format!("temp-{}.rdb", self.process_id), Purpose::Save);
            self.finish_job_now();
        } else {
            self.exit_after(Ok(()));
        }
    }

    /// The last file is safe, or will not be.
    fn exit_after(&mut self, saved: Result<(), ()>) {
        let Some(exit) = self.persistence.exiting.take() else { return };
        if saved.is_err() && !exit.force {
            self.warn("Error trying to save the DB, can't exit.");
            if self.config.appendonly {
                self.reopen_aof();
            }
            for client in exit.clients {
                let text = "ERR Errors trying to SHUTDOWN. Check logs.";
                self.answer_waiting(client, |reply| reply.error(text));
            }
            return;
        }
        self.persistence.exiting = Some(exit);
        let who = if self.sentinel.is_some() { "Sentinel" } else { "Redis" };
        self.warn(format!("{who} is now ready to exit, bye bye..."));
        self.ask(Effect::Exit { code: 0 });
    }
}

const MISCONF: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to \
disk. Commands that may modify the data set are disabled, because this instance is configured to report errors \
during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for \
details about the RDB error.";
