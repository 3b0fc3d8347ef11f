//! Six clusters in which a master dies and nobody is elected; and the one line that changes it.
//!
//! What stands in their files and what happens to them is in [`drill::ward`]. Nodes have `cluster-node-timeout 3000` where no
//! line says otherwise, and Redis's defaults for everything else.
//!
//! A cure is one line in the file of one node ([`Settings::of`]); it stands there from the beginning, behind the lines that are
//! there already, and what comes later wins. Cured is a cluster if, 45 seconds after `A` died, each of its slots
//! takes writes, and if everything is still there that `A` took before anything happened.

use drill::Settings;

/// `A` with `a1` and `a2`, `B` with `b1`, `C` with `c1`. `A` dies. Both of its replicas are linked to it, and both
/// have these lines:
///
/// ```text
/// cluster-require-full-coverage yes
/// replica-priority 0
/// cluster-replica-no-failover yes
/// ```
pub fn first() -> Settings {
    // <exercise 10.9 first>
    Settings::new().of("a1", "cluster-replica-no-failover no")
    // </exercise>
}

/// `A` with `a1`, `B` with `b1`, `C` with `c1`, and `D` and `E` without replicas. `A` dies. In the files of `B` and `C`:
///
/// ```text
/// cluster-node-timeout 600000
/// ```
///
/// For `D` and `E` the dead one is `fail?`, and that is how it stays.
pub fn second() -> Settings {
    // <exercise 10.9 second>
    Settings::new().of("B", "cluster-node-timeout 3000")
    // </exercise>
}

/// `A` with `a1`, `B` with `b1`, `C` with `c1`. The cable between `A` and `a1` breaks, two minutes later `A` dies. In
/// all files:
///
/// ```text
/// cluster-replica-validity-factor 1
/// repl-ping-replica-period 1
/// ```
pub fn third() -> Settings {
    // <exercise 10.9 third>
    Settings::new().of("a1", "cluster-replica-validity-factor 0")
    // </exercise>
}

/// `A` with `a1`, `B` with `b1`, `C` with `c1`. `A` dies. In all files the first line, and in all but that of `a1` the second:
///
/// ```text
/// requirepass secret
/// masterauth secret
/// ```
pub fn fourth() -> Settings {
    // <exercise 10.9 fourth>
    Settings::new().of("a1", "masterauth secret")
    // </exercise>
}

/// `A` with `a1`, `B` with `b1`, `C` with `c1`. `A` dies. In the file of `a1`, which once ran in a container:
///
/// ```text
/// cluster-announce-bus-port 17001
/// ```
///
/// All nodes listen for each other at port 17000. `a1` asks for votes, again and again, and hears nothing.
pub fn fifth() -> Settings {
    // <exercise 10.9 fifth>
    Settings::new().of("a1", "cluster-announce-bus-port 17000")
    // </exercise>
}

/// `A` with `a1`, `B` with `b1`, `C` with `c1`. `a1` is far away: what goes between it and the others takes between 1.2 and 2.4
/// seconds, each way. `A` dies. All files but that of `a1` have the first line, that of `a1` has the second:
///
/// ```text
/// cluster-node-timeout 10000
/// cluster-node-timeout 500
/// ```
pub fn sixth() -> Settings {
    // <exercise 10.9 sixth>
    Settings::new().of("a1", "cluster-node-timeout 10000")
    // </exercise>
}
