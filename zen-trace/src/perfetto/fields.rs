//! The numbers of the fields, from Perfetto's `.proto` files.

/// `Trace`.
pub(super) mod trace {
    pub(in crate::perfetto) const PACKET: u32 = 1;
}

/// `TracePacket`.
pub(super) mod packet {
    pub(in crate::perfetto) const FTRACE_EVENTS: u32 = 1;
    pub(in crate::perfetto) const TIMESTAMP: u32 = 8;
    pub(in crate::perfetto) const TRUSTED_PACKET_SEQUENCE_ID: u32 = 10;
    pub(in crate::perfetto) const TRACK_EVENT: u32 = 11;
    pub(in crate::perfetto) const SEQUENCE_FLAGS: u32 = 13;
    pub(in crate::perfetto) const TRACK_DESCRIPTOR: u32 = 60;
    /// A value of `SEQUENCE_FLAGS`: nothing from before this packet is referred to.
    pub(in crate::perfetto) const INCREMENTAL_STATE_CLEARED: u64 = 1;
}

/// `TrackDescriptor`.
pub(super) mod track {
    pub(in crate::perfetto) const UUID: u32 = 1;
    pub(in crate::perfetto) const NAME: u32 = 2;
    pub(in crate::perfetto) const PROCESS: u32 = 3;
    pub(in crate::perfetto) const THREAD: u32 = 4;
    pub(in crate::perfetto) const PARENT_UUID: u32 = 5;
    pub(in crate::perfetto) const CHILD_ORDERING: u32 = 11;
    pub(in crate::perfetto) const SIBLING_ORDER_RANK: u32 = 12;
    /// A value of `CHILD_ORDERING`: by the children's ranks.
    pub(in crate::perfetto) const EXPLICIT: u64 = 3;
}

/// `ProcessDescriptor`.
pub(super) mod process {
    pub(in crate::perfetto) const PID: u32 = 1;
    pub(in crate::perfetto) const PROCESS_NAME: u32 = 6;
}

/// `ThreadDescriptor`.
pub(super) mod thread {
    pub(in crate::perfetto) const PID: u32 = 1;
    pub(in crate::perfetto) const TID: u32 = 2;
    pub(in crate::perfetto) const THREAD_NAME: u32 = 5;
}

/// `TrackEvent`.
pub(super) mod event {
    pub(in crate::perfetto) const DEBUG_ANNOTATIONS: u32 = 4;
    pub(in crate::perfetto) const TYPE: u32 = 9;
    pub(in crate::perfetto) const TRACK_UUID: u32 = 11;
    pub(in crate::perfetto) const NAME: u32 = 23;
    pub(in crate::perfetto) const SOURCE_LOCATION: u32 = 33;
    pub(in crate::perfetto) const FLOW_IDS: u32 = 47;
    pub(in crate::perfetto) const TERMINATING_FLOW_IDS: u32 = 48;
    /// Values of `TYPE`.
    pub(in crate::perfetto) const SLICE_BEGIN: u64 = 1;
    pub(in crate::perfetto) const SLICE_END: u64 = 2;
    pub(in crate::perfetto) const INSTANT: u64 = 3;
}

/// `DebugAnnotation`.
pub(super) mod annotation {
    pub(in crate::perfetto) const UINT_VALUE: u32 = 3;
    pub(in crate::perfetto) const STRING_VALUE: u32 = 6;
    pub(in crate::perfetto) const NAME: u32 = 10;
}

/// `SourceLocation`.
pub(super) mod source {
    pub(in crate::perfetto) const FILE_NAME: u32 = 2;
    pub(in crate::perfetto) const LINE_NUMBER: u32 = 4;
}

/// `FtraceEventBundle`, and `FtraceEvent` in it.
pub(super) mod ftrace {
    pub(in crate::perfetto) const CPU: u32 = 1;
    pub(in crate::perfetto) const EVENT: u32 = 2;
    pub(in crate::perfetto) const TIMESTAMP: u32 = 1;
    pub(in crate::perfetto) const PID: u32 = 2;
    pub(in crate::perfetto) const SCHED_SWITCH: u32 = 4;
}

/// `SchedSwitchFtraceEvent`.
pub(super) mod switch {
    pub(in crate::perfetto) const PREV_COMM: u32 = 1;
    pub(in crate::perfetto) const PREV_PID: u32 = 2;
    pub(in crate::perfetto) const PREV_PRIO: u32 = 3;
    pub(in crate::perfetto) const PREV_STATE: u32 = 4;
    pub(in crate::perfetto) const NEXT_COMM: u32 = 5;
    pub(in crate::perfetto) const NEXT_PID: u32 = 6;
    pub(in crate::perfetto) const NEXT_PRIO: u32 = 7;
    /// Values of `PREV_STATE`.
    pub(in crate::perfetto) const RUNNABLE: u64 = 0;
    pub(in crate::perfetto) const SLEEPING: u64 = 1;
    /// The usual priority.
    pub(in crate::perfetto) const PRIORITY: u64 = 120;
}
