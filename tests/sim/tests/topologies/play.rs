//! One run: a tree, its clients and operators, faults; then peace, and one root.

use std::rc::Rc;

use core_types::{Broken, Endpoint, Millis, Rng, Role};
use sim::nodes::ledger::Totals;
use sim::nodes::load::Mixture;
use sim::nodes::{Client, Ledger, NodeHost, Witness, rules};
use sim::{FaultPlan, HostId, Io, Trace, World};

use crate::setting::{PORT, Setting};

/// Plays the run of a seed. `change` may spoil nodes; it is told which one it is. Returns the number of steps and
/// what was seen.
pub(crate) fn play(
    seed: u64,
    trace: Option<&mut Trace>,
    change: impl Fn(usize, NodeHost) -> NodeHost + Clone + 'static,
) -> Result<(u64, Totals), Broken> {
    let mut rng = Rng::new(seed);
    let setting = Rc::new(Setting::draw(&mut rng));
    let mut world = World::new(rng.next_u64(), setting.profile.clone(), trace);
    let mut run = Run::stage(&mut world, &setting, change);
    let ledger = Ledger::watch(&mut world, &run.nodes, Some(run.witness));
    world.plan(&FaultPlan::random(&mut rng, &run.nodes, &setting.faults));
    world.start_all()?;
    while world.now() < setting.busy {
        let pause = Millis(rng.between(setting.orders.0.0, setting.orders.1.0));
        world.run_until((world.now() + pause).min(setting.busy))?;
        run.rearrange(&mut world, &mut rng)?;
    }
    run.settle(&mut world, &mut rng)?;
    let totals = ledger.borrow().totals();
    Ok((world.steps(), totals))
}

/// Who takes part.
struct Run {
    setting: Rc<Setting>,
    nodes: Vec<HostId>,
    clients: [HostId; 2],
    witness: HostId,
}

impl Run {
    fn stage(
        world: &mut World<'_>,
        setting: &Rc<Setting>,
        change: impl Fn(usize, NodeHost) -> NodeHost + Clone + 'static,
    ) -> Run {
        let nodes = (0..setting.nodes.len()).map(|index| {
            let (change, config) = (change.clone(), setting.config(index));
            let name = &setting.nodes[index].name;
            world.add(name, &[PORT], move |boot| change(index, NodeHost::with_files(config.clone(), boot)))
        });
        let nodes = nodes.collect();
        let root = Endpoint::new(setting.nodes[0].name.clone(), PORT);
        let clients = ["client-1", "client-2"].map(|name| {
            let (root, value) = (root.clone(), setting.value);
            world.add(name, &[], move |boot| {
                let mixture = Mixture { value, ..Mixture::default() };
                Client::new(root.clone(), boot)
                    .with_password("secret")
                    .with_load(mixture.load((Millis(5), Millis(120))))
            })
        });
        let replicas = setting.witnesses;
        let witness = world.add("witness", &[], move |boot| {
            Witness::new(root.clone(), replicas, Millis(800), "secret", boot)
        });
        Run { setting: Rc::clone(setting), nodes, clients, witness }
    }

    fn name(&self, index: usize) -> &str {
        &self.setting.nodes[index].name
    }

    /// An operator on the machine of a node gives it an order, if its process is there to hear it.
    fn order(&self, world: &mut World<'_>, index: usize, command: &str) -> Result<(), Broken> {
        let id = self.nodes[index];
        if !world.is_paused(id) {
            world.act(id, |host: &mut NodeHost, io: &mut Io<'_, '_>| host.order(io, command))?;
        }
        Ok(())
    }

    fn follow(&self, world: &mut World<'_>, index: usize, master: usize) -> Result<(), Broken> {
        self.order(world, index, &format!("REPLICAOF {} {PORT}", self.name(master)))
    }

    /// Something that operators do.
    fn rearrange(&mut self, world: &mut World<'_>, rng: &mut Rng) -> Result<(), Broken> {
        let count = self.nodes.len() as u64;
        let (one, other) = (rng.below(count) as usize, rng.below(count) as usize);
        match rng.below(12) {
            // Loops come about in this way too.
            0..=2 => self.follow(world, one, other)?,
            3 => self.order(world, one, "REPLICAOF NO ONE")?,
            4..=5 => self.fail_over(world, rng, one)?,
            6 => self.order(world, one, "CLIENT KILL TYPE replica")?,
            7 => self.order(world, one, "CLIENT KILL TYPE master")?,
            8 => self.order(world, one, "BGSAVE")?,
            9 => self.order(world, one, "BGREWRITEAOF")?,
            10 => {
                let size = rng.between(1, 40_000);
                self.order(world, one, &format!("CONFIG SET repl-backlog-size {size}"))?;
            }
            _ => self.send_clients(world, rng, one)?,
        }
        Ok(())
    }

    /// A replica of `master` takes its place, and the others are told.
    fn fail_over(&mut self, world: &mut World<'_>, rng: &mut Rng, master: usize) -> Result<(), Broken> {
        let follows = |index: &usize| {
            let role = rules::node(world, self.nodes[*index]).map(node::Node::role);
            matches!(role, Some(Role::Replica { of }) if of.host == self.name(master))
        };
        let replicas: Vec<usize> = (0..self.nodes.len()).filter(follows).collect();
        let Some(&heir) = rng.pick(&replicas) else { return Ok(()) };
        self.order(world, heir, "REPLICAOF NO ONE")?;
        world.run_for(Millis(rng.below(50)))?;
        for index in replicas.into_iter().filter(|index| *index != heir) {
            self.follow(world, index, heir)?;
        }
        if rng.chance(80) {
            world.run_for(Millis(rng.below(2000)))?;
            self.follow(world, master, heir)?;
        }
        self.send_clients(world, rng, heir)
    }

    /// Some of the clients turn to a node.
    fn send_clients(&self, world: &mut World<'_>, rng: &mut Rng, index: usize) -> Result<(), Broken> {
        let target = Endpoint::new(self.name(index), PORT);
        for client in self.clients {
            if rng.chance(60) {
                let target = target.clone();
                world.act(client, |client: &mut Client, io| client.retarget(io, target))?;
            }
        }
        if rng.chance(60) {
            world.act(self.witness, |witness: &mut Witness, io| witness.retarget(io, target))?;
        }
        Ok(())
    }

    /// Safety first, then liveness: all is repaired, and one root is left; everybody becomes equal to it.
    fn settle(&self, world: &mut World<'_>, rng: &mut Rng) -> Result<(), Broken> {
        world.heal_all()?;
        let count = self.nodes.len();
        for index in 0..count {
            // With limits as small as these a full synchronisation may never get through: that is what they do.
            self.order(world, index, "CONFIG SET client-output-buffer-limit \"replica 0 0 0\"")?;
        }
        let root = rng.below(count as u64) as usize;
        self.order(world, root, "REPLICAOF NO ONE")?;
        // A new tree, in which each follows one that was placed before it: so there is no loop left.
        let mut placed = vec![root];
        for index in (0..count).filter(|index| *index != root) {
            let master = rng.pick(&placed).copied().unwrap_or(root);
            self.follow(world, index, master)?;
            placed.push(index);
        }
        world.run_for(Millis::from_secs(2))?;
        for client in self.clients {
            world.act(client, |client: &mut Client, _| client.stop_load())?;
        }
        world.act(self.witness, |witness: &mut Witness, _| witness.stop())?;
        let (root, nodes) = (self.nodes[root], self.nodes.clone());
        let settled = |world: &World<'_>| {
            nodes.iter().filter(|node| **node != root).all(|node| rules::is_level(world, root, *node))
        };
        world.run_to(Millis::from_secs(400), "after all is repaired, offsets become equal", settled)?;
        let mut others = nodes.iter().filter(|node| **node != root);
        if let Some(odd) = others.find(|node| !rules::in_sync(world, root, **node)) {
            let detail = format!("{} is not", world.name(*odd));
            return Err(Broken::new("under one root, all nodes are equal", detail));
        }
        Ok(())
    }
}
