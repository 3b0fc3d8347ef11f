//! Scores the reference answers of chapter 0: `cargo test -p solution-0`. The suite is in tests/lab-0.

mod subject {
    use solution_0 as lab;
    include!("../../../tests/lab-0/suite.rs");
}

mod reference {
    use solution_0 as lab;
    include!("../../../tests/lab-0/suite.rs");
}

fn main() -> std::process::ExitCode {
    score::main(score::Lab {
        id: 0,
        package: "solution-0",
        catalog: include_str!("../../../tests/lab-0/catalog.json"),
        subject: subject::suite(),
        reference: reference::suite(),
    })
}
