//! `ha-cli --cluster …`: looks after a cluster.
//!
//! What is decided here is decided by chapter 8: which slots move ([`plan`]), what a transfer does next
//! ([`transfer`]), what an open slot needs ([`fix`](node::layers::redirection::fix)). This is the part that talks to
//! the nodes, and to the user. It writes what `redis-cli --cluster` writes, as far as scripts and people look for it.
//!
//! # Differences from Redis
//!
//! - Slots are moved sixteen at a time, not one after the other; each of them in the same order of steps.
//! - A node's id may be shortened wherever one is named, if it is clear which one is meant.
//! - Before slots are moved, and after, it waits until the nodes agree. After `redis-cli` a second command may come
//!   too early.
//! - Keys that are on both sides of a slot are compared by `DUMP` before one of them is overwritten; `redis-cli`
//!   compares digests, which a server shows only if `DEBUG` is allowed.
//! - A list of slots is written as ranges.
//! - `import` and `backup` are missing.
//!
//! [`plan`]: node::layers::redirection::plan
//! [`transfer`]: node::layers::redirection::transfer

mod args;
mod call;
mod check;
mod create;
mod fix;
mod layout;
mod links;
mod member;
mod membership;
mod mover;
mod rebalance;
mod reshard;
mod say;
mod view;

use std::ffi::OsString;
use std::time::Duration;

use core_types::Endpoint;

pub(super) use args::ClusterArgs;
use args::{Entry, Moving, Task};
use call::Which;
use links::Links;
use mover::Manner;
use say::Failure;
use view::View;

/// Runs one of the cluster's commands. False if it did not succeed; the user has been told why.
pub(super) fn run(mut args: ClusterArgs) -> bool {
    if args.login.settle().warn {
        super::warn_about_password();
    }
    match perform(args) {
        Ok(()) => true,
        Err(Failure::Told) => false,
        Err(Failure::Because(why)) => {
            say::error(why);
            false
        }
    }
}

fn perform(args: ClusterArgs) -> Result<(), Failure> {
    // A node that moves keys answers when it is done.
    let moving = match &args.task {
        Task::Fix { moving, .. } | Task::Reshard { moving, .. } | Task::Rebalance { moving, .. } => {
            moving.timeout
        }
        _ => 10_000,
    };
    let links = &mut Links::new(args.login, Duration::from_millis(moving) + Duration::from_secs(5));
    match args.task {
        Task::Create { nodes, replicas } => {
            let nodes: Vec<Endpoint> = nodes.into_iter().map(|node| node.0).collect();
            create::create(links, &nodes, replicas, args.yes)
        }
        Task::Check { entry, several_owners } => {
            let view = View::load(links, &entry.endpoint()?)?;
            check::info(links, &view);
            let health = check::check(links, &view, false);
            let doubled = several_owners && !check::several_owners(&view).is_empty();
            if health.is_good() && !doubled { Ok(()) } else { Err(Failure::Told) }
        }
        Task::Info { entry } => {
            let view = View::load(links, &entry.endpoint()?)?;
            check::info(links, &view);
            Ok(())
        }
        Task::Fix { entry, several_owners, without_unreachable, moving } => {
            let view = View::load(links, &entry.endpoint()?)?;
            fix::run(links, &view, fix::Wish { several_owners, without_unreachable }, manner(moving))
        }
        Task::Reshard { entry, from, to, slots, moving } => {
            let view = View::load(links, &entry.endpoint()?)?;
            let wish = reshard::Wish { slots, from, to, yes: args.yes };
            reshard::run(links, &view, &wish, manner(moving))
        }
        Task::Rebalance { entry, weight, use_empty, simulate, threshold, moving } => {
            // The option takes as many words as there are, and the address may stand behind it.
            let (weight, words): (Vec<String>, Vec<String>) =
                weight.into_iter().partition(|word| word.contains('='));
            let entry = Entry { words: [entry.words, words].concat() };
            let weights = weight.iter().map(|text| read_weight(text)).collect::<Result<_, _>>()?;
            let view = View::load(links, &entry.endpoint()?)?;
            let wish = rebalance::Wish { weights, use_empty, simulate, threshold };
            rebalance::run(links, &view, &wish, manner(moving))
        }
        Task::AddNode { new, entry, replica, master } => {
            let view = View::load(links, &entry.0)?;
            membership::add(links, &new.0, &view, replica, master.as_deref())
        }
        Task::DelNode { entry, id } => {
            let view = View::load(links, &entry.0)?;
            membership::remove(links, &view, &id)
        }
        Task::Call { entry, command } => {
            let view = View::load(links, &entry.0)?;
            let (which, command) = whom(command);
            call::call(links, &view, which, &command)
        }
        Task::SetTimeout { entry, milliseconds } => {
            let view = View::load(links, &entry.0)?;
            call::set_timeout(links, &view, milliseconds)
        }
        Task::Import { .. } => Err("`import` is not supported: use redis-cli, or MIGRATE.".into()),
        Task::Backup { .. } => Err("`backup` is not supported: use redis-cli, or SAVE on each node.".into()),
    }
}

fn manner(moving: Moving) -> Manner {
    Manner {
        timeout: Duration::from_millis(moving.timeout),
        keys: moving.keys as usize,
        replace: moving.replace,
    }
}

/// `id=weight`
fn read_weight(text: &str) -> Result<(String, f32), Failure> {
    let wrong = || format!("A weight is id=number, and the number is not below zero: {text}");
    let (id, weight) = text.split_once('=').ok_or_else(wrong)?;
    match weight.parse::<f32>() {
        Ok(weight) if weight >= 0.0 && weight.is_finite() => Ok((id.to_owned(), weight)),
        _ => Err(wrong().into()),
    }
}

/// Takes out of a command those words that are for us: they may stand behind it.
fn whom(command: Vec<OsString>) -> (Which, Vec<Vec<u8>>) {
    let mut which = Which::All;
    let mut words = Vec::new();
    for word in command {
        match word.to_str() {
            Some("--cluster-only-masters") => which = Which::Masters,
            Some("--cluster-only-replicas" | "--cluster-only-slaves") => which = Which::Replicas,
            // Nothing is asked here anyway.
            Some("--cluster-yes") => {}
            _ => words.push(word.into_encoded_bytes()),
        }
    }
    (which, words)
}
