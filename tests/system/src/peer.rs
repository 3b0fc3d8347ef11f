//! A node of a cluster that is no node: a test that speaks on the bus, and says what it likes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use bus::{Bitmap, Header, Kind, encode, node_flag};
use bytes::BytesMut;
use core_types::{Epoch, NodeId, Offset};

use crate::{Server, wait};

/// Nobody's slots.
pub const NO_SLOTS: Bitmap = [0; 2048];

/// One of a node's peers, played by the test.
#[derive(Debug)]
pub struct FakePeer {
    /// Its name.
    pub id: NodeId,
    listener: TcpListener,
    /// By which the node talks to it.
    called: Option<TcpStream>,
    node_port: u16,
    /// By which it talks to the node.
    talks: TcpStream,
}

impl FakePeer {
    /// A stranger: it is connected, and nobody knows it.
    ///
    /// # Panics
    /// If the node does not take connections, as also below.
    pub fn stranger(node: &Server, id: NodeId) -> FakePeer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let node_port = node.bus_port();
        FakePeer { id, listener, called: None, node_port, talks: connect(node_port) }
    }

    /// A member: the node has met it, and knows its name. Its port for clients is one below that of its bus.
    pub fn member(node: &Server, id: NodeId) -> FakePeer {
        let mut peer = FakePeer::stranger(node, id);
        let (port, bus_port) = peer.ports();
        node.ok(&format!("CLUSTER MEET 127.0.0.1 {port} {bus_port}"));
        peer.listener.set_nonblocking(true).expect("an option that is always there");
        let (mut called, _) = wait::find("the node to call", || peer.listener.accept().ok());
        called.set_nonblocking(false).expect("an option that is always there");
        called.set_read_timeout(Some(wait::PATIENCE)).expect("a timeout");
        let greeting = read_packet(&mut called).expect("a first word");
        assert_eq!(greeting[12..14], [0, Kind::Meet as u8], "it asks to be taken in");
        let pong = peer.packet(|header, out| encode::beat(out, Kind::Pong, header, [], &[]));
        called.write_all(&pong).expect("the node listens");
        peer.called = Some(called);
        let id = peer.id.to_string();
        wait::until("the handshake", || {
            node.story().get(&id).is_some_and(|told| told.contains(" connected"))
        });
        // From now on it speaks as a member.
        assert!(peer.settle());
        peer
    }

    /// Where clients, and where nodes would find it.
    pub fn ports(&self) -> (u16, u16) {
        let bus_port = self.listener.local_addr().expect("its address").port();
        (bus_port - 1, bus_port)
    }

    /// The header of a master without slots.
    pub fn header<'a>(&self, slots: &'a Bitmap) -> Header<'a> {
        let (port, bus_port) = self.ports();
        Header {
            sender: self.id,
            current_epoch: Epoch(0),
            config_epoch: Epoch(0),
            offset: Offset(0),
            slots,
            master: None,
            ip: "",
            port,
            plain_port: 0,
            bus_port,
            flags: node_flag::MASTER,
            down: false,
            message_flags: 0,
        }
    }

    /// A packet with that header.
    pub fn packet(&self, build: impl FnOnce(&Header<'_>, &mut BytesMut)) -> Vec<u8> {
        let mut out = BytesMut::new();
        build(&self.header(&NO_SLOTS), &mut out);
        out.to_vec()
    }

    /// Says something. Whether the node still listens shows later.
    pub fn say(&mut self, bytes: &[u8]) {
        // Whoever hangs up may do so while we are still talking.
        let _ = self.talks.write_all(bytes);
    }

    /// Pings, and waits for the answer: then everything that was said before has been heard. False if the node has hung
    /// up; then there is a new connection.
    pub fn settle(&mut self) -> bool {
        let ping = self.packet(|header, out| encode::beat(out, Kind::Ping, header, [], &[]));
        self.say(&ping);
        let deadline = wait::Deadline::after(wait::PATIENCE);
        let answered = loop {
            deadline.check("packets before the answer to a ping");
            match read_packet(&mut self.talks) {
                Ok(packet) if packet[12..14] == [0, Kind::Pong as u8] => break true,
                Ok(_) => {}
                Err(_) => break false,
            }
        };
        if !answered {
            self.talks = connect(self.node_port);
        }
        answered
    }

    /// Says no more, and waits until the node has closed the connection, too: then it has heard everything.
    pub fn end(mut self) {
        let _ = self.talks.shutdown(Shutdown::Write);
        let _ = self.talks.read_to_end(&mut Vec::new());
    }

    /// Says one packet, and waits until the node has heard it. Nobody else may talk to the node meanwhile.
    pub fn tell(&mut self, node: &Server, packet: &[u8]) {
        let heard = || node.cluster_info("cluster_stats_messages_received");
        let before = heard();
        self.say(packet);
        wait::until("a packet to be heard", || packet.is_empty() || heard() != before);
    }
}

fn connect(bus_port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", bus_port)).expect("the bus port");
    stream.set_read_timeout(Some(wait::PATIENCE)).expect("a timeout");
    stream
}

/// Reads one packet of whatever kind.
fn read_packet(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut packet = vec![0; 8];
    stream.read_exact(&mut packet)?;
    let length = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]) as usize;
    packet.resize(length.max(16), 0);
    stream.read_exact(&mut packet[8..])?;
    Ok(packet)
}
