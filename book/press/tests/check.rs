//! `check` finds each kind of mistake in a small book that has just this one.

mod common;

use common::{CONFIG, SmallBook, our_command, preprocessor};
use press::check::{self, Options, Part};
use press::data::{Axis, Plot, Recording, Shape, Unit};
use sim::Trace;

fn one(problems: &[String], start: &str, what: &str) {
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let problem = problems[0].replace('\\', "/");
    assert!(problem.starts_with(start), "{problem}\nshould start with {start}");
    assert!(problem.contains(what), "{problem}\nshould say {what}");
}

#[test]
fn a_good_book_has_no_problems() {
    let book = SmallBook::new(
        "# A\n\n## Second part\n\n[here](#second-part) [there](a.md#a) [out](https://redis.io)\n\n```rust,ignore\n{{#include ../../code/a.rs:x}}\n```\n\nWrite `\\{{#include x}}`.\n",
    );
    book.write("code/a.rs", "// ANCHOR: x\nfn a() {}\n// ANCHOR_END: x\n");
    book.write("solutions/wire/exercises/0.1.toml", "id = \"0.1\"\nchapter = \"a.html#second-part\"\n");
    assert_eq!(book.check_with(Options { recordings: Vec::new, ..Options::default() }), Vec::<String>::new());
}

#[test]
fn a_missing_include_file() {
    let book = SmallBook::new("# A\n\n```rust\n{{#include ../../code/none.rs}}\n```\n");
    one(&book.check(&[Part::Chapters]), "book/src/a.md:4: ", "none.rs");
}

#[test]
fn a_missing_anchor() {
    let book = SmallBook::new("# A\n\n```rust\n{{#include a.rs:nope}}\n```\n");
    book.write("book/src/a.rs", "fn a() {}\n");
    one(&book.check(&[Part::Chapters]), "book/src/a.md:4: ", "ANCHOR: nope");
}

#[test]
fn an_unknown_recording() {
    let book = SmallBook::new("# A\n\n{{#transcript nope}}\n");
    one(&book.check(&[Part::Chapters]), "book/src/a.md:3: ", "no recording `nope`");
}

#[test]
fn an_unknown_directive() {
    let book = SmallBook::new("# A\n\n{{#transkript nope}}\n");
    one(&book.check(&[Part::Chapters]), "book/src/a.md:3: ", "{{#transkript}}");
}

#[test]
fn a_directive_that_is_left_over() {
    let book = SmallBook::new("# A\n\nWrite `\\{{#figure x}}`\n\n{{#include a.rs\n}}\n");
    one(&book.check(&[Part::Links]), "book/src/a.md:5: ", "left over");
}

#[test]
fn a_dead_page_and_a_dead_fragment() {
    let book = SmallBook::new("# A\n\n[x](none.md)\n");
    one(&book.check(&[Part::Links]), "book/src/a.md:3: ", "`none.html` leads to a page that does not exist");
    let book = SmallBook::new("# A\n\n\n[x](a.md#none)\n");
    one(&book.check(&[Part::Links]), "book/src/a.md:4: ", "a.html has no `#none`");
}

#[test]
fn something_from_the_network() {
    let book = SmallBook::new("# A\n\n![x](https://example.com/x.png)\n");
    one(&book.check(&[Part::Links]), "book/src/a.md:3: ", "loaded from the network");
}

#[test]
fn what_mdbook_only_logs() {
    // An HTML tag that is never closed is a warning of mdBook 0.5 and nothing else.
    let book = SmallBook::new("# A\n\n<div>\n\ntext\n");
    one(&book.check(&[Part::Chapters]), "book/book.toml: mdBook says: ", "unclosed HTML tag `<div>`");
}

#[test]
fn a_chapter_that_is_not_there() {
    let book = SmallBook::new("# A\n");
    book.write("book/src/SUMMARY.md", "# Summary\n\n- [A](a.md)\n- [B](b.md)\n");
    one(&book.check(&[Part::Chapters]), "book/book.toml: mdBook gives up: ", "b.md");
}

#[test]
fn an_unknown_key() {
    let book = SmallBook::new("# A\n");
    let good = format!("{CONFIG}{}", preprocessor(&our_command()));
    book.write("book/book.toml", &good.replace("smart-punctuation", "smart-punktuation"));
    one(&book.check(&[Part::Config]), "book/book.toml:8: ", "smart-punktuation");
    book.write("book/book.toml", &format!("{good}\n[output.html.search]\nfuzzy = true\n"));
    one(&book.check(&[Part::Config]), "book/book.toml:15: ", "fuzzy");
    book.write("book/book.toml", &good.replace("title", "titel"));
    one(&book.check(&[Part::Config]), "book/book.toml:", "titel");
    book.write("book/book.toml", &good.replace("before = [\"links\"]", ""));
    one(&book.check(&[Part::Config]), "book/book.toml:10: ", "before");
    book.write("book/book.toml", CONFIG);
    one(&book.check(&[Part::Config]), "book/book.toml", "[preprocessor.workbook]");
}

#[test]
fn a_preprocessor_that_mdbook_would_skip() {
    let book = SmallBook::new("# A\n");
    // Like a program that does not compile: cargo fails, and mdBook takes it for "renderer not supported".
    let command = "cargo run --quiet --manifest-path none/Cargo.toml -- preprocess";
    book.write("book/book.toml", &format!("{CONFIG}{}", preprocessor(command)));
    one(&book.check(&[Part::Plain]), "book/book.toml:12: ", "would skip the preprocessor `workbook`");
    book.write("book/book.toml", &format!("{CONFIG}{}", preprocessor("no-such-program-anywhere preprocess")));
    one(&book.check(&[Part::Plain]), "book/book.toml:12: ", "cannot be run");
}

#[test]
fn a_recording_that_is_stale_missing_or_left_over() {
    fn recordings() -> Vec<(&'static str, Recording)> {
        let mut trace = Trace::table("calls");
        trace.call("f(1)", "2");
        vec![("calls", trace.into())]
    }
    let book = SmallBook::new("# A\n\n{{#transcript calls}}\n");
    let check = || book.check_with(Options { parts: vec![Part::Traces], recordings, ..Options::default() });
    one(&check(), "book/src/traces/calls.json: ", "not recorded yet");
    assert_eq!(check::record(&book.workspace(), recordings).unwrap(), ["recorded calls"]);
    assert_eq!(check(), Vec::<String>::new());
    assert_eq!(book.check(&[Part::Chapters, Part::Links]), Vec::<String>::new());
    let stale = book.read("book/src/traces/calls.json").replace("f(1)", "f(0)");
    book.write("book/src/traces/calls.json", &stale);
    one(&check(), "book/src/traces/calls.json:", "differs");
    book.write("book/src/traces/other.json", &stale);
    assert_eq!(check::record(&book.workspace(), recordings).unwrap(), ["recorded calls", "removed other"]);
    book.write("book/src/traces/other.json", &stale);
    one(&check(), "book/src/traces/other.json: ", "no recording makes this file");
}

#[test]
fn a_plot_that_is_stale() {
    fn recordings() -> Vec<(&'static str, Recording)> {
        let axis = |name| Axis::new(name, Unit::Bytes);
        let plot =
            Plot::new("growth", Shape::Lines, axis("x"), axis("y")).series("s", [(1.0, 2.0), (2.0, 4.0)]);
        vec![("growth", plot.into())]
    }
    let book = SmallBook::new("# A\n\n{{#plot growth \"It grows.\"}}\n");
    let check = || book.check_with(Options { parts: vec![Part::Traces], recordings, ..Options::default() });
    check::record(&book.workspace(), recordings).unwrap();
    assert_eq!(check(), Vec::<String>::new());
    assert_eq!(book.check(&[Part::Chapters, Part::Links]), Vec::<String>::new());
    let stale = book.read("book/src/traces/growth.json").replace("[2,4]", "[2,5]");
    book.write("book/src/traces/growth.json", &stale);
    one(&check(), "book/src/traces/growth.json:", "differs");
}

#[test]
fn a_measured_table_without_its_source() {
    let book = SmallBook::new("# A\n");
    let check = || book.check(&[Part::Traces]);
    let head = r#"{"kind":"table","title":"t","columns":[{"name":"n"}],"rows":[[1]]"#;
    book.write("book/src/traces/measured/t.json", &format!("{head}}}"));
    one(&check(), "book/src/traces/measured/t.json: ", "with which command");
    let source = r#""measured":{"command":"c","machine":"m","with":"w","date":"d"}"#;
    book.write("book/src/traces/measured/t.json", &format!("{head},{source}}}"));
    assert_eq!(check(), Vec::<String>::new());
}

#[test]
fn an_exercise_without_its_section() {
    let book = SmallBook::new("# A\n\n## Two\n");
    let declare = |chapter: &str| {
        book.write("solutions/wire/exercises/0.1.toml", &format!("id = \"0.1\"\nchapter = \"{chapter}\"\n"));
        book.check(&[Part::Exercises])
    };
    assert_eq!(declare("a.html#two"), Vec::<String>::new());
    one(&declare("a.html#three"), "solutions/wire/exercises/0.1.toml:2: ", "no section `#three`");
    one(&declare("b.html#two"), "solutions/wire/exercises/0.1.toml:2: ", "no page `b.html`");
    one(&declare("a.html"), "solutions/wire/exercises/0.1.toml:2: ", "names no section");
}

#[test]
fn an_exercise_without_its_minutes() {
    let book = SmallBook::new("# A\n\n{{#times}}\n\n## Two\n");
    let pace =
        "[pace]\nwords_a_minute = 200\nseconds_a_line = 2\nseconds_a_drawing = 30\nseconds_a_command = 15\n";
    book.write(
        "tests/lab-0/catalog.json",
        r#"{"exercises":[{"id":"0.1","title":"t","chapter":"a.html#two"}]}"#,
    );
    one(&book.check(&[Part::Chapters]), "book/src/a.md:3: ", "no file times.toml");
    book.write("book/src/times.toml", &format!("{pace}[exercises]\n\"0.1\" = 20\n"));
    assert_eq!(book.check(&[Part::Chapters, Part::Exercises]), Vec::<String>::new());
    book.write("book/src/times.toml", &format!("{pace}[exercises]\n"));
    one(&book.check(&[Part::Exercises]), "book/src/times.toml: ", "exercise 0.1 has no minutes");
    book.write("book/src/times.toml", &format!("{pace}[exercises]\n\"0.1\" = 20\n\"0.2\" = 20\n"));
    one(&book.check(&[Part::Exercises]), "book/src/times.toml: ", "there is no exercise 0.2");
    book.write("book/src/times.toml", "[pace]\n");
    assert!(book.check(&[Part::Chapters])[0].starts_with("book/src/times.toml: "));
}

#[test]
fn a_row_of_the_syllabus_that_leads_nowhere() {
    let book = SmallBook::new("# A\n\n{{#syllabus}}\n\n## Two\n\n```session s\n```\n");
    let row = |read: &str, task: &str, shown: &str| {
        let text = format!(
            "[[part]]\ntitle = \"P\"\n[[part.row]]\nsays = \"One\"\nread = [{read}]\ndo = [{task}]\nshown = [{shown}]\n"
        );
        book.write("book/src/syllabus.toml", &text);
        book.check(&[Part::Chapters, Part::Links, Part::Syllabus])
    };
    book.write("tests/x.rs", "#[test]\nfn y() {}\n");
    let (read, task, shown) = ("\"a.md#two\"", "\"session a.md s\"", "\"test tests/x.rs::y\"");
    assert_eq!(row(read, task, shown), Vec::<String>::new());
    one(&row("\"a.md#three\"", task, shown), "book/src/a.md:3: ", "no section `#three`");
    one(&row(read, "\"0.7\"", shown), "book/src/a.md:3: ", "no exercise `0.7`");
    one(&row(read, task, "\"test tests/x.rs::z\""), "book/src/syllabus.toml:4: ", "has no test `z`");
    one(&row(read, "", shown), "book/src/syllabus.toml:4: ", "nothing under `do`");
}

#[test]
fn a_module_that_the_page_of_differences_leaves_out() {
    let book = SmallBook::new("# A\n\n{{#differences solutions/x/src/lib.rs}}\n");
    let docs = "//! X.\n//!\n//! # Differences from Redis\n//!\n//! - One.\n";
    let check = || book.check(&[Part::Chapters, Part::Differences]);
    one(&check(), "book/src/a.md:3: ", "solutions/x/src/lib.rs");
    book.write("solutions/x/src/lib.rs", docs);
    assert_eq!(check(), Vec::<String>::new());
    book.write("solutions/x/src/y.rs", &docs.replace("One", "Two"));
    one(
        &check(),
        "book/src/a.md: ",
        "`solutions/x/src/y.rs` says what differs from Redis, and no page shows it",
    );
}

#[test]
fn rust_that_nobody_compiles() {
    let book = SmallBook::new("# A\n\n```rust\nlet a = 1;\n```\n");
    one(&book.check(&[Part::Chapters]), "book/src/a.md:3: ", "nobody compiles");
}

#[test]
fn a_session_without_a_name() {
    let book = SmallBook::new("# A\n\n```session\n$ ha-cli PING\n```\n");
    one(&book.check(&[Part::Chapters]), "book/src/a.md:3: ", "needs a name");
}
