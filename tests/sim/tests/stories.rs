//! The stories that the book shows, checked for what they are meant to show.

use sim::nodes::stories;
use sim::trace::{SvgOptions, Trace};

#[test]
fn a_first_synchronisation_goes_through_all_its_steps() {
    let text = stories::full_synchronisation().to_text();
    let mut rest = text.as_str();
    for step in [
        "(connect to port 7000)",
        "PING",
        "+PONG",
        "REPLCONF listening-port 7000",
        "REPLCONF capa eof capa psync2",
        "PSYNC ? -1",
        "+FULLRESYNC",
        "<snapshot ",
        "REPLCONF ACK",
        "INCR count",
    ] {
        let at = rest.find(step).unwrap_or_else(|| panic!("no `{step}` in due order in:\n{text}"));
        rest = &rest[at..];
    }
}

#[test]
fn each_story_can_be_drawn_and_recorded() {
    for story in [
        stories::full_synchronisation(),
        stories::partition_holds_the_stream_back(),
        stories::master_restarts_empty(),
    ] {
        assert!(story.lines().len() > 5, "{}:\n{}", story.title, story.to_text());
        assert!(!story.to_svg(&SvgOptions::default()).contains("\n\n"));
        assert_eq!(Trace::from_json(&story.to_json()).as_ref(), Ok(&story));
        if std::env::var_os("SHOW").is_some() {
            println!("{}\n{}", story.title, story.to_text());
        }
    }
}
