use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::BytesMut;
use core_types::{Frame, write_command};
use solution_0::FrameDecoder;

use crate::wait::Deadline;

/// A client that can also send nonsense, and show the very bytes of an answer.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    decoder: FrameDecoder,
    received: BytesMut,
}

impl Client {
    /// How long to wait for bytes before the test counts as stuck.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// How long bytes may come without an end to them.
    const END: Duration = Duration::from_secs(300);

    /// Connects to a server of this machine.
    pub fn connect(port: u16) -> io::Result<Client> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Client::PATIENCE))?;
        stream.set_write_timeout(Some(Client::PATIENCE))?;
        Ok(Client { stream, decoder: FrameDecoder::new(), received: BytesMut::new() })
    }

    /// The port at this end of the connection.
    pub fn local_port(&self) -> u16 {
        self.stream.local_addr().expect("it is connected").port()
    }

    /// Sends a command and waits for its reply.
    ///
    /// # Panics
    /// If the connection breaks.
    pub fn call<A: AsRef<[u8]>>(&mut self, command: &[A]) -> Frame {
        self.try_call(command).expect("the server answers")
    }

    /// The same with words split at blanks.
    pub fn run(&mut self, command: &str) -> Frame {
        self.call(&command.split(' ').collect::<Vec<_>>())
    }

    /// Sends a command and waits for its reply, or for the connection's end.
    pub fn try_call<A: AsRef<[u8]>>(&mut self, command: &[A]) -> io::Result<Frame> {
        self.send(&encode(command))?;
        self.next_reply()
    }

    /// Sends many commands at once, then reads all their replies.
    pub fn pipeline(&mut self, commands: &[Vec<Vec<u8>>]) -> Vec<Frame> {
        let mut replies = Vec::with_capacity(commands.len());
        // In parts, so that neither side's buffers fill up while nobody reads.
        for part in commands.chunks(500) {
            let bytes: Vec<u8> = part.iter().flat_map(|command| encode(command)).collect();
            self.send(&bytes).expect("the server reads");
            replies.extend(part.iter().map(|_| self.next_reply().expect("the server answers")));
        }
        replies
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Waits for the next reply.
    pub fn next_reply(&mut self) -> io::Result<Frame> {
        let deadline = Deadline::after(Client::END);
        loop {
            deadline.check("a reply");
            let frame = self.decoder.decode(&mut self.received);
            if let Some(frame) = frame.map_err(|error| io::Error::other(error.to_string()))? {
                return Ok(frame);
            }
            if self.read_more()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// All bytes up to and including `end`, or up to the connection's end.
    pub fn read_until(&mut self, end: &[u8]) -> Vec<u8> {
        let deadline = Deadline::after(Client::END);
        loop {
            deadline.check("bytes before those that are waited for");
            let found = self.received.windows(end.len()).position(|window| window == end);
            if let Some(at) = found {
                return self.received.split_to(at + end.len()).to_vec();
            }
            match self.read_more() {
                Ok(0) => return self.received.split().to_vec(),
                Ok(_) => {}
                Err(error) if is_reset(&error) => return self.received.split().to_vec(),
                Err(error) => panic!("neither {:?} nor the end came: {error}", String::from_utf8_lossy(end)),
            }
        }
    }

    /// The next line with its end, as a replica reads it: a master that has to wait, or to prepare a snapshot, sends bare
    /// newlines as signs of life, and how many of them come first is a matter of time.
    pub fn read_line(&mut self) -> Vec<u8> {
        let line = self.read_until(b"\r\n");
        let begin = line.iter().position(|byte| *byte != b'\n').unwrap_or(line.len());
        line[begin..].to_vec()
    }

    /// The next `count` bytes, or fewer if the connection ends before.
    pub fn read_exactly(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count && self.read_more().expect("bytes, or the end") > 0 {}
        self.received.split_to(count.min(self.received.len())).to_vec()
    }

    /// All bytes up to the connection's end.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let deadline = Deadline::after(Client::END);
        loop {
            deadline.check("bytes before the connection's end");
            match self.read_more() {
                Ok(0) => return self.received.split().to_vec(),
                Ok(_) => {}
                Err(error) if is_reset(&error) => return self.received.split().to_vec(),
                Err(error) => panic!("the connection stays open: {error}"),
            }
        }
    }

    /// True if nothing arrives for a moment. It can be wrong in one direction only: a late answer looks
    /// like none.
    pub fn is_silent(&mut self) -> bool {
        self.stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout can be set");
        let read = self.read_more();
        self.stream.set_read_timeout(Some(Client::PATIENCE)).expect("a timeout can be set");
        read.is_err_and(|error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
    }

    /// One field of `INFO`, all sections; empty if there is none.
    pub fn info(&mut self, field: &str) -> String {
        let reply = self.call(&["INFO"]);
        let text = String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()).into_owned();
        let found = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        found.unwrap_or_default().to_owned()
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let mut piece = [0; 64 * 1024];
        let count = self.stream.read(&mut piece)?;
        self.received.extend_from_slice(&piece[..count]);
        Ok(count)
    }
}

/// A server that closes with unread bytes in its buffer resets the connection: an end like any other.
fn is_reset(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// A command as bytes.
fn encode<A: AsRef<[u8]>>(command: &[A]) -> BytesMut {
    let mut bytes = BytesMut::new();
    write_command(&mut bytes, command.iter().map(AsRef::as_ref));
    bytes
}
