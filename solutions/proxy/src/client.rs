//! A client's connection: what it asked, and the answers in the order of its questions.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use core_types::Frame;
use node::layers::sharding::{Join, Part, join};
use node::layers::wire::CommandDecoder;

use crate::frames::{read, write};

/// A client that has so many commands under way is not read until some are answered.
const UNDER_WAY: usize = 4096;

/// A client that has so many bytes to read is not served until it has read some.
const UNREAD: usize = 1024 * 1024;

pub(crate) struct Client {
    pub(crate) pool: usize,
    pub(crate) decoder: CommandDecoder,
    /// What has been received and is no whole command yet.
    pub(crate) input: BytesMut,
    pub(crate) out: BytesMut,
    /// It stands in the list of those with something to write.
    pub(crate) queued: bool,
    /// It has given the pool's password, or none is needed.
    pub(crate) authenticated: bool,
    /// No more commands are taken: it ends when everything is answered.
    pub(crate) leaving: bool,
    /// It was told to wait with its commands.
    pub(crate) paused: bool,
    /// The commands that have no complete answer yet, oldest first, and the number of the first.
    waiting: VecDeque<Answer>,
    first: u64,
}

/// What is known of an answer.
enum Answer {
    /// Nothing: one server will send it.
    Expected,
    /// All of it, but an earlier one is missing.
    Here(Bytes),
    /// Some of its parts.
    Parts(Box<Divided>),
}

/// A command that several servers answer.
struct Divided {
    join: Join,
    parts: Vec<Part>,
    replies: Vec<Option<Frame>>,
}

impl Client {
    pub(crate) fn new(pool: usize, authenticated: bool) -> Client {
        Client {
            pool,
            decoder: CommandDecoder::new(),
            input: BytesMut::new(),
            out: BytesMut::new(),
            queued: false,
            authenticated,
            leaving: false,
            paused: false,
            waiting: VecDeque::new(),
            first: 0,
        }
    }

    /// May more of what it sends be read?
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < UNDER_WAY && self.out.len() < UNREAD
    }

    /// Every command has its answer.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// A command that one server answers; the number by which its answer will be given.
    pub(crate) fn expect(&mut self) -> u64 {
        self.push(Answer::Expected)
    }

    /// A command that several servers answer, each a part.
    pub(crate) fn expect_parts(&mut self, join: Join, parts: Vec<Part>) -> u64 {
        let replies = vec![None; parts.len()];
        self.push(Answer::Parts(Box::new(Divided { join, parts, replies })))
    }

    /// A command that is answered on the spot.
    pub(crate) fn answer(&mut self, reply: &[u8]) {
        if self.waiting.is_empty() {
            self.first += 1;
            self.out.extend_from_slice(reply);
        } else {
            self.push(Answer::Here(Bytes::copy_from_slice(reply)));
        }
    }

    fn push(&mut self, answer: Answer) -> u64 {
        self.waiting.push_back(answer);
        self.first + (self.waiting.len() - 1) as u64
    }

    /// A server's answer to command `number`, or to part `part` of it. What is complete, and has no gap before
    /// it, goes out.
    pub(crate) fn answered(&mut self, number: u64, part: usize, reply: &[u8]) {
        let Some(index) = number.checked_sub(self.first) else { return };
        let Some(answer) = self.waiting.get_mut(index as usize) else { return };
        match answer {
            Answer::Expected if index == 0 => {
                // By far the most common case: no copy but the one into the output.
                self.out.extend_from_slice(reply);
                self.waiting.pop_front();
                self.first += 1;
            }
            Answer::Expected => *answer = Answer::Here(Bytes::copy_from_slice(reply)),
            Answer::Here(_) => return,
            Answer::Parts(divided) => {
                divided.replies[part] = Some(read(reply));
                if divided.replies.iter().any(Option::is_none) {
                    return;
                }
                let replies = divided.replies.iter_mut().filter_map(Option::take).collect();
                let joined = join(divided.join, &divided.parts, replies);
                *answer = Answer::Here(write(&joined));
            }
        }
        while let Some(Answer::Here(reply)) = self.waiting.front() {
            self.out.extend_from_slice(reply);
            self.waiting.pop_front();
            self.first += 1;
        }
    }
}
