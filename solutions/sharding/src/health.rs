//! When a proxy gives a server up, and when it tries it again.

use core_types::Millis;

// ANCHOR: settings
/// What the operator chose, by the names of Twemproxy's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthSettings {
    /// `auto_eject_hosts`: whether a server that fails is taken out of the
    /// distribution at all.
    pub auto_eject: bool,
    /// `server_failure_limit`: how many failures in a row it takes.
    pub failure_limit: u32,
    /// `server_retry_timeout`: how long it stays out.
    pub retry_timeout: Millis,
}

/// What is known of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Health {
    /// Failures since it last answered, or since it came back.
    pub failures: u32,
    /// It is out of the distribution until then.
    pub out_until: Option<Millis>,
}
// ANCHOR_END: settings

impl Default for HealthSettings {
    /// Twemproxy's: nobody is ejected; if that is switched on, after two failures and for 30 seconds.
    fn default() -> HealthSettings {
        HealthSettings { auto_eject: false, failure_limit: 2, retry_timeout: Millis(30_000) }
    }
}

impl Health {
    /// Whether keys are distributed to it.
    pub fn is_in(&self) -> bool {
        self.out_until.is_none()
    }

    /// A connection to it could not be made, broke, or did not answer in time. `true` if that takes it out: the
    /// distribution must be made anew without it.
    ///
    /// Failures count only where servers are ejected at all, and only of a server that is in: what was still under way to one
    /// that is out fails as well, and says nothing new. The failure that reaches the limit takes it out, from now on and for
    /// the retry timeout. It comes back with a clean record.
    pub fn failed(&mut self, now: Millis, settings: &HealthSettings) -> bool {
        // <exercise 6.9 failed>
        if !settings.auto_eject || !self.is_in() {
            return false;
        }
        self.failures += 1;
        if self.failures < settings.failure_limit {
            return false;
        }
        self.failures = 0;
        self.out_until = Some(now + settings.retry_timeout);
        true
        // </exercise>
    }

    /// It has answered. Only failures in a row count, so those before are forgotten. One that is out stays out: its
    /// keys are elsewhere by now, and an answer from before does not bring them back.
    pub fn answered(&mut self) {
        // <exercise 6.9 answered>
        self.failures = 0;
        // </exercise>
    }

    /// Time has passed. `true` if the server is in again from now on: its time is over, as soon as `now` has
    /// reached it. Nobody has asked it whether it works; the next command will.
    pub fn readmit(&mut self, now: Millis) -> bool {
        // <exercise 6.9 readmit>
        let over = self.out_until.is_some_and(|until| now >= until);
        if over {
            self.out_until = None;
        }
        over
        // </exercise>
    }
}
