//! What the system holds for the connections: bounded buffers, and nothing that stays behind.
//!
//! All of it is set on the listener, whose connections inherit it. So it costs a connection no
//! system call.

use std::os::fd::AsFd;
use std::time::Duration;

use socket2::SockRef;

use crate::{Listener, Options, Setup};

impl<S, F, O> Setup<S, F, O> {
    /// Sets what all connections of a listener have in common, before the first is accepted: the
    /// buffers of [`Options`], and for how long the system keeps what a peer does not read, twice
    /// [`write_deadline`](zen_proto::Limits::write_deadline), even after the connection was closed.
    ///
    /// Nothing of this concerns a Unix socket, whose buffers the system does not grow. What the
    /// system refuses stays as it was, since a server can do without.
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_proto::aphorism;
    /// use zen_server::{Options, Setup};
    ///
    /// let options = Options::default().with_send_buffer(64 * 1024).with_receive_buffer(None);
    /// let setup = Setup::new(aphorism::Aphorisms, aphorism::framing(), options, 100)?;
    /// setup.prepare_listener(&TcpListener::bind("127.0.0.1:0")?.into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prepare_listener(&self, listener: &Listener) {
        if matches!(listener, Listener::Tcp(_)) {
            prepare(listener, &self.options);
        }
    }
}

fn prepare(listener: &impl AsFd, options: &Options) {
    let socket = SockRef::from(listener);
    if let Some(bytes) = options.send_buffer {
        let _ = socket.set_send_buffer_size(bytes);
    }
    if let Some(bytes) = options.receive_buffer {
        let _ = socket.set_recv_buffer_size(bytes);
    }
    // Twice, so that the conversation's own deadline comes first while there is a conversation.
    let kept = options.limits.write_deadline.checked_mul(2).filter(|kept| *kept <= MOST);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(kept);
    #[cfg(not(target_os = "linux"))]
    let _ = kept;
}

/// The longest time that the system takes, in 32 bits of milliseconds.
const MOST: Duration = Duration::from_millis(i32::MAX as u64);

/// Lets the connection be closed with RST when it is dropped, so that the system frees at once what
/// it holds of it. A driver calls this when its [`Session`](crate::Session) is closed and
/// [says so](crate::Session::is_abortive).
///
/// ```
/// use std::net::TcpStream;
/// use zen_proto::Framing;
/// use zen_server::{Session, abort_on_close};
///
/// fn close<F: Framing>(session: &Session<F>, stream: TcpStream) {
///     if session.is_abortive() {
///         abort_on_close(&stream);
///     }
/// }
/// ```
pub fn abort_on_close(stream: &impl AsFd) {
    // This fails only on a connection that is broken already.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::{TcpListener, TcpStream};

    use zen_proto::Limits;

    use super::*;

    fn accepted(options: &Options) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        prepare(&listener, options);
        let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("connects");
        (listener.accept().expect("accepts").0, client)
    }

    #[test]
    fn connections_inherit_the_bounds() {
        let limits = Limits::default().with_write_deadline(Duration::from_secs(7));
        let options =
            Options::default().with_limits(limits).with_send_buffer(40_000).with_receive_buffer(50_000);
        let (stream, _client) = accepted(&options);
        let socket = SockRef::from(&stream);
        // Linux doubles what is asked for, to have room for what it keeps beside the bytes.
        assert!((40_000..=80_000).contains(&socket.send_buffer_size().expect("an option")));
        assert!((50_000..=100_000).contains(&socket.recv_buffer_size().expect("an option")));
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_user_timeout().expect("an option"), Some(Duration::from_secs(14)));
    }

    #[test]
    fn a_deadline_that_never_comes_sets_none() {
        let limits = Limits::default().with_write_deadline(Duration::MAX);
        let (stream, _client) = accepted(&Options::default().with_limits(limits));
        #[cfg(target_os = "linux")]
        assert_eq!(SockRef::from(&stream).tcp_user_timeout().expect("an option"), None);
        drop(stream);
    }

    #[test]
    fn an_abortive_close_is_a_reset() {
        let (mut stream, mut client) = accepted(&Options::default());
        stream.write_all(b"unread").expect("there is room");
        abort_on_close(&stream);
        drop(stream);
        let read = std::iter::from_fn(|| client.read(&mut [0; 16]).map(|n| (n > 0).then_some(n)).transpose());
        let end = read.last().expect("something").map_err(|error| error.kind());
        assert_eq!(end, Err(ErrorKind::ConnectionReset));
    }
}
