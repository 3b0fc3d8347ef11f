//! Lines of configuration files.

/// Whose file a line stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Every data node's.
    Nodes,
    /// Every sentinel's.
    Sentinels,
    /// One host's.
    Of(String),
}

/// Lines that are added to the configuration files of a scene, in the words of `redis.conf` and `sentinel.conf`. They
/// come behind what stands there already, and what comes later wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    lines: Vec<(Whose, String)>,
}

impl Settings {
    /// Everything as it was.
    pub fn new() -> Settings {
        Settings::default()
    }

    /// A line in the file of every data node: `"min-replicas-to-write 1"`.
    #[must_use]
    pub fn nodes(self, line: impl Into<String>) -> Settings {
        self.with(Whose::Nodes, line.into())
    }

    /// A line in the file of every sentinel: `"sentinel down-after-milliseconds shop 5000"`.
    #[must_use]
    pub fn sentinels(self, line: impl Into<String>) -> Settings {
        self.with(Whose::Sentinels, line.into())
    }

    /// A line in the file of one host.
    #[must_use]
    pub fn of(self, host: &str, line: impl Into<String>) -> Settings {
        self.with(Whose::Of(host.into()), line.into())
    }

    /// Adds all lines of others, behind its own.
    #[must_use]
    pub fn and(mut self, others: &Settings) -> Settings {
        self.lines.extend_from_slice(&others.lines);
        self
    }

    fn with(mut self, whose: Whose, line: String) -> Settings {
        self.lines.push((whose, line));
        self
    }

    /// All lines, as they were written down.
    pub fn lines(&self) -> &[(Whose, String)] {
        &self.lines
    }

    /// What stands in the file of a host that is no sentinel.
    pub fn lines_of<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines_for(host, Whose::Nodes)
    }

    /// What stands in the file of a sentinel.
    pub fn lines_of_sentinel<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines_for(host, Whose::Sentinels)
    }

    fn lines_for<'a>(&'a self, host: &'a str, sort: Whose) -> impl Iterator<Item = &'a str> {
        let is_for = move |whose: &Whose| match whose {
            Whose::Of(name) => name == host,
            all => *all == sort,
        };
        self.lines.iter().filter(move |(whose, _)| is_for(whose)).map(|(_, line)| line.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_gets_its_lines_in_order() {
        let settings = Settings::new()
            .nodes("min-replicas-to-write 1")
            .sentinels("sentinel parallel-syncs shop 2")
            .of("a", "replica-priority 0")
            .nodes("min-replicas-max-lag 3");
        let lines: Vec<&str> = settings.lines_of("a").collect();
        assert_eq!(lines, ["min-replicas-to-write 1", "replica-priority 0", "min-replicas-max-lag 3"]);
        assert_eq!(settings.lines_of("b").count(), 2);
        assert_eq!(settings.lines_of_sentinel("s1").collect::<Vec<_>>(), ["sentinel parallel-syncs shop 2"]);
    }
}
