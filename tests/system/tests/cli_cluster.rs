//! `ha-cli --cluster` looks after clusters of real servers, and `redis-cli --cluster check` agrees with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use core_types::Frame;
use system::{Client, Kind, Server, bounded, cluster, free_port, ha_cli, redis_tool_or_skip, topology, wait};

/// Servers that may form a cluster.
struct Nodes {
    servers: Vec<Server>,
}

impl Nodes {
    fn start(kind: Kind, count: usize, flags: &[&str]) -> Nodes {
        let start = |_| Nodes::start_one(kind, flags);
        Nodes { servers: (0..count).map(start).collect() }
    }

    fn start_one(kind: Kind, flags: &[&str]) -> Server {
        let own = cluster::cluster_flags();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        Server::start(kind, &[&own[..], flags].concat())
    }

    /// A cluster of masters only, with `--cluster create`.
    fn cluster(kind: Kind, count: usize, flags: &[&str]) -> Nodes {
        let nodes = Nodes::start(kind, count, flags);
        let mut create = vec!["create".to_owned()];
        create.extend((0..count).map(|index| nodes.at(index)));
        nodes.succeed(&create);
        nodes
    }

    fn at(&self, index: usize) -> String {
        format!("127.0.0.1:{}", self.servers[index].port())
    }

    fn id(&self, index: usize) -> String {
        match self.servers[index].run("CLUSTER MYID") {
            Frame::Bulk(id) => String::from_utf8_lossy(&id).into_owned(),
            other => panic!("no id: {other:?}"),
        }
    }

    /// Runs `ha-cli --cluster …` without questions; returns what it printed and whether it succeeded.
    fn run<A: AsRef<str>>(&self, args: &[A]) -> (String, bool) {
        let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        run(&ha_cli(), &[&["--cluster"], args.as_slice(), &["--cluster-yes"]].concat())
    }

    fn succeed<A: AsRef<str>>(&self, args: &[A]) -> String {
        let (text, well) = self.run(args);
        let words: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        assert!(well, "`--cluster {}` fails:\n{text}", words.join(" "));
        text
    }

    /// `redis-cli` finds nothing wrong, once gossip has told everybody.
    fn is_in_order(&self, real: &Path) {
        let mut last = String::new();
        let good = wait::find_within(wait::PATIENCE, || {
            let (text, well) = run(real, &["--cluster", "check", &self.at(0)]);
            let good =
                text.contains("[OK] All nodes agree") && text.contains("[OK] All 16384 slots covered.");
            last = text;
            (well && good && !last.contains("[WARNING]")).then_some(())
        });
        assert!(good.is_some(), "redis-cli finds something wrong:\n{last}");
        // A node that was alone for a moment serves again a little later.
        let is_up = |server: &Server| match server.run("CLUSTER INFO") {
            Frame::Bulk(text) => String::from_utf8_lossy(&text).contains("cluster_state:ok"),
            _ => false,
        };
        wait::until("all nodes to be up", || self.servers.iter().all(is_up));
    }

    /// Slots that each server claims.
    fn slots(&self) -> Vec<usize> {
        let count = |server: &Server| {
            let Frame::Bulk(text) = server.run("CLUSTER NODES") else { panic!("no nodes") };
            let text = String::from_utf8_lossy(&text).into_owned();
            let own = text.lines().find(|line| line.contains("myself")).expect("it knows itself");
            let ranges = own.split(' ').skip(8).filter(|word| !word.starts_with('['));
            ranges
                .map(|range| {
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    let number = |text: &str| text.parse::<usize>().expect("a slot");
                    number(last) - number(first) + 1
                })
                .sum()
        };
        self.servers.iter().map(count).collect()
    }

    /// Writes keys with a line for each through `ha-cli -c`, which learns where they belong.
    fn write(&self, keys: usize) {
        let lines: String = (0..keys).map(|number| format!("SET key:{number} value:{number}\n")).collect();
        let (text, well) = feed(&["-c", "-p", &self.servers[0].port_text()], &lines);
        let wrong: Vec<&str> = text.lines().filter(|line| *line != "OK").take(5).collect();
        assert!(well && text.lines().count() == keys && wrong.is_empty(), "not all are OK: {wrong:?}");
    }

    /// Every key is there, once, with its value.
    fn holds_all(&self, keys: usize) {
        let mut found: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for server in &self.servers {
            let mut client = server.client();
            if client.info("role") != "master" {
                continue;
            }
            let Frame::Array(names) = client.run("KEYS *") else { panic!("no keys") };
            for name in names {
                *found.entry(name.as_bytes().expect("a name").to_vec()).or_default() += 1;
            }
        }
        assert_eq!(found.len(), keys, "keys are missing, or too many");
        assert!(found.values().all(|count| *count == 1), "a key is in two places");
        let lines: String = (0..keys).map(|number| format!("GET key:{number}\n")).collect();
        let (text, _) = feed(&["-c", "-p", &self.servers[0].port_text()], &lines);
        let expected: String = (0..keys).map(|number| format!("value:{number}\n")).collect();
        assert!(text == expected, "a value is not what was written");
    }
}

fn run(program: &Path, args: &[&str]) -> (String, bool) {
    let (text, well) = cluster::run(program, args);
    (without_colours(&text), well)
}

/// `ha-cli` with this input.
fn feed(args: &[&str], input: &str) -> (String, bool) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), input).expect("it can be written");
    let stdin = std::fs::File::open(file.path()).expect("it is there");
    let output = bounded::output(Command::new(ha_cli()).args(args).stdin(stdin));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Where it was redirected to, before it knew better, is not what is asked here.
    let lines = text.split_inclusive('\n').filter(|line| !line.starts_with("-> "));
    (lines.collect(), output.status.success())
}

/// `redis-cli` colours its output wherever it goes.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// Both kinds of server, as far as they can be had. `redis-cli` has to be there in any case.
fn each_kind(test: &str, scenario: impl Fn(Kind, &Path) + Sync) {
    let Some(real) = redis_tool_or_skip(test, "redis-cli") else { return };
    let Some(_) = redis_tool_or_skip(test, "redis-server") else { return };
    topology::together(KINDS, |kind| scenario(*kind, &real));
}

const KINDS: [Kind; 2] = [Kind::Redis, Kind::Ours];

#[test]
fn a_cluster_lives_its_life() {
    each_kind("a_cluster_lives_its_life", |kind, real| {
        let mut nodes = Nodes::start(kind, 6, &[]);
        let mut create = vec!["create".to_owned()];
        create.extend((0..6).map(|index| nodes.at(index)));
        create.extend(["--cluster-replicas".to_owned(), "1".to_owned()]);
        let text = nodes.succeed(&create);
        assert!(text.contains("Master[2] -> Slots 10923 - 16383"), "{text}");
        nodes.is_in_order(real);
        nodes.write(1000);

        for command in ["check", "info"] {
            let ours = nodes.succeed(&[command, &nodes.at(0)]);
            let (theirs, _) = run(real, &["--cluster", command, &nodes.at(0)]);
            assert_eq!(ours, theirs, "{command}");
        }

        let (from, to) = (nodes.id(0), nodes.id(1));
        let text = nodes.succeed(&[
            "reshard",
            &nodes.at(2),
            "--cluster-from",
            &from,
            "--cluster-to",
            &to[..12],
            "--cluster-slots",
            "400",
        ]);
        assert!(text.contains("[OK] 400 slots and "), "{text}");
        nodes.is_in_order(real);
        nodes.holds_all(1000);
        assert_eq!(nodes.slots()[..3], [5061, 5862, 5461]);

        let text = nodes.succeed(&["rebalance", &nodes.at(0)]);
        assert!(text.contains("Total weight = 3.00"), "{text}");
        nodes.is_in_order(real);
        assert!(nodes.slots()[..3].iter().all(|count| (5461..=5463).contains(count)), "{:?}", nodes.slots());
        let text = nodes.succeed(&["rebalance", &nodes.at(0)]);
        assert!(text.contains("No rebalancing needed!"), "{text}");

        for flag in [None, Some("--cluster-slave")] {
            nodes.servers.push(Nodes::start_one(kind, &[]));
            let mut add = vec!["add-node".to_owned(), nodes.at(nodes.servers.len() - 1), nodes.at(0)];
            add.extend(flag.map(str::to_owned));
            let text = nodes.succeed(&add);
            assert!(text.contains("[OK] New node added correctly."), "{text}");
            nodes.is_in_order(real);
        }
        // The new replica went to the master that had none.
        let new_master = nodes.id(6);
        wait::until(
            "the new replica's role",
            || matches!(nodes.servers[0].run(&format!("CLUSTER REPLICAS {new_master}")), Frame::Array(list) if list.len() == 1),
        );
        let light = format!("{new_master}=0.1");
        nodes.succeed(&[
            "rebalance",
            &nodes.at(0),
            "--cluster-use-empty-masters",
            "--cluster-weight",
            &light,
        ]);
        nodes.is_in_order(real);
        // 16384 slots, a tenth of a share out of 3.1, and perhaps what rounding left over.
        assert!((528..=530).contains(&nodes.slots()[6]), "{:?}", nodes.slots());
        nodes.holds_all(1000);

        let (text, well) = nodes.run(&["del-node", &nodes.at(0), &new_master]);
        assert!(!well && text.contains("is not empty! Reshard data away and try again."), "{text}");
        let (gone, weight) = (nodes.id(7), format!("{new_master}=0"));
        nodes.succeed(&["del-node", &nodes.at(0), &gone]);
        nodes.succeed(&["rebalance", &nodes.at(0), "--cluster-weight", &weight]);
        nodes.succeed(&["del-node", &nodes.at(0), &new_master]);
        nodes.servers.truncate(6);
        nodes.is_in_order(real);
        nodes.holds_all(1000);

        let text = nodes.succeed(&["call", &nodes.at(0), "--cluster-only-masters", "PING"]);
        assert_eq!(text.matches(": PONG").count(), 3, "{text}");
    });
}

#[test]
fn plans_are_those_of_redis_cli() {
    each_kind("plans_are_those_of_redis_cli", |kind, real| {
        let nodes = Nodes::cluster(kind, 5, &[]);
        let ids: Vec<String> = (0..5).map(|index| nodes.id(index)).collect();
        let plan = |text: &str| {
            text.lines().filter(|line| line.starts_with("Moving ")).map(str::to_owned).collect::<Vec<_>>()
        };
        for weights in [vec![0.0, 1.0], vec![2.0], vec![1.0, 0.5, 3.0], vec![0.0, 0.0, 1.0, 2.0, 3.0]] {
            let weights: Vec<String> =
                ids.iter().zip(weights).map(|(id, weight)| format!("{id}={weight}")).collect();
            let at = nodes.at(0);
            let mut args = vec!["--cluster", "rebalance", "--cluster-simulate", "--cluster-weight"];
            args.extend(weights.iter().map(String::as_str));
            args.push(&at);
            let (ours, _) = run(&ha_cli(), &args);
            let (theirs, _) = run(real, &args);
            assert_eq!(plan(&ours), plan(&theirs), "{weights:?}");
            assert!(!plan(&ours).is_empty(), "{ours}");
        }
        // Slot by slot, from several masters.
        let at = nodes.at(0);
        let args = [
            "--cluster",
            "reshard",
            &at,
            "--cluster-from",
            "all",
            "--cluster-to",
            &ids[3],
            "--cluster-slots",
            "77",
        ];
        let picks = |text: &str| {
            let mut picks: Vec<(usize, String)> = Vec::new();
            for line in text.lines().filter_map(|line| line.trim_start().strip_prefix("Moving slot")) {
                let Some((slots, id)) = line.trim_start_matches('s').trim().split_once(" from ") else {
                    continue;
                };
                for range in slots.split(',') {
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    let number = |text: &str| text.parse::<usize>().expect("a slot");
                    picks.extend((number(first)..=number(last)).map(|slot| (slot, id.to_owned())));
                }
            }
            picks
        };
        // Without --cluster-yes and without an answer nothing is moved.
        let (ours, well) = run(&ha_cli(), &args);
        let (theirs, _) = run(real, &args);
        assert!(!well);
        assert_eq!(picks(&ours), picks(&theirs));
        assert_eq!(picks(&ours).len(), 77);
        nodes.is_in_order(real);
    });
}

/// `ha-cli` in the middle of moving slots from the first server to the second.
fn resharding(nodes: &Nodes, slots: &str) -> Child {
    let (from, to, at) = (nodes.id(0), nodes.id(1), nodes.at(2));
    let mut command = Command::new(ha_cli());
    command.args(["--cluster", "reshard", &at, "--cluster-from", &from, "--cluster-to", &to]);
    command.args(["--cluster-slots", slots, "--cluster-yes", "--cluster-pipeline", "1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it runs");
    let mut target = nodes.servers[1].client();
    // Some keys have arrived: the source has got rid of as many.
    wait::until("the first keys to move", || imported(&mut target));
    child
}

fn imported(target: &mut Client) -> bool {
    let Frame::Bulk(text) = target.run("CLUSTER NODES") else { return false };
    let text = String::from_utf8_lossy(&text).into_owned();
    let own = text.lines().find(|line| line.contains("myself")).unwrap_or_default();
    // A slot of the source's has changed hands, and others are under way.
    own.split(' ').nth(8).is_some_and(|range| range.starts_with("0")) && own.contains("-<-")
}

#[test]
fn a_reshard_is_killed_and_fixed() {
    each_kind("a_reshard_is_killed_and_fixed", |kind, real| {
        let nodes = Nodes::cluster(kind, 3, &[]);
        nodes.write(5000);
        let mut child = resharding(&nodes, "4000");
        child.kill().expect("it can be killed");
        bounded::status_of(&mut child);
        let (text, well) = nodes.run(&["check", &nodes.at(0)]);
        assert!(!well && text.contains("[WARNING] The following slots are open:"), "{text}");
        let (text, well) = nodes.run(&["rebalance", &nodes.at(0)]);
        assert!(!well && text.contains("*** Please fix your cluster problems before rebalancing"), "{text}");
        let text = nodes.succeed(&["fix", &nodes.at(0)]);
        assert!(text.contains(">>> Fixing open slot "), "{text}");
        nodes.is_in_order(real);
        nodes.holds_all(5000);
    });
}

#[test]
fn a_node_dies_in_the_middle_of_a_reshard() {
    each_kind("a_node_dies_in_the_middle_of_a_reshard", |kind, real| {
        topology::together([0, 1], |&victim| {
            // What a node has confirmed is in its file, so that nothing it was given is lost with it.
            let flags = ["--appendonly", "yes", "--appendfsync", "always"];
            let mut nodes = Nodes::cluster(kind, 3, &flags);
            nodes.write(3000);
            let child = resharding(&nodes, "4000");
            nodes.servers[victim].kill();
            let output = bounded::end_of(child);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(!output.status.success() && text.contains("--cluster fix"), "{text}");
            let (text, well) = nodes.run(&["fix", &nodes.at(2)]);
            assert!(!well && text.contains("is dangerous"), "{text}");
            nodes.servers[victim].restart();
            nodes.servers[victim].wait_until_loaded();
            // The others take a moment to notice that it is back. If what it was told last is not in its
            // `nodes.conf`, some slots are nobody's now, and `fix` asks about them.
            let mut last = String::new();
            let fixed = wait::find_within(wait::PATIENCE, || {
                let (text, well) = feed(&["--cluster", "fix", &nodes.at(2)], "yes\nyes\nyes\n");
                last = text;
                well.then_some(())
            });
            assert!(fixed.is_some(), "fix does not succeed:\n{last}");
            nodes.is_in_order(real);
            nodes.holds_all(3000);
        });
    });
}

#[test]
fn slots_that_nobody_has_are_covered_after_a_question() {
    each_kind("slots_that_nobody_has_are_covered_after_a_question", |kind, real| {
        let nodes = Nodes::cluster(kind, 3, &[]);
        nodes.write(200);
        // `key:0` and its slot, and two slots without keys.
        let Frame::Integer(slot) = nodes.servers[0].run("CLUSTER KEYSLOT key:0") else { panic!("no slot") };
        let empty: Vec<i64> = (0..).filter(|slot| count(&nodes, *slot) == 0).take(2).collect();
        for server in &nodes.servers {
            for slot in [slot, empty[0], empty[1]] {
                // Gossip may have told it already.
                server.run(&format!("CLUSTER DELSLOTS {slot}"));
            }
        }
        let (text, well) = nodes.run(&["check", &nodes.at(0)]);
        assert!(!well && text.contains("[ERR] Not all 16384 slots are covered by nodes."), "{text}");
        // --cluster-yes is no answer to this question.
        let (text, well) = nodes.run(&["fix", &nodes.at(0)]);
        assert!(!well && text.contains("These slots stay uncovered."), "{text}");
        let (text, well) = feed(&["--cluster", "fix", &nodes.at(0)], "yes\nyes\n");
        assert!(well, "{text}");
        nodes.is_in_order(real);
        nodes.holds_all(200);
    });
}

fn count(nodes: &Nodes, slot: i64) -> i64 {
    let count = |server: &Server| match server.run(&format!("CLUSTER COUNTKEYSINSLOT {slot}")) {
        Frame::Integer(count) => count,
        other => panic!("no count: {other:?}"),
    };
    nodes.servers.iter().map(count).sum()
}

/// What a program prints, line by line and without an order, and how it ends. Only ours lists what is missing.
fn checked(program: &Path, nodes: &Nodes) -> (Vec<String>, bool) {
    let (text, well) = run(program, &["--cluster", "check", &nodes.at(0)]);
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("Nobody has these"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    (lines, well)
}

/// A node that does not answer is told about, and so is a replica whose master does not; what that means for the cluster
/// follows from the slots alone.
#[test]
fn a_check_tells_who_is_missing_as_redis_cli_does() {
    each_kind("a_check_tells_who_is_missing_as_redis_cli_does", |kind, real| {
        let flags = ["--cluster-node-timeout", "2000", "--cluster-replica-no-failover", "yes"];
        let cluster = cluster::Cluster::with_replicas(&[kind; 3], &[kind; 2], &flags);
        let mut nodes = Nodes { servers: cluster.servers };
        for (dead, well) in [(4, true), (0, false)] {
            let (place, id) = (nodes.at(dead), nodes.id(dead));
            // The first one is asked about the others.
            nodes.servers.rotate_left(dead + 1);
            nodes.servers.last_mut().expect("the dead one").kill();
            wait::until("the others to know", || {
                // Who is dead already tells nothing.
                let told = |server: &Server| Some(cluster::nodes(server)).filter(|all| !all.is_empty());
                let knows =
                    |all: Vec<cluster::NodeLine>| all.iter().any(|node| node.id == id && node.is("fail"));
                nodes.servers.iter().filter_map(told).all(knows)
            });
            let ours = checked(&ha_cli(), &nodes);
            assert_eq!(ours, checked(real, &nodes), "{kind:?}");
            assert_eq!(ours.1, well, "{ours:#?}");
            let missing = format!("Could not connect to Redis at {place}: Connection refused");
            assert!(ours.0.contains(&missing), "{ours:#?}");
            let warned = ours.0.iter().any(|line| line.starts_with("*** WARNING:") && line.contains(&id));
            assert_eq!(warned, dead == 0, "its replica has lost its master: {ours:#?}");
            nodes.servers.rotate_right(dead + 1);
        }
    });
}

#[test]
fn what_cannot_be_done_is_said() {
    each_kind("what_cannot_be_done_is_said", |kind, real| {
        let nodes = Nodes::cluster(kind, 3, &[]);
        let alone = Server::start(kind, &[]);
        let lonely = format!("127.0.0.1:{}", alone.port());
        let nobody = format!("127.0.0.1:{}", free_port());
        let (at, ids) = (nodes.at(0), [nodes.id(0), nodes.id(1)]);
        let reshard = |from: &str, to: &str, slots: &str| {
            ["reshard", &at, "--cluster-from", from, "--cluster-to", to, "--cluster-slots", slots]
                .map(str::to_owned)
        };
        let cases: Vec<(Vec<String>, &str)> = vec![
            (vec!["check".into(), nobody.clone()], "Connection refused"),
            (vec!["check".into(), lonely.clone()], "is not configured as a cluster node"),
            (vec!["check".into(), "nonsense".into()], "host:port"),
            (vec!["create".into(), at.clone(), nodes.at(1), nodes.at(2)], "is not empty"),
            (vec!["add-node".into(), nodes.at(1), at.clone()], "is not empty"),
            (vec!["del-node".into(), at.clone(), "abc".into()], "No such node ID"),
            (vec!["set-timeout".into(), at.clone(), "10".into()], "bad idea"),
            (vec!["call".into(), at.clone()], "required"),
            (vec!["import".into(), at.clone()], "not supported"),
            (vec!["nosuch".into()], "unrecognized subcommand"),
            (reshard(&ids[0], &ids[1], "0").to_vec(), "from 1 to 16384"),
            (reshard(&ids[0], &ids[1], "16385").to_vec(), "from 1 to 16384"),
            (reshard(&ids[0], &ids[0], "1").to_vec(), "target node as source node"),
            (reshard("xyz", &ids[0], "1").to_vec(), "is not known or not a master"),
            (reshard(&ids[0], "", "1").to_vec(), "is not known or not a master"),
            (["rebalance", &at, "--cluster-weight", "x=y"].map(str::to_owned).to_vec(), "id=number"),
            (
                ["rebalance", &at, "--cluster-weight", &format!("{}=-1", ids[0])].map(str::to_owned).to_vec(),
                "not below zero",
            ),
        ];
        for (args, expected) in cases {
            let (text, well) = nodes.run(&args);
            assert!(!well && text.contains(expected), "{args:?}: {text}");
        }
        nodes.is_in_order(real);
    });
}
