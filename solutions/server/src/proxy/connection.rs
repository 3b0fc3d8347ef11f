//! One connection, of a client or to a server: a task that shovels bytes between its socket and the proxy.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use core_types::Endpoint;
use proxy::LinkId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use super::driver::{Driver, Line, prepare};
use crate::driver::resolve;
use crate::{clock, reason};

pub(super) struct Connection {
    driver: Rc<Driver>,
    socket: OwnedReadHalf,
    link: LinkId,
    line: Rc<Line>,
}

impl Connection {
    pub(super) fn new(driver: Rc<Driver>, stream: TcpStream, link: LinkId, line: Rc<Line>) -> Connection {
        let (socket, writer) = stream.into_split();
        line.socket.replace(Some(writer));
        Connection { driver, socket, link, line }
    }

    /// Reads and hands on until the socket has nothing more for us. `Ready` at the end of the connection.
    fn shovel(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.line.blocked.get() || self.line.closing.get() {
                // Pending: the socket takes no more right now. A peer that is leaving may still send.
                let written = self.write(cx);
                if self.line.closing.get() {
                    return written;
                }
                if let Poll::Ready(outcome) = written {
                    outcome?;
                    self.line.blocked.set(false);
                }
            }
            if !self.driver.proxy.borrow_mut().accepts_input(self.link) {
                return Poll::Pending;
            }
            let full = ready!(self.read(cx))?;
            if full {
                // There is probably more; others should have their turn.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// Reads once. True if the buffer was filled.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let driver = &self.driver;
        let mut scratch = driver.scratch.borrow_mut();
        let mut buffer = ReadBuf::new(&mut scratch);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer))?;
        let data = buffer.filled();
        if data.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        driver.proxy.borrow_mut().receive(clock::now(), self.link, data);
        let full = data.len() == scratch.len();
        driver.settle();
        Poll::Ready(Ok(full))
    }

    /// Writes until nothing is pending.
    fn write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let line = Rc::clone(&self.line);
        let mut socket = line.socket.borrow_mut();
        let Some(socket) = &mut *socket else { return Poll::Ready(Ok(())) };
        loop {
            let mut proxy = self.driver.proxy.borrow_mut();
            let pending = proxy.pending(self.link);
            if pending.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let written = ready!(Pin::new(&mut *socket).poll_write(cx, pending))?;
            proxy.sent(clock::now(), self.link, written);
            drop(proxy);
            self.driver.settle();
        }
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.line.bell.register(cx.waker());
        // An error and the peer's end are the same to us.
        let done = this.shovel(cx);
        done.map(|_| this.driver.forget(this.link))
    }
}

/// Carries out `Effect::Connect`, and then serves the connection.
pub(super) async fn open(driver: Rc<Driver>, link: LinkId, line: Rc<Line>, to: Endpoint) {
    let mut connecting = Box::pin(async { TcpStream::connect(resolve(&to).await?).await });
    // `None`: the proxy gave up waiting.
    let outcome = poll_fn(|cx| {
        line.bell.register(cx.waker());
        if line.closing.get() { Poll::Ready(None) } else { connecting.as_mut().poll(cx).map(Some) }
    });
    match outcome.await {
        None => driver.forget(link),
        Some(Err(error)) => {
            driver.event(|proxy, now| proxy.connect_failed(now, link, &reason(&error)));
            driver.forget(link);
        }
        Some(Ok(stream)) => {
            prepare(&stream);
            let connection = Connection::new(Rc::clone(&driver), stream, link, line);
            driver.event(|proxy, now| proxy.connected(now, link));
            connection.await;
        }
    }
}
