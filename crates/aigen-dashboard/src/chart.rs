//! Lines and bars as SVG that follows the page's colours.

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::prelude::*;

const SIZE: (u32, u32) = (640, 200);

/// plotters knows colours by their numbers alone. These stand for names and are replaced by them
/// (`themed`), so that a chart is light where the page is light.
const INK: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(1, 1, 2);
const SERIES: [RGBColor; 6] = [
    RGBColor(1, 2, 1),
    RGBColor(1, 2, 2),
    RGBColor(1, 2, 3),
    RGBColor(1, 2, 4),
    RGBColor(1, 2, 5),
    RGBColor(1, 2, 6),
];
const NAMES: [(&str, &str); 8] = [
    ("#010101", "var(--ink)"),
    ("#010102", "var(--line)"),
    ("#010201", "var(--series-1)"),
    ("#010202", "var(--series-2)"),
    ("#010203", "var(--series-3)"),
    ("#010204", "var(--series-4)"),
    ("#010205", "var(--series-5)"),
    ("#010206", "var(--series-6)"),
];

/// A line of a chart.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// Lines over a common axis, with a legend in words; nothing where no line has two points.
pub fn lines(title: &str, lines: &[Line]) -> Markup {
    if lines.iter().all(|line| line.points.len() < 2) {
        return html! {};
    }
    let (x, y) = bounds(lines);
    let svg = drawn(|root| {
        let mut chart = ChartBuilder::on(root)
            .margin(8)
            .x_label_area_size(24)
            .y_label_area_size(56)
            .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(GRID)
            .label_style(("sans-serif", 12, &INK))
            // Epochs are whole: no more labels than there are of them.
            .x_labels((x.1 - x.0).min(8.0) as usize + 1)
            .y_labels(5)
            .x_label_formatter(&|x| tick(*x))
            .y_label_formatter(&|y| tick(*y))
            .draw()?;
        for (line, color) in lines.iter().zip(SERIES.iter().cycle()) {
            chart.draw_series(LineSeries::new(line.points.clone(), color.stroke_width(2)))?;
            let dots = line
                .points
                .iter()
                .map(|at| Circle::new(*at, 3, color.filled()));
            chart.draw_series(dots)?;
        }
        Ok(())
    });
    html! {
        figure.chart {
            figcaption { (title) }
            div role="img" aria-label=(described(title, lines)) { (PreEscaped(svg)) }
            ul.legend {
                @for (line, series) in lines.iter().zip((1..=SERIES.len()).cycle()) {
                    li class={ "series-" (series) } { (line.name) }
                }
            }
        }
    }
}

/// For who does not see it: each line's last value.
fn described(title: &str, lines: &[Line]) -> String {
    let last = |line: &Line| {
        let (_, value) = line.points.last().copied().unwrap_or_default();
        format!("{}: {}", line.name, tick(value))
    };
    let lasts: Vec<_> = lines.iter().map(last).collect();
    format!("{title}. Last values: {}", lasts.join(", "))
}

fn tick(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn bounds(lines: &[Line]) -> ((f64, f64), (f64, f64)) {
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let of = |pick: fn(&(f64, f64)) -> f64| {
        let low = points().map(pick).fold(f64::INFINITY, f64::min);
        let high = points().map(pick).fold(f64::NEG_INFINITY, f64::max);
        if low.is_finite() {
            (low, high)
        } else {
            (0.0, 1.0)
        }
    };
    let (x, y) = (of(|point| point.0), of(|point| point.1));
    let wide = |(low, high): (f64, f64)| {
        if high > low {
            (low, high)
        } else {
            (low, low + 1.0)
        }
    };
    // From nothing on: a line that is cut off below makes little look like much.
    let y = (y.0.min(0.0), y.1 + (y.1 - y.0.min(0.0)) * 0.05);
    (wide(x), wide(y))
}

type Root<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

fn drawn(draw: impl FnOnce(&Root<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        if draw(&root).is_err() {
            // A string cannot fail to be written; were it otherwise, the legend still stands.
            return String::new();
        }
    }
    themed(&svg)
}

fn themed(svg: &str) -> String {
    let mut text = svg.to_owned();
    for (number, name) in NAMES {
        text = text.replace(number, name);
    }
    let (width, height) = SIZE;
    let fixed = format!("width=\"{width}\" height=\"{height}\"");
    text.replacen(&fixed, "aria-hidden=\"true\"", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(f64, f64)]) -> Line {
        Line {
            name: "score <b>".to_owned(),
            points: points.to_vec(),
        }
    }

    #[test]
    fn charts_take_their_colours_from_the_page_and_escape_names() {
        let svg = lines("Scores", &[line(&[(0.0, 0.3), (1.0, 0.6)])]).into_string();
        assert!(
            svg.contains("var(--series-1)") && svg.contains("var(--ink)"),
            "{svg}"
        );
        assert!(!svg.contains("#0102"), "{svg}");
        assert!(
            !svg.contains("<b>") && svg.contains("score &lt;b&gt;"),
            "{svg}"
        );
        assert!(
            !svg.contains("style="),
            "no style may stand in a page: {svg}"
        );
        assert!(svg.contains("Last values: score &lt;b&gt;: 0.6"), "{svg}");
    }

    #[test]
    fn charts_of_little_are_charts() {
        for points in [&[(3.0, 0.0), (4.0, 0.0)][..], &[(0.0, 0.0), (0.0, 0.0)]] {
            let svg = lines("Level", &[line(points)]).into_string();
            assert!(svg.contains("<svg"), "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
        for points in [&[][..], &[(3.0, 0.0)]] {
            assert_eq!(
                lines("One", &[line(points)]).into_string(),
                "",
                "a table says it"
            );
        }
    }
}
