use std::io::{self, Read, Write};
use std::net::TcpStream;

use bytes::BytesMut;
use core_types::{Frame, Protocol, write_command};
use solution_0::FrameDecoder;

/// A blocking connection to a server.
pub(super) struct Client {
    stream: TcpStream,
    decoder: FrameDecoder,
    received: BytesMut,
}

impl Client {
    pub(super) fn connect(host: &str, port: u16) -> io::Result<Client> {
        let stream = TcpStream::connect((host, port))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, decoder: FrameDecoder::new(), received: BytesMut::new() })
    }

    pub(super) fn send<A: AsRef<[u8]>>(&mut self, command: &[A]) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        write_command(&mut bytes, command.iter().map(AsRef::as_ref));
        self.stream.write_all(&bytes)
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
            match self.stream.read(&mut piece)? {
                0 => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "Server closed the connection"));
                }
                count => self.received.extend_from_slice(&piece[..count]),
            }
        }
    }

    /// Sends a command of our own, such as `AUTH`, and waits for its reply.
    pub(super) fn call<A: AsRef<[u8]>>(&mut self, command: &[A]) -> io::Result<Frame> {
        self.send(command)?;
        loop {
            match self.next_frame()? {
                Frame::Push(_) => {}
                reply => return Ok(reply),
            }
        }
    }
}

/// What `HELLO` takes for a protocol's number.
pub(super) fn hello(protocol: Protocol) -> [&'static str; 2] {
    match protocol {
        Protocol::Resp2 => ["HELLO", "2"],
        Protocol::Resp3 => ["HELLO", "3"],
    }
}
