//! The methods that every server type has.

/// Gives a server type the methods that all servers have: `with_framing`, `with_observer`,
/// `stop_handle` and `counters`. Makes it a [`Server`](crate::Server) and a
/// [`RunServer`](crate::RunServer).
///
/// The type is generic over its service, its framing and its observer. It has a field `setup`,
/// which is a [`Setup`](crate::Setup), and the fields that are named in braces, whose types do not
/// depend on the framing or the observer. It has a method `run` for every observer, and every
/// service and framing that can be cloned and sent to another thread. Its crate depends on
/// `zen-proto`.
///
/// ```
/// use std::net::TcpListener;
/// use zen_proto::aphorism::{Aphorisms, framing};
/// use zen_server::{Listener, Observer, Options, Setup, Silent, defaults, server_methods};
///
/// /// A server of a new architecture.
/// pub struct Server<S, F, O = Silent> {
///     setup: Setup<S, F, O>,
///     listener: Listener,
/// }
///
/// server_methods!(Server { listener });
///
/// impl<S, F, O: Observer> Server<S, F, O> {
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
        impl<S, F, O> $Server<S, F, O> {
            /// The same server for another protocol.
            pub fn with_framing<G>(self, framing: G) -> $Server<S, G, O> {
                let Self { setup, $($kept),* } = self;
                $Server { setup: setup.with_framing(framing), $($kept),* }
            }

            /// The same server, which reports its steps to this [`Observer`]($crate::Observer).
            pub fn with_observer<P>(self, observer: P) -> $Server<S, F, P>
            where
                P: $crate::Observer,
            {
                let Self { setup, $($kept),* } = self;
                $Server { setup: setup.with_observer(observer), $($kept),* }
            }

            $crate::__tls_methods!(pub fn);

            /// A handle that drains the server, from any thread.
            pub fn stop_handle(&self) -> $crate::StopHandle {
                self.setup.stop.clone()
            }

            /// What the server has done. It can be read while the server runs.
            pub fn counters(&self) -> ::std::sync::Arc<$crate::Counters> {
                ::std::sync::Arc::clone(&self.setup.counters)
            }
        }

        impl<S, F, O> $crate::Server for $Server<S, F, O>
        where
            O: $crate::Observer,
        {
            type WithFraming<G> = $Server<S, G, O>;
            type WithObserver<P: $crate::Observer> = $Server<S, F, P>;

            fn with_framing<G>(self, framing: G) -> $Server<S, G, O> {
                $Server::with_framing(self, framing)
            }

            fn with_observer<P: $crate::Observer>(self, observer: P) -> $Server<S, F, P> {
                $Server::with_observer(self, observer)
            }

            $crate::__tls_methods!(fn);

            fn stop_handle(&self) -> $crate::StopHandle {
                $Server::stop_handle(self)
            }

            fn counters(&self) -> ::std::sync::Arc<$crate::Counters> {
                $Server::counters(self)
            }
        }

        impl<S, F, O> $crate::RunServer for $Server<S, F, O>
        where
            S: ::zen_proto::Service<F> + Clone + Send + 'static,
            F: ::zen_proto::Framing + Clone + Send + 'static,
            O: $crate::Observer,
        {
            fn run(self) -> ::std::io::Result<()> {
                $Server::run(self)
            }
        }
    };
}

/// The methods of a server type that the feature `tls` adds, whichever crate the type is in.
#[cfg(feature = "tls")]
#[doc(hidden)]
#[macro_export]
macro_rules! __tls_methods {
    ($public:vis fn) => {
        /// The same server, with TLS between its sockets and its conversations from the first byte.
        $public fn with_tls(mut self, config: impl Into<::std::sync::Arc<$crate::rustls::ServerConfig>>) -> Self {
            self.setup = self.setup.with_tls(config);
            self
        }

        /// The same server, whose conversations begin in plain text and whose service may start TLS
        /// ([`Flow::StartTls`](::zen_proto::Flow::StartTls)). This and `with_tls` replace each
        /// other.
        $public fn with_start_tls(
            mut self,
            config: impl Into<::std::sync::Arc<$crate::rustls::ServerConfig>>,
        ) -> Self {
            self.setup = self.setup.with_start_tls(config);
            self
        }
    };
}

/// Without the feature there are none.
#[cfg(not(feature = "tls"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __tls_methods {
    ($public:vis fn) => {};
}
