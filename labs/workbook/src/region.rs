//! Marked regions: the bodies that the learner writes.
//!
//! ```text
//! pub fn bulk_length(line: &[u8]) -> Option<usize> {
//!     // <exercise 0.3 bulk_length>
//!     …
//!     // </exercise>
//! }
//! ```
//!
//! The label is needed only if an exercise has several regions. The markers stay in the starter, so that a region
//! can be put back, shown and compared there too.

use std::fmt::Write;
use std::path::Path;

/// One region of a file. Lines count from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// The exercise: `0.3`.
    pub(crate) id: String,
    /// Tells the regions of one exercise apart.
    pub(crate) label: Option<String>,
    /// The line of the opening marker.
    pub(crate) open: usize,
    /// The line of the closing marker.
    pub(crate) close: usize,
    /// What the opening marker is indented by.
    pub(crate) indent: String,
}

impl Region {
    /// `0.3 bulk_length`, as in the marker.
    pub(crate) fn name(&self) -> String {
        match &self.label {
            Some(label) => format!("{} {label}", self.id),
            None => self.id.clone(),
        }
    }

    /// The lines between the markers.
    pub(crate) fn body<'a>(&self, text: &'a str) -> Vec<&'a str> {
        text.lines().skip(self.open + 1).take(self.close - self.open - 1).collect()
    }
}

/// Finds the regions of a file. Errors name `file:line`.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Vec<Region>, String> {
    let mut regions: Vec<Region> = Vec::new();
    let mut pending: Option<Region> = None;
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}:{}", file.display(), number + 1);
        let Some(comment) = line.trim().strip_prefix("//").map(str::trim) else { continue };
        if let Some(rest) = comment.strip_prefix("<exercise") {
            if let Some(open) = &pending {
                return Err(format!(
                    "{}: a region opens inside the region {} of line {}; regions do not nest",
                    place(),
                    open.name(),
                    open.open + 1
                ));
            }
            let inside = rest.strip_suffix('>').ok_or_else(|| {
                format!("{}: a marker looks like `// <exercise 0.3>` or `// <exercise 0.3 label>`", place())
            })?;
            let mut words = inside.split_whitespace();
            let (id, label, more) = (words.next(), words.next(), words.next());
            let Some(id) = id.filter(|id| is_id(id) && more.is_none()) else {
                return Err(format!(
                    "{}: `{comment}` needs an exercise such as 0.3, and at most one label",
                    place()
                ));
            };
            let indent = line[..line.len() - line.trim_start().len()].to_string();
            let label = label.map(str::to_string);
            pending = Some(Region { id: id.to_string(), label, open: number, close: 0, indent });
        } else if comment.starts_with("</exercise") {
            let Some(mut region) = pending.take() else {
                return Err(format!("{}: a region closes here, but none is open", place()));
            };
            region.close = number;
            if let Some(twin) = regions.iter().find(|other| other.name() == region.name()) {
                return Err(format!(
                    "{}: a second region {} (the first is at line {}); give each a label of its own",
                    place(),
                    region.name(),
                    twin.open + 1
                ));
            }
            regions.push(region);
        }
    }
    match pending {
        Some(region) => Err(format!(
            "{}:{}: the region {} has no end: `// </exercise>` is missing",
            file.display(),
            region.open + 1,
            region.name()
        )),
        None => Ok(regions),
    }
}

/// `0.3`, `10.12`.
pub(crate) fn is_id(text: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(lab, exercise)| number(lab) && number(exercise))
}

/// The text with the body of each region replaced. `body` gives the new lines, indented; None keeps the old ones.
pub(crate) fn replace(
    text: &str,
    regions: &[Region],
    mut body: impl FnMut(&Region) -> Option<String>,
) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for region in regions {
        let Some(new) = body(region) else { continue };
        for line in &lines[at..=region.open] {
            let _ = writeln!(out, "{line}");
        }
        out.push_str(new.trim_end_matches('\n'));
        if !new.is_empty() {
            out.push('\n');
        }
        at = region.close;
    }
    for line in &lines[at..] {
        let _ = writeln!(out, "{line}");
    }
    out
}

/// Moves a block of lines so that its least indented line stands at `indent`.
pub(crate) fn reindent(block: &str, indent: &str) -> String {
    let lines: Vec<&str> = block.trim_matches('\n').lines().collect();
    let least =
        lines.iter().filter(|line| !line.trim().is_empty()).map(|line| leading(line)).min().unwrap_or(0);
    let mut out = String::new();
    for line in lines {
        if line.trim().is_empty() {
            out.push('\n');
        } else {
            let _ = writeln!(out, "{indent}{}", line[least..].trim_end());
        }
    }
    out
}

fn leading(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
fn outer() -> u8 {
    // <exercise 0.1>
    fn inner() -> u8 {
        1
    }
    inner()
    // </exercise>
}
impl X {
    fn a(&self) {
        // <exercise 0.2 first>
        self.go();
        // </exercise>
    }
    fn b(&self) {
        // <exercise 0.2 second>
        // </exercise>
    }
}
";

    fn parse_text(text: &str) -> Result<Vec<Region>, String> {
        parse(Path::new("src/x.rs"), text)
    }

    #[test]
    fn regions_with_and_without_label_are_found() {
        let regions = parse_text(SOURCE).unwrap();
        let names: Vec<_> = regions.iter().map(Region::name).collect();
        assert_eq!(names, ["0.1", "0.2 first", "0.2 second"]);
        assert_eq!((regions[0].open, regions[0].close), (1, 6));
        assert_eq!(regions[1].indent, " ".repeat(8));
        assert_eq!(regions[0].body(SOURCE).len(), 4);
        assert!(regions[2].body(SOURCE).is_empty());
    }

    #[test]
    fn bodies_are_replaced_and_the_rest_stays() {
        let regions = parse_text(SOURCE).unwrap();
        let out = replace(SOURCE, &regions, |region| {
            (region.id == "0.1").then(|| format!("{}todo!()\n", region.indent))
        });
        assert!(
            out.starts_with(
                "fn outer() -> u8 {\n    // <exercise 0.1>\n    todo!()\n    // </exercise>\n}\n"
            )
        );
        assert!(out.contains("self.go();"));
        assert_eq!(replace(SOURCE, &regions, |_| None), SOURCE);
        let again = replace(&out, &parse_text(&out).unwrap(), |region| {
            (region.id == "0.1").then(|| regions[0].body(SOURCE).join("\n"))
        });
        assert_eq!(again, SOURCE);
    }

    #[test]
    fn faults_name_file_and_line() {
        for (text, expected) in [
            ("a\n// <exercise 0.1>\n", "src/x.rs:2: the region 0.1 has no end: `// </exercise>` is missing"),
            ("// </exercise>\n", "src/x.rs:1: a region closes here, but none is open"),
            (
                "// <exercise 0.1>\n// <exercise 0.2>\n",
                "src/x.rs:2: a region opens inside the region 0.1 of line 1; regions do not nest",
            ),
            (
                "// <exercise one>\n",
                "src/x.rs:1: `<exercise one>` needs an exercise such as 0.3, and at most one label",
            ),
            (
                "// <exercise 0.1\n",
                "src/x.rs:1: a marker looks like `// <exercise 0.3>` or `// <exercise 0.3 label>`",
            ),
            (
                "// <exercise 0.1>\n// </exercise>\n// <exercise 0.1>\n// </exercise>\n",
                "src/x.rs:4: a second region 0.1 (the first is at line 1); give each a label of its own",
            ),
        ] {
            assert_eq!(parse_text(text), Err(expected.to_string()));
        }
    }

    #[test]
    fn a_block_moves_as_a_whole() {
        assert_eq!(
            reindent("\nlet x = 1;\nif x {\n    y\n}\n", "    "),
            "    let x = 1;\n    if x {\n        y\n    }\n"
        );
        assert_eq!(reindent("        a\n\n            b\n", "  "), "  a\n\n      b\n");
    }
}
