//! What the lab asks: the commands of a cache, one at a time and in pipelines.

use examples::Lab;
use zen_compare::{Scenario, Workload, WorkloadError};

pub(crate) fn lab() -> Result<Lab, WorkloadError> {
    // The lab asks in random order. What must stay together is one question.
    let set_and_get = "*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$3\r\nabc\r\n*2\r\n$3\r\nGET\r\n$5\r\nkey:1\r\n";
    let workload = Workload::new([
        ("*1\r\n$4\r\nPING\r\n", "+PONG\r\n"),
        ("*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n", "$5\r\nhello\r\n"),
        ("*2\r\n$3\r\nGET\r\n$4\r\nnone\r\n", "$-1\r\n"),
        (set_and_get, "+OK\r\n$3\r\nabc\r\n"),
    ])?;
    Ok(Lab::new(workload, [Scenario::saturate(16), Scenario::pipeline(16, 16)]))
}
