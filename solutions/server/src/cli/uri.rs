use std::fmt;
use std::str::FromStr;

/// `redis://[[user:]password@]host[:port][/db]`. What is missing in it is left to the other options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Uri {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) db: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UriError {
    Scheme,
    Tls,
    Port,
    Database,
    Escape,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UriError::Scheme => "a URI starts with redis://",
            UriError::Tls => "TLS is not supported",
            UriError::Port => "the port is no number up to 65535",
            UriError::Database => "the database is no number",
            UriError::Escape => "a % is followed by two hexadecimal digits, and the text is UTF-8",
        })
    }
}

impl std::error::Error for UriError {}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Uri, UriError> {
        if text.starts_with("rediss://") {
            return Err(UriError::Tls);
        }
        let rest = text.strip_prefix("redis://").ok_or(UriError::Scheme)?;
        let (rest, db) = match rest.split_once('/') {
            Some((rest, "")) => (rest, None),
            Some((rest, db)) => (rest, Some(db.parse().map_err(|_| UriError::Database)?)),
            None => (rest, None),
        };
        // A password may hold an @ of its own.
        let (login, address) = match rest.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, rest),
        };
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or(("", login))) {
            None => (None, None),
            Some(("", password)) => (None, Some(unescape(password)?)),
            Some((user, password)) => (Some(unescape(user)?), Some(unescape(password)?)),
        };
        let (host, port) = split_port(address)?;
        let host = if host.is_empty() { "127.0.0.1".to_owned() } else { unescape(host)? };
        Ok(Uri { host, port, user, password, db })
    }
}

/// An address of version 6 stands in brackets, since it is full of colons.
fn split_port(address: &str) -> Result<(&str, Option<u16>), UriError> {
    let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or(UriError::Port)?)),
        None => match address.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let port = port.map(|port| port.parse().map_err(|_| UriError::Port)).transpose()?;
    Ok((host, port))
}

fn unescape(text: &str) -> Result<String, UriError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(UriError::Escape) };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| UriError::Escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_may_be_missing() {
        let uri = |host: &str, port, user: &str, password: &str, db| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Ok(Uri { host: host.to_owned(), port, user: some(user), password: some(password), db })
        };
        assert_eq!("redis://h".parse(), uri("h", None, "", "", None));
        assert_eq!("redis://".parse(), uri("127.0.0.1", None, "", "", None));
        assert_eq!("redis://:p@h:1/".parse(), uri("h", Some(1), "", "p", None));
        assert_eq!("redis://p@h".parse(), uri("h", None, "", "p", None));
        assert_eq!("redis://u:p@q%40@[::1]:2/3".parse(), uri("::1", Some(2), "u", "p@q@", Some(3)));
    }

    #[test]
    fn nonsense_is_named() {
        let cases = [
            ("http://h", UriError::Scheme),
            ("rediss://h", UriError::Tls),
            ("redis://h:99999", UriError::Port),
            ("redis://[::1]x", UriError::Port),
            ("redis://h/x", UriError::Database),
            ("redis://%4@h", UriError::Escape),
            ("redis://%ff@h", UriError::Escape),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Uri>(), Err(error), "{text}");
        }
    }
}
