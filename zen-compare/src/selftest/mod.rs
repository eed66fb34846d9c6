//! Truth checks: the lab measures what is known beforehand, and reports whether it found it.
//!
//! Each check loads a server whose behaviour follows from theory or from its construction. When the
//! machine is busy with other things, a check may be undecided, and says why, as neither of the two
//! other outcomes would be true.

mod batch;
mod check;
mod economy;
mod honesty;
mod lab;
mod omission;
mod queueing;
mod theory;
mod twins;
mod worker;

use std::io;

pub use self::check::{Check, CheckStatus};
use self::lab::Lab;
use crate::machine::pin::Cores;
use crate::server::Contender;

/// Makes all checks, which takes half a minute and three seconds for each of `many`. Calls `tell`
/// for each check when it is over.
///
/// The `twin` is any server that answers correctly; it is compared with itself. The `many` are
/// servers that answer correctly and serve many clients at a time; the generator has to cost less
/// than each of them.
///
/// ```no_run
/// use zen_compare::Contender;
/// use zen_compare::selftest::self_test;
///
/// let mine = Contender::new("mine", "./server", ["127.0.0.1:0"]);
/// let many = [mine.clone()];
/// self_test(&mine, &many, &mut |check| println!("{check}"))?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When the machine does not provide what is needed (a port, a thread, an event loop), and when a
/// server does not start.
pub fn self_test(
    twin: &Contender,
    many: &[Contender],
    tell: &mut dyn FnMut(&Check),
) -> io::Result<Vec<Check>> {
    let lab = Lab { cores: Cores::split(None)? };
    let checks: [&dyn Fn() -> io::Result<Check>; 7] = [
        &|| queueing::check(&lab, 50),
        &|| queueing::check(&lab, 80),
        &|| omission::check(&lab),
        &|| honesty::a_slow_generator_is_noticed(&lab),
        &|| honesty::a_wrong_answer_is_noticed(&lab),
        &|| economy::check(&lab, many),
        &|| twins::check(twin),
    ];
    let mut made = Vec::with_capacity(checks.len());
    for check in checks {
        let check = check()?;
        tell(&check);
        made.push(check);
    }
    Ok(made)
}
