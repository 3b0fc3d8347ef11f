//! A pretend `ha-server` and `ha-cli` for the tests of the session runner: enough to be started, asked and
//! killed, and nothing of Redis. (An example, because cargo builds those for `cargo test`.)

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["server", "--port", port] => serve(port),
        ["server", file] => {
            let config = std::fs::read_to_string(file).expect("the file");
            serve(config.trim_start_matches("port ").trim());
        }
        ["server", rest @ ..] => {
            println!("*** FATAL CONFIG *** {rest:?}");
            std::process::exit(1);
        }
        ["cli", "hang"] => {
            println!("before");
            let _ = std::io::stdin().read(&mut [0]);
            loop {
                std::thread::park();
            }
        }
        ["cli", "-p", port, "beside"] => {
            println!("before");
            ask(port, &["SET", "beside", "runs"]);
            loop {
                std::thread::park();
            }
        }
        ["cli", "-p", port] => {
            for line in std::io::stdin().lines() {
                let line = line.expect("text");
                ask(port, &line.split_whitespace().collect::<Vec<_>>());
            }
        }
        ["cli", "-p", port, words @ ..] => ask(port, words),
        other => panic!("{other:?}"),
    }
}

fn serve(port: &str) {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("a free port");
    let pid = std::process::id();
    println!("{pid}:M 21 Nov 2026 10:00:00.{:03} * Server initialized", pid % 1000);
    println!("{pid}:M 21 Nov 2026 10:00:00.{:03} * Ready on {port}", pid % 1000);
    std::io::stdout().flush().expect("somebody reads it");
    let mut data = BTreeMap::new();
    let mut asked = 0;
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let mut line = String::new();
        let _ = BufReader::new(&stream).read_line(&mut line);
        let words: Vec<&str> = line.split_whitespace().collect();
        let reply = match words.as_slice() {
            ["SET", key, value] => {
                data.insert(key.to_string(), value.to_string());
                "OK".to_string()
            }
            ["GET", key] => data.get(*key).cloned().unwrap_or("(nil)".into()),
            ["INFO"] => format!("# Replication\r\nport:{port}\r\nid:{pid:040x}\r\nlag:{}\r\n", pid % 10),
            ["ID"] => format!("\"{pid:040x}\""),
            ["OWN", id] => if *id == format!("{pid:040x}") { "mine" } else { "not mine" }.to_string(),
            ["COUNT"] => {
                asked += 1;
                format!("(integer) {asked}")
            }
            // For a test that wants to know on which port it really runs.
            ["TELL", path] => {
                std::fs::write(path, port).expect("a file");
                "OK".to_string()
            }
            _ => continue,
        };
        let _ = write!(stream, "{reply}");
    }
}

fn ask(port: &str, words: &[&str]) {
    let Ok(mut stream) = TcpStream::connect(format!("127.0.0.1:{port}")) else {
        println!("Could not connect to Redis at 127.0.0.1:{port}: Connection refused");
        std::process::exit(1);
    };
    writeln!(stream, "{}", words.join(" ")).expect("it listens");
    stream.shutdown(Shutdown::Write).expect("it is open");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    println!("{reply}");
}
