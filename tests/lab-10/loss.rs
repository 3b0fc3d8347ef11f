// 10.1: a write that was acknowledged, and is gone.

const LOST: &str =
    "The write was acknowledged, and when all agree on one master again, that one does not have it.";

fn lost(trace: &mut Trace) -> Result<(), Broken> {
    judge_loss(&lab::loss::loses_a_write(), 0, trace)?;
    judged(trace, &[("the client's write", "OK"), ("the master in the end", "does not have it")]);
    Ok(())
}

fn lost_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    judge_loss(&lab::loss::loses_a_write(), seed + 1, trace)
}

/// Does this day lose a write that was acknowledged?
pub(crate) fn judge_loss(schedule: &Schedule, seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    let day = LossDay { kills: 1, waits: false, title: "A write that was acknowledged" };
    let seen = day.play(schedule, seed, trace)?;
    let lost = seen.writes.iter().any(|(write, kept)| write.acknowledged.is_some() && !kept);
    if lost { Ok(()) } else { Err(Broken::new(LOST, seen.why_kept())) }
}

/// A day of 10.1 or 10.3.
struct LossDay {
    kills: usize,
    /// The client may type `WAIT`.
    waits: bool,
    title: &'static str,
}

/// What came of it.
struct LossSeen {
    /// The client's writes, and whether the master in the end has them.
    writes: Vec<(Write, bool)>,
    story: Vec<String>,
}

impl LossDay {
    fn play(&self, schedule: &Schedule, seed: u64, trace: &mut Trace) -> Result<LossSeen, Broken> {
        let scene = Scene::watched(2, 3, latency(seed));
        let sorts =
            vec![Sort::Cut, Sort::Mend, Sort::Kill, Sort::Restart, Sort::Pause, Sort::Slow, Sort::Say];
        let length = Millis::from_secs(120);
        Limits { hosts: scene.hosts(), sorts, events: 20, length, kills: self.kills }.check(schedule)?;
        the_client_lives(schedule)?;
        self.only_the_client_types(schedule)?;
        let mut whole = Trace::new(self.title);
        let mut drill = Drill::set(&scene, seed, Some(&mut whole))?;
        let end = drill.play(schedule).and_then(|()| drill.calm_down());
        let begin = drill.begin();
        let master = drill.agreed().unwrap_or("nobody").to_string();
        let writes = drill.writes("client").into_iter().map(|write| {
            let kept = drill.holds(&master, &write.key);
            (write, kept)
        });
        let writes: Vec<(Write, bool)> = writes.collect();
        for (write, kept) in &writes {
            drill.world.note(&epitaph(write, &master, *kept));
        }
        drop(drill);
        *trace = told(&whole, begin, &["client"]);
        end?;
        Ok(LossSeen { writes, story: trace.lines() })
    }

    /// `SET key value`, each key once, and perhaps `WAIT`.
    fn only_the_client_types(&self, schedule: &Schedule) -> Result<(), Broken> {
        let mut keys: Vec<&str> = Vec::new();
        for (_, event) in schedule.moments() {
            let drill::Event::Say(host, command) = event else { continue };
            let words: Vec<&str> = command.split_whitespace().collect();
            let is = |word: &str, name: &str| word.eq_ignore_ascii_case(name);
            match words.as_slice() {
                [set, key, _] if host == "client" && is(set, "SET") && !keys.contains(key) => keys.push(key),
                [wait, _, time] if host == "client" && is(wait, "WAIT") && self.waits && *time != "0" => {}
                _ => {
                    let wait = if self.waits { ", or WAIT replicas milliseconds (not 0)" } else { "" };
                    let rule = format!("Only the client types: SET key value, each key once{wait}.");
                    return Err(Broken::new(rule, format!("{host} says {command}")));
                }
            }
        }
        Ok(())
    }
}

/// Who shall miss a write, if the ledger is gone? What a client was told dies with it.
fn the_client_lives(schedule: &Schedule) -> Result<(), Broken> {
    let dies = schedule.moments().iter().find(|(_, event)| *event == drill::kill("client"));
    match dies {
        None => Ok(()),
        Some((at, event)) => Err(Broken::new(
            "The client lives: it keeps the ledger of what was acknowledged (V3), and a ledger that is gone proves nothing.",
            format!("\"{event}\" at {at}: nobody knows any more what it was told"),
        )),
    }
}

/// What became of a write, for the story.
fn epitaph(write: &Write, master: &str, kept: bool) -> String {
    let Write { key, acknowledged, confirmed, .. } = write;
    let told = acknowledged.map_or("never acknowledged".into(), |at| format!("acknowledged at {at}"));
    let confirmed = confirmed.map_or(String::new(), |count| format!(", WAIT said {count}"));
    let fate = if kept { "has it" } else { "does not have it" };
    format!("{key} was {told}{confirmed}; {master} is the master now, and {fate}")
}

impl LossSeen {
    fn heard(&self, words: &str) -> bool {
        self.story.iter().any(|line| line.contains(words))
    }

    /// The first thing that was missing for a loss.
    fn why_kept(&self) -> String {
        if self.writes.is_empty() {
            return "the client never writes: there is nothing to lose".into();
        }
        if self.writes.iter().all(|(write, _)| write.acknowledged.is_none()) {
            return "no write was acknowledged: the client has no right to miss it".into();
        }
        if self.heard("+switch-master") {
            return "another node took over, and it had what was acknowledged".into();
        }
        let noticed = match (self.heard("+sdown master"), self.heard("+odown")) {
            (false, _) => "no sentinel missed the master for long enough",
            (true, false) => "some sentinel held the master for down, but not as many as the quorum",
            (true, true) => "the sentinels agreed that the master is down, but found no replica to promote",
        };
        format!("nobody took over, and the master still has what it acknowledged: {noticed}")
    }
}
