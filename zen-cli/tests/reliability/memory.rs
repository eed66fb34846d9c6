//! Memory is bounded, in the server and in the system: whoever does not read, and however many of
//! them there are, the others are served and nothing stays behind.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::crowd::{
    InTheSystem, Turn, all_are_over, baseline, connect, flood, is_reset, non_reader, probe, size,
};
use crate::every_flavor::{at_once, on_every_flavor, on_flavors};
use crate::kept::{Kept, Served, stop};
use crate::running::{FLAVORS, serve, serving, until, zen};

/// What the allocator of a server may keep, in KiB.
const SLACK: usize = 8 * 1024;

/// What a conversation whose peer does not read may hold, in KiB, and its thread if it has one.
const EACH: usize = 224;

const MANY_AT_ONCE: [&str; 5] = ["threaded", "mio", "mio-multi", "async", "async-multi"];

/// The connections that a flavor can hold, when there are `wanted`.
fn crowd(flavor: &str, wanted: usize) -> usize {
    wanted.min(at_once(flavor))
}

#[test]
fn the_memory_of_all_conversations_together_is_bounded() {
    let _turn = Turn::take();
    let clients = size(200, 2000, MANY_AT_ONCE.len());
    let limit = 4 << 20;
    on_flavors(&MANY_AT_ONCE, |flavor| {
        let server = serve(&[
            "--flavor",
            flavor,
            "--connections",
            "2100",
            "--memory-limit",
            &limit.to_string(),
            // A little in the system, so that the server has to hold the rest.
            "--send-buffer",
            "16k",
        ]);
        let before = baseline(&server);
        let flooders = probe(&server, || {
            let mut flooders = Vec::new();
            let mut most = 0;
            for _ in 0..clients {
                let flooder = non_reader(server.address);
                flood(&flooder, 64 * 1024);
                flooders.push(flooder);
                most = most.max(Kept::by(&server).memory);
            }
            for flooder in &flooders {
                flood(flooder, 64 * 1024);
                most = most.max(Kept::by(&server).memory);
            }
            // A thread costs its stack, which the limit does not count.
            let threads = if flavor == "threaded" { clients * 32 } else { 0 };
            let bound = before.memory + limit / 1024 * 9 / 8 + threads + SLACK;
            assert!(most <= bound, "{flavor}: {most} KiB, at most {bound}");
            flooders
        });
        let over = until("some are told to end", || {
            let over = flooders.iter().filter(|flooder| is_reset(flooder)).count();
            (over > 0).then_some(over)
        });
        assert!(over < clients, "{flavor}: there is room for some");
        drop(flooders);
        let total = Served::by(server);
        assert!(total.count("memory_limit") > 0, "{flavor}: {}", total.log);
        assert_eq!(total.count("open"), 0);
    });
}

#[test]
fn a_server_in_little_address_space_sheds_the_worst_and_never_aborts() {
    let _turn = Turn::take();
    // Without `--memory-limit`, the limit follows from the address space.
    let event_driven = ["mio", "async"];
    let clients = size(1000, 2000, event_driven.len());
    // In KiB. Of this, a quarter is for conversations, each of which holds at least 64 KiB.
    let space = if clients < 2000 { 200 * 1024 } else { 300 * 1024 };
    let is_enough = clients * 64 > space / 4 + space / 16;
    on_flavors(&event_driven, |flavor| {
        let mut program = zen(&["serve", "127.0.0.1:0", "--flavor", flavor]);
        program.args(["--send-buffer", "16k", "--write-deadline", "300s"]);
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -v {space} && exec \"$0\" \"$@\""));
        command.arg(program.get_program()).args(program.get_args());
        let mut server = serving(command);
        let flooders = probe(&server, || {
            let flooders: Vec<_> = (0..clients).map(|_| non_reader(server.address)).collect();
            for flooder in &flooders {
                flood(flooder, 64 * 1024);
            }
            if is_enough {
                until("some are told to end", || flooders.iter().any(is_reset).then_some(()));
            }
            flooders
        });
        assert!(server.running.is_running(), "{flavor}: {}", server.running.stderr.so_far());
        drop(flooders);
        let total = Served::by(server);
        assert_eq!(total.count("open"), 0, "{}", total.log);
        if is_enough {
            assert!(total.count("memory_limit") > 0, "{flavor}: {}", total.log);
        }
    });
}

#[test]
fn peers_that_do_not_read_or_sip_are_cut_off_and_leave_nothing_behind() {
    let _turn = Turn::take();
    let clients = size(60, 2000, FLAVORS.len());
    on_every_flavor(|flavor| {
        let clients = crowd(flavor, clients);
        let server = serve(&["--flavor", flavor, "--write-deadline", "1500ms", "--connections", "2100"]);
        let before = baseline(&server);
        let attack = || {
            let streams: Vec<_> = (0..clients).map(|_| non_reader(server.address)).collect();
            for stream in &streams {
                flood(stream, 1 << 20);
            }
            let held = Kept::by(&server).memory.saturating_sub(before.memory);
            assert!(held <= clients * EACH + SLACK, "{flavor}: {held} KiB for {clients} conversations");
            // Linux allows a buffer to be twice as large as was asked for. The last write may go
            // beyond that by one segment.
            let system = InTheSystem::of(&server);
            assert!(system.unsent <= clients * 640 * 1024, "{flavor}: {system:?}");
            assert!(system.unread <= clients * 640 * 1024, "{flavor}: {system:?}");
            // Half of them take a byte now and then.
            for _ in 0..5 {
                for stream in streams.iter().step_by(2) {
                    let _ = std::io::Read::read(&mut &*stream, &mut [0]);
                }
                thread::sleep(Duration::from_millis(100));
            }
            until("the server has nothing left of them", || {
                (Kept::by(&server).descriptors <= before.descriptors + 1).then_some(())
            });
            // The clients still hold their ends, and have read nothing.
            until("the system has nothing left of them", || {
                (InTheSystem::of(&server).unsent == 0).then_some(())
            });
            streams
        };
        let streams = if clients < 5 { attack() } else { probe(&server, attack) };
        drop(streams);
        before.is_all_that_is_left(&server, SLACK);
        let total = Served::by(server);
        // The system may notice it before the conversation does, whose clock starts when the system
        // takes no more.
        let late = total.count("write_deadline") + total.count("connection_lost");
        assert_eq!((late, total.count("open")), (clients as u64, 0), "{flavor}: {}", total.log);
    });
}

#[test]
fn what_a_peer_does_not_read_after_its_own_end_does_not_stay_in_the_system() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor, "--write-deadline", "1s"]);
        let before = baseline(&server).descriptors;
        let clients = crowd(flavor, 10);
        let streams: Vec<_> = (0..clients)
            .map(|_| {
                let stream = non_reader(server.address);
                flood(&stream, 8 * 1024);
                stream.shutdown(std::net::Shutdown::Write).unwrap();
                stream
            })
            .collect();
        // All that they asked fits into the system's buffers, so the conversations are finished.
        until("the system has all of it", || {
            let open = Kept::by(&server).descriptors > before;
            (!open && InTheSystem::of(&server).unsent > 0).then_some(())
        });
        until("the system gives it up", || (InTheSystem::of(&server).connections == 0).then_some(()));
        drop(streams);
        let total = Served::by(server);
        assert_eq!(total.count("open"), 0, "{flavor}: {}", total.log);
    });
}

#[test]
fn peers_that_do_not_read_are_cut_off_when_the_server_stops() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor, "--drain-deadline", "1s"]);
        let port = server.address.port();
        let clients = crowd(flavor, 20);
        let streams: Vec<_> = (0..clients).map(|_| non_reader(server.address)).collect();
        for stream in &streams {
            flood(stream, 1 << 20);
        }
        stop(&server);
        let total = Served::by_stopped(server);
        // Where the system has taken all that was owed, the conversation waits only for its end.
        let late = total.count("drain_deadline") + total.count("drained");
        assert_eq!((late, total.count("open")), (clients as u64, 0), "{flavor}: {}", total.log);
        // The process is gone, and nothing of it is left in the system.
        until("the system has nothing left of them", || {
            (InTheSystem::at(port) == InTheSystem::default()).then_some(())
        });
        all_are_over(&streams);
    });
}

#[test]
fn what_the_server_does_not_read_is_bounded_in_the_system() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor, "--receive-buffer", "64k", "--send-buffer", "64k"]);
        let stream = connect(server.address);
        let taken: usize = (0..20)
            .map(|_| {
                thread::sleep(Duration::from_millis(5));
                flood(&stream, 1 << 20)
            })
            .sum();
        let system = InTheSystem::of(&server);
        assert!(system.unsent <= 192 * 1024 && system.unread <= 192 * 1024, "{flavor}: {system:?}");
        assert!(taken < 8 << 20, "{flavor}: it took {taken} bytes");
        drop(stream);
        let total = Served::by(server);
        assert_eq!(total.count("open"), 0, "{flavor}: {}", total.log);
    });
}
