//! A cable between a replica and its master that a test can cut and pinch.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Forwards every connection to its port to a server of this machine, in both directions.
///
/// A replica that is told to follow the cable's port follows the server behind it. It goes on until it is
/// dropped.
#[derive(Debug)]
pub struct Cable {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    condition: Condition,
    /// The two ends of each connection that is forwarded.
    ends: Vec<TcpStream>,
    /// How many connections came and found the server.
    forwarded: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition {
    Whole,
    /// Connections stay, and nothing comes through, not even that the other side has hung up.
    Pinched,
    /// Connections end, new ones are hung up on.
    Cut,
    /// The cable is gone.
    Removed,
}

impl Cable {
    /// A cable that ends at `port`.
    ///
    /// # Panics
    /// If this machine has no free port.
    pub fn to(port: u16) -> Cable {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let here = listener.local_addr().expect("it is bound").port();
        let state = State { condition: Condition::Whole, ends: Vec::new(), forwarded: 0 };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let worker = Arc::clone(&shared);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if worker.state().condition == Condition::Removed {
                    return;
                }
                worker.forward(near, port);
            }
        });
        Cable { port: here, shared }
    }

    /// Where it begins.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections it has carried.
    pub fn forwarded(&self) -> usize {
        self.shared.state().forwarded
    }

    /// Ends all connections and lets no new one through.
    pub fn cut(&self) {
        self.shared.become_(Condition::Cut);
    }

    /// Keeps the connections, and everything that is sent on them, to itself.
    pub fn pinch(&self) {
        self.shared.become_(Condition::Pinched);
    }

    /// Makes it whole again. What was held back by [`pinch`](Cable::pinch) comes through.
    pub fn mend(&self) {
        self.shared.become_(Condition::Whole);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.shared.become_(Condition::Removed);
        // Wakes the thread that accepts, so that it sees.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds this")
    }

    fn become_(&self, condition: Condition) {
        let mut state = self.state();
        state.condition = condition;
        if matches!(condition, Condition::Cut | Condition::Removed) {
            for end in state.ends.drain(..) {
                let _ = end.shutdown(Shutdown::Both);
            }
        }
        self.changed.notify_all();
    }

    /// Connects a new connection through, unless the cable is cut or nobody is there.
    fn forward(self: &Arc<Shared>, near: TcpStream, port: u16) -> Option<()> {
        let far = TcpStream::connect(("127.0.0.1", port)).ok()?;
        for stream in [&near, &far] {
            stream.set_nodelay(true).ok()?;
        }
        let mut state = self.state();
        if state.condition == Condition::Cut {
            return None;
        }
        state.forwarded += 1;
        state.ends.extend([near.try_clone().ok()?, far.try_clone().ok()?]);
        drop(state);
        let directions = [(near.try_clone().ok()?, far.try_clone().ok()?), (far, near)];
        for (from, to) in directions {
            let shared = Arc::clone(self);
            std::thread::spawn(move || {
                let _ = shared.pump(&from, &to);
                // One end hung up: so does the other.
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        Some(())
    }

    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream) -> std::io::Result<()> {
        let mut piece = [0; 16 * 1024];
        loop {
            let count = from.read(&mut piece)?;
            let mut state = self.state();
            while state.condition == Condition::Pinched {
                state = self.changed.wait(state).expect("no thread panics while it holds this");
            }
            drop(state);
            if count == 0 {
                return Ok(());
            }
            // After a cut both ends are shut down, and this fails.
            to.write_all(&piece[..count])?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Kind, Server};

    #[test]
    fn it_is_cut_pinched_and_mended() {
        let server = Server::start(Kind::Ours, &[]);
        let cable = Cable::to(server.port());
        let mut client = Client::connect(cable.port()).expect("it listens");
        let pong = core_types::Frame::Simple("PONG".into());
        assert_eq!(client.run("PING"), pong);
        cable.pinch();
        client.send(b"PING\r\n").expect("it is taken");
        assert!(client.is_silent());
        cable.mend();
        assert_eq!(client.next_reply().expect("the answer of before"), pong);
        cable.cut();
        assert!(client.try_call(&["PING"]).is_err(), "the connection has ended");
        let refused = Client::connect(cable.port()).and_then(|mut client| client.try_call(&["PING"]));
        assert!(refused.is_err(), "nothing comes through");
        cable.mend();
        let mut client = Client::connect(cable.port()).expect("it listens");
        assert_eq!(client.run("PING"), pong);
        assert_eq!(cable.forwarded(), 2);
    }
}
