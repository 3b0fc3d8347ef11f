//! A cluster as a table: its masters, their replicas below them, and a bar that shows whose the slots are.
//!
//! Every member has an opinion of its own, and after a crash or a cut they differ for a while. So each line is what that
//! node says of itself; only the bar, and the place of those who say nothing, are one node's view: that of the greatest
//! epoch.

use std::collections::BTreeMap;

use colored::{Color, ColoredString, Colorize};

use super::members::{NO_LINK, Row, View};
use super::shape::Node;
use super::talk;
use super::watch::{Facts, Picture, WELL};

/// How many characters show all slots.
const BAR: usize = 64;
const SLOTS: u16 = 16384;

/// The masters' colours, by the number of the node.
const COLORS: [Color; 6] =
    [Color::Green, Color::Cyan, Color::Magenta, Color::Blue, Color::BrightGreen, Color::BrightCyan];

/// A node, and what it says if it answers.
struct Seen<'n> {
    node: &'n Node,
    /// What the bench has started and still runs.
    pid: Option<u32>,
    view: Option<View>,
}

impl Seen<'_> {
    fn own(&self) -> Option<&Row> {
        self.view.as_ref()?.own()
    }

    fn field(&self, name: &str) -> Option<&str> {
        talk::field(&self.view.as_ref()?.replication, name)
    }

    fn offset(&self) -> Option<u64> {
        self.field("slave_repl_offset").or_else(|| self.field("master_repl_offset"))?.parse().ok()
    }
}

/// Asks all nodes, at the same time: one that hangs does not hold up the others.
pub(super) fn look(nodes: &[Node], running: impl Fn(&Node) -> Option<u32> + Sync) -> Picture {
    let ask = |node| Seen { node, pid: running(node), view: View::of(node.port) };
    let seen: Vec<Seen<'_>> = std::thread::scope(|scope| {
        let asked: Vec<_> = nodes.iter().map(|node| scope.spawn(|| ask(node))).collect();
        asked.into_iter().filter_map(|answer| answer.join().ok()).collect()
    });
    Drawing::new(&seen).picture()
}

struct Drawing<'s> {
    seen: &'s [Seen<'s>],
    /// The view that decides where there are several.
    best: Option<&'s View>,
}

/// A cell of the table: its text, and how it looks.
type Cell = (String, Option<Color>);

const HEAD: [&str; 8] = ["", "port", "role", "slots", "epoch", "data", "cluster", "program"];

impl<'s> Drawing<'s> {
    fn new(seen: &'s [Seen<'s>]) -> Drawing<'s> {
        let views = seen.iter().filter_map(|one| one.view.as_ref());
        // The first of the best.
        let best = views.reduce(|best, view| {
            let rank = |view: &View| (view.current_epoch, view.serves);
            if rank(view) > rank(best) { view } else { best }
        });
        Drawing { seen, best }
    }

    /// What is known of a node: by itself, or else by the best view.
    fn row(&self, one: &'s Seen<'s>) -> Option<&'s Row> {
        one.own().or_else(|| self.best?.rows.iter().find(|row| row.port == one.node.port))
    }

    /// The node with this id.
    fn by_id(&self, id: &str) -> Option<&'s Seen<'s>> {
        self.seen.iter().find(|one| self.row(one).is_some_and(|row| row.id == id))
    }

    fn master_of(&self, one: &'s Seen<'s>) -> Option<&'s Seen<'s>> {
        self.by_id(self.row(one)?.master.as_deref()?)
    }

    fn picture(&self) -> Picture {
        let mut table: Vec<Vec<Cell>> =
            vec![HEAD.map(|word| (word.to_owned(), Some(Color::BrightBlack))).into()];
        let mut facts = Facts::new();
        let masters = self.seen.iter().filter(|one| self.master_of(one).is_none());
        for master in masters {
            table.push(self.line(master, "", &mut facts));
            let port = master.node.port;
            let follows = |one: &&Seen<'_>| self.master_of(one).is_some_and(|other| other.node.port == port);
            let replicas: Vec<_> = self.seen.iter().filter(follows).collect();
            for (index, replica) in replicas.iter().enumerate() {
                let branch = if index + 1 == replicas.len() { "└─ " } else { "├─ " };
                table.push(self.line(replica, branch, &mut facts));
            }
        }
        // Who is left follows somebody who follows it, or who is a replica itself.
        for one in self.seen {
            if !facts.contains_key(&(one.node.name.clone(), "it".to_owned())) {
                table.push(self.line(one, "", &mut facts));
            }
        }
        let mut lines = aligned(&table);
        lines.extend(self.strangers());
        lines.push(String::new());
        lines.extend(self.bar());
        Picture { lines, facts }
    }

    fn line(&self, one: &'s Seen<'s>, branch: &str, facts: &mut Facts) -> Vec<Cell> {
        let node = one.node;
        let label = format!("{branch}{}", node.name);
        let process = match one.pid {
            Some(pid) => format!("{} (process {pid})", node.program()),
            None if one.view.is_some() => format!("{} (not started here)", node.program()),
            None => node.program(),
        };
        let mut fact = |aspect: &str, text: &str| {
            facts.insert((node.name.clone(), aspect.to_owned()), text.to_owned());
        };
        let row = self.row(one);
        let (Some(view), Some(row)) = (&one.view, row) else {
            let state = if one.pid.is_some() { "does not answer" } else { "down" };
            fact("it", state);
            let mut cells: Vec<Cell> = vec![
                (label, Some(Color::Red)),
                (node.port.to_string(), None),
                (state.to_owned(), Some(Color::Red)),
                (row.map(|row| ranges(&row.slots)).unwrap_or_default(), Some(Color::Red)),
            ];
            cells.extend([("", None), ("", None), ("", None)].map(|(text, color)| (text.to_owned(), color)));
            cells.push((process, None));
            return cells;
        };
        fact("it", "runs");
        let is_master = row.has("master");
        let role = match (is_master, self.master_of(one)) {
            (true, _) => "master".to_owned(),
            (false, Some(master)) => format!("replica of {}", master.node.name),
            (false, None) => "replica".to_owned(),
        };
        let sees = self.sees(view);
        let state = if view.serves { "serves" } else { "does not serve" };
        fact("role", &role);
        fact("slots", &if row.slots.is_empty() { "no slots".to_owned() } else { ranges(&row.slots) });
        fact("epoch", &row.epoch.to_string());
        fact("state", state);
        for other in view.rows.iter().filter(|other| !other.has("myself")) {
            // Connections come and go while somebody is down; that would drown what matters.
            let trouble = other.trouble().filter(|trouble| *trouble != NO_LINK).unwrap_or(WELL);
            fact(&format!("sees {}", self.name(other)), trouble);
        }
        let (data, linked) = self.data(one, view, is_master);
        if !is_master {
            fact("link", if linked { "link up" } else { "link down" });
        }
        let mut slots = ranges(&row.slots);
        if row.moving > 0 {
            slots += &format!(" ({} on the move)", row.moving);
        }
        let own = color_of(node);
        let (cluster, mood) = match (view.serves, sees) {
            (true, None) => ("serves".to_owned(), Color::Green),
            (true, Some(sees)) => (format!("serves; sees {sees}"), Color::Yellow),
            (false, None) => ("does not serve".to_owned(), Color::Red),
            (false, Some(sees)) => (format!("does not serve; sees {sees}"), Color::Red),
        };
        vec![
            (
                label,
                if is_master { Some(own) } else { self.master_of(one).map(|master| color_of(master.node)) },
            ),
            (node.port.to_string(), None),
            (if is_master { "master" } else { "replica" }.to_owned(), is_master.then_some(own)),
            (slots, is_master.then_some(own)),
            (row.epoch.to_string(), None),
            (data, if linked { None } else { Some(Color::Red) }),
            (cluster, Some(mood)),
            (process, None),
        ]
    }

    /// How far its data is, and whether its link to its master is up.
    fn data(&self, one: &Seen<'_>, view: &View, is_master: bool) -> (String, bool) {
        let keys = if view.keys == 1 { "1 key".to_owned() } else { format!("{} keys", view.keys) };
        let offset = one.offset().unwrap_or_default();
        if is_master {
            return (format!("{keys}, offset {offset}"), true);
        }
        if one.field("master_link_status") != Some("up") {
            return (format!("{keys}, offset {offset}, link down"), false);
        }
        let port = one.field("master_port").and_then(|port| port.parse::<u16>().ok());
        let master = self.seen.iter().find(|other| Some(other.node.port) == port);
        let behind = match master.and_then(Seen::offset).map(|top| top.saturating_sub(offset)) {
            Some(0) => ", has everything".to_owned(),
            Some(behind) => format!(", {behind} bytes behind"),
            None => String::new(),
        };
        let lag = master
            .and_then(|master| talk::lag(&master.view.as_ref()?.replication, one.node.port))
            .map_or(String::new(), |lag| format!(", lag {lag} s"));
        (format!("{keys}, offset {offset}, link up{behind}{lag}"), true)
    }

    /// With whom something is wrong, as this member sees it.
    fn sees(&self, view: &View) -> Option<String> {
        let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for row in &view.rows {
            if let Some(trouble) = row.trouble() {
                groups.entry(trouble).or_default().push(self.name(row));
            }
        }
        let shown: Vec<String> = groups
            .iter_mut()
            .map(|(trouble, names)| {
                names.sort();
                format!("{} ({trouble})", names.join(", "))
            })
            .collect();
        (!shown.is_empty()).then(|| shown.join(", "))
    }

    fn name(&self, row: &Row) -> String {
        let known = self.seen.iter().find(|one| one.node.port == row.port);
        known.map_or_else(|| format!("port {}", row.port), |one| one.node.name.clone())
    }

    /// Members that the bench has not started.
    fn strangers(&self) -> Vec<String> {
        let rows = self.best.map(|view| &view.rows[..]).unwrap_or_default();
        let is_stranger = |row: &&Row| self.seen.iter().all(|one| one.node.port != row.port);
        let line = |row: &Row| {
            let role = if row.has("master") { "master" } else { "replica" };
            let trouble = row.trouble().map_or(String::new(), |trouble| format!(", {trouble}"));
            format!(
                "Another member: port {}, {role}, epoch {}, slots {}{trouble}",
                row.port,
                row.epoch,
                ranges(&row.slots)
            )
        };
        rows.iter().filter(is_stranger).map(line).collect()
    }

    /// Whose the slots are: the last digit of the owner's number for each 256 of them.
    fn bar(&self) -> Vec<String> {
        let Some(best) = self.best else { return vec!["No node answers.".red().to_string()] };
        let mut bar = String::new();
        let each = usize::from(SLOTS) / BAR;
        for cell in 0..BAR {
            let slot = (cell * each) as u16;
            let owner = best
                .rows
                .iter()
                .find(|row| row.slots.iter().any(|&(first, last)| (first..=last).contains(&slot)));
            let drawn: ColoredString = match owner {
                None => "·".red(),
                Some(row) => {
                    let digit = (row.port % 10).to_string();
                    let node = self.seen.iter().find(|one| one.node.port == row.port);
                    match (row.trouble(), node) {
                        (Some(_), _) => digit.black().on_red(),
                        (None, Some(one)) => digit.black().on_color(color_of(one.node)),
                        (None, None) => digit.reversed(),
                    }
                }
            };
            bar += &drawn.to_string();
        }
        let count = |rows: &mut dyn Iterator<Item = &Row>| -> u32 {
            rows.flat_map(|row| &row.slots)
                .map(|&(first, last)| u32::from(last.saturating_sub(first)) + 1)
                .sum()
        };
        let owned = count(&mut best.rows.iter());
        let well = count(&mut best.rows.iter().filter(|row| row.trouble().is_none()));
        let mut text = format!("{owned} of {SLOTS} have an owner");
        if well < owned {
            text += &format!(", {} of them one that is not well", owned - well);
        }
        let text = if well == u32::from(SLOTS) { text.normal() } else { text.red() };
        vec![format!("Slots  {bar}  {text}"), format!("Epoch  {}", best.current_epoch)]
    }
}

fn color_of(node: &Node) -> Color {
    COLORS[usize::from(node.number()) % COLORS.len()]
}

/// "0-5460, 7000", and how many more.
fn ranges(slots: &[(u16, u16)]) -> String {
    const SHOWN: usize = 3;
    let show = |&(first, last): &(u16, u16)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    let mut text = slots.iter().take(SHOWN).map(show).collect::<Vec<_>>().join(", ");
    if slots.len() > SHOWN {
        text += &format!(" and {} more", slots.len() - SHOWN);
    }
    text
}

/// Columns of equal width, then colours.
fn aligned(table: &[Vec<Cell>]) -> Vec<String> {
    let width = |column: usize| {
        table
            .iter()
            .filter_map(|row| row.get(column))
            .map(|(text, _)| text.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |row: &Vec<Cell>| {
        let cells = row.iter().zip(&widths).map(|((text, color), width)| {
            let padded = format!("{text:<width$}");
            color.map_or_else(|| padded.clone(), |color| padded.as_str().color(color).to_string())
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    table.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::shape::{Plan, Shape};
    use super::*;

    fn id(number: usize) -> String {
        format!("{number:040}")
    }

    /// Six nodes after the death of node-1, whose place node-5 has taken, as they say themselves.
    fn views() -> Vec<Option<View>> {
        let slots = ["0-5460", "", "10923-16383", "", "", "5461-10922"];
        let masters = [None, None, None, Some(2), Some(0), None];
        let view = |teller: usize| {
            let row = |member: usize| {
                let role = if masters[member].is_some() { "slave" } else { "master" };
                let how = match member {
                    1 => ",fail",
                    _ if member == teller => ",myself",
                    _ => "",
                };
                let master = masters[member].map_or("-".to_owned(), id);
                let epoch = if member == 5 { 7 } else { member + 1 };
                let (port, slots) = (7000 + member, slots[member]);
                let link = if member == 1 { "disconnected" } else { "connected" };
                format!(
                    "{} 127.0.0.1:{port}@17000 {role}{how} {master} 0 0 {epoch} {link} {slots}\n",
                    id(member)
                )
            };
            let table: String = (0..6).map(row).collect();
            let replication = match masters[teller] {
                None => "role:master\r\nmaster_repl_offset:100\r\n\
                         slave0:ip=127.0.0.1,port=7003,state=online,offset=90,lag=1\r\n"
                    .to_owned(),
                Some(of) => format!(
                    "role:slave\r\nmaster_port:{}\r\nmaster_link_status:{}\r\nslave_repl_offset:90\r\n",
                    7000 + of,
                    if of == 0 { "down" } else { "up" },
                ),
            };
            View::parse("cluster_state:ok\r\ncluster_current_epoch:7\r\n", &table, replication, ":1")
        };
        (0..6).map(|number| if number == 1 { None } else { view(number) }).collect()
    }

    fn picture(views: Vec<Option<View>>) -> Picture {
        colored::control::set_override(false);
        let nodes = Plan { shape: Shape::Cluster, ..Plan::default() }.nodes();
        let seen: Vec<Seen<'_>> = nodes
            .iter()
            .zip(views)
            .map(|(node, view)| Seen { node, pid: view.is_some().then_some(1), view })
            .collect();
        Drawing::new(&seen).picture()
    }

    #[test]
    fn replicas_stand_below_their_masters_and_the_dead_alone() {
        let text = picture(views()).lines.join("\n");
        assert_eq!(
            text,
            "           \
port  role     slots        epoch  data                                                 cluster                       program
node-0     7000  master   0-5460       1      1 key, offset 100                                    serves; sees node-1 (failed)  ha-server (process 1)
└─ node-4  7004  replica               5      1 key, offset 90, link down                          serves; sees node-1 (failed)  ha-server (process 1)
node-1     7001  down                                                                                                            ha-server
node-2     7002  master   10923-16383  3      1 key, offset 100                                    serves; sees node-1 (failed)  ha-server (process 1)
└─ node-3  7003  replica               4      1 key, offset 90, link up, 10 bytes behind, lag 1 s  serves; sees node-1 (failed)  ha-server (process 1)
node-5     7005  master   5461-10922   7      1 key, offset 100                                    serves; sees node-1 (failed)  ha-server (process 1)

Slots  0000000000000000000000555555555555555555555222222222222222222222  16384 of 16384 have an owner
Epoch  7"
        );
    }

    #[test]
    fn whoever_answers_nothing_leaves_the_others_as_they_are() {
        assert!(picture((0..6).map(|_| None).collect()).lines.join("\n").contains("No node answers."));
        // Two that take each other for their master are drawn all the same.
        let mut odd = views();
        for (teller, master) in [(3, 4), (4, 3)] {
            let table =
                format!("{} h:{}@1 myself,slave {} 0 0 1 connected\n", id(teller), 7000 + teller, id(master));
            odd[teller] =
                View::parse("cluster_state:ok\r\ncluster_current_epoch:1\r\n", &table, String::new(), ":0");
        }
        let text = picture(odd).lines.join("\n");
        for number in 0..6 {
            assert_eq!(text.matches(&format!("node-{number}  ")).count(), 1, "{text}");
        }
    }
}
