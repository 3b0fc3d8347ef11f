//! Just enough of a client to ask a node how it is.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_millis(500);

/// Sends one inline command and returns the reply's text: a bulk string's content, or any other reply's line.
pub(super) fn ask(port: u16, command: &str) -> Result<String, String> {
    read_text(&mut send(port, command)?)
}

/// Sends inline commands together and returns their replies' texts.
pub(super) fn ask_all<const N: usize>(port: u16, commands: [&str; N]) -> Result<[String; N], String> {
    let mut reader = send(port, &commands.join("\r\n"))?;
    let mut texts = [const { String::new() }; N];
    for text in &mut texts {
        *text = read_text(&mut reader)?;
    }
    Ok(texts)
}

/// Sends one inline command and returns its reply, a flat list.
pub(super) fn ask_list(port: u16, command: &str) -> Result<Vec<String>, String> {
    let mut reader = send(port, command)?;
    let head = read_text(&mut reader)?;
    let count = head.strip_prefix('*').and_then(|count| count.parse::<usize>().ok());
    let count = count.ok_or_else(|| format!("not a list: {head}"))?;
    (0..count).map(|_| read_text(&mut reader)).collect()
}

fn send(port: u16, command: &str) -> Result<BufReader<TcpStream>, String> {
    let say = |error: std::io::Error| error.to_string();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(say)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(say)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(say)?;
    stream.write_all(format!("{command}\r\n").as_bytes()).map_err(say)?;
    Ok(BufReader::new(stream))
}

fn read_text(reader: &mut BufReader<TcpStream>) -> Result<String, String> {
    let say = |error: std::io::Error| error.to_string();
    let mut line = String::new();
    reader.read_line(&mut line).map_err(say)?;
    let line = line.trim_end();
    if line.is_empty() {
        return Err("no reply".to_string());
    }
    if line.starts_with('-') {
        return Err(line.to_string());
    }
    let Some(length) = line.strip_prefix('$') else { return Ok(line.to_string()) };
    let length: u64 = length.parse().map_err(|_| format!("not a reply: {line}"))?;
    let mut bulk = String::new();
    reader.take(length.min(1 << 20)).read_to_string(&mut bulk).map_err(say)?;
    // The line's end behind it.
    reader.read_line(&mut String::new()).map_err(say)?;
    Ok(bulk)
}

/// A value of a flat list of names and values.
pub(super) fn value<'a>(list: &'a [String], name: &str) -> Option<&'a str> {
    list.chunks(2).find(|pair| pair[0] == name)?.get(1).map(String::as_str)
}

/// A field of INFO.
pub(super) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
}

/// Seconds since the replica on this port was heard of last, as its master's INFO counts them.
pub(super) fn lag(info: &str, replica: u16) -> Option<&str> {
    let port = format!(",port={replica},");
    let row = info.lines().find(|line| line.starts_with("slave") && line.contains(&port))?;
    row.trim_end().split(',').find_map(|pair| pair.strip_prefix("lag="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let info = "# Server\r\nprocess_id:17\r\nrole:master\r\n";
        assert_eq!(field(info, "process_id"), Some("17"));
        assert_eq!(field(info, "process"), None);
    }
}
