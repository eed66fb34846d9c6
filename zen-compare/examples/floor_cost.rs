//! Measures the lab itself: the floor against the floor, beside what the generator needs to load
//! it.
//!
//! Two contenders that are the same program must tie, and the generator should cost hardly more per
//! question than the cheapest server there can be. Here each has a core of its own, where a closed
//! loop makes the two costs much the same; the truth checks show what each costs by itself. Run it
//! with `cargo run --release -p zen-compare --example floor_cost`.

use std::error::Error;
use std::net::TcpListener;

use zen_compare::{Contender, Observer, Plan, Report, Run, Scenario, Upcoming, compare, floor};

struct Progress;

impl Observer for Progress {
    fn run_started(&mut self, run: &Upcoming<'_>) {
        eprint!("\r{}/{} {} {:<20}", run.done + 1, run.runs, run.contender, run.scenario);
    }

    fn run_finished(&mut self, _: &Run, so_far: &Report) {
        if so_far.complete {
            eprintln!();
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // The servers are this same program, started with an argument.
    if std::env::args().nth(1).as_deref() == Some("floor") {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        println!("listening on {}", listener.local_addr()?);
        return Ok(floor::Floor::new(listener)?.run()?);
    }
    let program = std::env::current_exe()?;
    let twin = Contender::new("twin", &program, ["floor"]).answering_constant(floor::ANSWER);
    let scenarios =
        ["book", "saturate", "pipeline", "churn"].iter().filter_map(|name| Scenario::named(name)).flatten();
    let plan = Plan::new(vec![Contender::floor(&program, ["floor"]), twin], scenarios.collect());

    let report = compare(&plan, &mut Progress)?;
    println!("{}", report.to_table(100, false));
    println!("{:<14} {:>16} {:>16} {:>10} {:>10}", "", "floor, ns each", "generator", "floor", "generator");
    for run in report.runs.iter().filter(|run| run.contender == "floor") {
        let cost = |cost: Option<f64>| cost.map_or_else(|| "–".to_owned(), |cost| format!("{cost:.0}"));
        println!(
            "{:<14} {:>16} {:>16} {:>10.3} {:>10.3}",
            run.scenario,
            cost(run.cpu_per_question_ns),
            cost(run.generator.cpu_per_question_ns),
            run.occupancy,
            run.generator.occupancy
        );
    }
    Ok(())
}
