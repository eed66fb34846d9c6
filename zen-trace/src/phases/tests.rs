//! Recordings made by hand, and what must follow from them.

use zen_proto::CloseReason;
use zen_server::Step::{self, *};

use super::*;
use crate::recording::{ClientSpan, ClientSpanKind, Conversation, Entry, Place, Switch, SwitchKind, Thread};

const MS: u64 = 1_000_000;
const US: u64 = 1_000;

/// A thread whose steps are `(wall µs, CPU µs, conversation, step)`; conversation 0 is none.
pub(crate) fn thread(id: u32, ended_us: u64, cpu_us: u64, steps: &[(u64, u64, u64, Step)]) -> Thread {
    let entry = |&(wall, cpu, conversation, step)| Entry {
        wall_ns: wall * US,
        cpu_ns: cpu * US,
        conversation: (conversation > 0).then_some(conversation),
        step,
        place: 0,
    };
    let started = steps.first().map_or(0, |first| first.0 * US);
    let mut thread = Thread::new(id, format!("thread-{id}"), started, ended_us * US);
    thread.steps = steps.iter().map(entry).collect();
    thread.cpu_ns = cpu_us * US;
    thread
}

pub(crate) fn recording(threads: Vec<Thread>) -> Recording {
    let mut recording = Recording::new("blocking");
    recording.places =
        vec![Place { file: "zen-server-sync/src/drive.rs".into(), line: 7, text: "step();".into() }];
    recording.cost_per_step_ns = 100.0;
    recording.threads = threads;
    recording
}

/// The page's case: one thread that serves one client after the other.
pub(crate) fn page() -> Recording {
    let mut steps = vec![(0, 0, 0, Accepting), (5_000, 20, 1, Accepted), (5_010, 30, 1, Opening)];
    let (mut wall, mut cpu) = (5_020, 40);
    for _ in 0..3 {
        steps.extend([
            (wall, cpu, 1, WaitingForQuestion),
            (wall + 40_000, cpu + 10, 1, Read(20)),
            (wall + 40_010, cpu + 15, 1, Answering),
            (wall + 40_020, cpu + 20, 1, Answered(1)),
            (wall + 40_025, cpu + 25, 1, Writing),
            (wall + 40_060, cpu + 60, 1, Wrote(30)),
        ]);
        wall += 40_070;
        cpu += 70;
    }
    steps.extend([
        (wall, cpu, 1, WaitingForQuestion),
        (wall + 100, cpu + 10, 1, Read(0)),
        (wall + 120, cpu + 30, 1, Closed(CloseReason::Finished)),
        (wall + 150, cpu + 60, 0, Accepting),
    ]);
    recording(vec![thread(1, wall + 1_000, cpu + 60, &steps)])
}

fn waiting(division: &Division, cause: Cause) -> u64 {
    division.waiting_ns.get(&cause).copied().unwrap_or(0)
}

/// Whether the parts make up the wall clock, within 1 %.
fn adds_up(division: &Division, wall_ns: u64) -> bool {
    division.total_ns().abs_diff(wall_ns) <= wall_ns / 100
}

/// Phases without a gap, which add up to the wall clock within 1 %, as does the division.
pub(crate) fn assert_adds_up(recording: &Recording) {
    let server = ServerPhases::new(recording);
    let threads = server.threads.iter().map(|lane| (lane.from_ns, lane.to_ns, &lane.phases, &lane.division));
    let conversations =
        server.conversations.iter().map(|lane| (lane.from_ns, lane.to_ns, &lane.phases, &lane.division));
    for (from, to, phases, division) in threads.chain(conversations) {
        let (wall, slack) = (to - from, (to - from) / 100);
        let drawn: u64 = phases.iter().map(Phase::length_ns).sum();
        assert!(drawn.abs_diff(wall) <= slack, "phases of {drawn} ns in {wall} ns: {phases:?}");
        assert!(adds_up(division, wall), "{division:?} in {wall} ns");
        let inside =
            |phase: &Phase| from <= phase.from_ns && phase.from_ns < phase.to_ns && phase.to_ns <= to;
        assert!(phases.iter().all(inside), "{from}..{to}: {phases:?}");
        assert!(phases.windows(2).all(|pair| pair[0].to_ns == pair[1].from_ns), "{phases:?}");
    }
    for (thread, lane) in recording.threads.iter().zip(&server.threads) {
        assert_eq!((thread.started_ns, thread.ended_ns), (lane.from_ns, lane.to_ns));
        let cpu = thread.cpu_ns.abs_diff(lane.division.computing_ns);
        assert!(cpu <= thread.cpu_ns / 100, "{} of {} ns", lane.division.computing_ns, thread.cpu_ns);
    }
}

#[test]
fn the_page_waits_for_the_client_and_hardly_computes() {
    let recording = page();
    assert_adds_up(&recording);
    let server = ServerPhases::new(&recording);
    let conversation = &server.conversations[0];
    assert_eq!(conversation.questions, 3);
    assert_eq!(conversation.to_ns - conversation.from_ns, (20 + 3 * 40_070 + 120) * US);
    assert_eq!(conversation.division.computing_ns, (20 + 3 * 70 + 30) * US);
    assert_eq!(waiting(&conversation.division, Cause::Question), (3 * 39_990 + 90) * US);
    let thread = &server.threads[0].division;
    assert_eq!(thread.computing_ns, 310 * US);
    assert_eq!(waiting(thread, Cause::Client), 4_980 * US + 850 * US);
    assert_eq!(waiting(thread, Cause::Question), waiting(&conversation.division, Cause::Question));
    assert_eq!(conversation.division.stretches, 1, "one thread never left it");
}

#[test]
fn a_phase_that_is_left_out_is_missed() {
    let server = ServerPhases::new(&page());
    let (thread, conversation) = (&server.threads[0], &server.conversations[0]);
    let lanes = [
        (thread.to_ns - thread.from_ns, &thread.division, Cause::Question),
        (thread.to_ns - thread.from_ns, &thread.division, Cause::Client),
        (conversation.to_ns - conversation.from_ns, &conversation.division, Cause::Question),
    ];
    for (wall, whole, left_out) in lanes {
        assert!(adds_up(whole, wall));
        let mut part = whole.clone();
        part.waiting_ns.remove(&left_out);
        assert!(!adds_up(&part, wall), "without {left_out:?}");
    }
}

/// One loop that serves two conversations in turn.
fn woven() -> Recording {
    recording(vec![thread(
        1,
        10_000,
        450,
        &[
            (0, 0, 0, Idle),
            (100, 10, 0, Woken),
            (110, 20, 1, Accepted),
            (120, 30, 1, WaitingForQuestion),
            (130, 40, 2, Accepted),
            (140, 50, 2, WaitingForQuestion),
            (150, 60, 0, Idle),
            (5_000, 70, 0, Woken),
            (5_010, 80, 1, Reading),
            (5_020, 90, 1, Read(9)),
            (5_030, 100, 1, Answering),
            (5_230, 300, 1, Answered(1)),
            (5_240, 310, 1, Writing),
            (5_250, 320, 1, Wrote(9)),
            (5_260, 330, 1, WaitingForRoom),
            (5_270, 340, 2, Reading),
            (5_280, 350, 2, Read(9)),
            (5_290, 360, 2, Answered(1)),
            (5_300, 370, 2, WaitingForAnswer),
            (5_310, 380, 0, Idle),
            (7_000, 390, 0, Woken),
            (7_010, 400, 2, Writing),
            (7_020, 410, 2, WaitingForQuestion),
            (7_030, 420, 0, Idle),
        ],
    )])
}

#[test]
fn a_conversation_waits_where_its_last_step_left_it() {
    let recording = woven();
    assert_adds_up(&recording);
    let server = ServerPhases::new(&recording);
    let [first, second] = &server.conversations[..] else { panic!("two conversations") };
    assert_eq!(waiting(&first.division, Cause::Question), (5_010 - 130) * US);
    assert_eq!(waiting(&first.division, Cause::Room), (10_000 - 5_270) * US);
    assert_eq!(first.division.computing_ns, 280 * US);
    assert_eq!(waiting(&second.division, Cause::Answer), (7_010 - 5_310) * US);
    assert_eq!(second.division.stretches, 3, "the loop came to it three times");
}

#[test]
fn an_idle_loop_waits_for_what_its_conversations_wait_for() {
    let server = ServerPhases::new(&woven());
    let idle = &server.threads[0].division;
    assert_eq!(waiting(idle, Cause::Client), 90 * US);
    assert_eq!(waiting(idle, Cause::Question), (4_840 + 2_940) * US);
    // Both an answer and room are waited for; the answer tells more.
    assert_eq!(waiting(idle, Cause::Answer), 1_680 * US);
}

#[test]
fn once_the_client_has_asked_its_conversation_waits_for_its_turn() {
    let mut recording = woven();
    let mut second = Conversation::new(2);
    let span = |from: u64, to: u64, kind| ClientSpan { from_ns: from * US, to_ns: to * US, kind };
    second.client_spans = vec![
        span(30, 50, ClientSpanKind::Connecting),
        span(50, 5_001, ClientSpanKind::Thinking),
        span(5_001, 7_100, ClientSpanKind::Waiting),
    ];
    recording.conversations.push(second);
    assert_adds_up(&recording);
    let server = ServerPhases::new(&recording);
    let second = &server.conversations[1];
    assert_eq!(waiting(&second.division, Cause::Turn), (5_270 - 5_001) * US);
    let in_line = second.in_line.expect("it connected before it was accepted");
    assert_eq!((in_line.from_ns, in_line.to_ns), (50 * US, 130 * US));
}

#[test]
fn a_client_that_is_never_accepted_stands_in_line() {
    let mut recording = page();
    let mut starved = Conversation::new(2);
    starved.client_spans = vec![
        ClientSpan { from_ns: 0, to_ns: MS, kind: ClientSpanKind::Connecting },
        ClientSpan { from_ns: MS, to_ns: 90 * MS, kind: ClientSpanKind::Waiting },
    ];
    recording.conversations.push(starved);
    assert_adds_up(&recording);
    let server = ServerPhases::new(&recording);
    let starved = &server.conversations[1];
    assert!(!starved.accepted && starved.questions == 0);
    assert_eq!(waiting(&starved.division, Cause::Accept), 89 * MS);
}

#[test]
fn a_blocked_service_does_not_compute() {
    let recording =
        recording(vec![thread(1, 3_000, 40, &[(0, 0, 1, Answering), (2_000, 20, 1, Answered(1))])]);
    assert_adds_up(&recording);
    let lane = &ServerPhases::new(&recording).threads[0].division;
    assert_eq!(waiting(lane, Cause::Service), 1_980 * US);
}

#[test]
fn run_delay_falls_on_the_steps_that_never_block_first() {
    let steps = [(0, 0, 1, WaitingForQuestion), (1_000, 10, 1, Read(1)), (1_500, 110, 1, Answering)];
    let mut recording = recording(vec![thread(1, 2_000, 510, &steps)]);
    for (delay, cpu, other, service, question) in [
        (None, 0, 400, 100, 990),
        (Some(300), 300, 100, 100, 990),
        (Some(450), 450, 0, 50, 990),
        (Some(1_000), 1_000, 0, 0, 490),
        (Some(9_000), 1_490, 0, 0, 0),
    ] {
        recording.threads[0].run_delay_ns = delay.map(|us| us * US);
        assert_adds_up(&recording);
        let lane = &ServerPhases::new(&recording).threads[0].division;
        let causes = [Cause::Cpu, Cause::Other, Cause::Service, Cause::Question];
        let waited = causes.map(|cause| waiting(lane, cause) / US);
        assert_eq!(waited, [cpu, other, service, question], "{delay:?}");
    }
}

#[test]
fn switches_say_where_a_step_computed() {
    let steps = [(0, 0, 1, WaitingForQuestion), (1_000, 10, 1, Answering)];
    let mut recording = recording(vec![thread(1, 2_000, 510, &steps)]);
    let switch = |us, kind| Switch { wall_ns: us * US, kind };
    recording.threads[0].switches = vec![
        switch(5, SwitchKind::OutBlocked),
        switch(995, SwitchKind::In),
        switch(1_200, SwitchKind::OutPreempted),
        switch(1_700, SwitchKind::In),
    ];
    assert_adds_up(&recording);
    let lane = &ServerPhases::new(&recording).threads[0];
    let activities: Vec<_> =
        lane.phases.iter().map(|phase| (phase.from_ns / US, phase.to_ns / US, phase.activity)).collect();
    let waits = Activity::Waiting;
    assert_eq!(
        activities,
        [
            (0, 5, Activity::Computing),
            (5, 995, waits(Cause::Question)),
            (995, 1_000, Activity::Computing),
            (1_000, 1_200, Activity::Computing),
            (1_200, 1_700, waits(Cause::Cpu)),
            (1_700, 2_000, Activity::Computing),
        ]
    );
    assert_eq!(waiting(&lane.division, Cause::Cpu), 500 * US);
}

#[test]
fn what_a_full_buffer_lost_is_said() {
    let mut recording = woven();
    recording.threads[0].lost = 3;
    assert_adds_up(&recording);
    let server = ServerPhases::new(&recording);
    assert_eq!(waiting(&server.threads[0].division, Cause::NotRecorded), (2_970 - 30) * US);
}

#[test]
fn a_server_that_is_watched_from_outside_has_its_clients_view() {
    let mut thread = Thread::new(9, "python3", 0, 100 * MS);
    thread.cpu_ns = 7 * MS;
    thread.run_delay_ns = Some(MS);
    let mut recording = recording(vec![thread]);
    let mut conversation = Conversation::new(1);
    let span = |from, to, kind| ClientSpan { from_ns: from * MS, to_ns: to * MS, kind };
    conversation.client_spans = vec![
        span(0, 1, ClientSpanKind::Connecting),
        span(1, 41, ClientSpanKind::Thinking),
        span(41, 42, ClientSpanKind::Waiting),
        span(42, 90, ClientSpanKind::Thinking),
    ];
    recording.conversations.push(conversation);
    assert_adds_up(&recording);
    let server = ServerPhases::new(&recording);
    assert_eq!(waiting(&server.threads[0].division, Cause::Blocked), 92 * MS);
    assert_eq!(waiting(&server.threads[0].division, Cause::Cpu), MS);
    let conversation = &server.conversations[0];
    assert!(conversation.accepted && conversation.questions == 1);
    assert_eq!(waiting(&conversation.division, Cause::Server), MS);
}

#[test]
fn a_conversation_that_changes_threads_is_followed() {
    let recording = recording(vec![
        thread(1, 1_000, 40, &[(0, 0, 0, Accepting), (100, 10, 1, Accepted), (150, 30, 0, Accepting)]),
        thread(
            2,
            1_000,
            60,
            &[(0, 0, 0, Idle), (300, 20, 1, Opening), (350, 60, 1, Closed(CloseReason::Finished))],
        ),
    ]);
    assert_adds_up(&recording);
    let server = ServerPhases::new(&recording);
    let division = &server.conversations[0].division;
    assert_eq!(waiting(division, Cause::Turn), 150 * US, "dealt, and not yet taken up");
    assert_eq!(division.computing_ns, 60 * US);
}

fn pick<T>(items: &[T], index: u64) -> &T {
    &items[usize::try_from(index).unwrap()]
}

#[test]
fn any_recording_adds_up() {
    // A small generator of its own keeps the crate free of one.
    let mut state = 1_u64;
    let mut random = move |below: u64| -> u64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let kinds =
        [Accepted, Opening, WaitingForQuestion, Read(1), Answering, Answered(1), Writing, WaitingForRoom];
    for _ in 0..300 {
        let threads = (0..=random(2)).map(|_| {
            let (mut wall, mut cpu, mut steps) = (random(50), random(9), Vec::new());
            for _ in 0..random(40) {
                let conversation = random(4);
                let step = if conversation == 0 { Idle } else { *pick(&kinds, random(8)) };
                steps.push((wall, cpu, conversation, step));
                let length = random(1_000);
                (wall, cpu) = (wall + length, cpu + random(length + 1));
            }
            let used = steps.first().map_or(0, |first| cpu - first.1);
            let mut thread = thread(1, wall, used, &steps);
            if steps.is_empty() {
                thread.ended_ns = thread.started_ns;
            }
            thread.run_delay_ns = (random(2) == 0).then(|| random(5_000) * US);
            thread.lost = random(2);
            let mut at = wall;
            for _ in 0..random(4) {
                at = at.saturating_sub(random(400));
                let kind =
                    *pick(&[SwitchKind::In, SwitchKind::OutBlocked, SwitchKind::OutPreempted], random(3));
                thread.switches.insert(0, Switch { wall_ns: at * US, kind });
            }
            thread
        });
        let threads = threads.collect();
        assert_adds_up(&recording(threads));
    }
}
