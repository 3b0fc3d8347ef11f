use std::process::Command;

use system::{Server, redis_tool};

/// One run of one test against one server, or the median of several.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measurement {
    pub(crate) requests_per_second: f64,
    /// Microseconds of the server's CPU time for one request, where the system tells.
    pub(crate) cpu_micros: Option<f64>,
}

impl Measurement {
    /// Each value's median.
    pub(crate) fn median(runs: &[Measurement]) -> Measurement {
        let cpu: Vec<f64> = runs.iter().filter_map(|run| run.cpu_micros).collect();
        Measurement {
            requests_per_second: median(runs.iter().map(|run| run.requests_per_second).collect())
                .unwrap_or_default(),
            cpu_micros: median(cpu),
        }
    }
}

/// What to run, and how often.
pub(crate) struct Plan {
    /// For redis-benchmark.
    pub(crate) flags: Vec<String>,
    pub(crate) requests: u64,
}

/// The one in the middle; `None` of none.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Runs redis-benchmark once.
pub(crate) fn measure(server: &Server, plan: &Plan) -> Result<Measurement, String> {
    measure_at(server.port(), &[server.pid()], plan)
}

/// The same with whatever listens on `port`. The CPU time is that of the processes `pids`, all together.
pub(crate) fn measure_at(port: u16, pids: &[u32], plan: &Plan) -> Result<Measurement, String> {
    let cpu_time = || pids.iter().map(|&pid| cpu_time_nanos(pid)).sum::<Option<u64>>();
    let before = cpu_time();
    let requests_per_second = run_at(port, plan)?;
    let after = cpu_time();
    let cpu = before.zip(after).map(|(before, after)| (after - before) as f64);
    Ok(Measurement {
        requests_per_second,
        cpu_micros: cpu.map(|nanos| nanos / 1000.0 / plan.requests as f64),
    })
}

/// Runs redis-benchmark once and returns how many requests it made in a second.
pub(crate) fn run(server: &Server, plan: &Plan) -> Result<f64, String> {
    run_at(server.port(), plan)
}

fn run_at(port: u16, plan: &Plan) -> Result<f64, String> {
    let tool = redis_tool("redis-benchmark").ok_or("redis-benchmark is not installed")?;
    let output = Command::new(tool)
        .args(["-p", &port.to_string(), "--csv"])
        .args(&plan.flags)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    rate(&text).ok_or_else(|| format!("no result in: {text}"))
}

/// The second column of the last line: `"SET","123456.78",…`.
fn rate(csv: &str) -> Option<f64> {
    csv.lines().last()?.split(',').nth(1)?.trim_matches('"').parse().ok()
}

/// The CPU time that all threads of a process have used, in nanoseconds. Linux only.
pub(crate) fn cpu_time_nanos(pid: u32) -> Option<u64> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let of_thread = |dir: std::path::PathBuf| -> Option<u64> {
        let text = std::fs::read_to_string(dir.join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok()
    };
    threads.flatten().map(|thread| of_thread(thread.path())).sum()
}

/// The resident memory of a process in bytes. Linux only.
pub(crate) fn resident(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
