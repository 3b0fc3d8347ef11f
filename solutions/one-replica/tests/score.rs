//! Scores the answers of this crate: `cargo test -p solution-1`. The suite is in tests/lab-1.

mod subject {
    use solution_1 as lab;
    include!("../../../tests/lab-1/suite.rs");
}

mod reference {
    use solution_1 as lab;
    include!("../../../tests/lab-1/suite.rs");
}

fn main() -> std::process::ExitCode {
    score::main(score::Lab {
        id: 1,
        package: "solution-1",
        catalog: include_str!("../../../tests/lab-1/catalog.json"),
        subject: subject::suite(),
        reference: reference::suite(),
    })
}
