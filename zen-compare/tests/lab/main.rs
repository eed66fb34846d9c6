//! The whole lab against real processes. Started with `serve-as ROLE`, this program is one of the
//! servers instead.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and so has a server of the tests")]
mod roles;
mod thread_use;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use zen_compare::{
    CompareError, Contender, Expected, Invalid, Observer, Plan, Report, Run, Scenario, Standing, StartError,
    StopFlag, Store, Upcoming, UserLoad, child, compare, compare_in,
    selftest::{CheckStatus, self_test},
};

fn main() -> ExitCode {
    if let Some(code) = child::serve_if_asked(roles::own) {
        return code;
    }
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, command, role, rest @ ..] = arguments.as_slice()
        && command == "serve-as"
    {
        return roles::play(role, rest);
    }
    let mut arguments = Arguments::from_args();
    // Each test measures, and measurements must not share a machine.
    arguments.test_threads = Some(1);
    let trials = vec![
        trial("a_report_is_consistent", a_report_is_consistent),
        trial("the_books_page_is_mostly_waiting", the_books_page_is_mostly_waiting),
        trial("wrong_answers_do_not_count", wrong_answers_do_not_count),
        trial("a_silent_server_is_a_result", a_silent_server_is_a_result),
        trial("serving_one_client_at_a_time_is_a_result", serving_one_client_at_a_time_is_a_result),
        trial("the_death_of_a_server_is_noticed", the_death_of_a_server_is_noticed),
        trial("children_count", children_count),
        trial("threads_share_the_work_as_known", thread_use::threads_share_the_work_as_known),
        trial(
            "system_calls_are_counted_or_the_report_says_why_not",
            system_calls_are_counted_or_the_report_says_why_not,
        ),
        trial("an_invalid_run_is_rerun_within_bounds", an_invalid_run_is_rerun_within_bounds),
        trial("work_done_elsewhere_is_noticed", work_done_elsewhere_is_noticed),
        trial("an_interrupt_keeps_the_runs_made_so_far", an_interrupt_keeps_the_runs_made_so_far),
        trial("an_interrupt_is_noticed_before_the_first_run", an_interrupt_is_noticed_before_the_first_run),
        trial("an_interrupted_comparison_is_resumed", an_interrupted_comparison_is_resumed),
        trial(
            "an_open_loop_offers_a_share_of_what_is_answered",
            an_open_loop_offers_a_share_of_what_is_answered,
        ),
        trial(
            "a_user_load_is_advised_a_server_that_serves_every_client",
            a_user_load_is_advised_a_server_that_serves_every_client,
        ),
        trial(
            "a_contender_that_cannot_start_is_named_at_once",
            a_contender_that_cannot_start_is_named_at_once,
        ),
        trial("any_protocol_has_a_floor_of_its_own", any_protocol_has_a_floor_of_its_own),
        trial("a_port_can_be_given", a_port_can_be_given),
        trial("servers_end_with_a_lab_that_is_killed", servers_end_with_a_lab_that_is_killed),
        trial("no_process_is_left_behind", no_process_is_left_behind),
        trial("the_self_test_finds_what_is_known", the_self_test_finds_what_is_known),
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
    Contender::floor(this_program(), ["serve-as", "floor", "untagged"])
}

fn this_program() -> std::path::PathBuf {
    std::env::current_exe().unwrap()
}

fn tag(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn short(contenders: Vec<Contender>, scenarios: Vec<Scenario>) -> Plan {
    let mut plan = Plan::new(contenders, scenarios);
    plan.repetitions = 1;
    plan.warmup = Duration::from_millis(60);
    plan.window = Duration::from_millis(250);
    plan.retries = 0;
    plan.count_system_calls = false;
    plan
}

fn only_run(plan: &Plan) -> Run {
    let report = compare(plan, &mut ()).unwrap();
    assert!(report.complete);
    assert_eq!(report.runs.len(), 1);
    report.runs[0].clone()
}

/// Whether the run is valid, or invalid only because this machine was busy with other things.
fn fine(run: &Run) -> bool {
    let busy = |reason: &Invalid| {
        reason.is_machines_fault() || matches!(reason, Invalid::GeneratorWasBottleneck { .. })
    };
    run.invalid.iter().all(busy)
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * left.abs().max(right.abs())
}

fn any_protocol_has_a_floor_of_its_own() {
    let workload = roles::greeted();
    let contenders = vec![Contender::own_floor_for(&workload).unwrap(), Contender::own("greets").unwrap()];
    let scenarios = vec![Scenario::saturate(4), Scenario::pipeline(2, 16), Scenario::churn()];
    let mut plan = short(contenders, scenarios);
    plan.workload = workload;
    let report = compare(&plan, &mut ()).unwrap();
    assert_eq!(report.runs.len(), 6);
    for run in &report.runs {
        assert!(fine(run), "{run:?}");
        assert!(run.answers > 0 && run.clients_served == run.clients, "{run:?}");
    }
    // A server that greets otherwise speaks another protocol.
    plan.contenders.remove(0);
    plan.scenarios.truncate(1);
    for greeting in ["\x05hullo", ""] {
        plan.workload = roles::greeted().with_greeting(greeting);
        let run = only_run(&plan);
        let wrong = run.invalid.iter().any(|reason| matches!(reason, Invalid::WrongAnswers { .. }));
        assert!(wrong, "{greeting:?}: {run:?}");
    }
    plan.workload = roles::greeted().with_greeting("\x05hello, you");
    assert_eq!(only_run(&plan).clients_served, 0, "asked before the greeting was whole");
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

    let scenarios = vec![Scenario::saturate(4), Scenario::pipeline(16, 64), Scenario::churn()];
    let mut plan = short(vec![floor(), server("right", "-")], scenarios);
    plan.repetitions = 2;
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
        assert!(run.pss_loaded_bytes.unwrap() <= run.memory_loaded_bytes.unwrap());
        assert!(run.descriptors.unwrap() > 3 && run.threads.unwrap() >= 1);
        assert!(run.context_switches_per_question.unwrap() >= 0.0, "even where threads come and go");
        if let Some((user, system)) = run.server_user_s.zip(run.server_system_s) {
            assert!(close(user + system, run.server_cpu_s));
        }
        check_series(run);
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

/// The series covers warm-up and window, in order, with at least ten points a second.
fn check_series(run: &Run) {
    let (first, last) = (run.series.first().unwrap(), run.series.last().unwrap());
    assert!(first.at_s < 0.0 && run.warmup_s > 0.0);
    // The machine may have had other things to do for a while, but not all the time.
    #[allow(clippy::cast_precision_loss)]
    let points = run.series.len() as f64;
    assert!(points >= 10.0 * (last.at_s - first.at_s), "{points} points: {run:?}");
    for pair in run.series.windows(2) {
        assert!(pair[0].at_s < pair[1].at_s && pair[0].answers <= pair[1].answers);
        assert!(pair[0].cpu_s <= pair[1].cpu_s);
    }
    assert!(run.generator.sampler_cpu_s > 0.0);
    assert!(run.latency_curve.len() > 10 && run.latency_curve[0][1] > 0.0);
}

fn children_count() {
    let mut plan = short(vec![server("parent", "-")], vec![Scenario::saturate(4)]);
    plan.window = Duration::from_secs(1);
    let run = only_run(&plan);
    assert!(fine(&run), "{run:?}");
    assert!(
        run.threads.unwrap() >= 2 + 4,
        "the parent's thread, the child's, and one for each client: {run:?}"
    );
    assert!(run.occupancy > 0.02, "{run:?}");
}

fn system_calls_are_counted_or_the_report_says_why_not() {
    let mut plan = short(vec![floor()], vec![Scenario::saturate(1)]);
    plan.count_system_calls = true;
    let report = compare(&plan, &mut ()).unwrap();
    let how = &report.settings.system_calls;
    match report.runs[0].system_calls_per_question {
        // The floor waits, reads and writes: three calls for each question, and a few for the
        // connection.
        Some(calls) => {
            assert!(how.starts_with("counted by ") && (2.9..4.0).contains(&calls), "{calls}: {how}");
        }
        None => assert!(how.starts_with("not counted: "), "{how}"),
    }
}

fn an_invalid_run_is_rerun_within_bounds() {
    struct Ended<'a>(&'a AtomicBool);
    impl Drop for Ended<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    // Threads that never rest, so that the server's core is shared on a machine of any size.
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().unwrap().get();
        for _ in 0..2 * cores {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        // The threads end whatever happens in here, or the scope would wait for them for ever.
        let _ended = Ended(&over);
        let mut plan = short(vec![floor()], vec![Scenario::saturate(16)]);
        plan.retries = 1;
        plan.window = Duration::from_secs(1);
        let run = only_run(&plan);
        assert!(run.invalid.iter().any(Invalid::is_machines_fault), "{run:?}");
        if run.invalid.iter().all(Invalid::is_machines_fault) {
            assert_eq!(run.retries, 1, "{run:?}");
        }
    });
}

fn the_books_page_is_mostly_waiting() {
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

fn a_silent_server_is_a_result() {
    let report = compare(&short(vec![server("silent", "-")], vec![Scenario::saturate(16)]), &mut ()).unwrap();
    let run = &report.runs[0];
    assert!(fine(run), "{run:?}");
    assert_eq!((run.answers, run.clients_served, run.clients, run.clients_waiting), (0, 0, 16, 16));
    assert_eq!((run.cpu_per_question_ns, run.latency, run.fairness), (None, None, None));
    assert!(run.longest_wait_ns >= 250_000_000);
    assert!(report.to_table(100, false).contains("0/16"));
}

fn serving_one_client_at_a_time_is_a_result() {
    let report = compare(&short(vec![server("greedy", "-")], vec![Scenario::saturate(16)]), &mut ()).unwrap();
    let run = &report.runs[0];
    assert!(fine(run), "{run:?}");
    assert_eq!(run.clients_served, 1);
    assert!(close(run.fairness.unwrap(), 1.0 / 16.0));
    assert!(matches!(report.summaries[0].standing, Standing::Starves | Standing::Invalid));
}

fn the_death_of_a_server_is_noticed() {
    let mut plan = short(vec![server("mortal", "-")], vec![Scenario::saturate(4)]);
    plan.window = Duration::from_secs(3600);
    let run = only_run(&plan);
    let Invalid::ServerDied { status, last_words } = &run.invalid[0] else { panic!("{run:?}") };
    assert_eq!((status.as_str(), last_words.as_str()), ("exit status 7", "enough"));
}

fn work_done_elsewhere_is_noticed() {
    let mut plan = short(vec![server("idle", "-")], vec![Scenario::pipeline(16, 64)]);
    plan.window = Duration::from_secs(1);
    let run = only_run(&plan);
    let noticed = run.invalid.iter().any(|reason| matches!(reason, Invalid::ServerNotMeasured { .. }));
    assert!(noticed, "{run:?}");
}

fn an_interrupt_keeps_the_runs_made_so_far() {
    struct InterruptSecond(StopFlag);
    impl Observer for InterruptSecond {
        fn run_started(&mut self, run: &Upcoming<'_>) {
            if run.done == 1 {
                self.0.stop();
            }
        }
    }
    let mut plan = short(vec![server("right", "-")], vec![Scenario::saturate(1)]);
    plan.repetitions = 5;
    let report = compare(&plan, &mut InterruptSecond(plan.stop.clone())).unwrap();
    assert_eq!(report.runs.len(), 1);
    assert_eq!(report.summaries.len(), 1);
    assert!(!report.complete);
    assert!(report.to_table(100, false).contains("incomplete: 1 of 5 runs"));
}

fn an_interrupt_is_noticed_before_the_first_run() {
    struct InterruptTrial(StopFlag);
    impl Observer for InterruptTrial {
        fn trying(&mut self, contender: &str) {
            if contender == "late" {
                self.0.stop();
            }
        }
        fn planned(&mut self, _: &Expected) {
            panic!("the comparison began");
        }
    }
    // It never listens, so if the interrupt were not noticed, it would be reported as not ready.
    let late = Contender::new("late", "sleep", ["600"]);
    let plan = short(vec![server("right", "-"), late], vec![Scenario::book()]);
    let report = compare(&plan, &mut InterruptTrial(plan.stop.clone())).unwrap();
    assert_eq!((report.runs.len(), report.complete), (0, false));
}

fn a_user_load_is_advised_a_server_that_serves_every_client() {
    let mut user_load = UserLoad::new(8);
    user_load.think = Duration::from_millis(5);
    let mut plan = user_load.plan(vec![floor(), server("right", "-"), server("greedy", "-")]);
    assert_eq!((plan.runs(), plan.scenarios.len()), (30, 2));
    plan.repetitions = 2;
    plan.valid_at_least = 0;
    plan.retries = 0;
    plan.count_system_calls = false;
    plan.window = Duration::from_millis(250);
    plan.warmup = Duration::from_millis(60);
    let mut report = compare(&plan, &mut ()).unwrap();
    // What else this machine does is not what is tested here: neither that it made runs invalid,
    // nor that the generator had too little of it to find where the server is full.
    for run in report.runs.iter_mut().filter(|run| fine(run)) {
        run.invalid.clear();
        run.throughput_is_lower_bound = false;
    }
    report.summarize();
    let advice = user_load.advice(&report);
    assert_eq!(advice.choice, ["right"], "{advice:?}");
    let text = advice.lines.join("\n");
    assert!(text.starts_with("8 clients that think for 5ms, a handler that answers at once"), "{text}");
    assert!(text.contains("\n→ right: ") && text.contains("8/8 clients served"), "{text}");
    assert!(text.contains("without any answer: greedy served 1 of 8"), "{text}");
    assert!(text.contains("right is full") && text.contains("no more than 1 client at a time"), "{text}");
}

fn an_open_loop_offers_a_share_of_what_is_answered() {
    let scenarios = vec![Scenario::open(20), Scenario::named("open-400/s").unwrap().remove(0)];
    let report = compare(&short(vec![floor(), server("right", "-")], scenarios), &mut ()).unwrap();
    let capacity = report.settings.capacity.unwrap();
    for run in &report.runs {
        assert!(fine(run), "{run:?}");
        let rate = if run.scenario == "open-20" { capacity / 5.0 } else { 400.0 };
        assert!(close(run.offered_rate.unwrap(), rate), "{run:?}");
        let (corrected, uncorrected) = (run.latency.unwrap(), run.latency_uncorrected.unwrap());
        assert!(corrected.mean_ns >= uncorrected.mean_ns, "{run:?}");
        assert!(run.schedule.is_some() && run.latency_curve_uncorrected.len() > 5);
    }
    let floor = report.summaries.iter().find(|summary| summary.scenario == "open-20").unwrap();
    let sweep_point = floor.sweep_point.as_ref().unwrap();
    assert_eq!((sweep_point.sweep.as_str(), sweep_point.by.as_str()), ("open", "questions/s"));
    assert!(close(sweep_point.at, capacity / 5.0));

    let error = compare(&short(vec![server("silent", "-")], vec![Scenario::open(20)]), &mut ()).unwrap_err();
    assert!(matches!(error, CompareError::NoCapacity), "{error}");
}

fn an_interrupted_comparison_is_resumed() {
    struct InterruptAfter(usize, StopFlag);
    impl Observer for InterruptAfter {
        fn run_finished(&mut self, _: &Run, so_far: &Report) {
            if so_far.runs.len() == self.0 {
                self.1.stop();
            }
        }
    }
    let path = std::env::temp_dir().join(tag("store")).join("report.json");
    let store = Store::new(&path);
    let plan = || {
        let contenders = vec![server("right", "-"), floor()];
        let mut plan = short(contenders, vec![Scenario::saturate(1)]);
        plan.repetitions = 2;
        plan
    };
    let first = plan();
    let report = compare_in(&store, &first, &mut InterruptAfter(3, first.stop.clone())).unwrap();
    assert_eq!(store.load().unwrap().as_ref(), Some(&report));
    assert_eq!((report.runs.len(), report.complete), (3, false));

    let whole = compare_in(&store, &plan(), &mut InterruptAfter(9, StopFlag::default())).unwrap();
    assert_eq!(whole.runs[..3], report.runs[..]);
    assert_eq!((whole.runs.len(), whole.complete), (4, true));
    assert_eq!(store.load().unwrap().as_ref(), Some(&whole));
    // Nothing is left to do.
    assert_eq!(compare_in(&store, &plan(), &mut ()).unwrap(), whole);

    let mut other = plan();
    other.seed = 7;
    let error = compare_in(&store, &other, &mut ()).unwrap_err();
    assert!(error.to_string().contains("seed: 1 there, 7 here"), "{error}");
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

fn a_contender_that_cannot_start_is_named_at_once() {
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

fn a_port_can_be_given() {
    let program = this_program();
    let line = format!("'{}' serve-as right told {{port}}", program.display());
    let contender = Contender::from_command_line("told", &line).unwrap();
    let running = contender.start(None).unwrap();
    assert_eq!(running.address().ip(), SocketAddr::from(([127, 0, 0, 1], 0)).ip());
    drop(running);
    let run = only_run(&short(vec![contender], vec![Scenario::saturate(1)]));
    assert!(fine(&run) && run.answers > 0, "{run:?}");
}

fn no_process_is_left_behind() {
    let tag = tag("left");
    let mut plan = short(vec![server("right", &tag), server("idle", &tag)], vec![Scenario::saturate(2)]);
    plan.repetitions = 2;
    compare(&plan, &mut ()).unwrap();
    // An orphan is a zombie until it is waited for, and a zombie has no command line.
    let began = std::time::Instant::now();
    while commands().iter().any(|command| command.contains(&tag)) {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", commands());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn servers_end_with_a_lab_that_is_killed() {
    let mut lab = Command::new(this_program());
    let mut lab = lab.args(["serve-as", "lab", "-"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(lab.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let server: i32 = said.trim().parse().unwrap();
    let lives = || {
        // A zombie is dead: it only waits for the process that has adopted it.
        let stat = std::fs::read_to_string(format!("/proc/{server}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    };
    assert!(lives());
    // The lab gets no chance to clean up.
    lab.kill().unwrap();
    lab.wait().unwrap();
    let began = std::time::Instant::now();
    while lives() {
        assert!(began.elapsed() < Duration::from_secs(20), "{server} is left behind");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The command lines of all processes.
fn commands() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

fn the_self_test_finds_what_is_known() {
    let mut told = Vec::new();
    let right = server("right", "-");
    let checks = self_test(&right, std::slice::from_ref(&right), &mut |check| {
        eprintln!("{check}");
        told.push(check.clone());
    });
    let checks = checks.unwrap();
    assert_eq!(told, checks);
    assert_eq!(checks.len(), 7);
    for check in &checks {
        // A machine that is busy with other things may leave a check undecided, and then says so.
        assert_ne!(check.status, CheckStatus::Failed, "{check}");
    }
    let wrong = checks.iter().find(|check| check.name.contains("wrong")).unwrap();
    assert_eq!(wrong.status, CheckStatus::Passed);
}
