//! `HELLO`: a client says which protocol it speaks, who it is, and what it is called.

use core_types::{Args, Protocol};

use crate::{HelloError, parse_integer};

// ANCHOR: hello
/// What a client asked for with `HELLO`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The protocol to speak from the reply on; `None` leaves it as it is.
    pub protocol: Option<Protocol>,
    /// User and password.
    pub auth: Option<(&'a [u8], &'a [u8])>,
    /// A name for `CLIENT LIST`; an empty one takes the name away.
    pub name: Option<&'a [u8]>,
}
// ANCHOR_END: hello

/// Reads the arguments of `HELLO`, its name included. Nothing is done yet: a mistake at the end must leave
/// the connection as it was.
pub fn parse_hello<'a>(args: Args<'a>) -> Result<Hello<'a>, HelloError> {
    // <exercise 0.9 parse_hello>
    todo!("lab 0.9: HELLO")
    // </exercise>
}
