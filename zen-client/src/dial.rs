//! Dialing: which address to try, and when (RFC 8305, "Happy Eyeballs"), and which error reports
//! that none was reached.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::ClientError;

/// The longest that an attempt runs alone before the next address is tried beside it. RFC 8305
/// recommends this value.
const STAGGER: Duration = Duration::from_millis(250);

/// A server's addresses, and one timeout for all of them. Attempts run side by side; each begins
/// when the one before it has failed or has had [`STAGGER`] to itself. The first that succeeds
/// wins.
#[derive(Debug)]
pub(crate) struct Dial {
    /// The addresses that were not tried yet, in order.
    waiting: VecDeque<SocketAddr>,
    /// The attempts that have not ended, the oldest first.
    open: Vec<SocketAddr>,
    stagger: Duration,
    /// When the next attempt begins; `None` means now.
    next_at: Option<Instant>,
    /// `None` means never.
    deadline: Option<Instant>,
    timeout: Duration,
    failure: Option<ClientError>,
}

impl Dial {
    /// `began` is the time at which connecting began, before the addresses were looked up.
    pub(crate) fn new(addresses: Vec<SocketAddr>, began: Instant, timeout: Duration) -> Self {
        // Within a short timeout, too, each address is tried.
        let share = timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        Self {
            waiting: alternating(addresses),
            open: Vec::new(),
            stagger: STAGGER.min(share),
            next_at: None,
            deadline: began.checked_add(timeout),
            timeout,
            failure: None,
        }
    }

    /// The address to try now, if it is time for another attempt.
    pub(crate) fn next(&mut self, now: Instant) -> Option<SocketAddr> {
        if self.is_late(now) || self.next_at.is_some_and(|at| now < at) {
            return None;
        }
        let address = self.waiting.pop_front()?;
        self.open.push(address);
        self.next_at = now.checked_add(self.stagger);
        Some(address)
    }

    /// When to ask for the next address or give up, if no attempt ends before.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        let next = self.next_at.filter(|_| !self.waiting.is_empty());
        [next, self.deadline].into_iter().flatten().min()
    }

    /// Whether every address has failed.
    pub(crate) fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.open.is_empty()
    }

    /// Whether the time is up.
    pub(crate) fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// Whether a connection from `local` to `address` leads to a server. When nothing listens on a
    /// port of the client's own machine, the system may choose that same port as the client's own,
    /// and the connection then leads back to itself.
    pub(crate) fn reached(&mut self, address: SocketAddr, local: SocketAddr) -> bool {
        let reached = address != local;
        if !reached {
            self.failed(address, &io::ErrorKind::ConnectionRefused.into());
        }
        reached
    }

    /// The attempt has failed. The next address is tried at once.
    pub(crate) fn failed(&mut self, address: SocketAddr, error: &io::Error) {
        self.open.retain(|open| *open != address);
        self.next_at = None;
        self.failure = Some(match error.kind() {
            io::ErrorKind::ConnectionRefused => ClientError::Refused { address },
            io::ErrorKind::TimedOut => ClientError::ConnectTimedOut { address, timeout: self.timeout },
            _ => ClientError::Connect { address, error: crate::error::copy_error(error) },
        });
    }

    /// Why no address led to a server: the timeout of the last attempt if one was still open, else
    /// the last failure.
    pub(crate) fn failure(self) -> ClientError {
        let late = self.open.last().or(self.waiting.front());
        if let Some(address) = late.copied() {
            return ClientError::ConnectTimedOut { address, timeout: self.timeout };
        }
        self.failure.unwrap_or_else(|| ClientError::Resolve {
            error: io::Error::new(io::ErrorKind::NotFound, "it has none"),
        })
    }
}

/// The addresses in their order, but with IPv6 and IPv4 in turn, so that a family that leads
/// nowhere costs one attempt before the other is tried. Each address once.
fn alternating(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (one, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let mut all = VecDeque::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    loop {
        let pair = [one.next(), other.next()];
        if pair == [None, None] {
            return all;
        }
        for address in pair.into_iter().flatten() {
            if !all.contains(&address) {
                all.push_back(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn addresses(n: u16) -> Vec<SocketAddr> {
        (1..=n).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect()
    }

    fn ports(dial: &mut Dial, now: Instant) -> Vec<u16> {
        std::iter::from_fn(|| dial.next(now)).map(|address| address.port()).collect()
    }

    #[test]
    fn an_attempt_has_a_quarter_of_a_second_to_itself() {
        let began = Instant::now();
        let mut dial = Dial::new(addresses(3), began, 10 * SECOND);
        let mut tried = Vec::new();
        for millis in [0, 249, 250, 251, 499, 500] {
            tried.push(ports(&mut dial, began + Duration::from_millis(millis)));
        }
        assert_eq!(tried, [vec![1], vec![], vec![2], vec![], vec![], vec![3]]);
        assert_eq!(dial.wake_at(), Some(began + 10 * SECOND));
    }

    #[test]
    fn a_failure_is_followed_by_the_next_attempt_at_once() {
        let began = Instant::now();
        let mut dial = Dial::new(addresses(3), began, 10 * SECOND);
        let first = dial.next(began).expect("an address");
        assert_eq!(dial.wake_at(), Some(began + STAGGER));
        dial.failed(first, &io::ErrorKind::ConnectionRefused.into());
        assert_eq!(ports(&mut dial, began), [2]);
        assert!(!dial.is_over());
    }

    #[test]
    fn a_short_timeout_is_shared_so_that_each_address_is_tried() {
        let began = Instant::now();
        let mut dial = Dial::new(addresses(4), began, SECOND / 10);
        for (step, port) in (0..).zip(1..=4) {
            assert_eq!(ports(&mut dial, began + step * SECOND / 40), [port]);
        }
    }

    #[test]
    fn the_families_take_turns_in_the_order_that_the_system_prefers() {
        let v6 = |port| SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port));
        let v4 = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let looked_up = vec![v6(1), v6(2), v6(1), v6(3), v4(4), v4(5)];
        assert_eq!(alternating(looked_up), [v6(1), v4(4), v6(2), v4(5), v6(3)]);
        assert_eq!(alternating(vec![v4(4), v6(1), v6(2)]), [v4(4), v6(1), v6(2)]);
    }

    #[test]
    fn no_time_left_is_a_timeout_of_the_address_that_was_not_tried() {
        let began = Instant::now();
        let mut dial = Dial::new(addresses(1), began, SECOND);
        assert_eq!(dial.next(began + SECOND), None);
        assert!(dial.is_late(began + SECOND));
        let failure = dial.failure();
        assert!(
            matches!(failure, ClientError::ConnectTimedOut { address, timeout: SECOND } if address.port() == 1),
            "{failure:?}"
        );
    }

    #[test]
    fn an_address_that_never_replied_is_a_timeout_although_others_refused() {
        let began = Instant::now();
        let mut dial = Dial::new(addresses(2), began, SECOND);
        let _silent = dial.next(began);
        let refused = dial.next(began + STAGGER).expect("an address");
        dial.failed(refused, &io::ErrorKind::ConnectionRefused.into());
        assert!(!dial.is_over());
        assert!(
            matches!(dial.failure(), ClientError::ConnectTimedOut { address, .. } if address.port() == 1)
        );
    }

    #[test]
    fn a_connection_to_itself_is_a_refusal() {
        let mut dial = Dial::new(addresses(1), Instant::now(), SECOND);
        let address = dial.next(Instant::now()).expect("an address");
        assert!(dial.reached(address, SocketAddr::from(([127, 0, 0, 1], 2))));
        assert!(!dial.reached(address, address));
        assert!(dial.is_over());
        assert!(matches!(dial.failure(), ClientError::Refused { address } if address.port() == 1));
    }

    #[test]
    fn a_name_without_addresses_was_not_found() {
        let dial = Dial::new(Vec::new(), Instant::now(), SECOND);
        assert!(dial.is_over());
        let failure = dial.failure();
        assert!(matches!(failure, ClientError::Resolve { .. }), "{failure:?}");
    }
}
