//! temp
use core_types::Millis;
use sim::trace::{SvgOptions, Trace};
fn main() {
    let mut t = Trace::new("A full resynchronisation");
    t.host("client");
    t.host("master");
    t.host("replica");
    let m = Millis;
    t.state(m(0), "replica", "Waiting ⇨ Connecting");
    let id = t.send(m(0), "replica", "master", "(connect to port 7000)");
    t.receive(m(1), id);
    t.state(m(2), "replica", "Connecting ⇨ Handshake(Ping)");
    let a = t.send(m(2), "replica", "master", "PING");
    let b = t.send(m(2), "client", "master", "SET x 1");
    t.receive(m(3), a);
    let c = t.send(m(3), "master", "replica", "+PONG");
    t.receive(m(3), b);
    let d = t.send(m(3), "master", "client", "+OK");
    t.receive(m(4), c);
    t.receive(m(4), d);
    t.note(m(4), Some("replica"), "Master replied to PING, replication can continue...");
    let a = t.send(m(4), "replica", "master", "PSYNC ? -1");
    t.receive(m(5), a);
    let c = t.send(m(5), "master", "replica", "+FULLRESYNC 01234567.. 42");
    let d = t.send(m(5), "master", "replica", "<snapshot 123 bytes>");
    let e = t.send(m(5), "master", "replica", "SET x 1");
    let f =
        t.send(m(5), "master", "client", "a very long label which will certainly not fit beside this at all");
    t.receive(m(6), c);
    t.fault(m(6), "partition: master | replica");
    t.lose(m(130), d, "lost in the crash");
    t.lose(m(130), e, "");
    t.receive(m(131), f);
    t.down(m(400), "master");
    t.note(m(410), None, "the operator sleeps");
    t.up(m(1400), "master");
    t.send(m(1401), "replica", "master", "PING");
    println!(
        "<!doctype html><html><body style='font-family:sans-serif;margin:8px'>{}<hr><div style='--bg:#161923;background:#161923;color:#bcbdd0;padding:10px'>{}</div></body></html>",
        t.to_svg(&SvgOptions::default()),
        {
            t.hosts.remove(0);
            let mut u = Trace::new("two");
            let a = u.send(m(0), "replica", "master", "PING");
            u.receive(m(1), a);
            let a = u.send(m(1), "master", "replica", "+PONG");
            u.receive(m(2), a);
            u.state(m(2), "replica", "Handshake(Ping) ⇨ Handshake(Port)");
            u.to_svg(&SvgOptions::default())
        }
    );
}
