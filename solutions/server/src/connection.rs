//! One connection: a task that shovels bytes between its socket and the node.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use core_types::{Endpoint, Millis};
use node::ConnId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::Sleep;

use crate::driver::{Driver, Line, resolve};
use crate::{clock, reason};

/// How long the peer of a connection that we close may take to read the rest of what we said.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How many writes in a row a connection may do before others have their turn.
const WRITES_IN_A_ROW: usize = 16;

pub(crate) struct Connection {
    driver: Rc<Driver>,
    socket: OwnedReadHalf,
    id: ConnId,
    line: Rc<Line>,
    /// The time of the event that is being handled: the clock is read once for a read and the writes
    /// that answer it.
    now: Option<Millis>,
    /// The node was told of the end already; the socket is only held, for a peer that is cut off.
    is_held: bool,
    /// Runs once we are closing and the peer does not read.
    patience: Option<Pin<Box<Sleep>>>,
}

/// What a task found out about its socket.
enum Output {
    /// Nothing is left to write.
    Empty,
    /// The socket takes no more right now; it wakes us when it does.
    Blocked,
    /// It takes more, but others should have their turn.
    More,
}

impl Connection {
    pub(crate) fn new(driver: Rc<Driver>, stream: TcpStream, id: ConnId, line: Rc<Line>) -> Connection {
        let (socket, writer) = stream.into_split();
        line.socket.replace(Some(writer));
        Connection { driver, socket, id, line, now: None, is_held: false, patience: None }
    }

    /// Reads and hands on until the socket has nothing more for us. Writing is the driver's, but for what
    /// the socket did not take at once. `Ready` at the end of the connection; an error and the peer's end
    /// are the same to us.
    fn shovel(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.line.cut.get() {
                if self.line.closing.get() && !self.is_held {
                    self.is_held = true;
                    self.driver.hold(&self.line);
                    self.driver.forget(self.id);
                }
                // Healing wakes us.
                return Poll::Pending;
            }
            if self.is_held {
                return Poll::Ready(Ok(()));
            }
            if self.line.closing.get() {
                if self.driver.node.borrow().holds_back(self.id) {
                    // It waits for the disk; then we are woken.
                    return Poll::Pending;
                }
                return self.finish(cx);
            }
            if self.line.blocked.get() {
                match self.write(cx)? {
                    Output::Empty => self.line.blocked.set(false),
                    Output::Blocked => {}
                    Output::More => return give_way(cx),
                }
            }
            if !self.driver.node.borrow().accepts_input(self.id) {
                self.line.paused.set(true);
                return Poll::Pending;
            }
            if ready!(self.read(cx))? {
                return give_way(cx);
            }
        }
    }

    /// Reads once. True if the buffer was filled, so that there is probably more.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let driver = &self.driver;
        let mut scratch = driver.scratch.borrow_mut();
        let mut buffer = ReadBuf::new(&mut scratch);
        // Unlike `try_read`, this knows that a buffer that was not filled means an empty socket, and
        // saves the system call that would only say so.
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer))?;
        let data = buffer.filled();
        if data.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let now = *self.now.insert(clock::now());
        driver.node.borrow_mut().receive(now, self.id, data);
        let full = data.len() == scratch.len();
        driver.look_for_cut(self.id, &self.line);
        driver.settle();
        Poll::Ready(Ok(full))
    }

    /// Writes what is pending, as far as the socket takes it.
    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<Output> {
        let line = Rc::clone(&self.line);
        let mut socket = line.socket.borrow_mut();
        let Some(socket) = &mut *socket else { return Ok(Output::Empty) };
        for _ in 0..WRITES_IN_A_ROW {
            let mut node = self.driver.node.borrow_mut();
            let pending = node.pending(self.id);
            if pending.is_empty() {
                return Ok(Output::Empty);
            }
            match Pin::new(&mut *socket).poll_write(cx, pending) {
                Poll::Ready(written) => {
                    let now = *self.now.get_or_insert_with(clock::now);
                    node.sent(now, self.id, written?);
                }
                Poll::Pending => return Ok(Output::Blocked),
            }
            drop(node);
            self.driver.settle();
        }
        Ok(Output::More)
    }

    /// The node wants the connection closed: the rest of the output goes first, within reason.
    fn finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.write(cx)? {
            // Dropping the socket closes it.
            Output::Empty => Poll::Ready(Ok(())),
            Output::More => give_way(cx),
            Output::Blocked => {
                let patience = self.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep(LAST_WORDS)));
                patience.as_mut().poll(cx).map(Ok)
            }
        }
    }
}

/// Puts the task at the end of the queue.
fn give_way<T>(cx: &mut Context<'_>) -> Poll<T> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

impl Future for Connection {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.line.bell.register(cx.waker());
        this.now = None;
        let done = this.shovel(cx);
        // However it ended, the node hears of it once.
        done.map(|_| {
            if !this.is_held {
                this.driver.forget(this.id);
            }
        })
    }
}

/// Carries out `Effect::Connect`, and then serves the connection.
pub(crate) async fn open(driver: Rc<Driver>, id: ConnId, line: Rc<Line>, to: Endpoint) {
    let mut connecting = Box::pin(async { TcpStream::connect(resolve(&to).await?).await });
    // `None`: the node gave up waiting.
    let outcome = poll_fn(|cx| {
        line.bell.register(cx.waker());
        match (line.closing.get(), line.cut.get()) {
            (true, _) => Poll::Ready(None),
            // To a peer that is cut off nothing is opened; healing wakes us.
            (false, true) => Poll::Pending,
            (false, false) => connecting.as_mut().poll(cx).map(Some),
        }
    });
    match outcome.await {
        None => driver.forget(id),
        Some(Err(error)) => {
            driver.event(|node, now| node.connect_failed(now, id, &reason(&error)));
            driver.forget(id);
        }
        Some(Ok(stream)) => {
            driver.prepare(&stream);
            let local = stream.local_addr().map(|addr| addr.to_string()).unwrap_or_default();
            let reached = stream.peer_addr().map(|addr| addr.to_string());
            driver.event(|node, now| {
                if let Ok(addr) = &reached {
                    node.reached(id, addr);
                }
                node.connected(now, id, &local);
            });
            Connection::new(driver, stream, id, line).await;
        }
    }
}
