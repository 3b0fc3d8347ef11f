//! What a seed decides before the run begins: the tree, the nodes' configurations, the network, the faults.

use core_types::{Millis, Rng};
use node::config::Config;
use sim::{FaultMix, Profile};

pub(crate) const PORT: u16 = 7000;

/// Everything that is drawn from the seed.
pub(crate) struct Setting {
    pub(crate) profile: Profile,
    pub(crate) nodes: Vec<Member>,
    /// While faults happen and operators give orders.
    pub(crate) busy: Millis,
    pub(crate) faults: FaultMix,
    /// Time between two orders of the operators.
    pub(crate) orders: (Millis, Millis),
    /// The longest value a client writes.
    pub(crate) value: u64,
    /// How many replicas the witness asks for.
    pub(crate) witnesses: u64,
}

/// One node of the tree.
pub(crate) struct Member {
    pub(crate) name: String,
    /// The node it follows at first; the root follows none.
    pub(crate) master: Option<usize>,
    /// Directives of its configuration file.
    directives: Vec<String>,
}

impl Setting {
    pub(crate) fn draw(rng: &mut Rng) -> Setting {
        // Small trees are quick, and most of what can go wrong goes wrong in them.
        let most = rng.between(3, 12);
        let count = rng.between(2, most) as usize;
        let slow = rng.between(1, 30);
        let busy = Millis::from_secs(rng.between(4, 16));
        let common = common_directives(rng);
        let shape = rng.below(3);
        let nodes = (0..count)
            .map(|index| {
                let master = draw_master(rng, shape, index);
                let mut directives = common.clone();
                directives.extend(own_directives(rng));
                Member { name: format!("n{index}"), master, directives }
            })
            .collect();
        Setting {
            profile: Profile {
                latency: (Millis(1), Millis(slow)),
                split_percent: rng.below(80),
                buffer: if rng.chance(30) { rng.between(300, 3000) } else { 64 * 1024 } as usize,
                connect_timeout: Millis::from_secs(10),
                epoch: Millis(1_700_000_000_000),
                ..Profile::default()
            },
            nodes,
            busy,
            faults: FaultMix {
                until: busy,
                at_most: 10,
                partition: 3,
                one_way: 2,
                pause: 2,
                crash: 3,
                clock_jump: 1,
                reset: 6,
                slow: 2,
                longest: Millis::from_secs(8),
            },
            orders: (Millis(300), Millis(if rng.chance(50) { 2000 } else { 10_000 })),
            value: if rng.chance(20) { 4000 } else { 30 },
            witnesses: rng.between(1, 3),
        }
    }

    /// The configuration file of a node, as the process reads it.
    pub(crate) fn config(&self, index: usize) -> Config {
        let member = &self.nodes[index];
        let mut lines = member.directives.clone();
        lines.push(format!("port {PORT}"));
        lines.extend(member.master.map(|master| format!("replicaof {} {PORT}", self.nodes[master].name)));
        Config::from_text(&lines.join("\n")).unwrap_or_else(|error| panic!("{error}: {lines:?}"))
    }
}

/// Chains, stars, and everything between.
fn draw_master(rng: &mut Rng, shape: u64, index: usize) -> Option<usize> {
    let last = index.checked_sub(1)?;
    Some(match shape {
        0 if rng.chance(80) => last,
        1 if rng.chance(70) => 0,
        _ => rng.below(index as u64) as usize,
    })
}

/// What all nodes of a tree have in common.
fn common_directives(rng: &mut Rng) -> Vec<String> {
    let mut lines = vec![
        format!("repl-timeout {}", rng.between(3, 8)),
        "repl-ping-replica-period 1".into(),
        format!("repl-diskless-sync {}", if rng.chance(70) { "yes" } else { "no" }),
        format!("repl-diskless-sync-delay {}", rng.below(2)),
    ];
    if rng.chance(20) {
        lines.extend(["requirepass secret".into(), "masterauth secret".into()]);
    }
    lines
}

/// What each node has for itself.
fn own_directives(rng: &mut Rng) -> Vec<String> {
    // The log is kept in blocks of 16 KiB: sizes below, at and above one block, and one that is never full.
    let sizes = [1, 4000, 16_383, 16_384, 16_385, 33_000, 1 << 20];
    let mut lines = vec![
        format!("repl-backlog-size {}", rng.pick(&sizes).copied().unwrap_or(4000)),
        format!("repl-backlog-ttl {}", if rng.chance(50) { 3600 } else { rng.between(1, 5) }),
    ];
    if rng.chance(25) {
        lines.push(format!("client-output-buffer-limit replica {} 8000 2", rng.between(10_000, 60_000)));
    }
    match rng.below(10) {
        0..=1 => lines.push("save 1 1".into()),
        2 => lines.push("save 3 20".into()),
        3..=4 => {
            lines.push("appendonly yes".into());
            let fsync = ["always", "everysec", "no"];
            lines.push(format!("appendfsync {}", rng.pick(&fsync).copied().unwrap_or("always")));
        }
        _ => {}
    }
    lines.retain(|line| Config::from_text(line).is_ok());
    lines
}
