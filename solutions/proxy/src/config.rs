//! The configuration file: pools of servers, in TOML, with the keys that users of Twemproxy know.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use core_types::{Endpoint, Millis};
use node::layers::sharding::hash::UnknownHash;
use node::layers::sharding::{Distribution, Hash, HealthSettings};
use serde::Deserialize;

/// What the file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The pools, by name.
    pub pools: Vec<Pool>,
}

/// One pool: where clients connect, and the servers behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its name in the file.
    pub name: String,
    /// Where it listens.
    pub listen: Endpoint,
    /// The function that makes a number of a key.
    pub hash: Hash,
    /// Two characters: only what stands between them in a key is hashed.
    pub hash_tag: Option<[u8; 2]>,
    /// How the number becomes a server: `ketama`, the ring, or `modula` (so spelled by Twemproxy), the remainder.
    pub distribution: Distribution,
    /// How long a server may take to answer; `None` is for ever.
    pub timeout: Option<Millis>,
    /// When a server that fails is left out, and for how long.
    pub health: HealthSettings,
    /// Commands a second that the pool takes from all its clients together; `None` is any number.
    pub rate_limit: Option<u32>,
    /// The password for the servers; clients must give it too.
    pub redis_auth: Option<String>,
    /// The servers, in the order of the file.
    pub servers: Vec<Server>,
}

/// One server of a pool, `host:port:weight name` in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub at: Endpoint,
    /// How much of the keys it gets, beside the others' weights.
    pub weight: u32,
    /// What its points on the ring are made of. A server that moves keeps its keys if it keeps its name.
    pub name: String,
}

/// The file cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for ConfigError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPool {
    listen: String,
    hash: Option<String>,
    hash_tag: Option<String>,
    distribution: Option<String>,
    timeout: Option<u64>,
    auto_eject_hosts: Option<bool>,
    server_retry_timeout: Option<u64>,
    server_failure_limit: Option<u32>,
    rate_limit: Option<u32>,
    redis_auth: Option<String>,
    servers: Vec<String>,
}

impl Config {
    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// It is no TOML, a key is unknown or missing, or a value makes no sense. The message names the place.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        let file: BTreeMap<String, RawPool> =
            toml::from_str(text).map_err(|error| ConfigError(error.to_string()))?;
        if file.is_empty() {
            return Err(ConfigError("there is no pool: begin one with a line like [alpha]".to_owned()));
        }
        let pools = file.into_iter().map(|(name, raw)| pool(name, raw)).collect::<Result<Vec<_>, _>>()?;
        for (index, pool) in pools.iter().enumerate() {
            if let Some(other) = pools[..index].iter().find(|other| other.listen == pool.listen) {
                return Err(ConfigError(format!(
                    "the pools {} and {} both listen on {}",
                    other.name, pool.name, pool.listen
                )));
            }
        }
        Ok(Config { pools })
    }
}

fn pool(name: String, raw: RawPool) -> Result<Pool, ConfigError> {
    let wrong = |what: String| ConfigError(format!("pool {name}: {what}"));
    let listen =
        endpoint(&raw.listen).ok_or_else(|| wrong(format!("listen: {:?} is no host:port", raw.listen)))?;
    let hash_tag = match raw.hash_tag.as_deref().map(str::as_bytes) {
        None => None,
        Some(&[open, close]) => Some([open, close]),
        Some(_) => return Err(wrong("hash_tag: two characters are needed, as in \"{}\"".to_owned())),
    };
    let hash = raw.hash.as_deref().map_or(Ok(Hash::default()), str::parse);
    let hash = hash.map_err(|error: UnknownHash| wrong(format!("hash: {error}")))?;
    let distribution = match raw.distribution.as_deref() {
        None | Some("ketama") => Distribution::Ketama,
        Some("modula") => Distribution::Modula,
        Some(other) => return Err(wrong(format!("distribution: {other:?} is neither ketama nor modula"))),
    };
    // What the file leaves out is as in Twemproxy.
    let usual = HealthSettings::default();
    let health = HealthSettings {
        auto_eject: raw.auto_eject_hosts.unwrap_or(usual.auto_eject),
        failure_limit: raw.server_failure_limit.unwrap_or(usual.failure_limit),
        retry_timeout: raw.server_retry_timeout.map_or(usual.retry_timeout, Millis),
    };
    if health.failure_limit == 0 {
        return Err(wrong("server_failure_limit: at least one failure must be allowed".to_owned()));
    }
    if raw.rate_limit == Some(0) {
        return Err(wrong("rate_limit: leave it out for no limit; 0 would let nothing pass".to_owned()));
    }
    if raw.servers.is_empty() {
        return Err(wrong("servers: a pool needs at least one".to_owned()));
    }
    let mut servers: Vec<Server> = Vec::new();
    for line in &raw.servers {
        let server = server(line).ok_or_else(|| {
            wrong(format!("servers: {line:?} is no \"host:port:weight\" or \"host:port:weight name\""))
        })?;
        if servers.iter().any(|other| other.name == server.name) {
            return Err(wrong(format!("servers: two are called {:?}", server.name)));
        }
        servers.push(server);
    }
    Ok(Pool {
        listen,
        hash,
        hash_tag,
        distribution,
        timeout: raw.timeout.map(Millis),
        health,
        rate_limit: raw.rate_limit,
        redis_auth: raw.redis_auth,
        servers,
        name,
    })
}

/// `host:port`, the host in brackets if it has colons itself.
fn endpoint(text: &str) -> Option<Endpoint> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let port = port.parse().ok().filter(|&port| port != 0)?;
    (!host.is_empty()).then(|| Endpoint::new(host, port))
}

fn server(line: &str) -> Option<Server> {
    let mut words = line.split_ascii_whitespace();
    let place = words.next()?;
    let name = words.next();
    if words.next().is_some() {
        return None;
    }
    let (place, weight) = place.rsplit_once(':')?;
    let at = endpoint(place)?;
    let weight = weight.parse().ok().filter(|&weight: &u32| weight != 0)?;
    let name = name.map_or_else(|| at.to_string(), str::to_owned);
    Some(Server { at, weight, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str =
        "[alpha]\nlisten = \"127.0.0.1:22121\"\nservers = [\"127.0.0.1:7000:1\", \"h:7001:2 two\"]\n";

    #[test]
    fn a_small_file_gets_the_usual_defaults() {
        let config = Config::parse(SMALL).unwrap();
        let pool = &config.pools[0];
        assert_eq!(pool.listen, Endpoint::new("127.0.0.1", 22121));
        assert_eq!((pool.hash, pool.distribution), (Hash::Fnv1a64, Distribution::Ketama));
        assert_eq!(pool.servers[0].name, "127.0.0.1:7000");
        assert_eq!(
            pool.servers[1],
            Server { at: Endpoint::new("h", 7001), weight: 2, name: "two".to_owned() }
        );
        assert_eq!((pool.timeout, pool.rate_limit, pool.health.auto_eject), (None, None, false));
    }

    #[test]
    fn a_wrong_file_is_told_what_is_wrong() {
        for (from, to, says) in [
            ("22121", "x", "no host:port"),
            ("7000:1", "7000", "host:port:weight"),
            ("7000:1", "7000:0", "host:port:weight"),
            ("7001:2 two", "7001:2 two words", "host:port:weight"),
            (" two", " 127.0.0.1:7000", "two are called"),
            ("listen", "lisen", "lisen"),
            ("\nservers", "\nhash_tag = \"{\"\nservers", "two characters"),
            ("\nservers", "\nrate_limit = 0\nservers", "rate_limit"),
            ("\nservers", "\ndistribution = \"random\"\nservers", "neither ketama nor modula"),
            ("\nservers", "\nhash = \"sha1\"\nservers", "unknown hash"),
            ("\nservers", "\nserver_failure_limit = 0\nservers", "server_failure_limit"),
        ] {
            let text = SMALL.replace(from, to);
            assert_ne!(text, SMALL);
            let error = Config::parse(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}\n{error}");
        }
        assert!(Config::parse("").unwrap_err().to_string().contains("no pool"));
        let twice = format!("{SMALL}{}", SMALL.replace("alpha", "beta"));
        assert!(Config::parse(&twice).unwrap_err().to_string().contains("both listen"));
    }
}
