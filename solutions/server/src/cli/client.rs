use std::io::{self, Read, Write};

use bytes::BytesMut;
use core_types::{Frame, Protocol, write_command};
use solution_0::FrameDecoder;

use super::stream::Stream;

/// A blocking connection to a server.
#[derive(Debug)]
pub(super) struct Client {
    stream: Stream,
    decoder: FrameDecoder,
    received: BytesMut,
    unsent: BytesMut,
}

impl Client {
    pub(super) fn new(stream: Stream) -> Client {
        Client { stream, decoder: FrameDecoder::new(), received: BytesMut::new(), unsent: BytesMut::new() }
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Puts a command at the end of those that go out next.
    pub(super) fn queue<A: AsRef<[u8]>>(&mut self, command: &[A]) {
        write_command(&mut self.unsent, command.iter().map(AsRef::as_ref));
    }

    /// Sends what is queued.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let result = self.stream.write_all(&self.unsent);
        self.unsent.clear();
        result
    }

    pub(super) fn send<A: AsRef<[u8]>>(&mut self, command: &[A]) -> io::Result<()> {
        self.queue(command);
        self.flush()
    }

    /// Waits for the next thing the server says, a push included.
    pub(super) fn next_frame(&mut self) -> io::Result<Frame> {
        loop {
            let frame = self.decoder.decode(&mut self.received);
            let frame = frame.map_err(|error| {
                io::Error::new(io::ErrorKind::InvalidData, format!("Protocol error, {error}"))
            })?;
            if let Some(frame) = frame {
                return Ok(frame);
            }
            let mut piece = [0; 16 * 1024];
            match self.stream.read(&mut piece) {
                Ok(0) => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "Server closed the connection"));
                }
                Ok(count) => self.received.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for the next reply; pushes are dropped.
    pub(super) fn next_reply(&mut self) -> io::Result<Frame> {
        loop {
            match self.next_frame()? {
                Frame::Push(_) => {}
                reply => return Ok(reply),
            }
        }
    }

    /// Sends a command of our own, such as `AUTH`, and waits for its reply.
    pub(super) fn call<A: AsRef<[u8]>>(&mut self, command: &[A]) -> io::Result<Frame> {
        self.send(command)?;
        self.next_reply()
    }

    /// Proves who we are, if there is a password.
    pub(super) fn log_in(&mut self, user: Option<&str>, password: Option<&str>) -> io::Result<Frame> {
        let Some(password) = password else { return Ok(Frame::Simple("OK".into())) };
        let mut auth = vec!["AUTH"];
        auth.extend(user);
        auth.push(password);
        self.call(&auth)
    }
}

/// What `HELLO` takes for a protocol's number.
pub(super) fn hello(protocol: Protocol) -> [&'static str; 2] {
    match protocol {
        Protocol::Resp2 => ["HELLO", "2"],
        Protocol::Resp3 => ["HELLO", "3"],
    }
}
