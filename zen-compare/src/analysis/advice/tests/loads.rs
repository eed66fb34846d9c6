//! The advice for each kind of load.

use super::*;

/// A contender that serves one client.
fn blocking(clients: usize, rate: f64) -> Seen {
    Seen { served: 1.min(clients), most: Some((30_000.0, 1)), ..seen("blocking", rate, 20.0, 1, 0.0) }
}

fn all(cases: &[Case]) {
    let wrong: Vec<String> = cases.iter().filter_map(|case| wrong(case).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn clients_that_think() {
    all(&[
        // Clients that think a lot: every contender is idle, and CPU time does not matter.
        Case {
            user_load: user_load(2, 40),
            seen: vec![
                seen("floor", 49.8, 20.0, 2, 400e3),
                seen("mio", 49.8, 24.0, 2, 300e3),
                seen("threaded", 49.7, 60.0, 2, 100e3),
                blocking(2, 24.9),
            ],
            choice: &["mio", "threaded"],
            says: &[
                "2 clients that think for 40ms, a handler that answers at once, 1 core for the server:",
                "→ mio and threaded (a tie): 49.8 answers/s",
                "busy 0.3 % of the time at the most, so their CPU time hardly matters: mio 24.0 µs, threaded 60.1 µs",
                "choose by memory per connection: mio 64 B, threaded 64 B",
                "--scenarios slow",
                "without any answer: blocking served 1 of 2",
                // 300 k × (40 ms + 3.3 µs).
                "mio is full at about 12.0 k clients",
                "300 k answers/s × (think + answer); none of the others answers more",
                "fill each: mio 12.0 k, threaded 4005, blocking 1 at a time",
            ],
            never: &["≥", "estimate", "floor"],
        },
        // The cheapest of the equally quick is best; one that answers more is named for larger
        // loads.
        Case {
            user_load: user_load(200, 5),
            seen: vec![
                seen("mio", 38e3, 5.0, 200, 230e3),
                seen("mio-multi", 38e3, 6.0, 200, 300e3),
                seen("threaded", 37.9e3, 12.0, 200, 100e3),
            ],
            choice: &["mio"],
            says: &[
                "answers as many and takes more CPU time: mio-multi 20 %, threaded 140 %",
                "mio is full at about 1152 clients, or at less than 864 µs of thought: 230 k answers/s",
                "beyond that choose mio-multi, which answers 300 k answers/s and is full at about 1502 clients",
            ],
            never: &["≥", "hardly matters"],
        },
        // Very many clients.
        Case {
            user_load: user_load(4000, 40),
            seen: vec![
                seen("mio", 99e3, 4.5, 4000, 210e3),
                seen("threaded", 71e3, 13.0, 4000, 72e3),
                blocking(4000, 24.9),
            ],
            choice: &["mio"],
            says: &[
                "measured with 4000 clients",
                "answers fewer: threaded 28 %",
                "mio is full at about 8409 clients",
                "threaded 2843",
            ],
            never: &["threaded would"],
        },
    ]);
}

#[test]
fn capacity_that_was_not_seen() {
    all(&[
        // The generator was the limit: no contender is called full, and none better.
        Case {
            user_load: user_load(20, 5),
            seen: vec![
                Seen { most_is_bound: true, ..seen("mio", 3.9e3, 20.0, 20, 228e3) },
                Seen { most_is_bound: true, ..seen("async", 3.9e3, 30.0, 20, 240e3) },
            ],
            choice: &["mio"],
            says: &[
                "mio has room for at least 1142 clients: ≥ 228 k answers/s × (think + answer)",
                "whether async would answer more was not seen",
                "fill each: async ≥ 1202, mio ≥ 1142",
            ],
            never: &["is full", "none of the others", "beyond that"],
        },
        // The capacity was not measured. The advice says so, and the estimate is a lower bound.
        Case {
            user_load: user_load(40, 5),
            seen: vec![
                Seen { most: None, ..seen("mio", 7.8e3, 20.0, 40, 0.0) },
                seen("threaded", 7.8e3, 40.0, 40, 90e3),
            ],
            choice: &["mio"],
            says: &[
                "mio has room for at least 250 clients: ≥ 50.0 k answers/s",
                "estimates, and rather too low, from this load: mio (its capacity was not measured)",
                "fill each: threaded 451, mio ≥ 250 (estimate)",
            ],
            never: &["mio is full"],
        },
        // Clients that never think, and the generator was the limit.
        Case {
            user_load: user_load(64, 0),
            seen: vec![
                Seen { most_is_bound: true, ..seen("mio", 300e3, 2.0, 64, 300e3) },
                Seen { most_is_bound: true, ..seen("async", 299e3, 2.2, 64, 300e3) },
            ],
            choice: &["mio"],
            says: &["mio answers ≥ 300 k answers/s when it has enough clients", "whether async would"],
            never: &["is full", "none of the others"],
        },
    ]);
}

#[test]
fn handlers_that_work() {
    all(&[
        // A handler that waits: a contender with one thread is full; one with few threads starves
        // the other clients.
        Case {
            user_load: working(user_load(40, 5), 2, WorkKind::Sleep),
            seen: vec![
                seen("async", 4.8e3, 30.0, 40, 60e3),
                seen("mio", 469.0, 25.0, 40, 470.0),
                Seen { most: Some((1.9e3, 4)), ..seen("pool", 550.0, 20.0, 4, 0.0) },
            ],
            choice: &["async"],
            says: &[
                "a handler that waits for 2ms",
                "→ async: 4.80 k answers/s",
                "answers fewer: mio 90 %",
                "without any answer: pool served 4 of 40",
                "async is full at about 421 clients",
                "mio would answer as many, at 25.0 µs of CPU instead of 30.0 µs, with up to 3 clients",
                "fill each: async 421, mio 3, pool 4 at a time",
            ],
            never: &["mio and", "tie"],
        },
        // A handler that computes fills the core in every contender.
        Case {
            user_load: working(user_load(40, 5), 2, WorkKind::Spin),
            seen: vec![
                seen("mio", 489.0, 2_040.0, 40, 490.0),
                seen("threaded", 525.0, 1_910.0, 40, 525.0),
                seen("mio-multi", 490.0, 2_041.0, 40, 490.0),
            ],
            choice: &["threaded", "mio", "mio-multi"],
            says: &[
                "→ threaded, mio and mio-multi (a tie): 526 answers/s",
                "threaded is full: it answers no more than 526 answers/s. More clients only wait longer",
                "the handler is the limit, whatever the flavor: 2ms of computing on 1 core are some 500 answers/s",
                "none of the others answers more",
            ],
            never: &["hardly matters"],
        },
    ]);
}

#[test]
fn a_single_client() {
    all(&[
        // A single client is served by a contender that serves one client at a time.
        Case {
            user_load: user_load(1, 0),
            seen: vec![
                blocking(1, 30e3),
                seen("mio", 24e3, 20.0, 1, 280e3),
                seen("threaded", 29e3, 22.0, 1, 100e3),
            ],
            choice: &["blocking"],
            says: &[
                "1 client that asks again at once",
                "→ blocking: 30.0 k answers/s",
                "blocking answers 1 client at a time, however little they ask, and leaves the others waiting",
                "beyond that choose mio, which answers 280 k answers/s",
                "the most that each answers: mio 280 k answers/s, threaded 100 k answers/s, blocking 1 at a time",
            ],
            never: &["is full", "of thought"],
        },
    ]);
}
