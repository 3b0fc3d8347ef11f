use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::client::Client;
use super::stream::Stream;

/// Ctrl-C at the prompt's command: it ends the command, not the program.
///
/// A command may block for ever (`BLPOP`, `SUBSCRIBE`, `MONITOR`). A connection on which one waits cannot be
/// used for anything else, so Ctrl-C ends the connection: that wakes who reads from it.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt {
    waits_on: Arc<Mutex<Option<Stream>>>,
    pressed: Arc<AtomicBool>,
}

impl Interrupt {
    /// From now on Ctrl-C ends what [`guard`](Interrupt::guard) guards, and the program if that is nothing.
    pub(super) fn listen(&self) {
        let me = self.clone();
        // Without a handler Ctrl-C ends the program, which is no harm.
        let _ = ctrlc::set_handler(move || {
            let stream = me.waits_on.lock().unwrap_or_else(PoisonError::into_inner).take();
            match stream {
                Some(stream) => {
                    me.pressed.store(true, Ordering::SeqCst);
                    stream.shut_down(Shutdown::Both);
                }
                None => std::process::exit(130),
            }
        });
    }

    /// Until the guard is dropped, Ctrl-C ends this connection.
    pub(super) fn guard(&self, client: &Client) -> Guard {
        self.pressed.store(false, Ordering::SeqCst);
        self.set(client.stream().try_clone().ok());
        Guard(self.clone())
    }

    /// True once after Ctrl-C.
    pub(super) fn take(&self) -> bool {
        self.pressed.swap(false, Ordering::SeqCst)
    }

    fn set(&self, stream: Option<Stream>) {
        *self.waits_on.lock().unwrap_or_else(PoisonError::into_inner) = stream;
    }
}

pub(super) struct Guard(Interrupt);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
