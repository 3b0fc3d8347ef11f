//! What a slot needs that was left open, or that nobody has.
//!
//! A transfer that was cut short leaves marks, and keys on two sides. Whoever finds that cannot know what the other one
//! had in mind. It can only look: who claims the slot, who has marked it, who holds keys. From that alone it is decided, much
//! as `redis-cli --cluster fix` does.

// ANCHOR: fix
/// What one master says about a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding<N> {
    /// The node.
    pub node: N,
    /// It says that the slot is its own.
    pub owns: bool,
    /// It has marked it as leaving, to that node.
    pub migrating: Option<N>,
    /// It has marked it as arriving, from that node.
    pub importing: Option<N>,
    /// How many of its keys it holds.
    pub keys: usize,
}

/// One step of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mend<N> {
    /// `CLUSTER SETSLOT slot STABLE`: its marks go.
    Stable {
        /// At this node.
        at: N,
    },
    /// The node takes the slot, with a new epoch: `CLUSTER DELSLOTS` (which may fail), `ADDSLOTS`, `BUMPEPOCH`.
    Own {
        /// This node.
        at: N,
    },
    /// The node gives up its claim: `CLUSTER DELSLOTS` (which may fail), `SETSLOT slot NODE owner`, `SETSLOT slot
    /// IMPORTING owner`. With that last mark its keys can be moved away.
    Yield {
        /// This node.
        at: N,
        /// To that one.
        to: N,
    },
    /// A whole [`Transfer`](crate::Transfer).
    Transfer {
        /// The source.
        from: N,
        /// The target.
        to: N,
    },
    /// Only the keys: `GETKEYSINSLOT` and `MIGRATE`, until there are none. A key that both have (`BUSYKEY`) is
    /// overwritten if its values are the same; otherwise a person has to choose.
    MoveKeys {
        /// From here.
        from: N,
        /// To there.
        to: N,
    },
    /// `CLUSTER SETSLOT slot NODE owner`
    Tell {
        /// Told to this node.
        at: N,
        /// The owner.
        owner: N,
    },
}

/// Nobody claims the slot and nobody holds keys of it: there is nothing to close it around. [`cover`] it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclear;
// ANCHOR_END: fix

/// How to close a slot that is open at some node, given what every reachable master says about it.
///
/// *Candidates* are those who claim the slot or hold keys of it. If there is only one, and it claims the slot, it is the
/// owner. Otherwise the owner is who holds the most keys, the first one among equals (if nobody holds any: unclear): its
/// marks go, it takes the slot, and then the other candidates yield to it, each in its turn. (Yielding leaves the mark
/// `IMPORTING`, and whatever mark a candidate had before is settled with it.)
///
/// Next, whoever else has a mark `MIGRATING`, and has not just yielded, gets rid of its marks, both of them: only an owner can
/// let a slot go. *Arriving* are now those, the owner excepted, that have just yielded or still have the mark `IMPORTING`.
///
/// - The owner has a mark `MIGRATING` (and did not just lose it by taking the slot): if the node that it names arrives, the
///   transfer is done over again; if not, the owner's marks go. In both cases the marks of all others that arrive go then
///   (of a node that is the target of a transfer, the transfer takes care).
/// - It has none, and some arrive: the keys of each go to the owner, and then its marks go. After that everyone but the owner
///   is told who that is.
pub fn close<N: Copy + Eq>(findings: &[Finding<N>]) -> Result<Vec<Mend<N>>, Unclear> {
    // <exercise 8.10 close>
    let candidate = |f: &Finding<N>| f.owns || f.keys > 0;
    let mut candidates = findings.iter().filter(|f| candidate(f));
    let alone = candidates.next().filter(|only| only.owns && candidates.next().is_none());
    let taken = alone.is_none();
    let owner = match alone {
        Some(owner) => owner,
        None => {
            let most = findings.iter().map(|f| f.keys).max().filter(|&keys| keys > 0).ok_or(Unclear)?;
            findings.iter().find(|f| f.keys == most).ok_or(Unclear)?
        }
    };
    let others = || findings.iter().filter(|f| f.node != owner.node);
    let yields = |f: &Finding<N>| taken && candidate(f);
    let stale = |f: &Finding<N>| f.migrating.is_some() && !yields(f);
    let arriving: Vec<N> =
        others().filter(|f| !stale(f) && (yields(f) || f.importing.is_some())).map(|f| f.node).collect();

    let mut mends = Vec::new();
    if taken {
        mends.extend([Mend::Stable { at: owner.node }, Mend::Own { at: owner.node }]);
        mends.extend(others().filter(|f| yields(f)).map(|f| Mend::Yield { at: f.node, to: owner.node }));
    }
    mends.extend(others().filter(|f| stale(f)).map(|f| Mend::Stable { at: f.node }));
    if let Some(target) = owner.migrating.filter(|_| !taken) {
        let meant = arriving.contains(&target);
        mends.push(match meant {
            true => Mend::Transfer { from: owner.node, to: target },
            false => Mend::Stable { at: owner.node },
        });
        mends.extend(arriving.iter().filter(|&&at| at != target).map(|&at| Mend::Stable { at }));
    } else if !arriving.is_empty() {
        for &from in &arriving {
            mends.extend([Mend::MoveKeys { from, to: owner.node }, Mend::Stable { at: from }]);
        }
        mends.extend(others().map(|f| Mend::Tell { at: f.node, owner: owner.node }));
    }
    Ok(mends)
    // </exercise>
}

/// How to cover a slot that nobody claims. `spare` takes it if nobody holds keys of it.
///
/// Keys at one node: it takes the slot. At several: the one with the most takes it, the first among equals, and then its marks
/// go. After that the others that hold keys, one by one: each yields to the owner, its keys are moved there, and its
/// marks go.
pub fn cover<N: Copy + Eq>(findings: &[Finding<N>], spare: N) -> Vec<Mend<N>> {
    // <exercise 8.10 cover>
    let holders: Vec<&Finding<N>> = findings.iter().filter(|f| f.keys > 0).collect();
    let most = holders.iter().map(|f| f.keys).max().unwrap_or(0);
    let owner = holders.iter().find(|f| f.keys == most).map_or(spare, |f| f.node);
    let mut mends = vec![Mend::Own { at: owner }];
    if holders.len() > 1 {
        mends.push(Mend::Stable { at: owner });
    }
    for from in holders.iter().filter(|f| f.node != owner) {
        mends.push(Mend::Yield { at: from.node, to: owner });
        mends.push(Mend::MoveKeys { from: from.node, to: owner });
        mends.push(Mend::Stable { at: from.node });
    }
    mends
    // </exercise>
}
