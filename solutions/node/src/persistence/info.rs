//! `INFO persistence`.

use super::job::Purpose;
use crate::Node;

impl Node {
    pub(crate) fn info_persistence(&self) -> Vec<(String, String)> {
        let state = &self.persistence;
        let aof = &state.aof;
        let mut list = Vec::new();
        let mut add = |name: &str, value: String| list.push((name.to_string(), value));
        let flag = |value: bool| u8::from(value).to_string();
        let status = |failed: bool| if failed { "err" } else { "ok" }.to_string();
        let seconds =
            |span: Option<core_types::Millis>| span.map_or("-1".into(), |span| span.as_secs().to_string());
        let job = state.job.as_deref();
        let saving = job.is_some_and(|job| job.purpose() != Some(Purpose::Base));
        let rewriting = job.is_some() && !saving;
        let (written, keys) = job.map_or((0, 0), |job| job.progress());
        let since = job.map(|job| self.now.since(job.started));
        add("loading", flag(state.is_loading()));
        add("async_loading", "0".into());
        add("current_save_keys_processed", written.to_string());
        add("current_save_keys_total", keys.to_string());
        add("rdb_changes_since_last_save", self.unsaved_changes().to_string());
        add("rdb_bgsave_in_progress", flag(saving));
        add("rdb_last_save_time", state.last_save.as_secs().to_string());
        add("rdb_last_bgsave_status", status(state.last_failed));
        add("rdb_last_bgsave_time_sec", seconds(state.last_duration));
        add("rdb_current_bgsave_time_sec", seconds(since.filter(|_| saving)));
        add("rdb_saves", state.saves.to_string());
        add("aof_enabled", flag(aof.is_on()));
        add("aof_rewrite_in_progress", flag(rewriting));
        add("aof_rewrite_scheduled", flag(aof.rewrite_scheduled));
        add("aof_current_rewrite_time_sec", seconds(since.filter(|_| rewriting)));
        add("aof_last_bgrewrite_status", status(aof.last_rewrite_failed));
        add("aof_last_write_status", status(aof.error.is_some()));
        if aof.is_on() {
            add("aof_current_size", aof.size().to_string());
            add("aof_base_size", aof.size_at_rewrite.to_string());
            add("aof_pending_rewrite", flag(aof.rewrite_scheduled));
            add("aof_buffer_length", aof.buffer.len().to_string());
        }
        if let Some(loading) = &state.loading {
            add("loading_start_time", loading.begun().as_secs().to_string());
            add("loading_loaded_bytes", loading.bytes.to_string());
        }
        list
    }
}
