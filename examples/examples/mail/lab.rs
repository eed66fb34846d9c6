//! What the lab asks: to take a mail, and nothing at all.

use examples::Lab;
use zen_compare::{Scenario, Workload, WorkloadError};

pub(crate) fn lab() -> Result<Lab, WorkloadError> {
    // The lab asks in random order, so all that a mail needs is one question.
    let mail = "HELO me.example\r\nMAIL FROM:<me@here.example>\r\nRCPT TO:<you@there.example>\r\n\
         DATA\r\nSubject: a letter\r\n\r\nDear all,\r\n..\r\n.\r\n";
    let taken = "250 [127.0.0.1]\r\n250 2.1.0 sender accepted\r\n250 2.1.5 recipient accepted\r\n\
         354 end with a dot on a line of its own\r\n250 2.0.0 mail accepted\r\n";
    let workload = Workload::new([(mail, taken), ("NOOP\r\n", "250 2.0.0 done\r\n")])?
        .with_greeting("220 [127.0.0.1] ESMTP zen\r\n");
    Ok(Lab::new(workload, [Scenario::churn(), Scenario::saturate(16), Scenario::pipeline(16, 8)]))
}
