//! A few named nodes and clients in the simulator, for the runs of several chapters.

use core_types::{Endpoint, LogLevel, Millis};
use node::config::Config;
use sim::nodes::stories::{PORT, config};
use sim::nodes::{Client, NodeHost};
use sim::{Boot, Fault, HostId, Profile, Trace, World};

/// A world that is recorded. Let go of it (`end`) before the trace is used.
pub(super) struct Scene<'t> {
    pub(super) world: World<'t>,
}

impl<'t> Scene<'t> {
    /// Every message takes a millisecond and arrives whole.
    pub(super) fn new(trace: &'t mut Trace) -> Scene<'t> {
        Scene { world: World::new(1, Profile::calm(), Some(trace)) }
    }

    /// A node that follows another one, or nobody. `tune` changes its configuration.
    pub(super) fn node(
        &mut self,
        name: &str,
        follows: Option<&str>,
        tune: impl Fn(&mut Config) + 'static,
    ) -> HostId {
        self.add(name, follows, tune, NodeHost::new)
    }

    /// A node that starts from the files it left on its disk.
    pub(super) fn node_with_files(
        &mut self,
        name: &str,
        follows: Option<&str>,
        tune: impl Fn(&mut Config) + 'static,
    ) -> HostId {
        self.add(name, follows, tune, NodeHost::with_files)
    }

    /// A node that writes warnings to its log, which the trace shows.
    pub(super) fn talking_node(
        &mut self,
        name: &str,
        follows: Option<&str>,
        tune: impl Fn(&mut Config) + 'static,
    ) -> HostId {
        self.add(name, follows, tune, |config, boot| NodeHost::new(config, boot).with_log(LogLevel::Warning))
    }

    fn add(
        &mut self,
        name: &str,
        follows: Option<&str>,
        tune: impl Fn(&mut Config) + 'static,
        process: fn(Config, &Boot) -> NodeHost,
    ) -> HostId {
        let mut settings = config(follows);
        tune(&mut settings);
        self.world.add(name, &[PORT], move |boot| process(settings.clone(), boot))
    }

    /// A client of a node.
    pub(super) fn client(&mut self, name: &str, of: &str) -> HostId {
        let target = Endpoint::new(of, PORT);
        self.world.add(name, &[], move |boot| Client::new(target.clone(), boot))
    }

    /// Starts hosts, one after the other, and lets them settle.
    pub(super) fn start(&mut self, hosts: &[HostId], settle: u64) {
        for &host in hosts {
            self.world.start(host).expect("no rule is broken");
        }
        self.wait(settle);
    }

    /// Sends a command and waits until its answer must be there.
    pub(super) fn say(&mut self, client: HostId, command: &str) {
        self.say_at_once(client, command);
        self.wait(4);
    }

    /// Sends a command.
    pub(super) fn say_at_once(&mut self, client: HostId, command: &str) {
        let sent = self.world.act(client, |client: &mut Client, io| client.send(io, command));
        assert_eq!(sent.expect("no rule is broken"), Some(true), "the client has a connection");
    }

    pub(super) fn inflict(&mut self, fault: Fault) {
        self.world.inflict(fault).expect("no rule is broken");
    }

    /// The connection between two hosts breaks, and nothing gets through until they are healed.
    pub(super) fn cut(&mut self, one: HostId, other: HostId) {
        self.inflict(Fault::Reset(one, other));
        // Both hear of it before the way is cut; what they say then is lost.
        self.wait(1);
        self.inflict(Fault::Partition(one, other));
    }

    pub(super) fn wait(&mut self, millis: u64) {
        self.world.run_for(Millis(millis)).expect("no rule is broken");
    }

    /// Virtual time.
    pub(super) fn now(&self) -> Millis {
        self.world.now()
    }

    /// How far a node is in its history.
    pub(super) fn offset(&self, host: HostId) -> u64 {
        self.world.get::<NodeHost>(host).map_or(0, |host| host.node().replication_offset().0)
    }

    pub(super) fn end(self) {
        drop(self.world);
    }
}
