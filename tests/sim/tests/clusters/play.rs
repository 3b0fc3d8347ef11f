//! One run: a cluster is formed, something happens, everything is repaired, and all agree.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use core_types::{Broken, Endpoint, LogLevel, Millis, Rng};
use sim::nodes::clusters::{self, Audit, COLLISIONS_END, Cast, Roamer, Shard};
use sim::nodes::{NodeHost, rules};
use sim::{HostId, Trace, World};

use crate::chaos;
use crate::flaws::{self, Flaw};
use crate::hands::Hands;
use crate::hostile;
use crate::report::Outcome;
use crate::setting::{BUS_PORT, Day, FILE, PORT, Setting};

const FORMED: &str = "with nothing broken, a cluster is formed";
const NOTHING_LOST: &str = "with nothing broken, CLUSTER FAILOVER loses nothing";
pub(crate) const AGREED: &str = "after all is repaired, all nodes agree";
const STAYS: &str = "once all agree, it stays so";
const WRITABLE: &str = "after all is repaired, clients can write";
const ANSWERS: &str = "whatever a member says, all others go on answering";
const EQUAL: &str = "after all is repaired, all replicas hold their master's data";

/// Plays the run of a seed, with nodes that have this flaw.
pub(crate) fn play(seed: u64, trace: Option<&mut Trace>, flaw: Flaw) -> Result<Outcome, Broken> {
    let mut rng = Rng::new(seed);
    let mut setting = Setting::draw(&mut rng);
    if matches!(flaw, Flaw::NoRank | Flaw::LosesWrites) {
        // Only where nothing else happens it is certain who must be first; and there is always an heir.
        setting.day = Day::Death;
    }
    let setting = Rc::new(setting);
    let mut world = World::new(rng.next_u64(), setting.profile.clone(), trace);
    let cast = stage(&mut world, &setting, flaw, None);
    // Whoever forms a cluster by hand gives all masters the same epoch.
    let audit = Audit::watch(&mut world, cast.clone(), !setting.from_files);
    let joined = cast.nodes[..setting.members].to_vec();
    let hands = Hands::new(&mut world, &cast.nodes);
    let mut run = Run { setting, cast, audit, rng, joined, hands, struck_down: (0, 0), last_words: None };
    world.start_all()?;
    let shards = run.form(&mut world)?;
    run.audit.borrow_mut().set_free_hand(run.setting.day == Day::Worst);
    match run.setting.day {
        Day::Death => run.one_death(&mut world, &shards)?,
        Day::Minority => run.one_is_cut_off(&mut world, &shards)?,
        Day::Orders => run.orders(&mut world)?,
        Day::Bad | Day::Worst => run.bad_day(&mut world, &shards)?,
    }
    run.settle(&mut world)
}

/// The run of a seed in which one member lies, from when there is a cluster, for so long. Returns the steps it took.
pub(crate) fn play_with_a_liar(seed: u64, trace: Option<&mut Trace>, time: Millis) -> Result<u64, Broken> {
    let mut rng = Rng::new(seed);
    let mut setting = Setting::draw(&mut rng);
    (setting.day, setting.from_files) = (Day::Worst, true);
    let setting = Rc::new(setting);
    let mut world = World::new(rng.next_u64(), setting.profile.clone(), trace);
    let liar = rng.below(setting.members as u64) as usize;
    let cast = stage(&mut world, &setting, Flaw::None, Some(liar));
    let audit = Audit::watch(&mut world, cast.clone(), true);
    let joined = cast.nodes[..setting.members].to_vec();
    let hands = Hands::new(&mut world, &cast.nodes);
    let mut run = Run { setting, cast, audit, rng, joined, hands, struck_down: (0, 0), last_words: None };
    let plan = chaos::bad_day(&mut run.rng, Millis::from_secs(1), &run.cast, &run.joined);
    world.plan(&plan);
    world.start_all()?;
    while world.now() < time {
        world.run_for(Millis(run.rng.between(300, 2000)))?;
        run.give_an_order(&mut world)?;
    }
    world.heal_all()?;
    world.run_for(Millis::from_secs(3))?;
    for host in run.joined.iter().filter(|host| host.0 != liar) {
        // What another client has just written may be on its way to the disk, and then all answers wait for it.
        let mut said = String::new();
        for _ in 0..20 {
            said = world.act(*host, |node: &mut NodeHost, io| node.order(io, "PING"))?.unwrap_or_default();
            if !said.is_empty() {
                break;
            }
            world.run_for(Millis(50))?;
        }
        if said != "+PONG\r\n" {
            return Err(Broken::new(ANSWERS, format!("{}: {said:?}", world.name(*host))));
        }
    }
    Ok(world.steps())
}

/// Puts everybody into the world.
fn stage(world: &mut World<'_>, setting: &Rc<Setting>, flaw: Flaw, liar: Option<usize>) -> Cast {
    let nodes: Vec<HostId> = (0..setting.nodes.len())
        .map(|place| {
            let setting = Rc::clone(setting);
            let name = setting.nodes[place].name.clone();
            world.add(&name, &[PORT, BUS_PORT], move |boot| {
                let host = NodeHost::with_files(setting.config(place), boot)
                    .with_slow_disk((Millis(0), setting.disk), boot.seed)
                    .with_log(LogLevel::Notice)
                    .with_wiretap();
                let kept = boot.disk.read(FILE).map(|kept| String::from_utf8_lossy(kept).into_owned());
                let host = match kept {
                    Some(kept) if flaw == Flaw::VoteNotSaved => host.with_file(FILE, &flaws::file(&kept)),
                    None if setting.from_files && place < setting.members => {
                        host.with_file(FILE, &setting.file(place))
                    }
                    _ => host,
                };
                // It joins as it should, and then begins to lie.
                match liar {
                    Some(liar) if liar == place && (boot.restarts > 0 || setting.from_files) => {
                        hostile::liar(host, boot.seed)
                    }
                    _ => flaws::node(flaw, host, boot.seed),
                }
            })
        })
        .collect();
    let seeds: Vec<Endpoint> =
        nodes[..setting.members].iter().map(|id| Endpoint::new(world.ip(*id), PORT)).collect();
    let clients = (0..setting.clients).map(|place| {
        let (seeds, pace, name) = (seeds.clone(), setting.pace, format!("c{place}"));
        let tag = setting.cut_off.as_ref().filter(|_| place == 0).map_or("", |(_, tag)| tag);
        let key = format!("{tag}{name}");
        world.add(&name, &[], move |boot| Roamer::new(&key, seeds.clone(), pace, boot))
    });
    let clients = clients.collect();
    Cast {
        clients,
        timeout: setting.timeout,
        // What a paused node reads when it wakes, or what was held back on a connection.
        memory: chaos::LONGEST + Millis(4000),
        liar: liar.map(|place| nodes[place]),
        nodes,
    }
}

pub(crate) struct Run {
    pub(crate) setting: Rc<Setting>,
    pub(crate) cast: Cast,
    pub(crate) audit: Rc<RefCell<Audit>>,
    pub(crate) rng: Rng,
    /// Nodes that are in the cluster, or will be.
    pub(crate) joined: Vec<HostId>,
    pub(crate) hands: Hands,
    pub(crate) struck_down: (u64, u64),
    pub(crate) last_words: Option<Millis>,
}

/// A condition that costs something is not looked at after each event.
#[derive(Default)]
struct Rarely(Cell<Millis>);

impl Rarely {
    fn is_time(&self, world: &World<'_>) -> bool {
        let due = world.now() >= self.0.get();
        if due {
            self.0.set(world.now() + Millis(50));
        }
        due
    }
}

/// Gives a node an order; its answer without the RESP around it. Empty while the node is down.
pub(crate) fn order(world: &mut World<'_>, host: HostId, command: &str) -> Result<String, Broken> {
    let said = world.act(host, |node: &mut NodeHost, io| node.order(io, command))?.unwrap_or_default();
    Ok(said.split_once("\r\n").map_or(said.clone(), |(_, body)| body.trim_end().to_string()))
}

impl Run {
    /// Until all nodes agree, and are at peace.
    pub(crate) fn peace(
        &self,
        world: &mut World<'_>,
        limit: Millis,
        rule: &str,
    ) -> Result<Vec<Shard>, Broken> {
        let rarely = Rarely::default();
        let nodes = &self.joined;
        let agreed = |world: &World<'_>| rarely.is_time(world) && clusters::settled(world, nodes).is_ok();
        let waited = world.run_to(limit, rule, agreed);
        let why = clusters::settled(world, nodes);
        match (waited, why) {
            (Ok(_), Ok(shards)) => Ok(shards),
            (Err(broken), Err(why)) if broken.rule == rule => {
                Err(Broken::new(rule, format!("{}: {why}", broken.detail)))
            }
            (Err(broken), _) => Err(broken),
            (Ok(_), Err(why)) => Err(Broken::new(rule, why)),
        }
    }

    /// Until there is a cluster.
    fn form(&mut self, world: &mut World<'_>) -> Result<Vec<Shard>, Broken> {
        let setting = Rc::clone(&self.setting);
        if !setting.from_files {
            // Before its files are read a node hears nothing, and a MEET is said once.
            let nodes = self.joined.clone();
            let awake = move |world: &World<'_>| {
                nodes.iter().all(|id| rules::node(world, *id).is_some_and(|node| !node.is_loading()))
            };
            world.run_to(Millis::from_secs(10), FORMED, awake)?;
            for place in 1..setting.members {
                order(world, self.joined[0], &format!("CLUSTER MEET {} {PORT}", Setting::ip(place)))?;
            }
            for (place, node) in setting.nodes[..setting.members].iter().enumerate() {
                if let Some((first, last)) = node.slots {
                    order(world, self.joined[place], &format!("CLUSTER ADDSLOTSRANGE {first} {last}"))?;
                }
            }
            let rarely = Rarely::default();
            let nodes = self.joined.clone();
            let count = nodes.len();
            let acquainted = move |world: &World<'_>| {
                rarely.is_time(world)
                    && nodes.iter().all(|id| {
                        let view = rules::node(world, *id).and_then(|node| node.cluster_view());
                        view.is_some_and(|view| {
                            view.members().filter(|member| member.is_known()).count() == count
                        })
                    })
            };
            world.run_to(Millis::from_secs(60), FORMED, acquainted)?;
            for (place, node) in setting.nodes[..setting.members].iter().enumerate() {
                let Some(master) = node.master else { continue };
                let id = order(world, self.joined[master], "CLUSTER MYID")?;
                order(world, self.joined[place], &format!("CLUSTER REPLICATE {id}"))?;
            }
        }
        let shards = self.peace(world, Millis::from_secs(60), FORMED)?;
        // Clients have found their way.
        let writes = self.rng.between(5, 40) as usize;
        let clients = self.cast.clients.clone();
        let busy =
            move |world: &World<'_>| clients.iter().all(|client| acknowledged(world, *client) >= writes);
        world.run_to(Millis::from_secs(60), FORMED, busy)?;
        Ok(shards)
    }

    /// Safety first, then liveness.
    fn settle(&mut self, world: &mut World<'_>) -> Result<Outcome, Broken> {
        world.heal_all()?;
        let begin = world.now();
        self.finish(world)?;
        let limit = Millis::from_secs(200);
        let mut peace = self.peace(world, limit, AGREED);
        if matches!(&peace, Err(broken) if broken.rule == AGREED) {
            self.hands.chained = self.cut_chains(world)?;
            if self.hands.chained > 0 {
                peace = self.peace(world, limit, AGREED);
            }
        }
        let shards = peace.map_err(|broken| {
            // One rule has a name of its own.
            if broken.detail.contains(" have epoch ") {
                Broken::new(COLLISIONS_END, broken.detail)
            } else {
                broken
            }
        })?;
        let settled_in = world.now().since(begin);
        let clients = self.cast.clients.clone();
        let before: Vec<usize> = clients.iter().map(|client| acknowledged(world, *client)).collect();
        let written = |world: &World<'_>| {
            clients.iter().zip(&before).all(|(client, before)| acknowledged(world, *client) > *before)
        };
        world.run_to(Millis::from_secs(30), WRITABLE, written)?;
        world.run_for(Millis(self.setting.timeout.0 * 2))?;
        for client in &self.cast.clients {
            world.act(*client, |client: &mut Roamer, _| client.stop())?;
        }
        // One thing may still happen where all is well: five seconds after a master has lost its last replica, a spare one of
        // another moves to it. Its role and its link are not what they were for a moment, and then they are again.
        let wandered = match clusters::settled(world, &self.joined) {
            Err(_) if self.setting.allow_migration => self.peace(world, Millis::from_secs(20), STAYS)?,
            settled => settled.map_err(|why| Broken::new(STAYS, why))?,
        };
        let owners = |shards: &[Shard]| -> Vec<_> {
            shards.iter().map(|shard| (shard.master, shard.slots.clone(), shard.epoch)).collect()
        };
        if owners(&wandered) != owners(&shards) {
            let detail = format!("from {:?} to {:?}", owners(&shards), owners(&wandered));
            return Err(Broken::new(STAYS, detail));
        }
        let rarely = Rarely::default();
        let level =
            |world: &World<'_>| rarely.is_time(world) && clusters::unequal(world, &wandered).is_none();
        world.run_to(Millis::from_secs(60), EQUAL, level).map_err(|broken| {
            match clusters::unequal(world, &wandered).filter(|_| broken.rule == EQUAL) {
                Some((master, replica)) => {
                    let pair = format!("{} and its master {}", world.name(replica), world.name(master));
                    Broken::new(EQUAL, format!("{}: {pair} differ", broken.detail))
                }
                None => broken,
            }
        })?;
        self.outcome(world, &wandered, settled_in)
    }

    fn outcome(&self, world: &World<'_>, shards: &[Shard], settled_in: Millis) -> Result<Outcome, Broken> {
        let audit = self.audit.borrow();
        let losses = audit.count_losses(world, shards)?;
        if self.setting.day == Day::Orders && losses.lost() > 0 {
            return Err(Broken::new(NOTHING_LOST, format!("{losses:?}")));
        }
        let clients = self.cast.clients.iter().filter_map(|client| world.get::<Roamer>(*client));
        let reads = clients.map(Roamer::reads).fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
        Ok(Outcome {
            steps: world.steps(),
            day: self.setting.day,
            nodes: self.cast.nodes.len(),
            timeout: self.setting.timeout,
            takeovers: audit.takeovers().to_vec(),
            elections: audit.elections(),
            miscounted: audit.miscounted(),
            collisions: audit.collisions(),
            failures: audit.failures(),
            struck_down: self.struck_down,
            ordered: self.hands.ordered,
            moved: self.hands.moved,
            chained: self.hands.chained,
            losses,
            reads,
            last_words: self.last_words,
            settled_in,
        })
    }
}

fn acknowledged(world: &World<'_>, client: HostId) -> usize {
    world.get::<Roamer>(client).map_or(0, |client| client.acknowledged().len())
}
