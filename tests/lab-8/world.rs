// The ground on which 8.7 is tried: three nodes, one slot, a client that reads and writes all the time, and everything
// that can go wrong between a director and its nodes. Nothing in here is to be written by anybody.

/// A node, as far as one slot is concerned.
struct Peer {
    name: char,
    owner: char,
    /// The epoch of its own configuration, and that of the claim it believes.
    epoch: u64,
    believes: u64,
    to: Option<char>,
    from: Option<char>,
    keys: BTreeMap<String, u64>,
    /// The slot is its only one: it becomes a replica when it loses it.
    last_slot: bool,
    replica: bool,
}

struct World {
    peers: Vec<Peer>,
    /// What a client has written last, for each key.
    truth: BTreeMap<String, u64>,
    writes: u64,
    rng: Rng,
}

/// The key names that clients use.
const NAMES: [&str; 10] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"];

impl World {
    /// S has the slot and some keys; T and O are other masters.
    fn new(seed: u64) -> World {
        let mut rng = Rng::new(seed);
        let last_slot = rng.chance(30);
        let peer = |name, epoch| Peer {
            name,
            owner: 'S',
            epoch,
            believes: 1,
            to: None,
            from: None,
            keys: BTreeMap::new(),
            last_slot: name == 'S' && last_slot,
            replica: false,
        };
        let mut world = World {
            peers: vec![peer('S', 1), peer('T', 2), peer('O', 3)],
            truth: BTreeMap::new(),
            writes: 0,
            rng,
        };
        for name in &NAMES[..world.rng.below(7) as usize] {
            world.writes += 1;
            world.peers[0].keys.insert((*name).into(), world.writes);
            world.truth.insert((*name).into(), world.writes);
        }
        world
    }

    fn peer(&mut self, name: char) -> &mut Peer {
        self.peers.iter_mut().find(|peer| peer.name == name).expect("only these three are spoken to")
    }

    /// A node does as it is told, as Redis would.
    fn carry_out(&mut self, order: &Order<char>, times_out: bool) -> Told {
        match order {
            Order::Importing { at, from } => {
                let peer = self.peer(*at);
                if peer.owner == *at {
                    return Told::AlreadyTheOwner;
                }
                peer.from = Some(*from);
                Told::Ok
            }
            Order::Migrating { at, to } => {
                let peer = self.peer(*at);
                if peer.owner != *at {
                    return Told::Error;
                }
                peer.to = Some(*to);
                Told::Ok
            }
            Order::List { at } => {
                let keys = self.peer(*at).keys.keys().take(2);
                Told::Keys(keys.map(|key| Bytes::copy_from_slice(key.as_bytes())).collect())
            }
            Order::Send { at, to, keys, replace } => self.migrate(*at, *to, keys, *replace, times_out),
            Order::Node { at, owner } => self.node(*at, *owner),
        }
    }

    fn migrate(&mut self, at: char, to: char, keys: &[Bytes], replace: bool, times_out: bool) -> Told {
        if self.peer(to).owner != to && self.peer(to).from.is_none() {
            return Told::Error;
        }
        let mut told = Told::Ok;
        for (index, key) in keys.iter().enumerate() {
            let key = String::from_utf8_lossy(key).to_string();
            let Some(&value) = self.peer(at).keys.get(&key) else { continue };
            if self.peer(to).keys.contains_key(&key) && !replace {
                told = Told::BusyKey;
                continue;
            }
            self.peer(to).keys.insert(key.clone(), value);
            // The target has it, and its answer does not arrive: the source keeps what it has.
            if times_out && index + 1 == keys.len() {
                return Told::Lost;
            }
            self.peer(at).keys.remove(&key);
        }
        told
    }

    fn node(&mut self, at: char, owner: char) -> Told {
        let newest = self.peers.iter().map(|peer| peer.epoch).max().unwrap_or(0);
        let peer = self.peer(at);
        if peer.replica {
            return Told::NotAMaster;
        }
        if peer.owner == at && owner != at && !peer.keys.is_empty() {
            return Told::Error;
        }
        if peer.keys.is_empty() {
            peer.to = None;
        }
        peer.replica = peer.owner == at && owner != at && peer.last_slot;
        peer.owner = owner;
        if owner == at && peer.from.take().is_some() {
            peer.epoch = newest + 1;
            peer.believes = peer.epoch;
        }
        Told::Ok
    }

    /// A node hears of the target's claim. What it still holds of a slot that it loses it throws away.
    fn gossip(&mut self, to: char) {
        let target = self.peer('T');
        let (claims, epoch) = (target.owner == 'T', target.epoch);
        let peer = self.peer(to);
        if !claims || epoch <= peer.believes || to == 'T' {
            return;
        }
        peer.believes = epoch;
        if peer.owner == to {
            peer.keys.clear();
            peer.replica = peer.last_slot;
        }
        peer.owner = 'T';
    }

    /// A client begins somewhere and follows what it is told.
    fn client(&mut self) -> Result<(), Broken> {
        let key = NAMES[self.rng.below(NAMES.len() as u64) as usize];
        let write = self.rng.chance(50);
        let (mut at, mut asking) = (*self.rng.pick(&['S', 'T', 'O']).unwrap_or(&'S'), false);
        let mut way = String::new();
        for _ in 0..5 {
            way.push(at);
            let (fresh, truth) = (self.writes + 1, self.truth.get(key).copied());
            let peer = self.peer(at);
            let owner = peer.owner == at && !peer.replica;
            let leaves = peer.to.filter(|_| owner && !peer.keys.contains_key(key));
            (at, asking) = match leaves {
                Some(to) => (to, true),
                None if owner || (asking && peer.from.is_some()) => {
                    if !write && peer.keys.get(key).copied() != truth {
                        let detail =
                            format!("{key} at {at}: {:?}, and it should be {truth:?}", peer.keys.get(key));
                        return Err(Broken::new("A client reads what was written last.", detail));
                    }
                    if write {
                        peer.keys.insert(key.into(), fresh);
                        self.writes = fresh;
                        self.truth.insert(key.into(), fresh);
                    }
                    return Ok(());
                }
                None => (peer.owner, false),
            };
        }
        Err(Broken::new("A client that follows what it is told arrives.", format!("{key}: {way} and so on")))
    }

    /// Nobody but one serves a key to a client that was not sent there.
    fn one_owner(&self) -> Result<(), Broken> {
        for key in NAMES {
            let serves = |peer: &&Peer| {
                peer.owner == peer.name && !peer.replica && (peer.to.is_none() || peer.keys.contains_key(key))
            };
            let serving: String = self.peers.iter().filter(serves).map(|peer| peer.name).collect();
            if serving.len() > 1 {
                return Err(Broken::new(
                    "A key is served in one place.",
                    format!("{key} is served by {serving}"),
                ));
            }
        }
        Ok(())
    }

    /// After the transfer everything is at the target, once.
    fn all_arrived(&self) -> Result<(), Broken> {
        for peer in &self.peers {
            let (there, empty) = (peer.name == 'T', BTreeMap::new());
            let expected = if there { &self.truth } else { &empty };
            if peer.keys != *expected {
                let detail = format!("{} holds {:?}, and it should hold {expected:?}", peer.name, peer.keys);
                return Err(Broken::new("No key is lost, and none is in two places.", detail));
            }
            if peer.name != 'O' && peer.owner != 'T' {
                let detail = format!("{} holds {} to be the owner", peer.name, peer.owner);
                return Err(Broken::new("Source and target agree in the end.", detail));
            }
        }
        Ok(())
    }
}
