"""Checks a trace with the message classes of PyPI's `perfetto`, and prints what is in it.

Usage: check.py FILE. The trace must parse, its ids be unique, its moments never go back, and its
slices nest on every track. The same must hold of what is left when it is cut at any packet.
"""
import sys

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent


def packets(data):
    """The ends of the packets, from the wire format alone."""
    at = 0
    while at < len(data):
        assert data[at] == 0x0A, f"no packet at {at}"
        at, size, shift = at + 1, 0, 0
        while True:
            byte = data[at]
            at, size, shift = at + 1, size | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        at += size
        yield at


def check(trace, whole):
    tracks, parents, open_slices, names = {}, [], {}, {}
    threads, slices, switches, last = set(), 0, 0, 0
    flows, ended = set(), set()
    running = {}
    for index, packet in enumerate(trace.packet):
        assert packet.trusted_packet_sequence_id == 1
        assert (packet.sequence_flags == 1) == (index == 0)
        if packet.HasField("track_descriptor"):
            track = packet.track_descriptor
            assert track.uuid and track.uuid not in tracks, f"track {track.uuid} twice"
            assert not track.parent_uuid or track.parent_uuid in tracks, "a child before its parent"
            tracks[track.uuid] = track
            if track.HasField("thread"):
                thread = (track.thread.pid, track.thread.tid)
                assert thread not in threads, f"thread {thread} twice"
                threads.add(thread)
        elif packet.HasField("track_event"):
            event = packet.track_event
            assert packet.timestamp >= last, f"{packet.timestamp} after {last}"
            last = packet.timestamp
            assert event.track_uuid in tracks, f"no track {event.track_uuid}"
            stack = open_slices.setdefault(event.track_uuid, [])
            if event.type == TrackEvent.TYPE_SLICE_BEGIN:
                assert event.name
                stack.append((event.name, packet.timestamp))
                slices += 1
                names[event.name] = names.get(event.name, 0) + 1
                assert len(stack) <= 2, f"{stack}"
                for flow in list(event.flow_ids) + list(event.terminating_flow_ids):
                    assert flow not in ended, f"flow {flow} goes on after its end"
                flows.update(event.flow_ids)
                for flow in event.terminating_flow_ids:
                    assert flow in flows, f"flow {flow} ends and never began"
                    ended.add(flow)
            elif event.type == TrackEvent.TYPE_INSTANT:
                assert event.name and not stack, f"{event.name} inside of {stack}"
            else:
                assert event.type == TrackEvent.TYPE_SLICE_END
                assert stack, f"an end without a beginning on {tracks[event.track_uuid]}"
                stack.pop()
        else:
            bundle = packet.ftrace_events
            for event in bundle.event:
                assert event.timestamp >= last
                last = event.timestamp
                switch = event.sched_switch
                before = running.get(bundle.cpu)
                assert before in (None, switch.prev_pid), f"{switch} while {before} runs"
                running[bundle.cpu] = switch.next_pid
                switches += 1
    if whole:
        assert all(not stack for stack in open_slices.values()), f"{open_slices} never end"
    return f"{len(tracks)} tracks, {slices} slices, {len(flows)} flows of which {len(ended)} end, {switches} switches"


data = open(sys.argv[1], "rb").read()
trace = Trace()
trace.ParseFromString(data)
print(check(trace, whole=True))
ends = list(packets(data))
assert ends[-1] == len(data) and len(ends) == len(trace.packet)
for end in ends[:: max(1, len(ends) // 50)]:
    cut = Trace()
    cut.ParseFromString(data[:end])
    check(cut, whole=False)
