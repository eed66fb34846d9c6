//! The whole lab against real processes. Told `serve-as ROLE`, this program is one of the servers instead.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and so has a server of the tests")]
mod roles;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use zen_compare::{
    CompareError, Contender, Expected, Invalid, Observer, Plan, Report, Run, Scenario, Standing, StartError,
    Stop, Upcoming, compare,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, command, role, rest @ ..] = arguments.as_slice()
        && command == "serve-as"
    {
        return roles::play(role, rest);
    }
    let mut arguments = Arguments::from_args();
    // Each test measures, and measurements do not share a machine.
    arguments.test_threads = Some(1);
    let trials = vec![
        trial("a_report_is_consistent", a_report_is_consistent),
        trial("the_page_is_mostly_waiting", the_page_is_mostly_waiting),
        trial("wrong_answers_do_not_count", wrong_answers_do_not_count),
        trial("silence_is_a_finding", silence_is_a_finding),
        trial("one_at_a_time_is_a_finding", one_at_a_time_is_a_finding),
        trial("a_death_is_noticed", a_death_is_noticed),
        trial("work_done_elsewhere_is_noticed", work_done_elsewhere_is_noticed),
        trial("an_interrupt_keeps_what_there_is", an_interrupt_keeps_what_there_is),
        trial("who_cannot_start_is_named_at_once", who_cannot_start_is_named_at_once),
        trial("a_port_can_be_told", a_port_can_be_told),
        trial("nobody_is_left_behind", nobody_is_left_behind),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, test: fn()) -> Trial {
    // A panic is a failure: the harness catches it.
    Trial::test(name, move || {
        test();
        Ok::<(), Failed>(())
    })
}

/// This program in one of its roles. The tag tells its processes from those of other tests.
fn server(role: &str, tag: &str) -> Contender {
    Contender::new(role, this_program(), ["serve-as", role, tag])
}

fn floor() -> Contender {
    Contender::floor(this_program(), ["serve-as", "floor", "yardstick"])
}

fn this_program() -> std::path::PathBuf {
    std::env::current_exe().unwrap()
}

fn tag(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn short(contenders: Vec<Contender>, scenarios: Vec<Scenario>) -> Plan {
    let (warmup, window) = (Duration::from_millis(60), Duration::from_millis(250));
    Plan { repetitions: 1, warmup, window, ..Plan::new(contenders, scenarios) }
}

fn only_run(plan: &Plan) -> Run {
    let report = compare(plan, &mut ()).unwrap();
    assert!(report.complete);
    assert_eq!(report.runs.len(), 1);
    report.runs[0].clone()
}

/// Whether nothing speaks against a run except that this machine was busy with other things.
fn fine(run: &Run) -> bool {
    let busy = |reason: &Invalid| {
        matches!(reason, Invalid::GeneratorStarved { .. } | Invalid::GeneratorWasBottleneck { .. })
    };
    run.invalid.iter().all(busy)
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * left.abs().max(right.abs())
}

fn a_report_is_consistent() {
    #[derive(Default)]
    struct Log {
        expected: Option<Expected>,
        started: Vec<(String, String, u32)>,
        finished: Vec<usize>,
    }
    impl Observer for Log {
        fn planned(&mut self, expected: &Expected) {
            self.expected = Some(*expected);
        }
        fn run_started(&mut self, run: &Upcoming<'_>) {
            assert_eq!(run.done, self.started.len());
            self.started.push((run.scenario.into(), run.contender.into(), run.repetition));
        }
        fn run_finished(&mut self, run: &Run, so_far: &Report) {
            assert_eq!(so_far.runs.last(), Some(run));
            self.finished.push(so_far.runs.len());
        }
    }

    let scenarios = vec![Scenario::saturate(4), Scenario::pipeline(), Scenario::churn()];
    let plan = Plan { repetitions: 2, ..short(vec![floor(), server("right", "-")], scenarios) };
    let mut log = Log::default();
    let report = compare(&plan, &mut log).unwrap();

    assert_eq!(log.expected.unwrap().runs, 12);
    assert_eq!(log.finished, (1..=12).collect::<Vec<_>>());
    let made: Vec<_> =
        report.runs.iter().map(|run| (run.scenario.clone(), run.contender.clone(), run.repetition)).collect();
    assert_eq!(log.started, made);
    assert!(report.complete);

    for run in &report.runs {
        assert!(fine(run), "{run:?}");
        #[allow(clippy::cast_precision_loss)]
        let answers = run.answers as f64;
        assert!(answers > 0.0);
        assert!(run.window_s >= 0.25);
        assert!(close(run.throughput * run.window_s, answers));
        assert!(close(run.occupancy * run.window_s, run.server_cpu_s));
        assert!(close(run.cpu_per_question_ns.unwrap() * answers / 1e9, run.server_cpu_s));
        assert_eq!(run.clients_served, run.clients, "{run:?}");
        assert!((0.0..=1.0).contains(&run.fairness.unwrap()));
        assert!(run.generator.occupancy > 0.0 && run.generator.occupancy < 1.1);
        assert!(run.memory_empty_bytes.unwrap() > 0 && run.memory_loaded_bytes.unwrap() > 0);
        let latency = run.latency.unwrap();
        assert!(0 < latency.p50_ns && latency.p50_ns <= latency.p99_ns && latency.p99_ns <= latency.max_ns);
        assert_eq!(run.scenario == "churn", run.conversations > 0);
    }
    for (scenario, summaries) in report.by_scenario() {
        assert_eq!(summaries.len(), 2, "{}", scenario.name);
        let floor = summaries.iter().find(|summary| summary.contender == "floor").unwrap();
        assert_eq!(floor.standing == Standing::Floor, floor.valid_runs > 0);
        assert_eq!(floor.times_floor.map(|times| times.median), (floor.valid_runs > 0).then_some(1.0));
    }
}

fn the_page_is_mostly_waiting() {
    let run = only_run(&short(vec![server("right", "-")], vec![Scenario::book()]));
    assert!(fine(&run), "{run:?}");
    // One question in 40 ms: six in the window, and one more at its edge.
    assert!((1..=7).contains(&run.answers), "{run:?}");
    assert!(run.occupancy > 0.0 && run.occupancy < 0.5, "{run:?}");
}

fn wrong_answers_do_not_count() {
    let plan = short(vec![server("wrong", "-"), server("right", "-")], vec![Scenario::saturate(2)]);
    let report = compare(&plan, &mut ()).unwrap();
    let Invalid::WrongAnswers { received, .. } = &report.runs[0].invalid[0] else {
        panic!("{:?}", report.runs[0])
    };
    assert!(received.starts_with("Handsome."), "{received}");
    let wrong = report.summaries.iter().find(|summary| summary.contender == "wrong").unwrap();
    assert_eq!((wrong.standing, wrong.valid_runs), (Standing::Invalid, 0));
}

fn silence_is_a_finding() {
    let report = compare(&short(vec![server("silent", "-")], vec![Scenario::saturate(16)]), &mut ()).unwrap();
    let run = &report.runs[0];
    assert!(fine(run), "{run:?}");
    assert_eq!((run.answers, run.clients_served, run.clients, run.clients_waiting), (0, 0, 16, 16));
    assert_eq!((run.cpu_per_question_ns, run.latency, run.fairness), (None, None, None));
    assert!(run.longest_wait_ns >= 250_000_000);
    assert!(report.to_table(100, false).contains("0/16"));
}

fn one_at_a_time_is_a_finding() {
    let report = compare(&short(vec![server("greedy", "-")], vec![Scenario::saturate(16)]), &mut ()).unwrap();
    let run = &report.runs[0];
    assert!(fine(run), "{run:?}");
    assert_eq!(run.clients_served, 1);
    assert!(close(run.fairness.unwrap(), 1.0 / 16.0));
    assert!(matches!(report.summaries[0].standing, Standing::Starves | Standing::Invalid));
}

fn a_death_is_noticed() {
    let plan = Plan {
        window: Duration::from_secs(3600),
        ..short(vec![server("mortal", "-")], vec![Scenario::saturate(4)])
    };
    let run = only_run(&plan);
    let Invalid::ServerDied { status, last_words } = &run.invalid[0] else { panic!("{run:?}") };
    assert_eq!((status.as_str(), last_words.as_str()), ("exit status 7", "enough"));
}

fn work_done_elsewhere_is_noticed() {
    let plan = Plan {
        window: Duration::from_secs(1),
        ..short(vec![server("idle", "-")], vec![Scenario::pipeline()])
    };
    let run = only_run(&plan);
    let noticed = run.invalid.iter().any(|reason| matches!(reason, Invalid::ServerNotMeasured { .. }));
    assert!(noticed, "{run:?}");
}

fn an_interrupt_keeps_what_there_is() {
    struct InterruptSecond(Stop);
    impl Observer for InterruptSecond {
        fn run_started(&mut self, run: &Upcoming<'_>) {
            if run.done == 1 {
                self.0.stop();
            }
        }
    }
    let plan = Plan { repetitions: 5, ..short(vec![server("right", "-")], vec![Scenario::saturate(1)]) };
    let report = compare(&plan, &mut InterruptSecond(plan.stop.clone())).unwrap();
    assert_eq!(report.runs.len(), 1);
    assert_eq!(report.summaries.len(), 1);
    assert!(!report.complete);
    assert!(report.to_table(100, false).contains("incomplete: 1 of 5 runs"));
}

fn who_cannot_start_is_named_at_once() {
    struct Nothing;
    impl Observer for Nothing {
        fn planned(&mut self, _: &Expected) {
            panic!("the comparison began");
        }
    }
    let plan = short(vec![server("right", "-"), server("unknown", "-")], vec![Scenario::book()]);
    let error = compare(&plan, &mut Nothing).unwrap_err();
    let CompareError::Contender { name, source: StartError::Ended { status, stderr } } = &error else {
        panic!("{error}")
    };
    assert_eq!((name.as_str(), status.as_str()), ("unknown", "exit status 2"));
    assert!(stderr.contains("no such role"), "{stderr}");
}

fn a_port_can_be_told() {
    let program = this_program();
    let line = format!("'{}' serve-as right told {{port}}", program.display());
    let contender = Contender::from_command_line("told", &line).unwrap();
    let running = contender.start(None).unwrap();
    assert_eq!(running.address().ip(), SocketAddr::from(([127, 0, 0, 1], 0)).ip());
    drop(running);
    let run = only_run(&short(vec![contender], vec![Scenario::saturate(1)]));
    assert!(fine(&run) && run.answers > 0, "{run:?}");
}

fn nobody_is_left_behind() {
    let tag = tag("left");
    let mut plan = short(vec![server("right", &tag), server("idle", &tag)], vec![Scenario::saturate(2)]);
    plan.repetitions = 2;
    compare(&plan, &mut ()).unwrap();
    // An orphan is a zombie until somebody has collected it, and a zombie has no command line.
    let began = std::time::Instant::now();
    while commands().iter().any(|command| command.contains(&tag)) {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", commands());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The command lines of all processes.
fn commands() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}
