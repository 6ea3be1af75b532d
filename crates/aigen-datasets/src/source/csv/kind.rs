use serde_json::{Number, Value};

/// What the cells of a column are, by those seen so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// All were empty.
    Unknown,
    Boolean,
    Number,
    Text,
}

impl Kind {
    /// With one more cell.
    pub(super) fn with(self, cell: &str) -> Self {
        if self == Self::Text || cell.is_empty() {
            return self;
        }
        let kind = match cell {
            "true" | "false" => Self::Boolean,
            _ if number(cell).is_some() => Self::Number,
            _ => Self::Text,
        };
        match self {
            Self::Unknown => kind,
            same if same == kind => kind,
            _ => Self::Text,
        }
    }

    pub(super) fn value(self, cell: &str, quoted: bool) -> Value {
        match self {
            Self::Text if quoted || !cell.is_empty() => cell.into(),
            _ if cell.is_empty() => Value::Null,
            Self::Boolean => (cell == "true").into(),
            Self::Number => number(cell).map_or_else(|| cell.into(), Value::Number),
            Self::Unknown | Self::Text => cell.into(),
        }
    }
}

/// A number as JSON writes it, if it is kept exactly: an integer of 64 bits, or a decimal with at most
/// 17 digits, which a double tells apart.
fn number(cell: &str) -> Option<Number> {
    let first = cell.trim_start_matches('-').as_bytes().first()?;
    if !first.is_ascii_digit() {
        return None;
    }
    let number: Number = serde_json::from_str(cell).ok()?;
    let mantissa = cell.split(['e', 'E']).next().unwrap_or(cell);
    let significant = mantissa.trim_start_matches(['-', '0', '.']);
    let digits = significant.bytes().filter(u8::is_ascii_digit).count();
    let exact = number.as_i64().is_some() || number.is_f64() && digits <= 17;
    exact.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn columns() {
        let rows = "
            1 2 3             | Number  | 1 2 3
            1.5 2             | Number  | 1.5 2
            007 1             | Text    | \"007\" \"1\"
            true false        | Boolean | true false
            true 1            | Text    | \"true\" \"1\"
            9223372036854775807 | Number | 9223372036854775807
            9223372036854775808 | Text | \"9223372036854775808\"
            0.30000000000000004 | Number | 0.30000000000000004
            0.300000000000000041 | Text | \"0.300000000000000041\"
            1e400             | Text    | \"1e400\"
            -1 +1             | Text    | \"-1\" \"+1\"
            .5                | Text    | \".5\"
            NaN               | Text    | \"NaN\"
        ";
        for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let column: Vec<&str> = cells[0].split(' ').collect();
            let kind = column
                .iter()
                .fold(Kind::Unknown, |kind, cell| kind.with(cell));
            assert_eq!(format!("{kind:?}"), cells[1], "{row}");
            let values: Vec<String> = column
                .iter()
                .map(|cell| kind.value(cell, false).to_string())
                .collect();
            assert_eq!(values.join(" "), cells[2], "{row}");
        }
    }
}
