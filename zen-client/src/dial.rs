//! Dialing: which address to try, for how long, and which error reports its failure.

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
    /// `began` is the time at which connecting began, before the addresses were looked up.
    pub(crate) fn new(addresses: Vec<SocketAddr>, began: Instant, timeout: Duration) -> Self {
        Self { addresses: addresses.into_iter(), began, timeout, failure: None }
    }

    /// The address to try now, and for how long. Each address gets an equal share of the remaining
    /// time, so that an address that swallows every packet does not use up the time of the others.
    pub(crate) fn next(&mut self, now: Instant) -> Option<(SocketAddr, Duration)> {
        let left = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        let address = self.addresses.next()?;
        let remaining = self.timeout.saturating_sub(now.saturating_duration_since(self.began));
        if remaining.is_zero() {
            self.failed(address, &io::ErrorKind::TimedOut.into());
            return None;
        }
        // Never zero, because the system rejects a zero timeout.
        Some((address, (remaining / left).max(Duration::from_millis(1))))
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

    pub(crate) fn failed(&mut self, address: SocketAddr, error: &io::Error) {
        self.failure = Some(match error.kind() {
            io::ErrorKind::ConnectionRefused => ClientError::Refused { address },
            io::ErrorKind::TimedOut => ClientError::ConnectTimedOut { address, timeout: self.timeout },
            _ => ClientError::Connect { address, error: crate::error::copy_error(error) },
        });
    }

    /// Why no address led to a server: the failure of the address that was tried last.
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
        // The first address is refused at once; the second uses all of its time.
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
