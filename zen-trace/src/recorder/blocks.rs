//! The memory for steps: blocks of a fixed size, all of them taken from the system at the start.

use std::net::SocketAddr;
use std::panic::Location;

use zen_server::Step;

/// How many records a block holds.
pub(super) const BLOCK: usize = 64;

/// What a thread records.
#[derive(Debug, Clone, Copy)]
pub(super) enum Record {
    Step(RecordedStep),
    /// The address of a conversation's peer.
    Peer {
        conversation: u64,
        address: SocketAddr,
    },
}

// The documentation of `Recorder` says so. An address takes no more than a step.
const _: () = assert!(size_of::<Record>() == 48);

/// A step as it is recorded.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordedStep {
    pub(super) wall_ns: u64,
    pub(super) cpu_ns: u64,
    /// The number of its conversation, or 0 for a step of the thread itself.
    pub(super) conversation: u64,
    pub(super) step: Step,
    pub(super) place: &'static Location<'static>,
}

/// Records of one thread that follow each other. Never grows.
pub(super) type Block = Vec<Record>;

/// All blocks but those that threads write to.
#[derive(Debug)]
pub(super) struct Blocks {
    free: Vec<Block>,
    /// Full blocks, each with the number of its thread, in the order in which they were filled.
    full: Vec<(u64, Block)>,
}

impl Blocks {
    /// Blocks for this many steps at least. Every page is written to, so that the system gives all
    /// of them now.
    pub(super) fn new(steps: usize) -> Self {
        let count = steps.div_ceil(BLOCK).max(1);
        let place = Location::caller();
        let filler = RecordedStep { wall_ns: 0, cpu_ns: 0, conversation: 0, step: Step::Idle, place };
        let block = || {
            let mut block = vec![Record::Step(filler); BLOCK];
            block.clear();
            block
        };
        Self { free: (0..count).map(|_| block()).collect(), full: Vec::with_capacity(count) }
    }

    /// A block with nothing in it, if there is one left.
    pub(super) fn take(&mut self) -> Option<Block> {
        self.free.pop()
    }

    /// Keeps a full block of the thread that has this number.
    pub(super) fn keep(&mut self, thread: u64, block: Block) {
        self.full.push((thread, block));
    }

    /// The records of a thread that were kept, in the order of time.
    pub(super) fn kept(&self, thread: u64) -> impl Iterator<Item = &Record> {
        self.full.iter().filter(move |(number, _)| *number == thread).flat_map(|(_, block)| block)
    }

    /// Takes back the blocks of a thread, whose records are forgotten.
    pub(super) fn take_back(&mut self, thread: u64, written_to: Option<Block>) {
        let kept = self.full.extract_if(.., |(number, _)| *number == thread).map(|(_, block)| block);
        for mut block in kept.chain(written_to) {
            block.clear();
            self.free.push(block);
        }
    }
}
