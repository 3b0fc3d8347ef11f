//! `look` finds what only a browser sees. Without Chromium these tests say so and pass, unless it is demanded.

mod common;

use common::SmallBook;
use press::look::{self, Options, chromium};
use press::pages;

/// What is wrong with a book of one chapter; `None` if there is no browser to look with.
fn complaints(chapter: &str) -> Option<Vec<String>> {
    if chromium::find().is_none() {
        assert!(std::env::var_os("HA_REQUIRE_CHROMIUM").is_none(), "Chromium is required, and not installed");
        eprintln!("skipped: no Chromium here");
        return None;
    }
    let book = SmallBook::new(chapter);
    let output = book.path("out");
    let built = pages::build(&book.workspace(), Some(&output));
    assert!(built.is_good(), "{:#?}", built.report(&book.workspace()));
    let options = Options { page: Some("a.html".into()), ..Options::default() };
    let (pages, problems) = look::run(&output, &options).expect("a browser that answers");
    assert_eq!(pages, 1);
    Some(problems.iter().map(ToString::to_string).collect())
}

#[test]
fn a_good_page_is_silent() {
    let figure = "<figure id=\"f\"><div><svg viewBox=\"0 0 300 60\" width=\"300\"><title>t</title><text x=\"10\" y=\"20\" font-size=\"12\" fill=\"currentColor\">one</text><text x=\"10\" y=\"40\" font-size=\"12\" fill=\"currentColor\">two</text></svg></div></figure>";
    let scrolling = "<div style=\"overflow-x:auto\"><p style=\"width:3000px\">wide</p></div>";
    let Some(found) = complaints(&format!("# A\n\nText.\n\n{figure}\n\n{scrolling}\n")) else { return };
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn each_mistake_is_named() {
    let figure = "<figure id=\"f\"><div><svg viewBox=\"0 0 300 60\" width=\"300\"><text x=\"10\" y=\"20\" font-size=\"6\" fill=\"currentColor\">small</text><text x=\"100\" y=\"20\" font-size=\"12\" fill=\"currentColor\" fill-opacity=\"0.1\">faint</text><text x=\"10\" y=\"50\" font-size=\"12\" fill=\"currentColor\">below</text><text x=\"14\" y=\"51\" font-size=\"12\" fill=\"currentColor\">above</text></svg></div></figure>";
    let script = "<script>console.error('told', 7); undefined_function();</script>";
    let chapter = format!(
        "# A\n\n<p style=\"width:700px\">wide</p>\n\n<img src=\"data:image/png;base64,AAAA\" alt=\"x\">\n\n{figure}\n\n{script}\n"
    );
    let Some(found) = complaints(&chapter) else { return };
    for (what, views) in [
        ("a picture is missing: data:image/png;base64,AAAA", "light-wide"),
        ("pixels beyond the page: wide", "light-narrow"),
        ("#f has no title", "dark-wide"),
        ("#f: \"small\" is only 6.0 pixels high", "dark-narrow"),
        ("#f: \"faint\" is too faint", "light-wide"),
        ("#f: \"above\" lies on \"below\"", "light-wide"),
        ("console error: told 7", "light-wide"),
        ("a script fails: Uncaught ReferenceError: undefined_function", "light-wide"),
    ] {
        let found = found.iter().find(|line| line.starts_with("a.html: ") && line.contains(what));
        let line = found.unwrap_or_else(|| panic!("nobody says: {what}"));
        assert!(line.contains(views), "{line}");
    }
    assert!(
        !found.iter().any(|line| line.contains("wide)") && line.contains("beyond the page")),
        "{found:#?}"
    );
}

#[test]
fn a_page_that_does_not_exist_is_no_page_that_looks_right() {
    let book = SmallBook::new("# A\n");
    let output = book.path("out");
    assert!(pages::build(&book.workspace(), Some(&output)).is_good());
    let options = Options { page: Some("nonsense".into()), ..Options::default() };
    // Before any browser is looked for.
    let error = look::run(&output, &options).expect_err("there is no such page").to_string();
    assert!(error.contains("`nonsense`") && error.contains("a.html"), "{error}");
}
