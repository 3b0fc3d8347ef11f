use crate::flaws::Flaw;
use crate::play::play;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
#[test]
#[ignore]
fn survey() {
    let n: u64 = std::env::var("SURVEY").ok().and_then(|t| t.parse().ok()).unwrap_or(100);
    let next = AtomicU64::new(0);
    let found: Mutex<BTreeMap<String, Vec<(u64, String)>>> = Mutex::new(BTreeMap::new());
    let begin = std::time::Instant::now();
    let steps = AtomicU64::new(0);
    let report = Mutex::new(crate::report::Report::default());
    std::panic::set_hook(Box::new(|i| eprintln!("{i}")));
    std::thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= n {
                        return;
                    }
                    let t = std::time::Instant::now();
                    let r = std::panic::catch_unwind(|| play(seed, None, Flaw::None));
                    match r {
                        Ok(Ok(o)) => {
                            steps.fetch_add(o.steps, Ordering::Relaxed);
                            report.lock().unwrap().add(&o);
                        }
                        Ok(Err(b)) => {
                            found.lock().unwrap().entry(b.rule.clone()).or_default().push((seed, b.detail))
                        }
                        Err(_) => found
                            .lock()
                            .unwrap()
                            .entry("panic".into())
                            .or_default()
                            .push((seed, String::new())),
                    }
                    if t.elapsed().as_secs() > 5 {
                        eprintln!("seed {seed} took {:?}", t.elapsed());
                    }
                }
            });
        }
    });
    println!("{} seeds in {:?}, {} steps", n, begin.elapsed(), steps.load(Ordering::Relaxed));
    for (rule, list) in found.into_inner().unwrap() {
        println!("## {} x {rule}", list.len());
        let mut list = list;
        list.sort();
        for (seed, detail) in list.iter().take(6) {
            println!("   {seed}: {}", detail.chars().take(170).collect::<String>());
        }
    }
    println!("{}", report.into_inner().unwrap());
}
