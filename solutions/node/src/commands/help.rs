//! What `HELP` answers, for the families of commands that are the node's.

use core_types::Reply;

use crate::Node;
use crate::conn::Conn;

pub(crate) const CLIENT: &[&str] = &[
    "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "GETNAME, SETNAME <name>, ID, INFO",
    "    What is known about this connection.",
    "GETREDIR, TRACKINGINFO",
    "    Always that nothing is tracked: client tracking is not supported here.",
    "KILL <ip:port>, KILL <option> <value> [<option> <value> [...]]",
    "    Ends connections: those that fit all of ADDR, LADDR, ID, TYPE, USER; SKIPME no includes this one.",
    "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB) | ID <id> [<id> ...]]",
    "    One line about each connection.",
    "NO-EVICT (ON|OFF)",
    "    Whether this connection may be chosen when connections have to go.",
    "PAUSE <timeout> [WRITE|ALL], UNPAUSE",
    "    Serves no commands, or no writes, for so many milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Whether commands of this connection are answered.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    Ends the wait of a connection that is blocked.",
    "HELP",
    "    Prints this help.",
];

pub(crate) const CLUSTER: &[&str] = &[
    "CLUSTER <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ADDSLOTS <slot> [<slot> ...], ADDSLOTSRANGE <first> <last> [<first> <last> ...]",
    "    Takes slots that nobody owns.",
    "DELSLOTS <slot> [<slot> ...], DELSLOTSRANGE <first> <last> [<first> <last> ...]",
    "    Forgets who owns these slots.",
    "FLUSHSLOTS",
    "    Gives up all slots of this node.",
    "SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)",
    "    Marks a slot as arriving or leaving, takes the marks away, or names its owner.",
    "KEYSLOT <key>, COUNTKEYSINSLOT <slot>, GETKEYSINSLOT <slot> <count>",
    "    The slot of a key; how many keys of a slot are here, and some of them.",
    "MYID, NODES, INFO, LINKS, REPLICAS <node-id>",
    "    This node's name; what it knows of all, of the cluster, of its connections, of a master's replicas.",
    "SLOTS, SHARDS",
    "    Who serves what, for clients.",
    "MEET <ip> <port> [<bus-port>], FORGET <node-id>",
    "    Makes two nodes, and so their clusters, known to each other; removes one.",
    "REPLICATE <node-id>, FAILOVER [FORCE|TAKEOVER]",
    "    Makes this node a replica of that one, and a replica a master.",
    "RESET [HARD|SOFT]",
    "    Forgets the others and all slots; with HARD the own name and all epochs, too.",
    "SET-CONFIG-EPOCH <epoch>, BUMPEPOCH, COUNT-FAILURE-REPORTS <node-id>, SAVECONFIG",
    "    Epochs, reports of failure, and the file, for those who repair a cluster.",
    "HELP",
    "    Prints this help.",
];

pub(crate) const SENTINEL: &[&str] = &[
    "SENTINEL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "MASTERS, MASTER <master-name>, REPLICAS <master-name>, SENTINELS <master-name>",
    "    What is known of the masters that are watched, and of whom belongs to them.",
    "GET-MASTER-ADDR-BY-NAME <master-name>",
    "    Where the master of that name is now.",
    "IS-MASTER-DOWN-BY-ADDR <ip> <port> <current-epoch> <runid>",
    "    For other sentinels: this one's opinion of a master, and with a run id its vote.",
    "CKQUORUM <master-name>",
    "    Whether a failover could be agreed upon and led right now.",
    "FAILOVER <master-name>",
    "    Fails over although the master is well, and asks nobody.",
    "RESET <pattern>",
    "    Forgets the replicas and sentinels of these masters, and finds them anew.",
    "MONITOR <name> <ip> <port> <quorum>, REMOVE <master-name>",
    "    Begins and ends to watch a master.",
    "SET <master-name> <option> <value> [<option> <value> ...]",
    "    Changes how a master is watched.",
    "CONFIG GET <param>, CONFIG SET <param> <value>",
    "    What this sentinel tells and does in general.",
    "INFO-CACHE <master-name>",
    "    The last INFO of a master and its replicas.",
    "DEBUG [<param> <value> ...]",
    "    The rhythm: all periods in milliseconds, shown or changed.",
    "SIMULATE-FAILURE [CRASH-AFTER-ELECTION] [CRASH-AFTER-PROMOTION] [HELP]",
    "    Dies at a chosen moment of the next failover.",
    "MYID, FLUSHCONFIG, PENDING-SCRIPTS",
    "    This sentinel's id; writes its file; the scripts that wait.",
    "HELP",
    "    Prints this help.",
];

pub(crate) const CONFIG: &[&str] = &[
    "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "GET <pattern> [<pattern> ...]",
    "    The directives whose names match, and their values.",
    "SET <directive> <value> [<directive> <value> ...]",
    "    Changes directives: all of them, or none.",
    "REWRITE",
    "    Brings the configuration file up to date.",
    "RESETSTAT",
    "    Begins to count anew what INFO counts.",
    "HELP",
    "    Prints this help.",
];

pub(crate) const COMMAND: &[&str] = &[
    "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "(no subcommand), INFO [<command-name> ...]",
    "    Number of arguments, flags and places of keys of commands.",
    "COUNT",
    "    How many commands there are.",
    "LIST [FILTERBY (ACLCAT <category>|PATTERN <pattern>|MODULE <name>)]",
    "    Their names.",
    "DOCS [<command-name> ...]",
    "    What they are for.",
    "GETKEYS <full-command>, GETKEYSANDFLAGS <full-command>",
    "    The keys that a command would use, and how.",
    "HELP",
    "    Prints this help.",
];

pub(crate) const PUBSUB: &[&str] = &[
    "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CHANNELS [<pattern>], SHARDCHANNELS [<pattern>]",
    "    The channels that somebody listens to.",
    "NUMSUB [<channel> ...], SHARDNUMSUB [<channel> ...]",
    "    How many listen to each.",
    "NUMPAT",
    "    How many patterns are listened to.",
    "HELP",
    "    Prints this help.",
];

pub(crate) const SLOWLOG: &[&str] = &[
    "SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "GET [<count>]",
    "    The latest slow commands (10 unless told, all with -1): id, time, duration in microseconds,",
    "    arguments, address and name of the client.",
    "LEN",
    "    How many are kept.",
    "RESET",
    "    Forgets them.",
    "HELP",
    "    Prints this help.",
];

pub(crate) const LATENCY: &[&str] = &[
    "LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DOCTOR, GRAPH <event>, HISTORY <event>, LATEST, RESET [<event> ...], HISTOGRAM [<command> ...]",
    "    Answered as by a server whose latency monitor is off: there are no samples.",
    "HELP",
    "    Prints this help.",
];

pub(crate) const MEMORY: &[&str] = &[
    "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DOCTOR",
    "    What looks wrong with the use of memory.",
    "MALLOC-STATS, PURGE",
    "    Accepted; the allocator keeps no statistics and frees by itself.",
    "STATS",
    "    How much memory is used, and for what.",
    "USAGE <key> [SAMPLES <count>]",
    "    About how many bytes <key> and its value take. Nothing is sampled: everything is counted.",
    "HELP",
    "    Prints this help.",
];

pub(crate) const ACL: &[&str] = &[
    "ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CAT [<category>]",
    "    The categories of commands, or the commands of one.",
    "LIST, USERS, WHOAMI",
    "    About the one user there is.",
    "HELP",
    "    Prints this help.",
];

pub(crate) const DEBUG: &[&str] = &[
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CHANGE-REPL-ID",
    "    Begins a new replication history.",
    "DIGEST, DIGEST-VALUE <key> [<key> ...]",
    "    A fingerprint of all data, or of values: equal data give the same one in Redis.",
    "ERROR <string>, LOG <message>",
    "    Answers with an error; writes to the log.",
    "OBJECT <key>",
    "    How the value of <key> is kept.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Makes keys named <prefix>:<number>. Replicas are not told.",
    "PROTOCOL <type>",
    "    Answers with a value of that type.",
    "RELOAD [NOSAVE|NOFLUSH|MERGE]",
    "    Writes the data set as a snapshot in memory, and loads it again.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Whether keys expire that nobody asks for.",
    "SLEEP <seconds>",
    "    Stops the whole server for a while.",
    "HELP",
    "    Prints this help.",
];

/// Answers with a help text.
pub(crate) fn answer(node: &mut Node, conn: &mut Conn, lines: &[&str]) {
    let mut reply = node.encoder(conn);
    reply.array(lines.len());
    lines.iter().for_each(|line| reply.simple(line));
}
