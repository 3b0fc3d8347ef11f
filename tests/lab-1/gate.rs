// 1.7 and 1.8: what a replica refuses, and what becomes of expired keys.

const MASTER: Gate =
    Gate { role_is_replica: false, read_only: true, link_up: false, serve_stale: true, loading: false };
const REPLICA: Gate = Gate { role_is_replica: true, link_up: true, ..MASTER };
const GET: CommandTraits = CommandTraits { write: false, while_stale: false, while_loading: false };
const SET: CommandTraits = CommandTraits { write: true, ..GET };
const INFO: CommandTraits = CommandTraits { while_stale: true, while_loading: true, ..GET };

fn knock(trace: &mut Trace, text: String, gate: &Gate, origin: Origin, command: CommandTraits) {
    let answer =
        lab::may_run(gate, origin, command).map_or_else(|refusal| refusal.to_string(), |()| "runs".into());
    trace.call(text, answer);
}

fn gate(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "what a node refuses".into();
    trace.timeless = true;
    let cut_off = Gate { link_up: false, ..REPLICA };
    let careful = Gate { serve_stale: false, ..cut_off };
    for (node, gate) in [
        ("a master", MASTER),
        ("a master, loading", Gate { loading: true, ..MASTER }),
        ("a master, serve-stale off", Gate { serve_stale: false, ..MASTER }),
        ("a replica", REPLICA),
        ("a replica, loading", Gate { loading: true, ..REPLICA }),
        ("a replica, writable", Gate { read_only: false, ..REPLICA }),
        ("a replica, link down", cut_off),
        ("a replica, link down, serve-stale off", careful),
        ("the same, writable", Gate { read_only: false, ..careful }),
        ("the same, loading", Gate { read_only: false, loading: true, ..careful }),
    ] {
        for (name, command) in [("GET", GET), ("SET", SET), ("INFO", INFO)] {
            knock(trace, format!("{node}: a client's {name}"), &gate, Origin::Client, command);
        }
    }
    knock(trace, "a replica: its master's SET".into(), &REPLICA, Origin::MasterLink, SET);
    Ok(())
}

/// The seed's bits are the case: all 512 are tried.
fn gate_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    trace.timeless = true;
    let bit = |index: u32| seed >> index & 1 == 1;
    let gate = Gate {
        role_is_replica: bit(0),
        read_only: bit(1),
        link_up: bit(2),
        serve_stale: bit(3),
        loading: bit(4),
    };
    let command = CommandTraits { write: bit(5), while_stale: bit(6), while_loading: bit(7) };
    let origin = if bit(8) { Origin::MasterLink } else { Origin::Client };
    if origin == Origin::MasterLink && (!gate.role_is_replica || !gate.link_up) {
        // Nothing comes from a master that there is no link to.
        return Ok(());
    }
    knock(trace, format!("{gate:?}, {command:?}, {origin:?}"), &gate, origin, command);
    Ok(())
}

fn expired_keys(trace: &mut Trace) -> Result<(), Broken> {
    trace.title = "a key whose time is up".into();
    trace.timeless = true;
    let replica = Role::Replica { of: Endpoint::new("10.0.0.1", 7000) };
    for (text, role, origin) in [
        ("at the master, touched by a client", &Role::Master, Origin::Client),
        ("at a replica, touched by a client", &replica, Origin::Client),
        ("at a replica, touched by its master's stream", &replica, Origin::MasterLink),
    ] {
        let fate = match lab::expired_key(role, origin) {
            ExpiredKey::Delete => "delete it, and tell the replicas",
            ExpiredKey::Hide => "answer as if it were gone",
            ExpiredKey::Keep => "treat it as any other key",
        };
        trace.call(text, fate);
    }
    Ok(())
}
