//! A server of any flavor on a thread of the test.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use examples::{Flavor, Layer, serve_over};
use zen_proto::{Framing, Service};
use zen_server::{Options, StopHandle};

/// A running server. It is drained when this is dropped, and must end without an error.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stop: StopHandle,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    #[allow(dead_code, reason = "some tests serve over TLS only")]
    pub(crate) fn start<S, F>(flavor: Flavor, service: S, framing: F, options: Options) -> Self
    where
        S: Service<F> + Clone + Send + 'static,
        F: Framing + Clone + Send + 'static,
    {
        Self::start_over(Layer::Plain, flavor, service, framing, options)
    }

    pub(crate) fn start_over<S, F>(
        layer: Layer,
        flavor: Flavor,
        service: S,
        framing: F,
        options: Options,
    ) -> Self
    where
        S: Service<F> + Clone + Send + 'static,
        F: Framing + Clone + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = serve_over(layer, flavor, listener, service, framing, options).unwrap();
        let stop = serving.stop;
        let thread = Some(thread::spawn(serving.run));
        Self { address, stop, thread }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
        let ended = self.thread.take().unwrap().join();
        // A test that fails has said why already.
        if !thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

/// Runs each of these tests with every flavor.
#[macro_export]
macro_rules! with_every_flavor {
    ($($test:ident),* $(,)?) => {
        $crate::with_every_flavor!(@flavors [$($test)*] blocking: Blocking, threaded: Threaded, pool: Pool,
            mio: Mio, mio_multi: MioMulti, async_single: Async, async_multi: AsyncMulti,);
    };
    (@flavors $tests:tt $($module:ident: $flavor:ident,)*) => {
        $($crate::with_every_flavor!(@tests $tests $module $flavor);)*
    };
    (@tests [$($test:ident)*] $module:ident $flavor:ident) => {
        mod $module {
            $(#[test] fn $test() { super::$test(examples::Flavor::$flavor); })*
        }
    };
}
