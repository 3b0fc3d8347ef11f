//! The command line: what libtest understands, and `--seed N`.

use std::ffi::OsString;

use libtest_mimic::Arguments;

/// What was asked for.
pub(crate) struct Request {
    pub(crate) arguments: Arguments,
    pub(crate) seed: Option<u64>,
}

/// Takes `--seed N` or `--seed=N` out of the arguments; the rest is libtest's.
pub(crate) fn take_seed(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<(Vec<OsString>, Option<u64>), String> {
    let mut rest = Vec::new();
    let mut seed = None;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if text == "--seed" {
            let value = arguments.next().ok_or("--seed needs a number: --seed 7")?;
            seed = Some(parse_seed(&value.to_string_lossy())?);
        } else if let Some(value) = text.strip_prefix("--seed=") {
            seed = Some(parse_seed(value)?);
        } else {
            rest.push(argument);
        }
    }
    Ok((rest, seed))
}

fn parse_seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("--seed needs a number, not \"{text}\""))
}

/// Which exercises (by index) the arguments select.
///
/// A filter that is an exercise's id means that exercise alone (`1.1` is not `1.10`); any other filter is looked
/// for in `id title`, ignoring case.
pub(crate) fn select(arguments: &Arguments, exercises: &[(String, String)]) -> Vec<usize> {
    if arguments.ignored || arguments.bench {
        return Vec::new();
    }
    let names_one = |filter: &str| exercises.iter().any(|(id, _)| id == filter);
    let matches = |filter: &str, (id, title): &(String, String)| {
        if arguments.exact || names_one(filter) {
            return id == filter;
        }
        format!("{id} {title}").to_lowercase().contains(&filter.to_lowercase())
    };
    let wanted = |exercise: &(String, String)| {
        arguments.filter.as_deref().is_none_or(|filter| matches(filter, exercise))
            && !arguments.skip.iter().any(|filter| matches(filter, exercise))
    };
    (0..exercises.len()).filter(|&index| wanted(&exercises[index])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<(Vec<String>, Option<u64>), String> {
        let words = line.split_whitespace().map(OsString::from);
        let (rest, seed) = take_seed(words)?;
        Ok((rest.into_iter().map(|word| word.into_string().unwrap()).collect(), seed))
    }

    #[test]
    fn the_seed_is_taken_out_wherever_it_stands() {
        assert_eq!(parse("score 1.2 --seed 7"), Ok((vec!["score".into(), "1.2".into()], Some(7))));
        assert_eq!(parse("score --seed=0 --list"), Ok((vec!["score".into(), "--list".into()], Some(0))));
        assert_eq!(parse("score"), Ok((vec!["score".into()], None)));
        assert_eq!(parse("score --seed"), Err("--seed needs a number: --seed 7".into()));
        assert_eq!(parse("score --seed x"), Err("--seed needs a number, not \"x\"".into()));
    }

    fn selected(line: &str) -> Vec<usize> {
        let words: Vec<_> = ["score"].into_iter().chain(line.split_whitespace()).collect();
        let exercises = [("1.1", "Six steps"), ("1.2", "The answer"), ("1.10", "Steps back")];
        let exercises = exercises.map(|(id, title)| (id.to_string(), title.to_string()));
        select(&Arguments::from_iter(words), &exercises)
    }

    #[test]
    fn an_id_selects_itself_and_other_words_search() {
        assert_eq!(selected(""), [0, 1, 2]);
        assert_eq!(selected("1.1"), [0]);
        assert_eq!(selected("steps"), [0, 2]);
        assert_eq!(selected("steps --skip 1.10"), [0]);
        assert_eq!(selected("--exact 1.10"), [2]);
        assert!(selected("--exact steps").is_empty());
        assert!(selected("--ignored").is_empty());
    }
}
