//! `docs/performance.md`, between its marks, and its pictures.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::GROUPS;
use super::figures::Figure;
use crate::failure::{Attempt, Outcome};
use crate::machine;
use crate::marks::Marks;
use crate::plot::{Axis, Line, Plot};

const MEASURED: Marks = Marks {
    begin: "<!-- measured: written by `cargo xtask bench` -->",
    end: "<!-- /measured -->",
};
/// The folder of the pictures, beside the page.
const PICTURES: &str = "performance";

/// Writes the page's table and its pictures into `docs`.
pub(super) fn write(docs: &Path, figures: &[Figure], command: &str, load: Option<f64>) -> Outcome {
    let mut machine = machine::describe();
    if let Some(load) = load {
        let _ = write!(machine, "; load average {load:.1} when it began");
    }
    let measured = measured(figures, command, &machine);
    MEASURED.write(&docs.join("performance.md"), &measured)?;
    let pictures = docs.join(PICTURES);
    fs::create_dir_all(&pictures).attempt(|| format!("cannot make {}", pictures.display()))?;
    for (name, plot) in plots(figures) {
        save(&pictures.join(name), &plot.draw())?;
    }
    Ok(())
}

fn save(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).attempt(|| format!("cannot write {}", path.display()))
}

fn measured(figures: &[Figure], command: &str, machine: &str) -> String {
    let mut text = format!("`{command}` on: {machine}.\n\n");
    for (name, plot) in plots(figures) {
        let _ = writeln!(text, "![{}]({PICTURES}/{name})\n", plot.title);
    }
    text.push_str("### Goals\n\n");
    text.push_str(
        "| figure | measured | from – to | goal | |\n| --- | ---: | --- | ---: | --- |\n",
    );
    for figure in figures {
        if let Some(met) = figure.is_met() {
            let verdict = if met { "met" } else { "**not met**" };
            let (value, spread, goal) = (figure.value(), figure.spread(), figure.goal());
            let _ = writeln!(
                text,
                "| {} | {value} | {spread} | {goal} | {verdict} |",
                figure.id
            );
        }
    }
    for group in GROUPS {
        let _ = writeln!(text, "\n### `{group}`\n");
        text.push_str("| figure | measured | from – to |\n| --- | ---: | --- |\n");
        for figure in figures.iter().filter(|figure| figure.group() == group) {
            let (value, spread) = (figure.value(), figure.spread());
            let _ = writeln!(text, "| {} | {value} | {spread} |", figure.name());
        }
    }
    text
}

fn plots(figures: &[Figure]) -> [(&'static str, Plot<'static>); 2] {
    let line = |name: &str, id: &str, scale: f64| {
        let points = figures.iter().filter_map(|figure| {
            let place = figure.id.strip_prefix(id)?.strip_prefix('/')?;
            Some((place.parse().ok()?, figure.middle * scale))
        });
        Line {
            name: name.to_owned(),
            points: points.collect(),
        }
    };
    let latency = Plot {
        title: "One warm check, in nanoseconds",
        x: "keys remembered",
        axis: Axis::Logarithmic,
        lines: vec![
            line("one thread", "verify/warm-1", 1e9),
            line("each of two threads", "verify/warm-2", 1e9),
            line("the guard, one thread", "verify/guard-1", 1e9),
        ],
    };
    let throughput = Plot {
        title: "Requests a second; client and server on the same cores",
        x: "connections",
        axis: Axis::Logarithmic,
        lines: vec![
            line("axum, open", "http/axum-bare", 1.0),
            line("axum, guarded", "http/axum-guarded", 1.0),
            line("actix, open", "http/actix-bare", 1.0),
            line("actix, guarded", "http/actix-guarded", 1.0),
        ],
    };
    [("latency.svg", latency), ("throughput.svg", throughput)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(text: &str) -> Vec<Figure> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("figures");
        fs::write(&file, text).unwrap();
        super::super::figures::read(&file).unwrap()
    }

    #[test]
    fn a_goal_that_was_missed_is_said_so() {
        let figures = figures(
            "verify/warm-1/1\ts\t1e-7\t5e-7\t9e-7\t<=\t4e-7\nhttp/axum-bare/8\t1/s\t9\t9\t9\t\t\n",
        );
        let text = measured(&figures, "cargo xtask bench", "a machine");
        assert!(
            text.contains(
                "| verify/warm-1/1 | 500 ns | 100 ns – 900 ns | ≤ 400 ns | **not met** |"
            ),
            "{text}"
        );
        assert!(text.contains("| axum-bare/8 | 9.00 /s |  |"), "{text}");
    }

    #[test]
    fn a_line_is_drawn_of_the_figures_that_belong_to_it() {
        let figures = figures(
            "http/axum-bare/1\t1/s\t1\t2\t3\t\t\nhttp/axum-bare/8\t1/s\t1\t9\t9\t\t\nhttp/axum-bare-x/8\t1/s\t1\t9\t9\t\t\n",
        );
        let [_, (name, throughput)] = plots(&figures);
        assert_eq!(name, "throughput.svg");
        assert_eq!(throughput.lines[0].points, [(1.0, 2.0), (8.0, 9.0)]);
    }
}
