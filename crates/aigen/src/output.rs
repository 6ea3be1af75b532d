//! Data on stdout, talk on stderr.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::time::Duration;

/// How often somebody is asked how far it is: as often as a person sees a difference.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Does something, and looks now and then how far it is, until it is done.
pub async fn looking<T>(work: impl Future<Output = T>, mut look: impl AsyncFnMut()) -> T {
    let looks = async {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            look().await;
        }
    };
    tokio::select! {
        done = work => done,
        never = looks => never,
    }
}

/// How this run speaks.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Data as JSON, one value per line.
    pub json: bool,
    /// Data and errors only.
    pub quiet: bool,
}

impl Output {
    /// Prints what was asked for: `value` as one line of JSON, or the text for people.
    ///
    /// # Errors
    /// When stdout cannot be written to.
    pub fn data<T: Serialize>(&self, value: &T, human: impl FnOnce() -> String) -> Result<()> {
        let mut text = if self.json {
            serde_json::to_string(value)?
        } else {
            human()
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        write_stdout(&text)
    }

    /// Prints a list: as JSON `{"data": […]}`, as every list of the API is, or the text for people.
    ///
    /// # Errors
    /// When stdout cannot be written to.
    pub fn list<T: Serialize>(&self, rows: &[T], human: impl FnOnce() -> String) -> Result<()> {
        self.data(&serde_json::json!({ "data": rows }), human)
    }

    /// Prints a part of an answer as it comes.
    ///
    /// # Errors
    /// When stdout cannot be written to.
    pub fn piece(&self, text: &str) -> Result<()> {
        write_stdout(text)
    }

    /// Talks: what is being done, what to do next.
    pub fn say(&self, text: impl Display) {
        if !self.quiet {
            // Talk that nobody can hear is not worth failing for.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// A progress bar over `total` bytes, on stderr, only where somebody looks at it.
    pub fn byte_progress(&self, total: Option<u64>) -> ProgressBar {
        let bar = self.bar(total);
        bar.set_style(style(match total {
            Some(_) => "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            None => "{spinner} {bytes}, {bytes_per_sec}",
        }));
        bar
    }

    /// A progress bar over `total` things of this name.
    pub fn progress(&self, total: Option<u64>, things: &str) -> ProgressBar {
        let bar = self.bar(total);
        bar.set_style(style(&match total {
            Some(_) => format!("{{bar:30}} {{pos}} of {{len}} {things}"),
            None => format!("{{spinner}} {{pos}} {things}"),
        }));
        bar
    }

    /// Shows that something is waited for, and for how long already.
    pub fn waiting(&self, what: String) -> ProgressBar {
        let bar = self.bar(None);
        bar.set_style(style("{spinner} {msg}, {elapsed}"));
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    fn bar(&self, total: Option<u64>) -> ProgressBar {
        match total {
            _ if self.quiet || self.json => ProgressBar::hidden(),
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::new_spinner(),
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are valid")
}

fn write_stdout(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Columns that line up and can be read aloud: a line of headings, then the rows.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        let headings = headings
            .iter()
            .map(|heading| (*heading).to_owned())
            .collect();
        Self {
            rows: vec![headings],
        }
    }

    /// Adds a row, one cell per heading.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<_> = cells.into_iter().map(|cell| line(&cell)).collect();
        debug_assert_eq!(cells.len(), self.rows[0].len(), "one cell per heading");
        self.rows.push(cells);
    }

    /// The table, or this sentence where it has no rows: headings alone look like something that broke.
    pub fn or(&self, nothing: &str) -> String {
        match self.rows.len() {
            1 => format!("{nothing}\n"),
            _ => self.to_string(),
        }
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        (0..self.rows[0].len()).map(width).collect()
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for row in &self.rows {
            let cells = row.iter().zip(&widths);
            let line: Vec<_> = cells
                .map(|(cell, &width)| format!("{cell:<width$}"))
                .collect();
            writeln!(f, "{}", line.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Flat rows as comma-separated values, with a line of headings.
///
/// # Errors
/// A row that is not flat.
pub fn csv<T: Serialize>(rows: &[T]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// A text of somebody's on one line: what would break it, or act on a terminal, is written out.
pub fn line(text: &str) -> String {
    written_out(text, |_| false)
}

/// The same of a text that has lines.
pub fn lines(text: &str) -> String {
    written_out(text, |c| matches!(c, '\n' | '\t'))
}

fn written_out(text: &str, stays: fn(char) -> bool) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match (c.is_control() || reorders) && !stays(c) {
            true => plain.extend(c.escape_default()),
            false => plain.push(c),
        }
    }
    plain
}

/// So many of them: `1 row`, `2 rows`.
pub fn counted(count: u64, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

/// Bytes in the unit people use.
pub fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_say_acts_on_no_terminal() {
        let said = "a\nb\u{1b}[31mc\u{202e}d\té";
        assert_eq!(line(said), r"a\nb\u{1b}[31mc\u{202e}d\té");
        assert_eq!(lines(said), "a\nb\\u{1b}[31mc\\u{202e}d\té");
        let mut table = Table::new(&["a", "b"]);
        table.row([said.into(), "x".into()]);
        assert_eq!(table.to_string().lines().count(), 2);
    }

    #[test]
    fn a_table_without_rows_is_a_sentence() {
        let mut table = Table::new(&["model"]);
        assert_eq!(table.or("There are no models."), "There are no models.\n");
        table.row(["aigen-tiny".into()]);
        assert_eq!(table.or("There are no models."), "model\naigen-tiny\n");
    }

    #[test]
    fn columns_line_up_without_trailing_spaces() {
        let mut table = Table::new(&["model", "bytes"]);
        table.row(["aigen-tiny".into(), "7".into()]);
        table.row(["é".into(), "1200".into()]);
        assert_eq!(
            table.to_string(),
            "model       bytes\naigen-tiny  7\né           1200\n"
        );
    }
}
