//! The methods that every server type has.

/// Gives a server type the methods that all servers have: `with_framing`, `stop_handle` and
/// `counters`. Makes it a [`Server`](crate::Server) and a [`RunServer`](crate::RunServer).
///
/// The type is generic over its service and its framing. It has a field `setup`, which is a
/// [`Setup`](crate::Setup), and the fields that are named in braces, whose types do not depend on
/// the framing. It has a method `run` for every service and framing that can be cloned and sent to
/// another thread. Its crate depends on `zen-proto`.
///
/// ```
/// use std::net::TcpListener;
/// use zen_proto::aphorism::{Aphorisms, framing};
/// use zen_server::{Listener, Options, Setup, defaults, server_methods};
///
/// /// A server of a new architecture.
/// pub struct Server<S, F> {
///     setup: Setup<S, F>,
///     listener: Listener,
/// }
///
/// server_methods!(Server { listener });
///
/// impl<S, F> Server<S, F> {
///     fn run(self) -> std::io::Result<()> {
///         // Accepts, and drives conversations.
/// #       Ok(())
///     }
/// }
///
/// let listener = TcpListener::bind("127.0.0.1:0")?.into();
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

            $crate::__tls_method!(pub fn);

            /// A handle that drains the server, from any thread.
            pub fn stop_handle(&self) -> $crate::StopHandle {
                self.setup.stop.clone()
            }

            /// What the server has done. It can be read while the server runs.
            pub fn counters(&self) -> ::std::sync::Arc<$crate::Counters> {
                ::std::sync::Arc::clone(&self.setup.counters)
            }
        }

        impl<S, F> $crate::Server for $Server<S, F> {
            type WithFraming<G> = $Server<S, G>;

            fn with_framing<G>(self, framing: G) -> $Server<S, G> {
                $Server::with_framing(self, framing)
            }

            $crate::__tls_method!(fn);

            fn stop_handle(&self) -> $crate::StopHandle {
                $Server::stop_handle(self)
            }

            fn counters(&self) -> ::std::sync::Arc<$crate::Counters> {
                $Server::counters(self)
            }
        }

        impl<S, F> $crate::RunServer for $Server<S, F>
        where
            S: ::zen_proto::Service<F> + Clone + Send + 'static,
            F: ::zen_proto::Framing + Clone + Send + 'static,
        {
            fn run(self) -> ::std::io::Result<()> {
                $Server::run(self)
            }
        }
    };
}

/// The method of a server type that the feature `tls` adds, whichever crate the type is in.
#[cfg(feature = "tls")]
#[doc(hidden)]
#[macro_export]
macro_rules! __tls_method {
    ($public:vis fn) => {
        /// The same server, with TLS between its sockets and its conversations.
        $public fn with_tls(mut self, config: impl Into<::std::sync::Arc<$crate::rustls::ServerConfig>>) -> Self {
            self.setup = self.setup.with_tls(config);
            self
        }
    };
}

/// Without the feature there is none.
#[cfg(not(feature = "tls"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __tls_method {
    ($public:vis fn) => {};
}
