// 0.4: commands out of a growing buffer.

/// A server's end of one connection: a decoder, its buffer, and a trace of what came of each piece.
struct Server<'a> {
    trace: &'a mut Trace,
    now: Millis,
    limits: lab::Limits,
    decoder: lab::CommandDecoder,
    buffer: Vec<u8>,
    closed: bool,
}

impl<'a> Server<'a> {
    fn new(trace: &'a mut Trace, limits: lab::Limits) -> Server<'a> {
        let now = trace.now();
        Server { trace, now, limits, decoder: lab::CommandDecoder::new(), buffer: Vec::new(), closed: false }
    }

    /// One piece arrives, shown as `shown`; the server runs every command that it completes.
    fn receive_as(&mut self, shown: String, piece: &[u8]) -> Result<(), Broken> {
        self.now += Millis(1);
        self.trace.message(self.now, "client", "server", shown);
        self.buffer.extend_from_slice(piece);
        loop {
            if self.closed {
                return Ok(());
            }
            match self.decoder.decode(&self.buffer, &self.limits) {
                Ok(None) => break,
                Ok(Some(taken)) => self.run(taken)?,
                Err(error) => {
                    self.trace.message(self.now, "server", "client", format!("-ERR Protocol error: {error}"));
                    self.closed = true;
                }
            }
        }
        if self.decoder.memory() > 1024 + 64 * self.buffer.len() {
            return broken(
                "A length is a claim: memory follows what has arrived.",
                "the decoder set memory aside for arguments that were only announced",
            );
        }
        Ok(())
    }

    fn receive(&mut self, piece: &[u8]) -> Result<(), Broken> {
        self.receive_as(quoted(piece), piece)
    }

    fn run(&mut self, taken: usize) -> Result<(), Broken> {
        if taken == 0 || taken > self.buffer.len() {
            return broken(
                "A command is complete when its last byte has arrived, the CR LF behind its last argument included.",
                format!(
                    "decode says that a command takes {taken} bytes of the {} that have arrived",
                    self.buffer.len()
                ),
            );
        }
        let args = self.decoder.args(&self.buffer);
        let shown = match show_command(args.iter()) {
            _ if args.is_empty() => "(no arguments)".to_string(),
            long if long.len() > 60 => format!("{}…", long.chars().take(20).collect::<String>()),
            command => command,
        };
        self.trace.note(self.now, Some("server"), format!("{shown} in {taken} bytes"));
        self.buffer.drain(..taken);
        Ok(())
    }
}

fn commands(trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::new("commands");
    trace.host("client");
    trace.host("server");

    let mut server = Server::new(trace, lab::Limits::DEFAULT);
    server.receive(b"*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n")?;
    server.receive(b"*1\r\n$4\r\nPING")?;
    server.receive(b"\r\n")?;
    // In pieces: inside a count, inside a length, inside an argument, before and inside its CR LF.
    for piece in [
        &b"*"[..],
        b"3",
        b"\r\n",
        b"$3\r\nSE",
        b"T",
        b"\r\n$",
        b"4\r\nname\r",
        b"\n$6\r\nvalue",
        b"1",
        b"\r",
        b"\n",
    ] {
        server.receive(piece)?;
    }
    // Three at once, and the start of a fourth.
    server
        .receive(b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGE")?;
    server.receive(b"T\r\n$4\r\nname\r\n")?;
    // An argument is counted, not searched: it may look like anything.
    server.receive(b"*3\r\n$3\r\nSET\r\n$4\r\n\r\n$3\r\n$14\r\n*1\r\n$4\r\nPING\r\n\r\n")?;
    // In pieces, so that whoever forgets that the length was read takes the argument for the next length.
    server.receive(b"*2\r\n$4\r\nECHO\r\n$14\r\n")?;
    server.receive(b"*1\r\n$4\r\nPI")?;
    server.receive(b"NG\r\n\r\n")?;
    server.receive(b"*2\r\n$0\r\n\r\n$0\r\n\r\n")?;
    server.receive(b"*0\r\n*1\r\n$4\r\nPING\r\n")?;
    let big = [&b"*2\r\n$4\r\nECHO\r\n$70000\r\n"[..], &[b'x'; 69_000]].concat();
    server.receive_as("\"*2\\r\\n$4\\r\\nECHO\\r\\n$70000\\r\\nxxx…\" (69000 x)".into(), &big)?;
    server.receive_as("\"…xxx\\r\\n\" (1000 x)".into(), &[&[b'x'; 1000][..], b"\r\n"].concat())?;

    server.trace.note(server.now, None, "another connection: claims without bytes");
    let mut server = Server::new(trace, lab::Limits::DEFAULT);
    server.receive(b"*1000000\r\n")?;
    server.receive(b"$500000000\r\n")?;
    server.receive(b"x")?;

    server.trace.note(server.now, None, "another connection: no array of bulk strings");
    let mut server = Server::new(trace, lab::Limits::DEFAULT);
    server.receive(b"*2\r\n$4\r\nPING\r\n+x\r\n")?;

    server.trace.note(server.now, None, "another connection: a length that is none");
    let mut server = Server::new(trace, lab::Limits::DEFAULT);
    server.receive(b"*1\r\n$long\r\n")?;

    let tight = lab::Limits { inline: 16, ..lab::Limits::DEFAULT };
    server.trace.note(
        server.now,
        None,
        "another connection: a count without an end, lines being limited to 16 bytes",
    );
    let mut server = Server::new(trace, tight);
    server.receive(b"*111111111111111")?;
    server.receive(b"1")?;

    server.trace.note(
        server.now,
        None,
        "another connection: a length without an end, lines being limited to 16 bytes",
    );
    let mut server = Server::new(trace, tight);
    server.receive(b"*2\r\n$31\r\nlonger than a line may be, yes.\r\n$1")?;
    server.receive(b"11111111111111")?;
    server.receive(b"1")?;
    Ok(())
}

fn random_commands(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    *trace = Trace::new("commands");
    let mut rng = Rng::new(seed);
    let mut bytes = Vec::new();
    // Everywhere but between the CR and the LF of a line: that is find_line's ground.
    let mut cuts = Vec::new();
    for _ in 0..rng.between(1, 4) {
        let count = rng.between(1, 4);
        head(&mut bytes, &mut cuts, b'*', count);
        for _ in 0..count {
            let argument = random_bytes(12, &mut rng);
            head(&mut bytes, &mut cuts, b'$', argument.len() as u64);
            cuts.extend(bytes.len()..=bytes.len() + argument.len() + 2);
            bytes.extend_from_slice(&argument);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    let mut server = Server::new(trace, lab::Limits::DEFAULT);
    for piece in cut(&bytes, &cuts, &mut rng) {
        server.receive(piece)?;
    }
    Ok(())
}

/// Writes a line such as `*3` and notes where it may be cut.
fn head(bytes: &mut Vec<u8>, cuts: &mut Vec<usize>, kind: u8, number: u64) {
    let line = format!("{}{number}", char::from(kind));
    cuts.extend(bytes.len()..=bytes.len() + line.len());
    bytes.extend_from_slice(line.as_bytes());
    bytes.extend_from_slice(b"\r\n");
}
