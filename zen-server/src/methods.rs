//! The methods that every server type has.

/// Gives a server type the methods that all servers have: `with_framing`, `stop_handle` and `counters`.
///
/// The type is generic over its service and its framing, has a field `setup` that is a [`Setup`](crate::Setup), and the
/// fields in braces, which do not depend on the framing.
///
/// ```
/// use std::net::TcpListener;
/// use zen_proto::aphorism::{self, Aphorisms};
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
/// let setup = Setup::new(Aphorisms, aphorism::framing(), Options::default(), defaults::CONNECTIONS)?;
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

            /// Drains the server, from any thread.
            pub fn stop_handle(&self) -> $crate::StopHandle {
                self.setup.stop.clone()
            }

            /// What the server has done, readable while it runs.
            pub fn counters(&self) -> ::std::sync::Arc<$crate::Counters> {
                ::std::sync::Arc::clone(&self.setup.counters)
            }
        }
    };
}
