//! Hello: how sentinels find each other, and how a new configuration spreads.
//!
//! Every sentinel publishes one on the channel `__sentinel__:hello` of each master and replica that it
//! watches, and listens there. Nobody needs a list of the others.

use std::error::Error;
use std::fmt;

use core_types::{Endpoint, Epoch, RunId};

// ANCHOR: hello
/// What a sentinel says of itself, and of one master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Where the sentinel listens.
    pub from: Endpoint,
    /// Who it is.
    pub id: RunId,
    /// The newest epoch it has heard of.
    pub current_epoch: Epoch,
    /// The master it speaks about, by the name the operator gave it.
    pub master_name: String,
    /// Where it believes that master to be.
    pub master: Endpoint,
    /// Since which epoch it believes so.
    pub config_epoch: Epoch,
}
// ANCHOR_END: hello

/// Not a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloError {
    /// Not eight fields between commas.
    Fields,
    /// A port that is none: not a number from 1 to 65535.
    Port,
    /// A run id that has not 40 characters.
    Id,
    /// An epoch that is no number.
    Epoch,
}

impl fmt::Display for HelloError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HelloError::Fields => "a hello has eight fields",
            HelloError::Port => "a port in it is no number from 1 to 65535",
            HelloError::Id => "the run id in it has not 40 characters",
            HelloError::Epoch => "an epoch in it is no number",
        })
    }
}

impl Error for HelloError {}

impl fmt::Display for Hello {
    /// `ip,port,runid,current_epoch,master_name,master_ip,master_port,master_config_epoch`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{},{},{},{},{},{},{},{}",
            self.from.host,
            self.from.port,
            self.id,
            self.current_epoch,
            self.master_name,
            self.master.host,
            self.master.port,
            self.config_epoch
        )
    }
}

impl Hello {
    /// Reads a hello. Anybody can publish on a channel, so nothing in it is believed before all of it is
    /// read: a wrong field makes the whole message none.
    ///
    /// # Errors
    /// The first field that is wrong, counted from the left; the number of fields before all.
    pub fn parse(text: &str) -> Result<Hello, HelloError> {
        // <exercise 4.3>
        todo!("lab 4.3: Reading a hello")
        // </exercise>
    }
}
