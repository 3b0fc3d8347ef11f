//! Who gets a slot when the claims for it come in an unlucky order: in Redis as here.

use system::cluster::nodes;
use system::{Cluster, both, wait};

/// A slot's owner names it no more, and a master with a smaller epoch does. A third node, which heard of neither from an
/// operator, follows the claim; it would name the wrong owner for ever if only the greater epoch counted.
#[test]
fn a_slot_that_its_owner_names_no_more_goes_to_whoever_claims_it() {
    for kind in both("a_slot_that_its_owner_names_no_more_goes_to_whoever_claims_it") {
        let cluster = Cluster::masters(&[kind; 3], &[]);
        let servers = &cluster.servers;
        let epoch = |index: usize| {
            let line = nodes(&servers[1]).into_iter().find(|line| line.id == cluster.id(index));
            line.expect("a member").epoch
        };
        assert!(epoch(0) < epoch(2));
        servers[2].ok("CLUSTER DELSLOTS 16383");
        for command in ["DELSLOTS", "ADDSLOTS"] {
            servers[0].ok(&format!("CLUSTER {command} 16383"));
        }
        let claimant = cluster.id(0);
        wait::until("the third node to follow the claim", || {
            let line = nodes(&servers[1]).into_iter().find(|line| line.id == claimant);
            line.is_some_and(|line| line.slots.iter().any(|range| range == "16383"))
        });
    }
}
