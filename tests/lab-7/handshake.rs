// 7.1: how two nodes get to know each other, and everybody else through them.

fn greet(trace: &mut Trace, greeting: Greeting, known: bool) {
    let Welcome { answer, handshake, listen } = lab::welcome(greeting, known);
    let done = [(answer, "answer"), (handshake, "handshake"), (listen, "listen")];
    let done: Vec<&str> = done.into_iter().filter(|(flag, _)| *flag).map(|(_, word)| word).collect();
    let who = if known { "a member" } else { "a stranger" };
    trace.call(
        format!("{greeting:?} from {who}"),
        if done.is_empty() { "nothing".into() } else { done.join(", ") },
    );
}

fn introduce(trace: &mut Trace, expected: Expected<char>, speaker: char, known: bool) {
    let who = match expected {
        Expected::Anybody => "a stranger".to_string(),
        Expected::Member(id) => format!("member {id}"),
    };
    let state = if known { "known" } else { "unknown" };
    trace.call(
        format!("called {who}, {speaker} answers, {state}"),
        match lab::introduced(expected, speaker, known) {
            Introduction::AsExpected => "as expected",
            Introduction::Named => "now it has a name",
            Introduction::AlreadyKnown => "known already",
            Introduction::SomebodyElse => "somebody else lives there",
        },
    );
}

fn acquaintance(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "getting to know each other");
    for (greeting, known) in [
        (Greeting::Ping, true),
        (Greeting::Ping, false),
        (Greeting::Meet, false),
        (Greeting::Meet, true),
        (Greeting::Pong, true),
        (Greeting::Pong, false),
    ] {
        greet(trace, greeting, known);
    }
    introduce(trace, Expected::Anybody, 'B', false);
    introduce(trace, Expected::Anybody, 'B', true);
    introduce(trace, Expected::Member('B'), 'B', true);
    introduce(trace, Expected::Member('B'), 'C', true);
    introduce(trace, Expected::Member('B'), 'C', false);
    for (teller, no_address, forgotten) in [
        (true, false, false),
        (false, false, false),
        (true, true, false),
        (true, false, true),
        (false, true, true),
    ] {
        let teller_is = if teller { "a member" } else { "a stranger" };
        let about = match (no_address, forgotten) {
            (false, false) => "somebody new",
            (true, false) => "somebody without an address",
            (false, true) => "somebody forgotten a moment ago",
            (true, true) => "somebody forgotten, without an address",
        };
        let meets = lab::worth_meeting(teller, no_address, forgotten);
        trace.call(format!("{teller_is} tells of {about}"), if meets { "a new member" } else { "ignored" });
    }
    let mut town = Town::new(5);
    // E was removed from another cluster: it knows C, and nobody knows it.
    town.knows[4].insert(2);
    for (from, to) in [(0, 1), (0, 2), (3, 2)] {
        town.meet(trace, from, to);
    }
    for round in 1..=4 {
        town.round(0);
        town.show(trace, &format!("after round {round}"));
    }
    Ok(())
}

/// A few nodes, each at an address of its own, that talk in rounds. Who knows whom follows from the rules under test.
struct Town {
    /// By number, whom each node takes for a member, itself left out.
    knows: Vec<BTreeSet<usize>>,
    /// By number, whom each node has begun to get to know: at which address, and whether it asks to be taken in.
    shaking: Vec<BTreeMap<usize, bool>>,
    rng: Rng,
}

impl Town {
    fn new(nodes: usize) -> Town {
        Town { knows: vec![BTreeSet::new(); nodes], shaking: vec![BTreeMap::new(); nodes], rng: Rng::new(7) }
    }

    fn meet(&mut self, trace: &mut Trace, from: usize, to: usize) {
        trace.note(Millis::ZERO, None, format!("{} is told to meet {}", name(from), name(to)));
        self.shaking[from].insert(to, true);
    }

    /// Everybody speaks to all it knows and to all it wants to know. `lost` of a hundred messages get lost.
    fn round(&mut self, lost: u64) {
        for from in 0..self.knows.len() {
            for (to, meet) in self.shaking[from].clone() {
                let greeting = if meet { Greeting::Meet } else { Greeting::Ping };
                self.speak(from, to, greeting, lost, Expected::Anybody);
            }
            for to in self.knows[from].clone() {
                self.speak(from, to, Greeting::Ping, lost, Expected::Member(to));
            }
        }
    }

    fn speak(&mut self, from: usize, to: usize, greeting: Greeting, lost: u64, expected: Expected<usize>) {
        let (told, heard) = (self.knows[from].clone(), self.knows[to].clone());
        if self.rng.chance(lost) {
            return;
        }
        let welcome = lab::welcome(greeting, self.knows[to].contains(&from));
        if welcome.handshake {
            self.shaking[to].entry(from).or_insert(false);
        }
        if welcome.listen {
            self.listen(to, from, &told);
        }
        if !welcome.answer || self.rng.chance(lost) {
            return;
        }
        let known = self.knows[from].contains(&to);
        match lab::introduced(expected, to, known) {
            Introduction::Named => {
                self.shaking[from].remove(&to);
                self.knows[from].insert(to);
            }
            Introduction::AlreadyKnown => {
                self.shaking[from].remove(&to);
            }
            Introduction::AsExpected if lab::welcome(Greeting::Pong, known).listen => {
                self.listen(from, to, &heard);
            }
            Introduction::AsExpected | Introduction::SomebodyElse => {}
        }
    }

    fn listen(&mut self, hearer: usize, teller: usize, told: &BTreeSet<usize>) {
        for &about in told {
            let new = about != hearer && !self.knows[hearer].contains(&about);
            if new && lab::worth_meeting(self.knows[hearer].contains(&teller), false, false) {
                self.knows[hearer].insert(about);
            }
        }
    }

    fn show(&self, trace: &mut Trace, when: &str) {
        let lines: Vec<String> = (self.knows.iter().enumerate())
            .map(|(node, knows)| format!("{}: {}", name(node), names(knows.iter().map(|&one| name(one)))))
            .collect();
        trace.call(format!("whom each knows {when}"), lines.join("; "));
    }
}

fn acquaintance_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "a cluster grows, and messages get lost");
    let mut rng = Rng::new(seed);
    let nodes = rng.between(3, 8) as usize;
    let mut town = Town::new(nodes);
    town.rng = rng.fork();
    // Each is introduced to one of those before it, by the one or by the other.
    for newcomer in 1..nodes {
        let old = rng.below(newcomer as u64) as usize;
        let (from, to) = if rng.chance(50) { (newcomer, old) } else { (old, newcomer) };
        town.meet(trace, from, to);
        if rng.chance(50) {
            town.round(20);
            town.show(trace, "now");
        }
    }
    for _ in 0..3 {
        town.round(20);
        town.show(trace, "now");
    }
    for _ in 0..2 * nodes {
        town.round(0);
    }
    town.show(trace, "when nothing gets lost any more");
    match town.knows.iter().position(|knows| knows.len() + 1 < nodes) {
        None => Ok(()),
        Some(node) => Err(Broken::new(
            "Whoever was introduced to one is known to all.",
            format!("{} does not know everybody", name(node)),
        )),
    }
}
