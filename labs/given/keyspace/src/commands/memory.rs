use core_types::Args;

use super::{Ctx, integer};
use crate::context::Outcome;
use crate::errors;

const HELP: &[&str] = &[
    "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "USAGE <key> [SAMPLES <count>]",
    "    About how many bytes <key> and its value take. Nothing is sampled: everything is counted.",
    "HELP",
    "    Prints this help.",
];

pub(crate) fn memory(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.is(1, "HELP") && args.len() == 2 {
        ctx.reply.array(HELP.len());
        HELP.iter().for_each(|line| ctx.reply.simple(line));
        return Ok(());
    }
    if !args.is(1, "USAGE") {
        let name = String::from_utf8_lossy(&args[1]);
        return Err(format!("ERR unknown subcommand '{name:.128}'. Try MEMORY HELP.").into());
    }
    if args.len() < 3 {
        return Err(errors::arity("memory|usage").into());
    }
    for index in (3..args.len()).step_by(2) {
        let valid = args.is(index, "SAMPLES") && index + 1 < args.len();
        if !valid || integer(args, index + 1)? < 0 {
            return Err(errors::SYNTAX.into());
        }
    }
    match ctx.peek(&args[2]) {
        Some(position) => ctx.reply.integer(ctx.keyspace.db(ctx.db).memory_at(position) as i64),
        None => ctx.reply.null(),
    }
    Ok(())
}
