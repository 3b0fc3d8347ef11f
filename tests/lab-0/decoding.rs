// 0.8: replies out of a growing buffer.

/// A client's end of one connection.
struct Client<'a> {
    trace: &'a mut Trace,
    now: Millis,
    decoder: lab::FrameDecoder,
    buffer: bytes::BytesMut,
    closed: bool,
}

impl<'a> Client<'a> {
    fn new(trace: &'a mut Trace) -> Client<'a> {
        let now = trace.now();
        Client {
            trace,
            now,
            decoder: lab::FrameDecoder::new(),
            buffer: bytes::BytesMut::new(),
            closed: false,
        }
    }

    /// One piece arrives, shown as `shown`; the client takes every reply that it completes.
    fn receive_as(&mut self, shown: String, piece: &[u8]) -> Result<(), Broken> {
        self.now += Millis(1);
        self.trace.message(self.now, "server", "client", shown);
        self.buffer.extend_from_slice(piece);
        // Every reply takes at least three bytes, except one that swallowed nothing.
        for _ in 0..=self.buffer.len() {
            if self.closed {
                return Ok(());
            }
            match self.decoder.decode(&mut self.buffer) {
                Ok(None) => return Ok(()),
                Ok(Some(reply)) => self.trace.note(self.now, Some("client"), show_frame(&reply)),
                Err(error) => {
                    self.trace.note(self.now, Some("client"), error.to_string());
                    self.closed = true;
                }
            }
        }
        broken("A reply is taken from the buffer.", "decode returns replies without taking any bytes")
    }

    fn receive(&mut self, piece: &[u8]) -> Result<(), Broken> {
        self.receive_as(quoted(piece), piece)
    }
}

/// A reply on one line, its types told apart by their marks.
fn show_frame(frame: &Frame) -> String {
    let list = |frames: &[Frame]| frames.iter().map(show_frame).collect::<Vec<_>>().join(", ");
    match frame {
        Frame::Simple(text) => format!("+{text}"),
        Frame::Error(text) => format!("-{text}"),
        Frame::Integer(value) => value.to_string(),
        Frame::Bulk(bytes) => quoted(bytes),
        Frame::Null => "null".into(),
        Frame::Array(values) => format!("[{}]", list(values)),
        Frame::Set(values) => format!("set {{{}}}", list(values)),
        Frame::Push(values) => format!("push [{}]", list(values)),
        Frame::Map(pairs) => {
            let pairs =
                pairs.iter().map(|(key, value)| format!("{}: {}", show_frame(key), show_frame(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Frame::Double(value) => format!("double {value}"),
        Frame::Boolean(value) => value.to_string(),
        Frame::BigNumber(digits) => format!("big {digits}"),
        Frame::Verbatim(format, text) => format!("{format} {}", quoted(text)),
    }
}

fn replies(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::new("replies");
    trace.host("client");
    trace.host("server");
    let mut client = Client::new(trace);
    client.receive(b"+OK\r\n")?;
    client.receive(b"-ERR no\r\n:-7\r\n$5\r\nhello\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n")?;
    // In pieces: inside a length, inside a text, before and inside its CR LF.
    for piece in [&b"$1"[..], b"1\r\nhello", b" world", b"\r", b"\n"] {
        client.receive(piece)?;
    }
    client.receive(b"*3\r\n$1\r\na\r\n:2\r\n")?;
    client.receive(b"$-1\r\n")?;
    // Lists inside lists, and one value that closes three of them.
    client.receive(b"*2\r\n*2\r\n:1\r\n*0\r\n*2\r\n:2\r\n*1\r\n")?;
    client.receive(b":3\r\n:4\r\n")?;
    client.receive(b"$4\r\n\r\n:1\r\n")?;
    client.trace.note(client.now, None, "the client has sent HELLO 3");
    client.receive(b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n")?;
    client.receive(b"~2\r\n:1\r\n:2\r\n,1.5\r\n,inf\r\n#t\r\n#f\r\n(12345678901234567890\r\n")?;
    client.receive(b"=13\r\ntxt:some text\r\n!9\r\nERR wrong\r\n")?;
    client.receive(b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n+OK\r\n")?;
    client.receive(b"%1\r\n$1\r\nk\r\n*2\r\n:1\r\n")?;
    client.receive(b":2\r\n")?;
    let deepest = lab::FrameDecoder::MAX_DEPTH;
    let head = b"*1\r\n";
    client.receive_as(format!("\"*1\\r\\n\" {deepest} times"), &head.repeat(deepest))?;
    client.receive(b":1\r\n")?;
    client.receive_as("\"*1\\r\\n\" 100000 times".into(), &head.repeat(100_000))?;

    client.trace.note(client.now, None, "another connection: claims without bytes");
    let mut client = Client::new(trace);
    client.receive(b"*2147483647\r\n")?;
    client.receive(b"$2147483647\r\n")?;
    client.receive(b"x")?;

    client.trace.note(client.now, None, "another connection: no RESP at all");
    let mut client = Client::new(trace);
    client.receive(b"HTTP/1.1 400 Bad Request\r\n")?;

    client.trace.note(client.now, None, "another connection: a verbatim string without its format");
    let mut client = Client::new(trace);
    client.receive(b"=2\r\nab\r\n")?;
    Ok(())
}

fn random_replies(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::new("replies");
    let mut rng = Rng::new(seed);
    let (mut bytes, mut cuts) = (Vec::new(), Vec::new());
    for _ in 0..rng.between(1, 4) {
        random_reply(3, &mut bytes, &mut cuts, &mut rng);
    }
    let mut client = Client::new(trace);
    for piece in cut(&bytes, &cuts, &mut rng) {
        client.receive(piece)?;
    }
    Ok(())
}

/// Writes a reply, `depth` collections deep at most, and notes where it may be cut.
fn random_reply(depth: u64, bytes: &mut Vec<u8>, cuts: &mut Vec<usize>, rng: &mut Rng) {
    let collection = depth > 0 && rng.chance(50);
    let kind = if collection { rng.pick(b"*~>%") } else { rng.pick(b":$$=#") };
    match kind.copied().unwrap_or(b':') {
        b'#' => {
            cuts.push(bytes.len());
            bytes.extend_from_slice(if rng.chance(50) { b"#t\r\n" } else { b"#f\r\n" });
        }
        b':' => head(bytes, cuts, b':', rng.below(1000)),
        kind @ (b'$' | b'=') => {
            let mut text = if kind == b'=' { b"txt:".to_vec() } else { Vec::new() };
            text.extend(random_bytes(8, rng));
            head(bytes, cuts, kind, text.len() as u64);
            cuts.extend(bytes.len()..=bytes.len() + text.len() + 2);
            bytes.extend_from_slice(&text);
            bytes.extend_from_slice(b"\r\n");
        }
        kind => {
            let length = rng.below(4);
            head(bytes, cuts, kind, length);
            for _ in 0..if kind == b'%' { 2 * length } else { length } {
                random_reply(depth - 1, bytes, cuts, rng);
            }
        }
    }
}
