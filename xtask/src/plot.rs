//! Lines over an axis, as SVG.

use std::fmt::Write as _;

/// A drawing with some lines.
#[derive(Debug)]
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    /// What stands along the lower edge.
    pub(crate) x: &'a str,
    pub(crate) axis: Axis,
    pub(crate) lines: Vec<Line>,
}

/// How far apart two places are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    /// By how many times one is the other. Every x is greater than zero.
    Logarithmic,
    /// By how much one is more than the other.
    Linear,
}

impl Axis {
    fn place(self, x: f64) -> f64 {
        match self {
            Self::Logarithmic => x.ln(),
            Self::Linear => x,
        }
    }
}

/// A line, by its points from left to right.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

const SIZE: (f64, f64) = (720.0, 400.0);
const LEFT: f64 = 80.0;
const RIGHT: f64 = 540.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 350.0;
/// Told apart by most who see colours differently (Okabe and Ito).
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

impl Plot<'_> {
    /// The picture.
    pub(crate) fn draw(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let mut places: Vec<_> = points().map(|point| point.0).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let (first, last) = match places[..] {
            [first, .., last] => (self.axis.place(first), self.axis.place(last)),
            _ => (0.0, 1.0),
        };
        let step = step(points().map(|point| point.1).fold(0.0, f64::max) / 5.0);
        let across = |x: f64| LEFT + (self.axis.place(x) - first) / (last - first) * (RIGHT - LEFT);
        let up = |y: f64| BOTTOM - y / (6.0 * step) * (BOTTOM - TOP);

        let (width, height) = SIZE;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
        );
        let text = |svg: &mut String, x: f64, y: f64, anchor: &str, text: &str| {
            let _ = writeln!(
                svg,
                "<text x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"{anchor}\">{}</text>",
                escaped(text)
            );
        };
        text(&mut svg, LEFT, 22.0, "start", self.title);
        text(
            &mut svg,
            f64::midpoint(LEFT, RIGHT),
            388.0,
            "middle",
            self.x,
        );
        for mark in 0..=6 {
            let y = f64::from(mark) * step;
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {height:.1}H{RIGHT}\" stroke=\"#ddd\"/>",
                height = up(y)
            );
            text(&mut svg, LEFT - 8.0, up(y) + 4.0, "end", &plain(y));
        }
        for place in &places {
            text(
                &mut svg,
                across(*place),
                BOTTOM + 18.0,
                "middle",
                &plain(*place),
            );
        }
        for (line, colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            let corners: Vec<_> = line
                .points
                .iter()
                .map(|(x, y)| format!("{:.1},{:.1}", across(*x), up(*y)))
                .collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                corners.join(" ")
            );
            for corner in &corners {
                let (x, y) = corner.split_once(',').unwrap_or_default();
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>"
                );
            }
        }
        for ((line, colour), row) in self.lines.iter().zip(COLOURS.iter().cycle()).zip(0_u32..) {
            let y = TOP + 10.0 + f64::from(row) * 20.0;
            let _ = writeln!(
                svg,
                "<path d=\"M{} {y}h20\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                RIGHT + 20.0
            );
            text(&mut svg, RIGHT + 46.0, y + 4.0, "start", &line.name);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// The next of 1, 2, 2.5, 5, 10 and so on.
fn step(least: f64) -> f64 {
    if least <= 0.0 {
        return 1.0;
    }
    let magnitude = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0].map(|part| part * magnitude);
    steps
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(10.0 * magnitude)
}

/// A number with its thousands set apart.
fn plain(number: f64) -> String {
    let digits = format!("{number:.0}");
    if (number - number.round()).abs() > 1e-9 {
        return format!("{number}");
    }
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_and_every_place_is_in_the_picture() {
        let line = |name: &str, y| Line {
            name: name.to_owned(),
            points: vec![(1.0, y), (10_000.0, 2.0 * y), (1_000_000.0, 3.0 * y)],
        };
        let plot = Plot {
            title: "a < b",
            x: "keys",
            axis: Axis::Logarithmic,
            lines: vec![line("one", 100.0), line("two", 50.0)],
        };
        let svg = plot.draw();
        for wanted in [
            "a &lt; b",
            ">one<",
            ">two<",
            ">1<",
            ">10,000<",
            ">1,000,000<",
        ] {
            assert!(svg.contains(wanted), "{wanted} in {svg}");
        }
        assert_eq!(svg.matches("<circle").count(), 6);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn a_linear_axis_may_begin_at_zero() {
        let points = vec![(0.0, 5.0), (1.0, 5.0), (2.0, 6.0)];
        let plot = Plot {
            title: "",
            x: "minutes",
            axis: Axis::Linear,
            lines: vec![Line {
                name: String::new(),
                points,
            }],
        };
        let svg = plot.draw();
        let middle = format!("cx=\"{:.1}\"", f64::midpoint(LEFT, RIGHT));
        assert!(svg.contains(&middle) && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn steps_are_round_numbers() {
        assert!((step(61.0) - 100.0).abs() < 1e-9);
        assert!((step(0.21) - 0.25).abs() < 1e-9);
        assert!((step(0.0) - 1.0).abs() < 1e-9);
        assert_eq!(plain(1_234_567.0), "1,234,567");
        assert_eq!(plain(0.25), "0.25");
    }
}
