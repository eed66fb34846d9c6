//! The columns of the terminal's table, and which of them are left out where there is no room.

use crate::scenario::Metric;

/// Longer names are shortened.
const LONGEST_NAME: usize = 24;
/// The longest name where there is hardly any room.
const SHORTEST_NAME: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Flavor,
    Metric(Metric),
    P50,
    Occupancy,
    Served,
    /// The ends of the interval of the metric that ranks; stands beside that metric.
    Interval,
    Standing,
}

/// The order of the columns; the interval follows the metric that ranks.
const ORDER: [Column; 9] = [
    Column::Flavor,
    Column::Metric(Metric::Throughput),
    Column::P50,
    Column::Metric(Metric::P99Latency),
    Column::Metric(Metric::CpuPerQuestion),
    Column::Metric(Metric::TimesFloor),
    Column::Occupancy,
    Column::Served,
    Column::Standing,
];

/// The columns that may be left out, in the order in which they go; the metric that ranks always
/// stays.
const EXPENDABLE: [Column; 8] = [
    Column::P50,
    Column::Occupancy,
    Column::Served,
    Column::Metric(Metric::P99Latency),
    Column::Metric(Metric::TimesFloor),
    Column::Metric(Metric::CpuPerQuestion),
    Column::Metric(Metric::Throughput),
    Column::Interval,
];

impl Column {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flavor => "flavor",
            Self::Metric(metric) => metric.heading(),
            Self::P50 => "p50",
            Self::Occupancy => "occupancy",
            Self::Served => "served",
            Self::Interval => "95 % CI",
            Self::Standing => "",
        }
    }

    /// The least width, including the gap after the column, so that the tables of a report are
    /// aligned.
    pub(crate) fn at_least(self) -> u16 {
        match self {
            Self::Flavor => 12,
            Self::Metric(Metric::Throughput) => 11,
            Self::Metric(Metric::CpuPerQuestion) | Self::Interval => 13,
            Self::Metric(_) | Self::P50 | Self::Served => 8,
            Self::Occupancy => 10,
            Self::Standing => 7,
        }
    }

    fn ranks(self, by: Metric) -> bool {
        self == Self::Metric(by)
    }
}

/// One possible layout of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) columns: Vec<Column>,
    pub(crate) left_out: Vec<Column>,
    /// Whether columns are as wide as in the other tables, even where they need less.
    pub(crate) aligned: bool,
    pub(crate) longest_name: usize,
}

/// All layouts, from the one with every column to the narrowest.
pub(crate) fn layouts(by: Metric) -> Vec<Layout> {
    let all = ORDER.into_iter().flat_map(|column| {
        let interval = column.ranks(by).then_some(Column::Interval);
        std::iter::once(column).chain(interval)
    });
    let all: Vec<Column> = all.collect();
    let expendable: Vec<Column> = EXPENDABLE.into_iter().filter(|column| !column.ranks(by)).collect();
    let without = |count: usize, aligned: bool, longest_name: usize| {
        let left_out = &expendable[..count];
        Layout {
            columns: all.iter().filter(|column| !left_out.contains(column)).copied().collect(),
            // Listed in the order in which they would stand.
            left_out: all.iter().filter(|column| left_out.contains(column)).copied().collect(),
            aligned,
            longest_name,
        }
    };
    let most = expendable.len();
    let mut layouts: Vec<Layout> = (0..most).map(|count| without(count, true, LONGEST_NAME)).collect();
    // A metric without its interval says little, so alignment and long names are given up before
    // it.
    layouts.push(without(most - 1, false, LONGEST_NAME));
    layouts.push(without(most - 1, false, SHORTEST_NAME));
    layouts.push(without(most, false, LONGEST_NAME));
    layouts.push(without(most, false, SHORTEST_NAME));
    layouts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_stands_beside_the_metric_that_ranks_and_both_stay_longest() {
        for (by, measure) in [
            (Metric::Throughput, Column::Metric(Metric::Throughput)),
            (Metric::CpuPerQuestion, Column::Metric(Metric::CpuPerQuestion)),
            (Metric::P99Latency, Column::Metric(Metric::P99Latency)),
        ] {
            let layouts = layouts(by);
            assert_eq!((layouts[0].columns.len(), layouts[0].left_out.len()), (10, 0));
            for layout in &layouts {
                let place = |column| layout.columns.iter().position(|own| *own == column);
                assert_eq!(place(Column::Flavor), Some(0));
                assert_eq!(place(Column::Standing), Some(layout.columns.len() - 1));
                let beside = place(measure).unwrap() + 1;
                assert!(place(Column::Interval).is_none_or(|place| place == beside), "{layout:?}");
                assert_eq!(layout.columns.len() + layout.left_out.len(), 10);
            }
            assert_eq!(layouts.last().unwrap().columns, [Column::Flavor, measure, Column::Standing]);
        }
    }
}
