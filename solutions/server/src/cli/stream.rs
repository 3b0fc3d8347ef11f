use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The two kinds of socket that a server listens on.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Stream {
    /// Connects by name or address. With a patience, each address of a name gets that long.
    pub(super) fn tcp(host: &str, port: u16, patience: Option<Duration>) -> io::Result<Stream> {
        let stream = match patience {
            None => TcpStream::connect((host, port))?,
            Some(patience) => {
                let mut last = None;
                let found = (host, port).to_socket_addrs()?.find_map(|address| {
                    TcpStream::connect_timeout(&address, patience).map_err(|error| last = Some(error)).ok()
                });
                let nothing = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                found.ok_or_else(|| last.unwrap_or_else(nothing))?
            }
        };
        stream.set_nodelay(true)?;
        Ok(Stream::Tcp(stream))
    }

    #[cfg(unix)]
    pub(super) fn unix(path: &str) -> io::Result<Stream> {
        Ok(Stream::Unix(UnixStream::connect(path)?))
    }

    #[cfg(not(unix))]
    pub(super) fn unix(_: &str) -> io::Result<Stream> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets"))
    }

    /// The same socket once more, for another thread.
    pub(super) fn try_clone(&self) -> io::Result<Stream> {
        Ok(match self {
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone()?),
            #[cfg(unix)]
            Stream::Unix(stream) => Stream::Unix(stream.try_clone()?),
        })
    }

    /// Ends the connection for everybody who holds the socket; who waits in a read, wakes.
    pub(super) fn shut_down(&self, how: Shutdown) {
        // It may be closed already: then there is nothing left to do.
        let _ = match self {
            Stream::Tcp(stream) => stream.shutdown(how),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.shutdown(how),
        };
    }

    /// How long a read may take; `None` for ever.
    pub(super) fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_read_timeout(patience),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.set_read_timeout(patience),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.flush(),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.flush(),
        }
    }
}
