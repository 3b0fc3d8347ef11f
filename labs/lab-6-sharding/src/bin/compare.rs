//! Prints how modulo, rings and slots distribute the same keys: `cargo run -p lab-6 --bin compare [SERVERS]`.

fn main() {
    let servers = std::env::args().nth(1).map_or(Ok(5), |text| text.parse());
    match servers {
        Ok(servers @ 2..=1000) => print!("{}", lab_6::compare::table(servers)),
        _ => eprintln!("How many servers? A number from 2 to 1000."),
    }
}
