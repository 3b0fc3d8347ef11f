//! The connections over which keys travel.

use bytes::BytesMut;
use core_types::{ArgsBuf, Endpoint, Frame, Millis, write_command};

use super::Request;
use crate::conn::{Conn, Kind};
use crate::layers::wire::FrameDecoder;
use crate::{ConnId, Effect, Node};

/// How long a connection is kept for the next time, and how many of them (`MIGRATE_SOCKET_CACHE_TTL` and
/// `MIGRATE_SOCKET_CACHE_ITEMS` in Redis's `cluster.c`).
const KEPT_FOR: Millis = Millis::from_secs(10);
const MOST_KEPT: usize = 64;

/// What a connection to another node has heard, and not yet understood.
#[derive(Default)]
pub(crate) struct Courier {
    to: Option<Endpoint>,
    decoder: FrameDecoder,
    buffer: BytesMut,
    /// The database that is selected at the other side, if we know.
    db: Option<i64>,
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// There is nobody of that name.
    Unknown,
    /// Nobody listens there, or the other side hung up.
    Closed,
    /// It said nothing for too long.
    Silent,
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "courier to {:?}", self.to)
    }
}

/// One `MIGRATE` on its way.
pub(crate) struct Journey {
    pub(super) client: ConnId,
    /// The database here.
    pub(super) db: usize,
    pub(super) keys: Vec<Box<[u8]>>,
    pub(super) copy: bool,
    /// This node was a replica, of its own will one that writes, when it began.
    pub(super) on_replica: bool,
    /// What the other side has taken.
    pub(super) arrived: Vec<Box<[u8]>>,
    /// What the client will be told.
    pub(super) failure: Option<String>,
    /// Without a sign of progress it ends here.
    pub(super) deadline: Millis,
    to: Endpoint,
    to_db: i64,
    timeout: Millis,
    auth: Option<ArgsBuf>,
    commands: Vec<ArgsBuf>,
    /// Answers before the first key's that are still to come.
    preludes: usize,
    /// `SELECT` is among them, as the last.
    selects: bool,
    /// How many keys have been answered.
    answered: usize,
    /// The connection had been used before: its end may be news of yesterday.
    second_hand: bool,
    connected: bool,
    /// Some of it has not been written yet.
    unsent: bool,
    heard: bool,
}

impl Journey {
    pub(super) fn new(client: ConnId, db: usize, request: Request, commands: Vec<ArgsBuf>) -> Journey {
        let auth = request.auth.map(|(user, password)| match user {
            Some(user) => ArgsBuf::from_parts([&b"AUTH"[..], &user, &password]),
            None => ArgsBuf::from_parts([&b"AUTH"[..], &password]),
        });
        Journey {
            client,
            db,
            keys: request.keys,
            copy: request.copy,
            on_replica: false,
            arrived: Vec::new(),
            failure: None,
            deadline: Millis::ZERO,
            to: request.to,
            to_db: request.db,
            timeout: request.timeout,
            auth,
            commands,
            preludes: 0,
            selects: false,
            answered: 0,
            second_hand: false,
            connected: false,
            unsent: true,
            heard: false,
        }
    }

    fn is_over(&self) -> bool {
        self.preludes == 0 && self.answered == self.commands.len()
    }

    /// Takes one answer of the other side. The first error is the one that counts.
    fn take(&mut self, frame: &Frame) -> bool {
        let error = match frame {
            Frame::Error(text) => Some(text.to_string()),
            _ => None,
        };
        let mut selected = true;
        if self.preludes > 0 {
            self.preludes -= 1;
            selected = !(error.is_some() && self.selects && self.preludes == 0);
        } else {
            if error.is_none() && self.failure.is_none() || error.is_none() && self.answered > 0 {
                self.arrived.extend(self.keys.get(self.answered).cloned());
            }
            self.answered += 1;
        }
        if let Some(text) = error {
            self.failure.get_or_insert_with(|| format!("ERR Target instance replied with error: {text}"));
        }
        selected
    }
}

impl Node {
    /// Sends a journey on its way: by a connection that is kept, or a new one.
    pub(super) fn give_to_courier(&mut self, mut journey: Journey, may_reuse: bool) {
        let kept = match may_reuse {
            true => self.migrations.idle.get_mut(&journey.to).and_then(Vec::pop),
            false => None,
        };
        journey.deadline = self.now + journey.timeout;
        journey.second_hand = kept.is_some();
        match kept {
            Some((id, _)) => {
                journey.connected = true;
                self.load_courier(id, &mut journey);
                self.migrations.journeys.insert(id, journey);
            }
            None => {
                let id = self.new_courier(journey.to.clone());
                self.migrations.journeys.insert(id, journey);
            }
        }
    }

    fn new_courier(&mut self, to: Endpoint) -> ConnId {
        let id = self.conns.open(to.to_string(), String::new(), self.now);
        if let Some(conn) = self.conns.get_mut(id) {
            conn.kind = Kind::Courier(Box::new(Courier { to: Some(to.clone()), ..Courier::default() }));
            conn.authenticated = true;
        }
        self.ask(Effect::Connect { conn: id, to });
        id
    }

    fn load_courier(&mut self, id: ConnId, journey: &mut Journey) {
        let Some(Kind::Courier(courier)) = self.conns.get(id).map(|conn| &conn.kind) else { return };
        let mut bytes = BytesMut::new();
        if let Some(auth) = &journey.auth {
            write_command(&mut bytes, auth.as_args().iter());
        }
        // Another user may have another database by default; it costs little to say it again.
        journey.selects = courier.db != Some(journey.to_db);
        if journey.selects {
            let select = ArgsBuf::from_parts(["SELECT".to_string(), journey.to_db.to_string()]);
            write_command(&mut bytes, select.as_args().iter());
        }
        journey.preludes = usize::from(journey.auth.is_some()) + usize::from(journey.selects);
        for command in &journey.commands {
            write_command(&mut bytes, command.as_args().iter());
        }
        self.send_raw(id, &bytes);
    }

    pub(crate) fn courier_connected(&mut self, id: ConnId) {
        let Some(mut journey) = self.migrations.journeys.remove(&id) else { return };
        journey.connected = true;
        journey.deadline = self.now + journey.timeout;
        self.load_courier(id, &mut journey);
        self.migrations.journeys.insert(id, journey);
    }

    /// Something moved: the other side is alive.
    fn courier_progress(&mut self, id: ConnId, now: Millis) {
        if let Some(journey) = self.migrations.journeys.get_mut(&id) {
            journey.deadline = now + journey.timeout;
        }
    }

    /// The driver has written something.
    pub(crate) fn courier_sent(&mut self, id: ConnId) {
        let now = self.now;
        let all = self.conns.get(id).is_some_and(|conn| conn.out.is_empty());
        self.courier_progress(id, now);
        if let Some(journey) = self.migrations.journeys.get_mut(&id) {
            journey.unsent = !all;
        }
    }

    /// Bytes from the other side.
    pub(crate) fn receive_for_courier(&mut self, mut conn: Box<Conn>, data: &[u8]) {
        let (id, now) = (conn.id, self.now);
        let mut frames = Vec::new();
        let mut broken = false;
        if let Kind::Courier(courier) = &mut conn.kind {
            courier.buffer.extend_from_slice(data);
            loop {
                match courier.decoder.decode(&mut courier.buffer) {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(_) => {
                        broken = true;
                        break;
                    }
                }
            }
        }
        self.courier_progress(id, now);
        let mut over = false;
        if let Some(journey) = self.migrations.journeys.get_mut(&id) {
            for frame in &frames {
                journey.heard = true;
                let had_selects = journey.selects && journey.preludes == 1;
                let selected = journey.take(frame);
                if let (true, Kind::Courier(courier)) = (had_selects, &mut conn.kind) {
                    courier.db = selected.then_some(journey.to_db);
                }
                over = journey.is_over();
                if over {
                    break;
                }
            }
        } else {
            // Nobody asked: it can only be a farewell.
            broken |= !frames.is_empty();
        }
        self.conns.put_back(conn);
        if over && let Some(journey) = self.migrations.journeys.remove(&id) {
            self.keep_courier(id, journey.to.clone());
            self.come_home(journey);
        }
        if broken {
            self.courier_failed(id, Ended::Closed);
            self.close(id);
        }
    }

    /// Its work is done: it waits for more, if there are not too many of them.
    fn keep_courier(&mut self, id: ConnId, to: Endpoint) {
        let now = self.now;
        if self.migrations.cached() >= MOST_KEPT {
            return self.close(id);
        }
        self.migrations.idle.entry(to).or_default().push((id, now));
    }

    /// The connection is gone, or was never there, or says nothing any more.
    pub(crate) fn courier_failed(&mut self, id: ConnId, ended: Ended) {
        for kept in self.migrations.idle.values_mut() {
            kept.retain(|(other, _)| *other != id);
        }
        self.migrations.idle.retain(|_, kept| !kept.is_empty());
        let Some(mut journey) = self.migrations.journeys.remove(&id) else { return };
        if ended == Ended::Closed && journey.second_hand && !journey.heard {
            // It had hung up on us some time ago. Once more, over a new one.
            return self.give_to_courier(journey, false);
        }
        // To Redis a connection stands until it writes: who refuses it is found out then.
        let text = match ended {
            Ended::Unknown | Ended::Silent if !journey.connected => {
                "IOERR error or timeout connecting to the client"
            }
            _ if journey.unsent => "IOERR error or timeout writing to target instance",
            _ => "IOERR error or timeout reading to target instance",
        };
        journey.failure.get_or_insert_with(|| text.to_string());
        self.come_home(journey);
    }

    /// Connections that were not needed for a while are closed.
    pub(crate) fn close_idle_couriers(&mut self) {
        let now = self.now;
        let old = |at: Millis| now.since(at) > KEPT_FOR;
        let due: Vec<ConnId> =
            self.migrations.idle.values().flatten().filter(|(_, at)| old(*at)).map(|(id, _)| *id).collect();
        for id in due {
            self.courier_failed(id, Ended::Closed);
            self.close(id);
        }
    }
}
