//! Open loops against servers that keep up and servers that do not.

use std::time::Instant;

use super::*;
use crate::scenario::{Arrivals, Rate, Spacing};

fn open(rate: u32, spacing: Spacing) -> Scenario {
    let arrivals = Arrivals { rate: Rate::PerSecond(rate), spacing };
    Scenario { clients: 8, depth: 1, arrivals: Some(arrivals), ..Scenario::open(1) }
}

fn questions(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'?', bytes).count()
}

fn assert_open_loop_is_consistent(result: &LoadResult, scenario: &Scenario) {
    assert_consistent(result, scenario);
    let schedule = result.schedule.unwrap();
    // Nothing that was due is left out: it was answered, was in flight, or was never asked.
    let in_flight = result.uncorrected.as_ref().unwrap().len() - result.answers;
    assert!(in_flight <= (scenario.clients * scenario.depth) as u64);
    let never_asked = result.latency.len() - result.answers - in_flight;
    // Some of these may have been due before the window.
    assert!(never_asked >= schedule.unsent, "{never_asked}, {schedule:?}");
    assert!(schedule.late <= schedule.due && schedule.unsent <= schedule.due, "{schedule:?}");
}

#[test]
fn questions_are_asked_at_the_rate_of_the_schedule() {
    let workload = Workload::aphorisms();
    for spacing in [Spacing::Uniform, Spacing::Poisson] {
        let scenario = open(1_000, spacing);
        let result = generate_quietly(&load(right_server(), &scenario, &workload));
        assert_open_loop_is_consistent(&result, &scenario);
        assert_eq!(result.failures, Failures::default());
        assert_eq!(result.offered_rate, Some(1_000.0));
        // How many questions are due in a window follows from its length alone: to the question
        // when evenly spaced, within five standard deviations when spaced at random.
        let expected = result.window.as_secs_f64() * 1_000.0;
        let margin = if spacing == Spacing::Uniform { 2.0 } else { 5.0 * expected.sqrt() };
        #[allow(clippy::cast_precision_loss)]
        let due = result.schedule.unwrap().due as f64;
        assert!((due - expected).abs() <= margin, "{due} due, {expected} expected");
    }
}

#[test]
fn a_rate_can_be_a_share_of_a_capacity() {
    let workload = Workload::aphorisms();
    let scenario = Scenario { clients: 2, ..Scenario::open(50) };
    let known = Load { capacity: Some(600.0), ..load(right_server(), &scenario, &workload) };
    assert_eq!(generate_quietly(&known).offered_rate, Some(300.0));
    let unknown = Load { capacity: None, ..known };
    let error = generate(&unknown, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn a_server_that_answers_late_is_still_asked_on_schedule() {
    // Each answer takes at least 20 ms, on connections that are each asked every 8 ms.
    let server = serve(|stream| {
        let mut stream = stream;
        let mut buffer = [0; 4096];
        while let Ok(1..) = stream.read(&mut buffer) {
            thread::sleep(Duration::from_millis(20));
            if stream.write_all(b"Right.").is_err() {
                return;
            }
        }
    });
    let workload = Workload::aphorisms().answered_by_constant(b"Right.");
    let scenario = open(1_000, Spacing::Uniform);
    let result = generate_quietly(&load(server, &scenario, &workload));
    assert_open_loop_is_consistent(&result, &scenario);
    assert_eq!(result.failures, Failures::default());
    let schedule = result.schedule.unwrap();
    // Less than half of the questions can have been asked, and the generator is not to blame.
    assert!(result.answers < schedule.due / 2, "{} answers, {schedule:?}", result.answers);
    assert!(schedule.unsent > 0, "{schedule:?}");
    // Questions that wait in line wait long, and a clock that starts at the write does not see it.
    let uncorrected = result.uncorrected.unwrap();
    let (line, write) = (result.latency.value_at_quantile(0.5), uncorrected.value_at_quantile(0.5));
    assert!(
        write >= 20_000_000 && line > write + 50_000_000,
        "{line} from the schedule, {write} from the write"
    );
}

#[test]
fn a_connection_asks_on_schedule_while_answers_are_outstanding() {
    // What has been asked within a hundred milliseconds is answered together.
    let server = serve(|mut stream| {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            let mut asked = questions(&buffer[..count]);
            thread::sleep(Duration::from_millis(100));
            stream.set_nonblocking(true).unwrap();
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                asked += questions(&buffer[..count]);
            }
            stream.set_nonblocking(false).unwrap();
            if stream.write_all(&b"Right.".repeat(asked)).is_err() {
                return;
            }
        }
    });
    let workload = Workload::aphorisms().answered_by_constant(b"Right.");
    let scenario = Scenario { depth: 64, ..open(800, Spacing::Uniform) };
    let result = generate_quietly(&load(server, &scenario, &workload));
    assert_open_loop_is_consistent(&result, &scenario);
    let schedule = result.schedule.unwrap();
    // Only questions that a busy machine kept from being asked at the last moment.
    assert!(schedule.unsent < schedule.due / 4, "{schedule:?}");
    assert_eq!(result.failures, Failures::default());
    // A connection is due to ask every 10 ms, and so has several questions open at a time.
    assert!(result.answers > schedule.due / 2, "{} answers, {schedule:?}", result.answers);
}

#[test]
fn a_server_that_stops_answering_does_not_look_fast() {
    let workload = Workload::aphorisms().answered_by_constant(b"Right.");
    for depth in [1, 64] {
        let began = Instant::now();
        let server = serve(move |mut stream| {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                // For ever, as far as this load is concerned.
                if began.elapsed() > Duration::from_millis(600) {
                    thread::sleep(Duration::from_secs(600));
                }
                if stream.write_all(&b"Right.".repeat(questions(&buffer[..count]))).is_err() {
                    return;
                }
            }
        });
        let scenario = Scenario { depth, ..open(1_000, Spacing::Poisson) };
        let load = Load { window: Duration::from_secs(1), ..load(server, &scenario, &workload) };
        let result = generate_quietly(&load);
        assert_open_loop_is_consistent(&result, &scenario);
        assert_eq!(result.waiting, scenario.clients);
        // About half of what was due in the window is waiting. The waiting times are evenly
        // distributed, from nothing to as long as the server has been silent.
        let late = result.latency.value_at_quantile(0.9);
        assert!(late > 200_000_000, "{late} ns at depth {depth}");
    }
}

#[test]
fn think_times_are_not_rounded_to_whole_milliseconds() {
    let workload = Workload::aphorisms();
    let think = Duration::from_micros(1_100);
    let scenario = Scenario { think, questions_per_conversation: None, ..Scenario::book() };
    // The best of several, as a busy machine wakes late.
    let paces = (0..5).map(|_| {
        let result = generate_quietly(&load(right_server(), &scenario, &workload));
        result.throughput()
    });
    let pace = paces.fold(0.0, f64::max);
    // An event loop's timeout would turn it into 2 ms, and the pace into 500 questions a second.
    assert!(pace > 550.0, "{pace}");
    assert!(pace <= 910.0, "{pace}");
}
