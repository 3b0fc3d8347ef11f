//! One machine on a stage: it is fed scripted inputs at virtual times, and everything it does goes into a trace.
//!
//! ```
//! # use core_types::{Broken, Machine, Millis};
//! # use sim::{Narrator, Shown, Stage, Trace};
//! # struct Echo(u32);
//! # impl Machine for Echo {
//! #     type Input = String; type Output = String;
//! #     fn step(&mut self, _: Millis, input: String, out: &mut Vec<String>) { self.0 += 1; out.push(input); }
//! #     fn next_deadline(&self) -> Option<Millis> { None }
//! #     fn check_invariants(&self) -> Result<(), Broken> { Ok(()) }
//! # }
//! let mut trace = Trace::new("an echo");
//! let narrator = Narrator {
//!     state: |echo: &Echo| format!("Echoed({})", echo.0),
//!     input: |text| Shown::From("client", text.clone()),
//!     output: |text| Shown::To("client", text.clone()),
//! };
//! let mut stage = Stage::new("echo", Echo(0), narrator, &mut trace);
//! stage.feed(Millis(5), "hello".into())?;
//! assert_eq!(trace.lines(), [
//!     "5ms  client → echo   hello",
//!     "5ms  echo   Echoed(0) ⇨ Echoed(1)",
//!     "5ms  echo → client   hello",
//! ]);
//! # Ok::<(), Broken>(())
//! ```

use core_types::{Broken, Machine, Millis};

use crate::Trace;

/// How an input or an output looks in the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A message that this machine sends to the named host.
    To(&'static str, String),
    /// A message that arrives from the named host.
    From(&'static str, String),
    /// A remark beside the machine: a log line, a connection that opens.
    Note(String),
    /// Not worth a line.
    Hidden,
}

/// Tells a machine's story: what its states, inputs and outputs are called.
pub struct Narrator<M: Machine> {
    /// The state in a few words. A step that changes this text is shown as `A ⇨ B`.
    pub state: fn(&M) -> String,
    /// An input.
    pub input: fn(&M::Input) -> Shown,
    /// An output.
    pub output: fn(&M::Output) -> Shown,
}

/// One machine, its clock, and the trace it plays into.
pub struct Stage<'t, M: Machine> {
    /// The machine, to look at between steps.
    pub machine: M,
    /// The trace, to add remarks to between steps.
    pub trace: &'t mut Trace,
    name: String,
    narrator: Narrator<M>,
    now: Millis,
}

/// A machine that asks for a tick and, ticked, asks for the same tick again would stop time.
const TICKS_AT_ONE_TIME: u32 = 100;

impl<'t, M: Machine> Stage<'t, M> {
    /// Puts `machine` on the stage under the name `host`. Time starts at the trace's last event.
    pub fn new(host: &str, machine: M, narrator: Narrator<M>, trace: &'t mut Trace) -> Stage<'t, M> {
        trace.host(host);
        let now = trace.now();
        Stage { machine, trace, name: host.into(), narrator, now }
    }

    /// The time of the last step.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// Feeds one input at time `at` and returns the outputs. In the trace: the input, the change of state, the outputs.
    ///
    /// # Errors
    /// If an invariant of the machine does not hold afterwards.
    pub fn feed(&mut self, at: Millis, input: M::Input) -> Result<Vec<M::Output>, Broken> {
        self.now = self.now.max(at);
        let before = (self.narrator.state)(&self.machine);
        self.show((self.narrator.input)(&input));
        let mut outputs = Vec::new();
        self.machine.step(self.now, input, &mut outputs);
        let after = (self.narrator.state)(&self.machine);
        if before != after {
            self.trace.state(self.now, &self.name, format!("{before} ⇨ {after}"));
        }
        for output in &outputs {
            self.show((self.narrator.output)(output));
        }
        self.machine.check_invariants()?;
        Ok(outputs)
    }

    /// Lets time pass until `until`: whenever the machine's deadline comes up, it is fed `tick()`.
    /// Returns all outputs in order.
    ///
    /// # Errors
    /// If an invariant does not hold after a tick, or if the machine asks for ticks without end.
    pub fn pass(
        &mut self,
        until: Millis,
        mut tick: impl FnMut() -> M::Input,
    ) -> Result<Vec<M::Output>, Broken> {
        let mut outputs = Vec::new();
        let mut at_this_time = 0;
        while let Some(deadline) = self.machine.next_deadline().filter(|&deadline| deadline <= until) {
            at_this_time = if deadline > self.now { 0 } else { at_this_time + 1 };
            if at_this_time > TICKS_AT_ONE_TIME {
                return Err(Broken::new(
                    "a tick moves the deadline on",
                    format!(
                        "{} ticks at {} and the next deadline is {deadline}",
                        TICKS_AT_ONE_TIME, self.now
                    ),
                ));
            }
            outputs.append(&mut self.feed(deadline, tick())?);
        }
        self.now = self.now.max(until);
        Ok(outputs)
    }

    fn show(&mut self, shown: Shown) {
        let at = self.now;
        match shown {
            Shown::To(peer, label) => self.trace.message(at, &self.name, peer, label),
            Shown::From(peer, label) => self.trace.message(at, peer, &self.name, label),
            Shown::Note(label) => self.trace.note(at, Some(&self.name), label),
            Shown::Hidden => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a tick every `period`, three times. With period 0 it never gets anywhere.
    struct Clock {
        next: Millis,
        period: u64,
        ticks: u32,
    }

    impl Machine for Clock {
        type Input = ();
        type Output = u32;

        fn step(&mut self, now: Millis, (): (), out: &mut Vec<u32>) {
            if now >= self.next && self.ticks < 3 {
                self.next = now + Millis(self.period);
                self.ticks += u32::from(self.period > 0);
                out.push(self.ticks);
            }
        }

        fn next_deadline(&self) -> Option<Millis> {
            (self.ticks < 3).then_some(self.next)
        }

        fn check_invariants(&self) -> Result<(), Broken> {
            Ok(())
        }
    }

    const NARRATOR: Narrator<Clock> = Narrator {
        state: |clock| format!("Ticked({})", clock.ticks),
        input: |()| Shown::Hidden,
        output: |ticks| Shown::Note(format!("tick {ticks}")),
    };

    #[test]
    fn time_passes_by_deadlines() {
        let mut trace = Trace::new("clock");
        let clock = Clock { next: Millis(10), period: 10, ticks: 0 };
        let mut stage = Stage::new("clock", clock, NARRATOR, &mut trace);
        assert_eq!(stage.pass(Millis(25), || ()), Ok(vec![1, 2]));
        assert_eq!(stage.now(), Millis(25));
        assert_eq!(stage.pass(Millis(100), || ()), Ok(vec![3]));
        assert_eq!(trace.lines()[5], "30ms  clock   # tick 3");
    }

    #[test]
    fn a_deadline_that_never_moves_is_reported() {
        let mut trace = Trace::new("stuck");
        let clock = Clock { next: Millis(10), period: 0, ticks: 0 };
        let mut stage = Stage::new("clock", clock, NARRATOR, &mut trace);
        let broken = stage.pass(Millis(25), || ()).expect_err("it must not spin for ever");
        assert_eq!(broken.rule, "a tick moves the deadline on");
    }
}
