//! The proxy with bytes in its hands: clients and servers are played by the test, time too.

use std::collections::{BTreeMap, VecDeque};

use bytes::BytesMut;
use core_types::{ArgsBuf, Millis, Rng};
use node::layers::wire::{CommandDecoder, Limits};
use proxy::config::Config;
use proxy::{Effect, LinkId, Proxy};

/// A proxy and what surrounds it.
struct Stage {
    proxy: Proxy,
    now: Millis,
    /// Links to servers, by port.
    links: BTreeMap<u16, LinkId>,
    closed: Vec<LinkId>,
    /// What was written to connections before they were closed.
    last_words: BTreeMap<LinkId, String>,
    log: Vec<String>,
    down: Vec<u16>,
}

impl Stage {
    fn new(settings: &str, servers: u16) -> Stage {
        let list: Vec<String> = (1..=servers).map(|port| format!("\"s:{port}:1\"")).collect();
        let text = format!("[p]\nlisten = \"l:1\"\n{settings}\nservers = [{}]\n", list.join(", "));
        let now = Millis(1000);
        let proxy = Proxy::new(&Config::parse(&text).unwrap(), now);
        let (links, closed, last_words, log, down) = Default::default();
        Stage { proxy, now, links, closed, last_words, log, down }
    }

    fn client(&mut self) -> LinkId {
        self.proxy.accept(self.now, 0)
    }

    fn say(&mut self, client: LinkId, text: &str) {
        self.proxy.receive(self.now, client, text.as_bytes());
        self.settle();
    }

    /// Carries out effects: connections are made at once, or refused where a server is down.
    fn settle(&mut self) {
        while let Some(effect) = self.proxy.poll_effect() {
            match effect {
                Effect::Connect { link, to } if self.down.contains(&to.port) => {
                    self.proxy.connect_failed(self.now, link, "Connection refused");
                    self.proxy.closed(self.now, link);
                }
                Effect::Connect { link, to } => {
                    self.links.insert(to.port, link);
                    self.proxy.connected(self.now, link);
                }
                Effect::Close { link } => {
                    self.closed.push(link);
                    let bytes = self.proxy.pending(link).to_vec();
                    self.last_words.insert(link, String::from_utf8(bytes).unwrap());
                    self.links.retain(|_, known| *known != link);
                    self.proxy.closed(self.now, link);
                }
                Effect::Log { text, .. } => self.log.push(text),
            }
        }
    }

    /// Takes all that is pending for a connection.
    fn take(&mut self, link: LinkId) -> String {
        let bytes = self.proxy.pending(link).to_vec();
        if !bytes.is_empty() {
            self.proxy.sent(self.now, link, bytes.len());
            self.settle();
        }
        let last_words = self.last_words.remove(&link).unwrap_or_default();
        String::from_utf8(bytes).unwrap() + &last_words
    }

    /// What a server has been sent and not been asked for before.
    fn asked(&mut self, port: u16) -> String {
        self.links.get(&port).copied().map(|link| self.take(link)).unwrap_or_default()
    }

    fn answer(&mut self, port: u16, reply: &str) {
        let link = self.links[&port];
        self.proxy.receive(self.now, link, reply.as_bytes());
        self.settle();
    }

    fn wait(&mut self, time: u64) {
        self.now += Millis(time);
        self.proxy.tick(self.now);
        self.settle();
    }

    /// A key that lives at this server now.
    fn key_at(&mut self, port: u16) -> String {
        let probe = self.client();
        for number in 0.. {
            let key = format!("key{number}");
            self.say(probe, &format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len()));
            let ports: Vec<u16> = self.links.keys().copied().collect();
            for other in ports {
                if !self.asked(other).is_empty() {
                    self.answer(other, "$-1\r\n");
                    if other == port {
                        self.proxy.closed(self.now, probe);
                        return key;
                    }
                }
            }
        }
        unreachable!()
    }
}

fn get(key: &str) -> String {
    format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len())
}

#[test]
fn replies_come_in_the_order_of_the_questions() {
    let mut stage = Stage::new("", 2);
    let (one, two) = (stage.key_at(1), stage.key_at(2));
    let client = stage.client();
    stage.say(client, &format!("{}{}PING\r\nGET {one}\r\n", get(&one), get(&two)));
    assert_eq!(
        stage.asked(1),
        format!("{}{}", get(&one), get(&one)),
        "an inline command goes on as an array"
    );
    assert_eq!(stage.asked(2), get(&two));
    stage.answer(2, "$1\r\nb\r\n");
    assert_eq!(stage.take(client), "");
    stage.answer(1, "$1\r\na\r\n$1");
    assert_eq!(stage.take(client), "$1\r\na\r\n$1\r\nb\r\n+PONG\r\n");
    stage.answer(1, "\r\nc\r\n");
    assert_eq!(stage.take(client), "$1\r\nc\r\n");
}

#[test]
fn a_command_for_several_servers_is_divided_and_put_together() {
    let mut stage = Stage::new("", 2);
    let (one, two) = (stage.key_at(1), stage.key_at(2));
    let client = stage.client();
    stage.say(client, &format!("MGET {two} {one} {two}\r\nDEL {one} {two}\r\nMSET {one} x {two} y\r\n"));
    let (size_one, size_two) = (one.len(), two.len());
    let first = stage.asked(1);
    assert!(first.starts_with(&format!("*2\r\n$4\r\nMGET\r\n${size_one}\r\n{one}\r\n")), "{first}");
    assert!(
        stage
            .asked(2)
            .starts_with(&format!("*3\r\n$4\r\nMGET\r\n${size_two}\r\n{two}\r\n${size_two}\r\n{two}\r\n"))
    );
    stage.answer(1, "*1\r\n$3\r\none\r\n:1\r\n+OK\r\n");
    assert_eq!(stage.take(client), "");
    stage.answer(2, "*2\r\n$3\r\ntwo\r\n$-1\r\n:0\r\n-OOM no room\r\n");
    assert_eq!(stage.take(client), "*3\r\n$3\r\ntwo\r\n$3\r\none\r\n$-1\r\n:1\r\n-OOM no room\r\n");
}

#[test]
fn what_needs_one_server_is_refused_and_the_connection_lives() {
    let mut stage = Stage::new("", 2);
    let client = stage.client();
    stage.say(client, "SUBSCRIBE x\r\nMULTI\r\nGET\r\nNOSUCH x\r\nSELECT 1\r\nPING\r\n");
    let replies = stage.take(client);
    let lines: Vec<&str> = replies.lines().collect();
    assert_eq!(lines.len(), 6, "{replies}");
    assert!(lines[..5].iter().all(|line| line.starts_with("-ERR")), "{replies}");
    assert_eq!(lines[5], "+PONG");
    stage.say(client, "*1\r\n$x\r\n");
    assert!(stage.take(client).starts_with("-ERR Protocol error"));
    assert_eq!(stage.closed, [client]);
}

#[test]
fn a_server_that_fails_answers_everybody_and_is_asked_again() {
    let mut stage = Stage::new("", 2);
    let (one, two) = (stage.key_at(1), stage.key_at(2));
    let client = stage.client();
    stage.say(client, &format!("{}{}MGET {one} {two}\r\n", get(&one), get(&two)));
    let link = stage.links[&1];
    stage.proxy.closed(stage.now, link);
    stage.links.remove(&1);
    stage.settle();
    stage.answer(2, "$1\r\nb\r\n*1\r\n$1\r\nb\r\n");
    let replies = stage.take(client);
    let failed = "-ERR the proxy's server s:1 failed: it closed the connection\r\n";
    assert_eq!(replies, format!("{failed}$1\r\nb\r\n{failed}"));
    assert!(stage.log[0].contains("2 answers are missing"), "{:?}", stage.log);
    // Without auto_eject_hosts the next command tries again.
    stage.down = vec![1];
    stage.say(client, &get(&one));
    assert_eq!(stage.take(client), "-ERR the proxy's server s:1 failed: Connection refused\r\n");
    stage.down.clear();
    stage.say(client, &get(&one));
    stage.answer(1, "$-1\r\n");
    assert_eq!(stage.take(client), "$-1\r\n");
}

#[test]
fn a_dead_server_is_ejected_and_comes_back() {
    let settings =
        "auto_eject_hosts = true\nserver_failure_limit = 2\nserver_retry_timeout = 5000\ntimeout = 400";
    let mut stage = Stage::new(settings, 2);
    let one = stage.key_at(1);
    let client = stage.client();
    stage.say(client, &get(&one));
    assert_eq!(stage.proxy.next_deadline(), Some(stage.now + Millis(400)));
    stage.wait(399);
    assert_eq!(stage.take(client), "");
    stage.wait(1);
    assert_eq!(stage.take(client), "-ERR the proxy's server s:1 failed: it did not answer in time\r\n");
    stage.down = vec![1];
    stage.say(client, &get(&one));
    assert!(stage.take(client).contains("Connection refused"));
    assert!(stage.log.last().unwrap().contains("is ejected for 5000 ms"), "{:?}", stage.log);
    // Its keys live at the other one for now.
    stage.say(client, &get(&one));
    assert_eq!(stage.asked(2), get(&one));
    stage.answer(2, "$-1\r\n");
    assert_eq!(stage.take(client), "$-1\r\n");
    stage.down.clear();
    stage.wait(5000);
    stage.say(client, &get(&one));
    assert_eq!(stage.asked(1), get(&one));
}

#[test]
fn without_any_server_the_pool_says_so() {
    let mut stage = Stage::new("auto_eject_hosts = true\nserver_failure_limit = 1", 1);
    let client = stage.client();
    stage.down = vec![1];
    stage.say(client, "GET a\r\nGET a\r\n");
    let replies = stage.take(client);
    stage.say(client, "GET a\r\nPING\r\n");
    assert!(replies.contains("Connection refused"), "{replies}");
    assert_eq!(stage.take(client), "-ERR no server of pool p is in service\r\n+PONG\r\n");
}

#[test]
fn a_server_that_talks_nonsense_is_dropped() {
    for nonsense in ["hello\r\n", "+OK\r\n+OK\r\n", "$-2\r\n"] {
        let mut stage = Stage::new("", 1);
        let client = stage.client();
        stage.say(client, "GET a\r\n");
        let link = stage.links[&1];
        stage.answer(1, nonsense);
        assert_eq!(stage.closed, [link], "{nonsense}");
        assert_eq!(stage.take(client).lines().count(), 1, "{nonsense}");
        stage.say(client, "GET a\r\n");
        stage.answer(1, ":1\r\n");
        assert_eq!(stage.take(client), ":1\r\n", "{nonsense}");
    }
}

#[test]
fn a_password_is_asked_for_and_given() {
    let mut stage = Stage::new("redis_auth = \"secret\"", 1);
    let client = stage.client();
    stage.say(client, "GET a\r\nAUTH wrong\r\nAUTH secret\r\nGET a\r\n");
    let replies = stage.take(client);
    assert!(replies.starts_with("-NOAUTH") && replies.contains("-WRONGPASS") && replies.ends_with("+OK\r\n"));
    assert_eq!(stage.asked(1), format!("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n{}", get("a")));
    stage.answer(1, "+OK\r\n$-1\r\n");
    assert_eq!(stage.take(client), "$-1\r\n");
}

#[test]
fn the_rate_limit_refuses_what_is_too_much() {
    let mut stage = Stage::new("rate_limit = 2", 1);
    let client = stage.client();
    stage.say(client, "PING\r\nPING\r\nPING\r\n");
    assert_eq!(stage.take(client), "+PONG\r\n+PONG\r\n-ERR the rate limit of pool p is reached\r\n");
    stage.wait(500);
    stage.say(client, "PING\r\nPING\r\n");
    assert_eq!(stage.take(client), "+PONG\r\n-ERR the rate limit of pool p is reached\r\n");
}

#[test]
fn who_does_not_read_is_not_served() {
    let mut stage = Stage::new("", 1);
    let client = stage.client();
    assert!(stage.proxy.accepts_input(client));
    stage.say(client, "GET a\r\n");
    let size = 2 << 20;
    stage.answer(1, &format!("${size}\r\n{}\r\n", "x".repeat(size)));
    assert!(!stage.proxy.accepts_input(client));
    assert_eq!(stage.proxy.poll_resumed(), None);
    stage.take(client);
    assert_eq!(stage.proxy.poll_resumed(), Some(client));
    // Likewise who asks a server that takes nothing.
    stage.say(client, &format!("SET a {}\r\n", "x".repeat(60_000)));
    for _ in 0..300 {
        stage.say(client, &format!("SET a {}\r\n", "x".repeat(60_000)));
    }
    assert!(!stage.proxy.accepts_input(client));
    let other = stage.client();
    assert!(!stage.proxy.accepts_input(other));
    stage.asked(1);
    assert!(stage.proxy.accepts_input(client) && stage.proxy.accepts_input(other));
}

/// Servers answer `ECHO`-like: what they were asked, so that every reply can be recognised.
#[test]
fn many_clients_and_servers_never_mix_up_their_replies() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let servers = 1 + rng.below(4) as u16;
        let mut stage = Stage::new("", servers);
        let mut clients: Vec<(LinkId, VecDeque<String>, Vec<u8>, String)> = (0..1 + rng.below(4))
            .map(|_| (stage.client(), VecDeque::new(), Vec::new(), String::new()))
            .collect();
        let mut backlog: BTreeMap<u16, (BytesMut, Vec<u8>)> = BTreeMap::new();
        for step in 0..400 {
            let quiet = step > 300;
            let index = rng.below(clients.len() as u64) as usize;
            let (client, expected, unsent, _) = &mut clients[index];
            if !quiet && rng.below(2) == 0 {
                let key = format!("k{}", rng.below(50));
                match rng.below(5) {
                    0 => {
                        let other = format!("k{}", rng.below(50));
                        unsent.extend(format!("MGET {key} {other}\r\n").bytes());
                        let (a, b) = (key.len(), other.len());
                        expected.push_back(format!("*2\r\n${a}\r\n{key}\r\n${b}\r\n{other}\r\n"));
                    }
                    1 => {
                        unsent.extend(b"PING\r\n");
                        expected.push_back("+PONG\r\n".to_owned());
                    }
                    _ => {
                        unsent.extend(get(&key).bytes());
                        expected.push_back(format!("${}\r\n{key}\r\n", key.len()));
                    }
                }
            }
            // Some of what a client wants to say arrives.
            let count = if quiet { unsent.len() } else { rng.below(unsent.len() as u64 + 1) as usize };
            let piece: Vec<u8> = unsent.drain(..count).collect();
            let client = *client;
            stage.proxy.receive(stage.now, client, &piece);
            stage.settle();
            // One server reads, and says some of what it owes.
            let port = 1 + rng.below(u64::from(servers)) as u16;
            let asked = stage.asked(port);
            let (input, owed) = backlog.entry(port).or_default();
            input.extend_from_slice(asked.as_bytes());
            serve(input, owed);
            let count = if quiet { owed.len() } else { rng.below(owed.len() as u64 + 1) as usize };
            let piece: Vec<u8> = owed.drain(..count).collect();
            if !piece.is_empty() {
                stage.answer(port, std::str::from_utf8(&piece).unwrap());
            }
            for (client, _, _, heard) in &mut clients {
                let said = stage.take(*client);
                heard.push_str(&said);
            }
        }
        for _ in 0..3 {
            for port in 1..=servers {
                let asked = stage.asked(port);
                let (input, owed) = backlog.entry(port).or_default();
                input.extend_from_slice(asked.as_bytes());
                serve(input, owed);
                let piece = std::mem::take(owed);
                if !piece.is_empty() {
                    stage.answer(port, std::str::from_utf8(&piece).unwrap());
                }
            }
        }
        for (client, expected, unsent, heard) in &mut clients {
            if !unsent.is_empty() {
                continue;
            }
            heard.push_str(&stage.take(*client));
            let expected: String = expected.iter().map(String::as_str).collect();
            assert_eq!(*heard, expected, "seed {seed}");
        }
    }
}

/// Answers all whole commands: `GET key` with the key, `MGET` with its keys.
fn serve(input: &mut BytesMut, owed: &mut Vec<u8>) {
    let mut decoder = CommandDecoder::new();
    while let Some(length) = decoder.decode(input, &Limits::DEFAULT).unwrap() {
        let words: ArgsBuf = decoder.args(input).to_buf();
        let words = words.as_args();
        if words.is(0, "MGET") {
            owed.extend(format!("*{}\r\n", words.len() - 1).bytes());
        }
        for key in words.from(1).iter() {
            owed.extend(format!("${}\r\n", key.len()).bytes());
            owed.extend(key);
            owed.extend(b"\r\n");
        }
        let _ = input.split_to(length);
    }
}
