//! The backlog against a plain vector, the decision against a search, and what must hold whatever comes.

use bytes::Bytes;
use core_types::{History, Millis, Offset, Position, ReplId, StreamLog};
use proptest::prelude::*;
use solution_2::*;

/// What can happen to a backlog.
#[derive(Clone, Debug)]
enum Event {
    Append(usize),
    /// Trim; the reader, if there is one, stands this part of the way from start to end.
    Trim(Option<f64>),
    Resize(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let length =
        prop_oneof![0..4usize, 0..200usize, 0..3 * BLOCK, Just(BLOCK), Just(BLOCK - 1), Just(BLOCK + 1)];
    prop_oneof![
        5 => length.prop_map(Event::Append),
        4 => prop::option::of(0.0..=1.0f64).prop_map(Event::Trim),
        1 => prop_oneof![1..3 * BLOCK, Just(BLOCK)].prop_map(Event::Resize),
    ]
}

/// The stream, as the backlog must remember it: everything, and from where on it may be asked for.
struct Model {
    written: Vec<u8>,
    begin: u64,
    kept: usize,
}

impl Model {
    fn at(&self, index: usize) -> Offset {
        Offset(self.begin + index as u64)
    }
}

fn check(backlog: &Backlog, model: &Model, at: usize) -> Result<(), TestCaseError> {
    prop_assert_eq!(backlog.start(), model.at(model.kept));
    prop_assert_eq!(backlog.end(), model.at(model.written.len()));
    prop_assert_eq!(backlog.pieces().collect::<Vec<_>>().concat(), &model.written[model.kept..]);
    // From any place that is covered, reading piece after piece gives the rest of the stream.
    let at = model.kept + at % (model.written.len() - model.kept + 1);
    let (mut place, mut got) = (model.at(at), Vec::new());
    prop_assert!(backlog.covers(place));
    loop {
        let piece: Bytes = StreamLog::read(backlog, place);
        prop_assert!(piece.len() <= BLOCK);
        if piece.is_empty() {
            break;
        }
        got.extend_from_slice(&piece);
        place = place.plus(piece.len());
    }
    prop_assert_eq!(place, backlog.end());
    prop_assert_eq!(&got[..], &model.written[at..]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn backlog_is_the_end_of_a_vector(
        begin in prop_oneof![Just(0u64), 0..1u64 << 50],
        size in prop_oneof![1..4 * BLOCK, Just(BLOCK)],
        events in prop::collection::vec((event(), any::<usize>()), 1..25),
    ) {
        let mut backlog = Backlog::new(size, Offset(begin));
        let mut model = Model { written: Vec::new(), begin, kept: 0 };
        for (event, place) in events {
            match event {
                Event::Append(length) => {
                    let from = model.written.len();
                    model.written.extend((from..from + length).map(|index| ((index * 131) >> 3) as u8));
                    backlog.append(&model.written[from..]);
                }
                Event::Trim(reader) => {
                    let length = model.written.len() - model.kept;
                    let reader = reader.map(|part| model.kept + (length as f64 * part) as usize);
                    // As many whole blocks as leave `size` bytes and everything behind the reader.
                    let spare = length.saturating_sub(backlog.size());
                    let read = reader.map_or(length, |reader| reader - model.kept);
                    model.kept += spare.min(read) / BLOCK * BLOCK;
                    backlog.trim(reader.map(|reader| model.at(reader)));
                }
                Event::Resize(size) => backlog.set_size(size),
            }
            check(&backlog, &model, place)?;
        }
        // With no reader in the way, what is kept is bounded by the size and one block.
        backlog.trim(None);
        prop_assert!(backlog.len() < backlog.size() + BLOCK || backlog.len() < BLOCK);
    }

    #[test]
    fn pieces_outlive_the_backlog(appends in prop::collection::vec(1..2 * BLOCK, 2..8)) {
        let mut backlog = Backlog::new(1, Offset(0));
        let mut held = Vec::new();
        for (number, length) in appends.into_iter().enumerate() {
            let at = backlog.end();
            backlog.append(&vec![number as u8; length]);
            held.push((number as u8, backlog.read(at)));
            backlog.trim(None);
        }
        for (number, piece) in held {
            prop_assert!(piece.iter().all(|&byte| byte == number));
        }
    }
}

fn id(digit: char) -> ReplId {
    digit.to_string().repeat(40).parse().expect("it has 40 characters")
}

/// The decision, by looking at every byte: each node's stream is a list of (author, number) pairs, and a
/// replica can go on if what it has is a beginning of what the master has and the rest is still kept.
fn by_search(history: &History, window: Option<Window>, asked: char, wanted: i64) -> bool {
    let byte = |number: u64, under: char| match history.earlier {
        // Up to the promotion, both names mean the same bytes.
        Some(past) if past.id == id(under) && number <= past.offset.0 => ('a', number),
        _ => (under, number),
    };
    let Some(window) = window else { return false };
    let Ok(held) = u64::try_from(i128::from(wanted) - 1) else { return false };
    let same_data = (1..=held).all(|number| number <= window.end.0 && byte(number, asked) == ('a', number));
    let known_name = asked == 'a' || history.earlier.is_some_and(|past| past.id == id(asked));
    let kept = (held + 1..=window.end.0).all(|number| number > window.start.0);
    known_name && same_data && kept && held >= window.start.0
}

proptest! {
    #[test]
    fn psync_is_what_a_search_finds(
        start in 0u64..12,
        length in 0u64..12,
        backlog in prop::bool::weighted(0.9),
        earlier in prop::option::of(0u64..24),
        asked in prop::sample::select(vec!['a', 'e', 'x']),
        wanted in -2i64..30,
    ) {
        let window = Window { start: Offset(start), end: Offset(start + length) };
        let earlier = earlier.map(|offset| Position { id: id('e'), offset: Offset(offset.min(start + length)) });
        let history = History { id: id('a'), earlier };
        let window = backlog.then_some(window);
        let verdict = psync(&history, window, id(asked).as_str().as_bytes(), wanted);
        let expected = by_search(&history, window, asked, wanted);
        prop_assert_eq!(matches!(verdict, Verdict::Continue { .. }), expected, "{:?}", verdict);
        if let Verdict::Continue { from } = verdict {
            prop_assert_eq!(from.0 + 1, wanted as u64);
            prop_assert!(window.is_some_and(|window| window.start <= from && from <= window.end));
        }
    }

    /// The question of a replica that lost nothing is always answered by its own master with a `+CONTINUE`.
    #[test]
    fn question_and_decision_agree(applied in 0u64..1000, start in 0u64..1000, end in 0u64..1000) {
        let (start, end) = (start.min(end), start.max(end));
        let held = Held { id: id('a'), received: Offset(applied + 7), applied: Offset(applied) };
        let asked = psync_request(Some(&held));
        let asked = asked.as_args();
        let wanted: i64 = std::str::from_utf8(&asked[2]).expect("digits").parse().expect("a number");
        let window = Window { start: Offset(start), end: Offset(end) };
        let verdict = psync(&History::new(id('a')), Some(window), &asked[1], wanted);
        let served = (start..=end).contains(&applied);
        prop_assert_eq!(verdict == Verdict::Continue { from: Offset(applied) }, served);
    }

    #[test]
    fn psync_takes_anything(
        asked in prop::collection::vec(any::<u8>(), 0..60),
        wanted in any::<i64>(),
        start in any::<u64>(),
        end in any::<u64>(),
        past in any::<u64>(),
    ) {
        let history = History { id: id('a'), earlier: Some(Position { id: id('e'), offset: Offset(past) }) };
        let window = Window { start: Offset(start.min(end)), end: Offset(start.max(end)) };
        for asked in [&asked[..], id('a').as_str().as_bytes(), id('e').as_str().as_bytes()] {
            if let Verdict::Continue { from } = psync(&history, Some(window), asked, wanted) {
                prop_assert!(window.start <= from && from <= window.end);
            }
        }
    }

    /// Whatever replicas say and in whatever order: `WAIT`'s answer never counts one that has not said it, and
    /// what was counted once stays counted as long as nobody leaves.
    #[test]
    fn what_is_acknowledged_stays(acks in prop::collection::vec((0u8..4, any::<u64>()), 0..40), offset in any::<u64>()) {
        let mut book = Acks::new();
        for replica in 0..3u8 {
            book.attach(Millis(0), replica);
        }
        let mut said = [0u64; 3];
        let mut before = book.count(Offset(offset));
        for (number, (replica, upto)) in acks.into_iter().enumerate() {
            book.heard(Millis(number as u64), replica, Offset(upto));
            if let Some(said) = said.get_mut(usize::from(replica)) {
                *said = upto.max(*said);
            }
            let count = book.count(Offset(offset));
            prop_assert!(count >= before);
            prop_assert_eq!(count, said.iter().filter(|&&said| said >= offset).count());
            before = count;
        }
        prop_assert_eq!(book.online(), 3);
    }
}
