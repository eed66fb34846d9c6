//! The core against a loop written by hand, with 64 questions to a segment and with one.
#![allow(missing_docs)] // Criterion's macros write public items without.

mod contenders;

use contenders::{ByHand, Contender, Core, answered, segment};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn turns(criterion: &mut Criterion) {
    for questions in [64, 1] {
        let mut group = criterion.benchmark_group("turn");
        group.throughput(Throughput::Elements(questions as u64));
        let (segment, answered) = (segment(questions), answered(questions));
        let mut measure = |name, contender: &mut dyn Contender| {
            assert_eq!(contender.turn(&segment), answered);
            group.bench_function(BenchmarkId::new(name, questions), |bencher| {
                bencher.iter(|| contender.turn(&segment));
            });
        };
        measure("conversation", &mut Core::default());
        measure("by hand", &mut ByHand::default());
        group.finish();
    }
}

criterion_group!(benches, turns);
criterion_main!(benches);
