//! The node on real sockets: ha-server, and ha-cli to talk to it
