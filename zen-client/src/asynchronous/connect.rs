//! Connecting to the first of several addresses that replies. The attempts run side by side.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::timeout_at;

use super::now;
use crate::ClientError;
use crate::dial::Dial;

/// A connection under way.
struct Attempt {
    address: SocketAddr,
    connecting: Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>,
}

/// Connects to one of the addresses within `timeout` from `began` on. The other attempts are broken
/// off.
pub(super) async fn connect(
    addresses: Vec<SocketAddr>,
    began: Instant,
    timeout: Duration,
) -> Result<TcpStream, ClientError> {
    let mut dial = Dial::new(addresses, began, timeout);
    let mut attempts = Vec::new();
    loop {
        let now = now();
        while let Some(address) = dial.next(now) {
            attempts.push(Attempt { address, connecting: Box::pin(TcpStream::connect(address)) });
        }
        if dial.is_over() {
            return Err(dial.failure());
        }
        let ended = poll_fn(|context| first_ended(&mut attempts, context));
        let ended = match dial.wake_at() {
            Some(at) => timeout_at(at.into(), ended).await.ok(),
            None => Some(ended.await),
        };
        match ended {
            Some((address, Ok(stream))) => {
                let local = stream.local_addr().map_err(ClientError::socket("read the local address"))?;
                if dial.reached(address, local) {
                    return Ok(stream);
                }
            }
            Some((address, Err(error))) => dial.failed(address, &error),
            // Only what has not succeeded by now, before the wait, is late.
            None if dial.is_late(now) => return Err(dial.failure()),
            None => {}
        }
    }
}

fn first_ended(
    attempts: &mut Vec<Attempt>,
    context: &mut Context<'_>,
) -> Poll<(SocketAddr, io::Result<TcpStream>)> {
    for index in 0..attempts.len() {
        if let Poll::Ready(ended) = attempts[index].connecting.as_mut().poll(context) {
            return Poll::Ready((attempts.swap_remove(index).address, ended));
        }
    }
    Poll::Pending
}
