//! The methods that every server type has.

/// Gives a server type the methods that all servers have: `with_framing`, `stop_handle` and
/// `counters`.
///
/// The type is generic over its service and its framing. It has a field `setup`, which is a
/// [`Setup`](crate::Setup), and the fields that are named in braces, whose types do not depend on
/// the framing.
///
/// ```
/// use std::net::TcpListener;
/// use zen_proto::aphorism::{Aphorisms, framing};
/// use zen_server::{Options, Setup, defaults, server_methods};
///
/// /// A server of a new architecture.
/// pub struct Server<S, F> {
///     setup: Setup<S, F>,
///     listener: TcpListener,
/// }
///
/// server_methods!(Server { listener });
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let options = Options::default();
/// let setup = Setup::new(Aphorisms, framing(), options, defaults::CONNECTIONS)?;
/// let server = Server { setup, listener };
/// server.stop_handle().stop();
/// assert_eq!(server.counters().snapshot().accepted, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! server_methods {
    ($Server:ident { $($kept:ident),* $(,)? }) => {
        impl<S, F> $Server<S, F> {
            /// The same server for another protocol.
            pub fn with_framing<G>(self, framing: G) -> $Server<S, G> {
                let Self { setup, $($kept),* } = self;
                $Server { setup: setup.with_framing(framing), $($kept),* }
            }

            /// A handle that drains the server, from any thread.
            pub fn stop_handle(&self) -> $crate::StopHandle {
                self.setup.stop.clone()
            }

            /// What the server has done. It can be read while the server runs.
            pub fn counters(&self) -> ::std::sync::Arc<$crate::Counters> {
                ::std::sync::Arc::clone(&self.setup.counters)
            }
        }
    };
}
