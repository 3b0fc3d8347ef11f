//! `call` and `set-timeout`: the same for every node.

use core_types::Frame;

use super::super::format::for_programs;
use super::links::{Links, Words, words};
use super::say::{self, Failure};
use super::view::View;

/// Which nodes a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    Masters,
    Replicas,
}

/// Runs a command on every node and shows what each one says.
pub(super) fn call(links: &mut Links, view: &View, which: Which, command: &Words) -> Result<(), Failure> {
    let shown: Vec<_> = command.iter().map(|word| String::from_utf8_lossy(word)).collect();
    say::step(format!("Calling {}", shown.join(" ")));
    let wanted = |replica: bool| match which {
        Which::All => true,
        Which::Masters => !replica,
        Which::Replicas => replica,
    };
    let nodes: Vec<_> = view
        .members
        .iter()
        .filter(|member| wanted(member.is_replica()))
        .map(|member| member.at.clone())
        .collect();
    let replies = links.round(nodes.iter().map(|at| (at.clone(), command.clone())).collect());
    for (at, reply) in nodes.iter().zip(replies) {
        match reply {
            Ok(reply) => tell!("{at}: {}", String::from_utf8_lossy(&for_programs(&reply, b"\n"))),
            Err(error) => tell!("{at}: Failed! {}", crate::reason(&error)),
        }
    }
    Ok(())
}

/// Sets `cluster-node-timeout` everywhere, and in the configuration files, too.
pub(super) fn set_timeout(links: &mut Links, view: &View, milliseconds: u64) -> Result<(), Failure> {
    if milliseconds < 100 {
        return Err("Setting a node timeout of less than 100 milliseconds is a bad idea.".into());
    }
    say::step("Reconfiguring node timeout in every cluster node...");
    let (mut good, mut bad) = (0, 0);
    for member in &view.members {
        let at = &member.at;
        let set = words(format!("CONFIG SET cluster-node-timeout {milliseconds}"));
        let replies = links.round(vec![(at.clone(), set), (at.clone(), words("CONFIG REWRITE"))]);
        let problem = replies.into_iter().find_map(|reply| match reply {
            Ok(Frame::Error(why)) => Some(why),
            Ok(_) => None,
            Err(error) => Some(crate::reason(&error)),
        });
        match problem {
            None => {
                tell!("*** New timeout set for {at}");
                good += 1;
            }
            Some(why) => {
                say::error(format!("Setting node-timeout for {at}: {why}"));
                bad += 1;
            }
        }
    }
    say::step(format!("New node timeout set. {good} OK, {bad} ERR."));
    if bad == 0 { Ok(()) } else { Err(Failure::Told) }
}
