//! The curve of a long run: what the server held, minute by minute.

use crate::plot::{Axis, Line, Plot};

/// The picture of the table that the scenario `soak` keeps, or nothing when it was too short for one.
pub(crate) fn soak(table: &str) -> Option<String> {
    let mut memory = Vec::new();
    let mut descriptors = Vec::new();
    for line in table.lines().skip(1) {
        let mut fields = line.split('\t').map(str::parse::<f64>);
        let (Some(Ok(seconds)), Some(Ok(mebibytes)), Some(Ok(open))) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let minute = (seconds / 60.0).floor();
        // One point for each minute: its first sample.
        if memory.last().is_none_or(|(last, _)| *last < minute) {
            memory.push((minute, mebibytes));
            descriptors.push((minute, open));
        }
    }
    let line = |name: &str, points| Line {
        name: name.to_owned(),
        points,
    };
    let is_curve = memory.len() > 2;
    is_curve.then(|| {
        let plot = Plot {
            title: "What the server holds under the usual load",
            x: "minutes",
            axis: Axis::Linear,
            lines: vec![
                line("resident memory, MiB", memory),
                line("open descriptors", descriptors),
            ],
        };
        plot.draw()
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn a_minute_has_a_point() {
        let mut table = "seconds\tresident_mib\tdescriptors\tanswered\n".to_owned();
        for sample in 0..40_u32 {
            let _ = writeln!(table, "{}\t50.5\t30\t100", 5 * sample);
        }
        let svg = soak(&table).unwrap();
        assert_eq!(svg.matches("<circle").count(), 8);
        assert!(svg.contains(">open descriptors<"), "{svg}");
        assert_eq!(
            soak("seconds\tresident_mib\tdescriptors\tanswered\n5\t1\t1\t1\n"),
            None
        );
    }
}
