//! The commands that the proxy answers itself.

use core_types::Args;

use crate::client::Client;
use crate::config::Pool;

/// What a client may say before it has given the password.
pub(crate) fn before_auth(name: &[u8]) -> bool {
    ["AUTH", "QUIT"].iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// The reply to a command for which no server is asked.
pub(crate) fn answer(args: Args<'_>, client: &mut Client, pool: &Pool) -> Vec<u8> {
    let wrong_arity = || {
        let name = String::from_utf8_lossy(args.name()).to_ascii_lowercase();
        format!("-ERR wrong number of arguments for '{name}' command\r\n").into_bytes()
    };
    let is = |name: &str| args.is(0, name);
    if is("PING") {
        match args.get(1) {
            None => b"+PONG\r\n".to_vec(),
            Some(text) if args.len() == 2 => bulk(text),
            Some(_) => wrong_arity(),
        }
    } else if is("ECHO") {
        match args.get(1) {
            Some(text) if args.len() == 2 => bulk(text),
            _ => wrong_arity(),
        }
    } else if is("QUIT") {
        client.leaving = true;
        b"+OK\r\n".to_vec()
    } else if is("AUTH") {
        auth(args, client, pool).unwrap_or_else(wrong_arity)
    } else if is("SELECT") {
        match args.get(1) {
            Some(b"0") if args.len() == 2 => b"+OK\r\n".to_vec(),
            Some(_) if args.len() == 2 => b"-ERR the proxy has one database, number 0\r\n".to_vec(),
            _ => wrong_arity(),
        }
    } else if is("COMMAND") {
        // Asked by clients that want to complete names; they live well without.
        b"*0\r\n".to_vec()
    } else {
        let name = String::from_utf8_lossy(args.name());
        format!("-ERR the proxy does not know the command '{}'\r\n", name.escape_debug()).into_bytes()
    }
}

fn auth(args: Args<'_>, client: &mut Client, pool: &Pool) -> Option<Vec<u8>> {
    let (user, password) = match args.len() {
        2 => (&b"default"[..], args.get(1)?),
        3 => (args.get(1)?, args.get(2)?),
        _ => return None,
    };
    Some(match &pool.redis_auth {
        None => b"-ERR AUTH <password> called without any password configured for the pool\r\n".to_vec(),
        Some(right) if user == b"default" && right.as_bytes() == password => {
            client.authenticated = true;
            b"+OK\r\n".to_vec()
        }
        Some(_) => b"-WRONGPASS invalid username-password pair or user is disabled.\r\n".to_vec(),
    })
}

fn bulk(text: &[u8]) -> Vec<u8> {
    let mut reply = format!("${}\r\n", text.len()).into_bytes();
    reply.extend_from_slice(text);
    reply.extend_from_slice(b"\r\n");
    reply
}
