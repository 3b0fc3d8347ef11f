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
    let mut hello = Hello::default();
    if let Some(version) = args.get(1) {
        hello.protocol = match parse_integer(version) {
            None => return Err(HelloError::NotANumber),
            Some(2) => Some(Protocol::Resp2),
            Some(3) => Some(Protocol::Resp3),
            Some(_) => return Err(HelloError::UnsupportedVersion),
        };
    }
    let mut at = 2;
    while let Some(option) = args.get(at) {
        let values = (args.get(at + 1), args.get(at + 2));
        match values {
            (Some(user), Some(password)) if args.is(at, "AUTH") => {
                hello.auth = Some((user, password));
                at += 3;
            }
            (Some(name), _) if args.is(at, "SETNAME") => {
                if !name.iter().all(u8::is_ascii_graphic) {
                    return Err(HelloError::BadName);
                }
                hello.name = Some(name);
                at += 2;
            }
            _ => return Err(HelloError::Syntax(String::from_utf8_lossy(option).into_owned())),
        }
    }
    Ok(hello)
    // </exercise>
}
