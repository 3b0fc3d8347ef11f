//! The world with small hosts: a sender that counts and a receiver that checks the count.

use core_types::{Broken, Endpoint, Millis, Rng};

use super::*;

const PORT: u16 = 7000;

/// Connects to `sink`, and sends the bytes 0, 1, 2, … 255, 0, … at a fixed pace, whatever fits. Connects again when it
/// is cut off.
struct Source {
    conn: Option<Conn>,
    open: bool,
    next: u64,
    sent: u64,
    short_writes: u64,
    tick: Millis,
    refused: Vec<String>,
}

impl Source {
    fn new(boot: &Boot) -> Source {
        Source {
            conn: None,
            open: false,
            next: 0,
            sent: 0,
            short_writes: 0,
            tick: boot.now + Millis(10),
            refused: Vec::new(),
        }
    }

    fn send(&mut self, io: &mut Io<'_, '_>, count: u64) {
        let Some(conn) = self.conn.filter(|_| self.open) else { return };
        let bytes: Vec<u8> = (self.next..self.next + count).map(|byte| byte as u8).collect();
        let taken = io.write(conn, &bytes) as u64;
        self.short_writes += u64::from(taken < count);
        self.next += taken;
        self.sent += taken;
    }
}

impl Host for Source {
    fn handle(&mut self, input: Input<'_>, io: &mut Io<'_, '_>) {
        match input {
            Input::Connected { conn } => {
                assert_eq!(self.conn, Some(conn), "only one connection is asked for at a time");
                (self.open, self.next) = (true, 0);
            }
            Input::Refused { why, .. } => {
                self.refused.push(why.into());
                self.conn = None;
            }
            Input::Closed { .. } => (self.conn, self.open) = (None, false),
            Input::Tick if io.now() >= self.tick => {
                self.tick = io.now() + Millis(10);
                match self.conn {
                    None => self.conn = Some(io.connect(&Endpoint::new("sink", PORT))),
                    Some(_) => self.send(io, 7),
                }
            }
            _ => {}
        }
    }

    fn next_deadline(&self) -> Option<Millis> {
        Some(self.tick)
    }
}

/// Accepts connections and checks that the bytes on each come without a gap.
#[derive(Default)]
struct Sink {
    conns: Vec<(Conn, u64)>,
    received: u64,
    pieces: u64,
    full: bool,
    broken: Option<Broken>,
}

impl Host for Sink {
    fn handle(&mut self, input: Input<'_>, _: &mut Io<'_, '_>) {
        match input {
            Input::Accepted { conn, port, .. } => {
                assert_eq!(port, PORT);
                self.conns.push((conn, 0));
            }
            Input::Received { conn, bytes } => {
                self.pieces += 1;
                self.received += bytes.len() as u64;
                let (_, next) =
                    self.conns.iter_mut().find(|(known, _)| *known == conn).expect("accepted first");
                for &byte in bytes {
                    if byte != *next as u8 {
                        let detail = format!("{byte} where {next} was due");
                        self.broken = Some(Broken::new("bytes arrive in order, each once", detail));
                    }
                    *next += 1;
                }
            }
            Input::Closed { conn } => self.conns.retain(|(known, _)| *known != conn),
            _ => {}
        }
    }

    fn next_deadline(&self) -> Option<Millis> {
        None
    }

    fn accepts_input(&self, _: Conn) -> bool {
        !self.full
    }

    fn check_invariants(&self) -> Result<(), Broken> {
        self.broken.clone().map_or(Ok(()), Err)
    }
}

fn pair<'t>(seed: u64, profile: Profile, trace: Option<&'t mut Trace>) -> (World<'t>, HostId, HostId) {
    let mut world = World::new(seed, profile, trace);
    let source = world.add("source", &[], Source::new);
    let sink = world.add("sink", &[PORT], |_| Sink::default());
    world.start_all().expect("nothing can be broken yet");
    (world, source, sink)
}

fn received(world: &World<'_>, sink: HostId) -> u64 {
    world.get::<Sink>(sink).map_or(0, |sink| sink.received)
}

#[test]
fn bytes_arrive_in_order_under_any_faults_and_flow_again_after_them() {
    for seed in 0..300 {
        let (mut world, source, sink) = pair(seed, Profile::default(), None);
        let mix = FaultMix { clock_jump: 1, reset: 2, slow: 2, ..FaultMix::default() };
        let plan = FaultPlan::random(&mut Rng::new(seed), &[source, sink], &mix);
        world.plan(&plan);
        let ran = world.run_until(Millis::from_secs(40)).and_then(|()| {
            world.heal_all()?;
            let before = received(&world, sink);
            // A clock may have jumped back: then the source stands still until it is there again.
            world.run_to(Millis::from_secs(150), "bytes flow", |world| received(world, sink) > before)
        });
        assert!(ran.is_ok(), "seed {seed}: {ran:?}\n{plan:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run_with_and_without_a_trace() {
    let run = |trace: Option<&mut Trace>| {
        let (mut world, source, sink) = pair(7, Profile::default(), trace);
        world.plan(&FaultPlan::random(&mut Rng::new(9), &[source, sink], &FaultMix::default()));
        world.run_until(Millis::from_secs(60)).expect("no rule is broken");
        (world.steps(), received(&world, sink), world.get::<Sink>(sink).map(|sink| sink.pieces))
    };
    let (mut one, mut two) = (Trace::new("one"), Trace::new("two"));
    assert_eq!(run(Some(&mut one)), run(None));
    run(Some(&mut two));
    assert_eq!(one.events, two.events);
    assert!(one.lines().len() > 50);
}

#[test]
fn a_partition_holds_bytes_back_and_healing_lets_them_through() {
    let (mut world, source, sink) = pair(1, Profile::calm(), None);
    world.run_until(Millis(500)).expect("no rule is broken");
    world.inflict(Fault::Partition(source, sink)).expect("no rule is broken");
    let before = received(&world, sink);
    assert!(before > 0);
    world.run_for(Millis(500)).expect("no rule is broken");
    assert_eq!(received(&world, sink), before);
    world.inflict(Fault::Heal(source, sink)).expect("no rule is broken");
    world.run_for(Millis(1)).expect("no rule is broken");
    assert_eq!(Some(received(&world, sink)), world.get::<Source>(source).map(|source| source.sent));
}

#[test]
fn a_full_buffer_takes_no_more_and_tells_when_there_is_room() {
    let profile = Profile { buffer: 100, ..Profile::calm() };
    let (mut world, source, sink) = pair(1, profile, None);
    world.run_until(Millis(100)).expect("no rule is broken");
    world.act(sink, |sink: &mut Sink, _| sink.full = true).expect("no rule is broken");
    world.run_for(Millis(1000)).expect("no rule is broken");
    let (sent, short) =
        world.get::<Source>(source).map(|source| (source.sent, source.short_writes)).expect("up");
    assert_eq!(sent - received(&world, sink), 100);
    assert!(short > 0);
    world.act(sink, |sink: &mut Sink, _| sink.full = false).expect("no rule is broken");
    world.run_for(Millis(0)).expect("no rule is broken");
    assert_eq!(received(&world, sink), sent);
}

#[test]
fn what_cannot_be_acknowledged_stays_in_the_senders_buffer() {
    let profile = Profile { buffer: 100, ..Profile::calm() };
    let (mut world, source, sink) = pair(1, profile, None);
    world.run_until(Millis(100)).expect("no rule is broken");
    let before = received(&world, sink);
    world.inflict(Fault::OneWay(sink, source)).expect("no rule is broken");
    world.run_for(Millis(1000)).expect("no rule is broken");
    assert!(
        (before + 90..=before + 107).contains(&received(&world, sink)),
        "{before} {}",
        received(&world, sink)
    );
    world.inflict(Fault::Heal(sink, source)).expect("no rule is broken");
    world.run_for(Millis(1000)).expect("no rule is broken");
    assert!(received(&world, sink) > before + 500);
}

#[test]
fn connecting_fails_as_a_program_sees_it() {
    let mut world = World::new(1, Profile::calm(), None);
    let source = world.add("source", &[], Source::new);
    let sink = world.add("sink", &[], |_| Sink::default());
    world.start(source).and_then(|()| world.run_until(Millis(100))).expect("no rule is broken");
    let refused =
        |world: &World<'_>| world.get::<Source>(source).and_then(|source| source.refused.last().cloned());
    assert_eq!(refused(&world).as_deref(), Some("Connection refused"));
    world.start(sink).and_then(|()| world.run_for(Millis(100))).expect("no rule is broken");
    assert_eq!(refused(&world).as_deref(), Some("Connection refused"), "it doesn't listen on that port");
    world.inflict(Fault::Partition(source, sink)).expect("no rule is broken");
    world.run_for(Millis::from_secs(121)).expect("no rule is broken");
    assert_eq!(refused(&world).as_deref(), Some("Connection timed out"));
}

#[test]
fn a_paused_host_finds_everything_when_it_goes_on() {
    let (mut world, source, sink) = pair(1, Profile::calm(), None);
    world.inflict(Fault::Pause(sink)).expect("no rule is broken");
    world.run_until(Millis(1000)).expect("no rule is broken");
    let sent = world.get::<Source>(source).map(|source| source.sent);
    assert!(sent > Some(500), "the kernel accepts for a process that stands still");
    assert_eq!(received(&world, sink), 0);
    world.inflict(Fault::Resume(sink)).expect("no rule is broken");
    world.run_for(Millis(0)).expect("no rule is broken");
    assert!(Some(received(&world, sink) + 7) >= sent);
}

#[test]
fn nothing_is_heard_on_a_connection_before_it_is_accepted() {
    // The sink goes on in the very millisecond in which bytes arrive; it panics on bytes from nowhere.
    for millis in 20..80 {
        let (mut world, source, sink) = pair(1, Profile::calm(), None);
        world.inflict(Fault::Pause(sink)).expect("no rule is broken");
        let plan = FaultPlan::none().at(Millis(millis), Fault::Resume(sink));
        world.plan(&plan);
        world.run_until(Millis(200)).expect("no rule is broken");
        assert!(world.get::<Source>(source).is_some_and(|source| source.open) && received(&world, sink) > 0);
    }
}

#[test]
fn a_crash_resets_connections_and_a_restart_is_a_new_process() {
    let mut trace = Trace::new("crash");
    let (mut world, source, sink) = pair(1, Profile::calm(), Some(&mut trace));
    world.run_until(Millis(105)).expect("no rule is broken");
    world.inflict(Fault::Crash(sink)).expect("no rule is broken");
    assert!(!world.is_up(sink));
    world.run_for(Millis(5)).expect("no rule is broken");
    assert!(world.get::<Source>(source).is_some_and(|source| !source.open));
    world.inflict(Fault::Restart(sink)).expect("no rule is broken");
    world.run_for(Millis(50)).expect("no rule is broken");
    assert!(received(&world, sink) > 0);
    drop(world);
    let text = trace.to_text();
    assert!(text.contains("*** crashes ***") && text.contains("(reset)"), "{text}");
}

#[test]
fn a_clock_jump_moves_the_deadline_nearer() {
    let (mut world, source, sink) = pair(1, Profile::calm(), None);
    world.run_until(Millis(101)).expect("no rule is broken");
    let before = world.get::<Source>(source).map(|source| source.sent);
    world.inflict(Fault::ClockJump(source, 9)).expect("no rule is broken");
    world.run_for(Millis(0)).expect("no rule is broken");
    assert!(world.get::<Source>(source).map(|source| source.sent) > before);
    assert_eq!(world.clock(source), Millis(110));
    assert_eq!(world.clock(sink), Millis(101));
}

#[test]
fn a_reset_is_heard_at_both_ends() {
    let (mut world, source, sink) = pair(1, Profile::calm(), None);
    world.run_until(Millis(105)).expect("no rule is broken");
    world.inflict(Fault::Reset(sink, source)).expect("no rule is broken");
    world.run_for(Millis(2)).expect("no rule is broken");
    let conns = |world: &World<'_>| world.get::<Sink>(sink).map(|sink| sink.conns.len());
    assert!(world.get::<Source>(source).is_some_and(|source| !source.open));
    assert_eq!(conns(&world), Some(0));
    world.run_for(Millis(50)).expect("no rule is broken");
    assert_eq!(conns(&world), Some(1), "it connects again");
}

#[test]
fn a_slow_link_is_slow_until_it_is_fast_again() {
    let (mut world, source, sink) = pair(1, Profile::calm(), None);
    world.run_until(Millis(105)).expect("no rule is broken");
    let before = received(&world, sink);
    world.inflict(Fault::Slow(source, sink, Millis(1000))).expect("no rule is broken");
    world.run_for(Millis(450)).expect("no rule is broken");
    assert!(received(&world, sink) <= before + 7, "only what was on its way already");
    world.run_for(Millis(1000)).expect("no rule is broken");
    let late = received(&world, sink);
    assert!(late > before + 7);
    world.inflict(Fault::Fast(source, sink)).expect("no rule is broken");
    world.run_for(Millis(1010)).expect("no rule is broken");
    let sent = world.get::<Source>(source).map_or(0, |source| source.sent);
    assert!(received(&world, sink) + 14 >= sent);
}

#[test]
fn an_uplink_is_shared_by_all_connections_of_its_host() {
    let mut world = World::new(1, Profile::calm(), None);
    let one = world.add("source", &[], Source::new);
    let sink = world.add("sink", &[PORT], |_| Sink::default());
    // 7 bytes every 10 ms are 700 a second; the uplink takes 350.
    world.set_bandwidth(one, Some(350));
    world.start_all().expect("no rule is broken");
    world.run_until(Millis::from_secs(10)).expect("no rule is broken");
    assert_eq!(world.sent(one), world.sent_between(one, sink));
    assert!((6900..7100).contains(&world.sent(one)), "{}", world.sent(one));
    assert!((3400..3550).contains(&received(&world, sink)), "{}", received(&world, sink));
}
