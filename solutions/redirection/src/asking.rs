//! What a connection has said about how its commands are to be routed.

/// Two flags of a client's connection. A new connection has neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Says {
    /// `ASKING`: the next command may touch a slot that is just arriving here.
    pub asking: bool,
    /// `READONLY`, until `READWRITE`: reads at a replica, possibly behind its master, are welcome.
    pub read_only: bool,
}

/// A command that has been dealt with: carried out, queued by `MULTI`, or answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dealt {
    /// `ASKING`
    Asking,
    /// `READONLY`
    ReadOnly,
    /// `READWRITE`
    ReadWrite,
    /// `RESET`
    Reset,
    /// Any other.
    Other,
}

impl Says {
    /// Takes in that a command has been dealt with; `in_transaction` says whether the connection now is between `MULTI` and
    /// the end of the transaction. Commands that were only queued did not run: they are [`Dealt::Other`].
    ///
    /// `ASKING` holds for one command, whatever comes of it. A transaction counts as one.
    pub fn after(&mut self, command: Dealt, in_transaction: bool) {
        // <exercise 8.4>
        match command {
            Dealt::Asking => self.asking = true,
            Dealt::ReadOnly => self.read_only = true,
            Dealt::ReadWrite => self.read_only = false,
            Dealt::Reset => *self = Says::default(),
            Dealt::Other => {}
        }
        if command != Dealt::Asking && !in_transaction {
            self.asking = false;
        }
        // </exercise>
    }
}
