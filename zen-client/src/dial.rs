//! Dialing: which address to try, for how long, and what its failure is called.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::ClientError;

/// A server's addresses, and one timeout for all of them.
#[derive(Debug)]
pub(crate) struct Dial {
    addresses: std::vec::IntoIter<SocketAddr>,
    began: Instant,
    timeout: Duration,
    failure: Option<ClientError>,
}

impl Dial {
    /// `began`: when connecting began, before the addresses were looked up.
    pub(crate) fn new(addresses: Vec<SocketAddr>, began: Instant, timeout: Duration) -> Self {
        Self { addresses: addresses.into_iter(), began, timeout, failure: None }
    }

    /// The address to try now, and for how long: an equal share of what is left for each, so that one which swallows every
    /// packet does not use up the time of the others.
    pub(crate) fn next(&mut self, now: Instant) -> Option<(SocketAddr, Duration)> {
        let left = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        let address = self.addresses.next()?;
        let remaining = self.timeout.saturating_sub(now.saturating_duration_since(self.began));
        if remaining.is_zero() {
            self.failed(address, &io::ErrorKind::TimedOut.into());
            return None;
        }
        // Never zero, which the system takes for an error.
        Some((address, (remaining / left).max(Duration::from_millis(1))))
    }

    /// Whether a connection that was made to `address` from `local` leads to a server. On its own machine, a connection to a port
    /// where nothing listens can be given that very port to start from, and is then connected to itself.
    pub(crate) fn reached(&mut self, address: SocketAddr, local: SocketAddr) -> bool {
        let reached = address != local;
        if !reached {
            self.failed(address, &io::ErrorKind::ConnectionRefused.into());
        }
        reached
    }

    pub(crate) fn failed(&mut self, address: SocketAddr, error: &io::Error) {
        self.failure = Some(match error.kind() {
            io::ErrorKind::ConnectionRefused => ClientError::Refused { address },
            io::ErrorKind::TimedOut => ClientError::ConnectTimedOut { address, timeout: self.timeout },
            _ => ClientError::Connect { address, error: crate::error::same(error) },
        });
    }

    /// Why no address led to a server: the failure of the one that was tried last.
    pub(crate) fn failure(self) -> ClientError {
        self.failure.unwrap_or_else(|| ClientError::Resolve {
            error: io::Error::new(io::ErrorKind::NotFound, "it has none"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn addresses(n: u16) -> Vec<SocketAddr> {
        (1..=n).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect()
    }

    #[test]
    fn each_address_gets_a_share_of_what_is_left() {
        let began = Instant::now();
        let mut dial = Dial::new(addresses(3), began, 3 * SECOND);
        let mut shares = Vec::new();
        // The first is refused at once, the second takes all its time.
        for at in [Duration::ZERO, Duration::ZERO, SECOND * 3 / 2] {
            shares.push(dial.next(began + at).map(|(_, share)| share));
        }
        assert_eq!(shares, [Some(SECOND), Some(SECOND * 3 / 2), Some(SECOND * 3 / 2)]);
        assert_eq!(dial.next(began), None);
    }

    #[test]
    fn no_time_left_is_a_timeout_of_the_address_that_was_not_tried() {
        let began = Instant::now();
        let mut dial = Dial::new(addresses(1), began, SECOND);
        assert_eq!(dial.next(began + SECOND), None);
        let failure = dial.failure();
        assert!(
            matches!(failure, ClientError::ConnectTimedOut { address, timeout: SECOND } if address.port() == 1),
            "{failure:?}"
        );
    }

    #[test]
    fn a_connection_to_itself_is_a_refusal() {
        let mut dial = Dial::new(addresses(1), Instant::now(), SECOND);
        let (address, _) = dial.next(Instant::now()).expect("an address");
        assert!(dial.reached(address, SocketAddr::from(([127, 0, 0, 1], 2))));
        assert!(!dial.reached(address, address));
        assert!(matches!(dial.failure(), ClientError::Refused { address } if address.port() == 1));
    }

    #[test]
    fn a_name_without_addresses_was_not_found() {
        let failure = Dial::new(Vec::new(), Instant::now(), SECOND).failure();
        assert!(matches!(failure, ClientError::Resolve { .. }), "{failure:?}");
    }
}
