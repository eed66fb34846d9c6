//! The book's own programs as peers: a client and a server that use only Python's standard library.

use zen_testkit::peers::Python;

use crate::running::{FLAVORS, run, serve, zen};

#[test]
fn the_books_client_works_with_every_flavor() {
    let Some(python) = Python::require() else { return };
    for flavor in FLAVORS {
        let serving = serve(&["--flavor", flavor]);
        python.ask_three(serving.address).unwrap_or_else(|error| panic!("{flavor}: {error}"));
        python.ask_half(serving.address).unwrap_or_else(|error| panic!("{flavor}: {error}"));
        python.ask_three(serving.address).unwrap_or_else(|error| panic!("{flavor}: {error}"));
        let (status, stderr) = serving.stop();
        assert!(status.success(), "{flavor}: {stderr}");
    }
}

#[test]
fn zen_ask_works_with_the_books_server() {
    let Some(python) = Python::require() else { return };
    let server = python.serve().unwrap();
    for _ in 0..3 {
        let asked = run(zen(&["ask", &server.addr().to_string()]));
        assert!(asked.status.success(), "{}", asked.stderr);
        let mut lines: Vec<_> = asked.stdout.lines().collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            [
                "Beautiful is better than? Ugly.",
                "Explicit is better than? Implicit.",
                "Simple is better than? Complex.",
            ]
        );
    }
    let asked = run(zen(&["ask", &server.addr().to_string(), "Now is better than?"]));
    assert_eq!(asked.stdout, "Now is better than? Error: unknown aphorism.\n");
}
