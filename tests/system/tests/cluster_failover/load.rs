//! Clients that write while masters die.
//!
//! Each writes to a list of its own in another master's slots, and every number at most once. So what was acknowledged
//! and what is there at the end can be compared number by number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use core_types::Frame;
use redis::cluster::{ClusterClient, ClusterConnection};
use solution_6::key_slot;
use system::{Cluster, Server, wait};

use crate::MASTERS;

/// Who has a list that lies in the slots of the `index`th of three masters.
pub(crate) fn list_of(index: usize) -> String {
    let first = [100, 5600, 11_100][index];
    let owned = |name: &String| (first..first + 5000).contains(&key_slot(name.as_bytes()).number());
    (0..).map(|number| format!("log:{number}")).find(owned).expect("a name")
}

fn client(cluster: &Cluster) -> ClusterClient {
    let places = (0..cluster.servers.len()).map(|index| format!("redis://{}", cluster.place(index)));
    let builder = ClusterClient::builder(places.collect::<Vec<_>>())
        .connection_timeout(Duration::from_millis(500))
        .response_timeout(Duration::from_secs(12))
        .retries(1);
    builder.build().expect("addresses")
}

fn connect(client: &ClusterClient) -> ClusterConnection {
    wait::find("a connection to the cluster", || client.get_connection().ok())
}

/// What clients write, and what came of it.
#[derive(Default)]
pub(crate) struct Load {
    stop: AtomicBool,
    /// By list: the numbers that were acknowledged, in order.
    pub(crate) acknowledged: [Mutex<Vec<u64>>; MASTERS],
    /// Writes without a good answer, by what was said instead.
    pub(crate) refused: Mutex<BTreeMap<String, usize>>,
}

impl Load {
    fn write(&self, client: &ClusterClient, mut connection: ClusterConnection, index: usize) {
        let list = list_of(index);
        for number in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            match redis::cmd("RPUSH").arg(&list).arg(number).exec(&mut connection) {
                Ok(()) => self.acknowledged[index].lock().expect("no panic").push(number),
                Err(error) => {
                    *self.refused.lock().expect("no panic").entry(error.to_string()).or_default() += 1;
                    // This client asks for the slots anew when a node sends it away. A dead node never does.
                    if let Ok(fresh) = client.get_connection() {
                        connection = fresh;
                    }
                }
            }
        }
    }

    pub(crate) fn count(&self, index: usize) -> usize {
        self.acknowledged[index].lock().expect("no panic").len()
    }

    /// Waits until the client of this list has had so many more writes acknowledged.
    fn wait_for_more(&self, index: usize, more: usize) {
        let before = self.count(index);
        wait::until("more writes", || self.count(index) >= before + more);
    }

    pub(crate) fn wait_for_all(&self) {
        (0..MASTERS).for_each(|index| self.wait_for_more(index, 20));
    }

    /// The acknowledged numbers that are not in the list.
    pub(crate) fn lost(&self, index: usize, cluster: &Cluster) -> Vec<u64> {
        let list =
            redis::cmd("LRANGE").arg(list_of(index)).arg(0).arg(-1).query(&mut connect(&client(cluster)));
        let list: Vec<u64> = list.expect("a list");
        let there: BTreeSet<u64> = list.into_iter().collect();
        let acknowledged = self.acknowledged[index].lock().expect("no panic");
        acknowledged.iter().copied().filter(|number| !there.contains(number)).collect()
    }
}

/// Runs `act` while clients write.
pub(crate) fn under_load(cluster: &mut Cluster, act: impl FnOnce(&mut Cluster, &Load)) -> Load {
    let load = Load::default();
    let client = client(cluster);
    std::thread::scope(|scope| {
        for index in 0..MASTERS {
            let (load, client) = (&load, &client);
            scope.spawn(move || load.write(client, connect(client), index));
        }
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            load.wait_for_all();
            act(cluster, &load);
        }));
        load.stop.store(true, Ordering::Relaxed);
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    });
    load
}

/// The numbers that a server has in a list; a replica, too, is asked.
pub(crate) fn numbers(server: &Server, list: &str) -> Vec<u64> {
    let mut client = server.client();
    client.run("READONLY");
    let Frame::Array(elements) = client.call(&["LRANGE", list, "0", "-1"]) else { panic!("no list") };
    let number = |element: &Frame| std::str::from_utf8(element.as_bytes()?).ok()?.parse().ok();
    elements.iter().map(|element| number(element).expect("a number")).collect()
}
