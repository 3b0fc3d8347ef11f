//! How the nodes of a cluster are named to its clients.

/// `cluster-preferred-endpoint-type`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndpointType {
    /// By address.
    Ip,
    /// By the name that they announce.
    Hostname,
    /// Not at all: a client goes on with the name it came by.
    Unknown,
}

impl EndpointType {
    pub(super) const WORDS: &'static [&'static str] = &["ip", "hostname", "unknown-endpoint"];

    pub(super) fn word(self) -> &'static str {
        match self {
            EndpointType::Ip => "ip",
            EndpointType::Hostname => "hostname",
            EndpointType::Unknown => "unknown-endpoint",
        }
    }

    pub(super) fn of(word: &str) -> EndpointType {
        match word {
            "hostname" => EndpointType::Hostname,
            "unknown-endpoint" => EndpointType::Unknown,
            _ => EndpointType::Ip,
        }
    }
}

/// What may be announced as a name (`isValidAnnouncedHostname` in Redis's `config.c`).
pub(super) fn announced_name(name: &str) -> Result<(), String> {
    if name.len() >= 256 {
        return Err("Hostnames must be less than 256 characters".into());
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) {
        return Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into());
    }
    Ok(())
}
