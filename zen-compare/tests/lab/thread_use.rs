//! Servers whose threads are known to share the work in a certain way.

use zen_compare::{Run, Scenario, ThreadCpu};

use crate::{floor, only_run, server, short, tag};

pub(crate) fn threads_share_the_work_as_known() {
    // One thread for all clients.
    let (run, cpu) = measured(&only_run(&short(vec![floor()], vec![Scenario::saturate(4)])));
    let (shares, ended) = cpu.shares();
    assert!(shares[0] > 0.9 && ended < 0.1, "{cpu:?}");
    assert!(cpu.threads_ns.len() <= run.threads.unwrap());

    // One thread for each client, as long as it stays, and one that only waits for new clients.
    let (run, cpu) =
        measured(&only_run(&short(vec![server("right", &tag("threads"))], vec![Scenario::saturate(4)])));
    let (shares, ended) = cpu.shares();
    assert_eq!(run.threads, Some(5));
    assert!(shares.len() >= 4 && shares[..4].iter().all(|share| *share > 0.02), "{cpu:?}");
    assert!(shares[0] < 0.9 && ended < 0.1, "{cpu:?}");
    // The span is the window and a little before it, so it has at least what the window had, except
    // for a tick.
    let sum = cpu.threads_ns.iter().sum::<u64>() + cpu.ended_ns;
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let sum = sum as f64 / 1e9;
    assert!(sum > 0.8 * run.server_cpu_s, "{sum} of {}", run.server_cpu_s);

    // When clients come and go, most of the work ends with their threads.
    let (_, cpu) =
        measured(&only_run(&short(vec![server("right", &tag("threads"))], vec![Scenario::churn()])));
    assert!(cpu.shares().1 > 0.3, "{cpu:?}");
}

fn measured(run: &Run) -> (Run, ThreadCpu) {
    (run.clone(), run.thread_cpu.clone().unwrap())
}
