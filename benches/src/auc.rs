//! How well two kinds of samples can be told apart by their size alone.

use crate::timing::Spread;

/// The area under the curve of a test that says which of two samples, one of each kind, is the `first`: the probability that
/// a sample of the first is larger than one of the second, equal ones counted by half. It is the statistic of Mann and Whitney
/// (1947) over the number of pairs. With 0.5 nothing can be told; with 0 or 1 one sample tells all. `low` and `high` are the
/// interval at 95 % (`DeLong` and others, 1988).
#[must_use]
pub fn auc(first: &[f64], second: &[f64]) -> Spread {
    let above = placements(first, second);
    let below = placements(second, first);
    let middle = mean(&above);
    let error = (variance(&above) / count(&above) + variance(&below) / count(&below)).sqrt();
    Spread {
        low: (middle - 1.96 * error).max(0.0),
        middle,
        high: (middle + 1.96 * error).min(1.0),
    }
}

/// Of each sample, which part of the others it is above.
fn placements(samples: &[f64], others: &[f64]) -> Vec<f64> {
    let mut sorted = others.to_vec();
    sorted.sort_by(f64::total_cmp);
    let part = |sample: &f64| {
        let below = sorted.partition_point(|other| other < sample);
        let not_above = sorted.partition_point(|other| other <= sample);
        as_float(below + not_above) / (2.0 * count(&sorted))
    };
    samples.iter().map(part).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values)
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2));
    squares.sum::<f64>() / (count(values) - 1.0)
}

fn count(values: &[f64]) -> f64 {
    as_float(values.len())
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand samples")]
const fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::mixed;

    /// Samples between 0 and 1 that look random.
    fn samples(from: u64, many: u64) -> Vec<f64> {
        let sample =
            |number| f64::from(u32::try_from(mixed(number) >> 32).unwrap()) / 2.0_f64.powi(32);
        (from..from + many).map(sample).collect()
    }

    fn near(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-9
    }

    #[test]
    fn it_is_the_part_of_the_pairs_in_which_the_first_is_larger() {
        for (first, second, expected) in [
            ([1.0, 2.0], [3.0, 4.0], 0.0),
            ([3.0, 4.0], [1.0, 2.0], 1.0),
            ([1.0, 4.0], [2.0, 3.0], 0.5),
            ([2.0, 4.0], [1.0, 3.0], 0.75),
            ([1.0, 2.0], [1.0, 2.0], 0.5),
            ([2.0, 2.0], [1.0, 2.0], 0.75),
        ] {
            let found = auc(&first, &second);
            assert!(
                near(found.middle, expected),
                "{first:?} {second:?}: {found:?}"
            );
        }
    }

    #[test]
    fn the_interval_is_that_of_the_statistic() {
        let found = auc(&samples(0, 2_000), &samples(10_000, 2_000));
        assert!(found.low < 0.5 && 0.5 < found.high, "{found:?}");
        // Without a difference the variance is (m + n + 1) / 12mn.
        let expected = 2.0 * 1.96 * (4_001.0_f64 / (12.0 * 4e6)).sqrt();
        assert!(
            (found.high - found.low - expected).abs() < expected / 20.0,
            "{found:?}"
        );
    }

    #[test]
    fn a_difference_that_is_small_to_the_noise_is_found() {
        let slower: Vec<_> = samples(10_000, 2_000)
            .iter()
            .map(|sample| sample + 0.1)
            .collect();
        let found = auc(&slower, &samples(0, 2_000));
        // Of two that are uniform, one shifted by d: 1/2 + d - d²/2.
        assert!(found.low < 0.595 && 0.595 < found.high, "{found:?}");
        assert!(found.low > 0.52, "{found:?}");
    }
}
