//! What must hold whatever happens.

use std::collections::BTreeSet;

use core_types::{Millis, Rng};
use proptest::prelude::*;
use solution_7::{
    Candidate, Contact, Known, Opinion, Plan, Reports, Rumour, Seen, Serving, agreed, choose, due,
    extra_ping, merge, wanted,
};

const TIMEOUT: Millis = Millis(1000);

fn candidate() -> impl Strategy<Value = Candidate> {
    any::<(bool, bool, bool, bool, bool)>().prop_map(
        |(handshake, no_address, suspected, linked, owns_slots)| Candidate {
            myself: false,
            handshake,
            no_address,
            suspected,
            linked,
            owns_slots,
        },
    )
}

proptest! {
    /// However a cluster of masters is torn into two, and whatever each believes of its own side: the two never declare
    /// each other failed, since both cannot be a majority.
    #[test]
    fn two_sides_never_declare_each_other_failed(voters in 1_usize..100, here in 0_usize..100) {
        let here = here.min(voters);
        let declares = |side: usize| {
            let reports = side.saturating_sub(1);
            let opinion = Opinion { suspected: true, reports, i_vote: side > 0, voters, already: false };
            agreed(&opinion)
        };
        prop_assert!(!(declares(here) && declares(voters - here)));
    }

    /// ... and at most one of them serves, from the moment on at which both see what has happened.
    #[test]
    fn two_sides_never_serve_both(voters in 1_usize..100, here in 0_usize..100, at in 0_u64..1_000_000) {
        let here = here.min(voters);
        let serves = |reachable: usize| {
            let mut node = Serving::starting(Millis(0));
            let seen = Seen { i_am_master: true, voters, reachable, covered: true, full_coverage: false };
            node.look(Millis(at), TIMEOUT, &seen);
            node.ok
        };
        prop_assert!(!(serves(here) && serves(voters - here)));
    }

    /// A node that serves has no reason not to, one that does not has one, and the answer says whether it changed.
    #[test]
    fn there_is_a_reason_if_and_only_if_a_node_does_not_serve(
        looks in prop::collection::vec((1_u64..4000, any::<(bool, bool, bool)>(), 1_usize..8, 0_usize..8), 1..40),
    ) {
        let mut node = Serving::starting(Millis(0));
        let mut now = Millis(0);
        for (pause, (i_am_master, covered, full_coverage), voters, reachable) in looks {
            now += Millis(pause);
            let before = node.ok;
            let reachable = reachable.min(voters);
            let changed =
                node.look(now, TIMEOUT, &Seen { i_am_master, voters, reachable, covered, full_coverage });
            prop_assert_eq!(changed, before != node.ok);
            prop_assert_eq!(node.ok, node.why.is_none());
            prop_assert!(!node.ok || reachable > voters / 2);
        }
    }

    /// Reports count each master once, and only as long as it has said so lately.
    #[test]
    fn reports_count_masters_and_not_words(words in prop::collection::vec((0_u64..1500, 0_u8..6, any::<bool>()), 0..60)) {
        let (mut reports, mut now) = (Reports::new(), Millis(10_000));
        let mut last = std::collections::BTreeMap::new();
        for (pause, teller, fails) in words {
            now += Millis(pause);
            if fails {
                reports.add(teller, now);
                last.insert(teller, now);
            } else {
                reports.remove(&teller);
                last.remove(&teller);
            }
            let holds = last.values().filter(|at| now.since(**at) <= Millis(2 * TIMEOUT.0)).count();
            prop_assert_eq!(reports.count(now, TIMEOUT), holds);
        }
    }

    /// Everybody who is suspected is told of, nobody twice, nobody who is not known to others, and not more than there is room
    /// for.
    #[test]
    fn a_heartbeat_tells_of_all_who_are_suspected(
        others in prop::collection::vec(candidate(), 0..80),
        seed in any::<u64>(),
    ) {
        let me = Candidate { myself: true, ..Candidate::default() };
        let members: Vec<Candidate> = std::iter::once(me).chain(others).collect();
        let told = choose(&mut Rng::new(seed), members.iter().copied().enumerate());
        let unique: BTreeSet<usize> = told.iter().copied().collect();
        prop_assert_eq!(unique.len(), told.len());
        let tellable = |one: &Candidate| !one.myself && !one.handshake && !one.no_address;
        prop_assert!(told.iter().all(|&place| tellable(&members[place])));
        let suspected =
            members.iter().enumerate().filter(|(_, one)| tellable(one) && one.suspected).map(|(place, _)| place);
        let suspected: BTreeSet<usize> = suspected.collect();
        prop_assert!(suspected.is_subset(&unique));
        prop_assert!(told.len() - suspected.len() <= wanted(members.len()));
    }

    /// A rumour never makes an answer older, and never brings one from further ahead than clocks may differ.
    #[test]
    fn a_rumour_is_only_ever_a_later_answer(
        now in 0_u64..10_000, told in 0_u64..12_000, ours in 0_u64..10_000, flags in any::<[bool; 8]>(),
    ) {
        let [failing, no_address, same_address, myself, doubted, waiting, reported, votes] = flags;
        let rumour = Rumour { failing, no_address, same_address, pong_received: Millis(told) };
        let known = Known { myself, failing: doubted, waiting, reported, pong_received: Millis(ours) };
        let belief = merge(Millis(now), &rumour, &known, votes);
        if let Some(heard) = belief.heard {
            prop_assert!(heard > Millis(ours) && heard <= Millis(now + 500));
            prop_assert!(!failing && !waiting && !reported);
        }
        prop_assert!(!belief.take_address || doubted);
        prop_assert!(belief.report.is_none() || votes && !myself);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A node that looks around ten times a second, with everybody in good health and without hearsay, pings at most as often as the
    /// plan says, and lets nobody wait for longer than half the node timeout and one look.
    #[test]
    fn a_node_pings_no_more_than_planned(nodes in 2_usize..60, timeout in 500_u64..20_000, seed in any::<u64>()) {
        let timeout = Millis(timeout);
        let mut rng = Rng::new(seed);
        let mut heard: Vec<Millis> = (1..nodes).map(|_| Millis(rng.below(timeout.0 / 2))).collect();
        let (begin, end) = (timeout.0 / 2, 6 * timeout.0);
        let mut pings = 0_u64;
        for look in (begin / 100 + 1)..=(end / 100) {
            let now = Millis(look * 100);
            let mut answers = Vec::new();
            if look % 10 == 0 {
                answers.extend(extra_ping(&mut rng, heard.len(), |place| Some(heard[place])));
            }
            for (place, pong_received) in heard.iter().copied().enumerate() {
                let ping_sent = Millis::ZERO;
                let linked = Some(Millis::ZERO);
                let contact = Contact { linked, ping_sent, pong_received, data_received: pong_received };
                let due = due(now, &contact, timeout);
                prop_assert!(!due.suspect && !due.reconnect);
                prop_assert!(now.since(pong_received) <= Millis(timeout.0 / 2 + 101));
                if due.ping {
                    answers.push(place);
                }
            }
            for place in answers {
                pings += 1;
                heard[place] = now + Millis(1);
            }
        }
        let seconds = (end - begin) as f64 / 1000.0;
        let plan = Plan::new(nodes, 1, timeout);
        // One round more may have begun than has ended.
        let bound = plan.pings() * seconds + nodes as f64 + 1.0;
        prop_assert!(pings as f64 <= bound, "{pings} pings in {seconds} s, {bound} planned");
    }
}
