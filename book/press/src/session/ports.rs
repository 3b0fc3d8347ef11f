//! The ports of a page, 7000 to 7999, on ports that are free here.
//!
//! A reader may have the nodes of `cargo workbook start` running on 7000 and 7001 while the book is checked.
//! The stand-ins have four digits too, so that lengths and columns in the output stay what they are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

use regex::{Captures, Regex};

static PAGE_PORT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b7\d{3}\b").expect("a fixed pattern"));
static FOUR_DIGITS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d{4}\b").expect("a fixed pattern"));

const FIRST: u16 = 8000;
const COUNT: u16 = 2000;

/// Two sessions of one process never try the same port.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// Which port stands for which.
#[derive(Debug, Default)]
pub(super) struct Ports {
    real: BTreeMap<u16, u16>,
    /// Numbers that mean something else: a slot 9252 must not look like a port.
    avoid: BTreeSet<u16>,
}

impl Ports {
    /// No stand-in is a number that occurs in these texts.
    pub(super) fn beside<'t>(texts: impl IntoIterator<Item = &'t str>) -> Ports {
        let numbers = texts.into_iter().flat_map(|text| FOUR_DIGITS.find_iter(text));
        let avoid = numbers.filter_map(|number| number.as_str().parse().ok()).collect();
        Ports { real: BTreeMap::new(), avoid }
    }

    /// The port to use for `page`.
    pub(super) fn real(&mut self, page: u16) -> u16 {
        *self.real.entry(page).or_insert_with(|| free_port(&self.avoid))
    }

    /// `text` with every port of a page replaced by its stand-in.
    pub(super) fn on_this_machine(&mut self, text: &str) -> String {
        let replace = |found: &Captures<'_>| {
            let page = found[0].parse().expect("four digits");
            self.real(page).to_string()
        };
        PAGE_PORT.replace_all(text, replace).into_owned()
    }

    /// `text` with every stand-in replaced by the port of the page.
    pub(super) fn on_the_page(&self, text: &str) -> String {
        let page = |real: &str| {
            self.real.iter().find(|(_, port)| port.to_string() == real).map(|(page, _)| page.to_string())
        };
        let replace = |found: &Captures<'_>| page(&found[0]).unwrap_or_else(|| found[0].to_string());
        FOUR_DIGITS.replace_all(text, replace).into_owned()
    }
}

/// A port nobody listens on, and whose cluster bus port (10,000 above) is free as well.
fn free_port(avoid: &BTreeSet<u16>) -> u16 {
    // Two runs of the press at the same time start at different places.
    let start = (std::process::id() % u32::from(COUNT)) as u16;
    let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    (0..COUNT)
        .map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|&port| !avoid.contains(&port) && free(port) && free(port + 10_000))
        .expect("2,000 ports, and none of them is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stand_in_is_a_number_of_the_page() {
        let all: String =
            (FIRST..FIRST + COUNT).filter(|port| port % 2 == 0).map(|port| format!("{port} ")).collect();
        let mut ports = Ports::beside([all.as_str(), "7000"]);
        assert!((7000..7010).all(|page| ports.real(page) % 2 == 1));
    }

    #[test]
    fn there_and_back() {
        let mut ports = Ports::default();
        let text = "replicaof 127.0.0.1 7000, bus 17000, ip=::1,port=7001 70001";
        let real = ports.on_this_machine(text);
        assert!(!real.contains(" 7000,") && real.contains("17000") && real.contains("70001"), "{real}");
        assert_eq!(ports.on_the_page(&real), text);
    }
}
