// 2.7: acknowledgements and WAIT.

/// A master's book of acknowledgements, and one client that may be waiting.
struct Book<'t> {
    trace: &'t mut Trace,
    now: Millis,
    acks: Acks<&'static str>,
    waiting: Option<Wait>,
}

impl<'t> Book<'t> {
    fn new(trace: &'t mut Trace) -> Book<'t> {
        trace.host("client");
        trace.host("master");
        let now = later(trace);
        Book { trace, now, acks: Acks::new(), waiting: None }
    }

    fn attach(&mut self, replica: &'static str) {
        self.trace.note(self.now, Some("master"), format!("{replica} is online"));
        self.acks.attach(self.now, replica);
        self.look();
    }

    fn detach(&mut self, replica: &'static str) {
        self.trace.note(self.now, Some("master"), format!("{replica} is gone"));
        self.acks.detach(replica);
        self.look();
    }

    fn ack(&mut self, replica: &'static str, offset: u64) {
        self.trace.message(self.now, replica, "master", format!("REPLCONF ACK {offset}"));
        self.acks.heard(self.now, replica, Offset(offset));
        let known = match (self.acks.acked(replica), self.acks.heard_at(replica)) {
            (Some(offset), Some(heard)) => format!("{replica} has {offset}, heard at {heard}"),
            _ => format!("{replica} is none of the replicas that are online"),
        };
        self.trace.state(self.now, "master", known);
        self.look();
    }

    /// `WAIT replicas timeout`, of a client after whose last command the stream stood at `offset`.
    fn wait(&mut self, replicas: usize, offset: u64, timeout: u64, may_block: bool) {
        let deadline = (timeout > 0).then_some(self.now + Millis(timeout));
        let wait = Wait { replicas, offset: Offset(offset), deadline };
        let place = if may_block { "" } else { " in a transaction" };
        self.trace.message(
            self.now,
            "client",
            "master",
            format!("WAIT {replicas} {timeout}{place}, for {offset}"),
        );
        self.step(wait, Moment::Called { may_block });
    }

    /// Something has happened: is it what the client waits for?
    fn look(&mut self) {
        if let Some(wait) = self.waiting {
            self.step(wait, Moment::Waiting);
        }
    }

    fn step(&mut self, wait: Wait, moment: Moment) {
        self.waiting = Some(wait);
        let does = match lab::wait_step(self.now, &wait, moment, &self.acks) {
            WaitStep::Answer(count) => {
                self.waiting = None;
                return self.trace.message(self.now, "master", "client", format!(":{count}"));
            }
            WaitStep::Ask => "the client waits; REPLCONF GETACK * into the stream",
            WaitStep::Keep => "the client waits on",
        };
        self.trace.state(self.now, "master", does);
    }

    fn pass(&mut self, millis: u64) {
        self.now += Millis(millis);
    }
}

fn acknowledged(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "who has what".into();
    heading(trace, "no replicas at all");
    let mut book = Book::new(trace);
    book.wait(0, 0, 0, true);
    book.wait(1, 0, 100, true);
    book.pass(99);
    book.look();
    book.pass(1);
    book.look();

    heading(book.trace, "two replicas, and a write that ends at 500");
    let mut book = Book::new(trace);
    book.attach("alpha");
    book.attach("bravo");
    book.pass(10);
    book.wait(2, 0, 0, true);
    book.ack("alpha", 499);
    book.wait(1, 500, 0, true);
    book.pass(1);
    book.ack("bravo", 100);
    book.pass(1);
    book.ack("alpha", 500);
    book.pass(1);
    book.wait(1, 500, 0, true);
    book.wait(2, 500, 0, false);
    book.wait(2, 500, 50, true);
    book.pass(10);
    book.ack("alpha", 700);
    book.pass(10);
    book.ack("alpha", 600);
    book.pass(10);
    book.ack("stranger", 999);
    book.pass(20);
    book.look();

    heading(book.trace, "a replica goes while a client waits");
    let mut book = Book::new(trace);
    book.attach("alpha");
    book.attach("bravo");
    book.ack("alpha", 800);
    book.wait(2, 800, 40, true);
    book.pass(10);
    book.detach("alpha");
    book.pass(10);
    book.ack("bravo", 800);
    book.ack("alpha", 801);
    book.pass(10);
    book.attach("alpha");
    book.pass(10);
    book.look();
    Ok(())
}

fn acknowledged_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    const NAMES: [&str; 4] = ["alpha", "bravo", "charlie", "delta"];
    let mut rng = Rng::new(seed);
    let mut book = Book::new(trace);
    for _ in 0..30 {
        let name = any_of(&mut rng, &NAMES);
        match rng.below(8) {
            0 | 1 => book.attach(name),
            2 if rng.chance(50) => book.detach(name),
            3 if book.waiting.is_none() => {
                let timeout = any_of(&mut rng, &[0, 3, 40]);
                book.wait(rng.below(4) as usize, rng.below(30), timeout, rng.chance(80));
            }
            4 => book.look(),
            _ => book.ack(name, rng.below(30)),
        }
        book.pass(rng.below(5));
    }
    Ok(())
}
