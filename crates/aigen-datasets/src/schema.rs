use crate::canonical::whole;
use crate::limits::{COLUMN_NAME_BYTES_MAX, COLUMNS_MAX};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What all values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// `true` or `false`.
    Boolean,
    /// Whole numbers from −2⁶³ to 2⁶³−1.
    Integer,
    /// Numbers, one of them at least not whole.
    Number,
    /// Text.
    Text,
    /// Lists, objects, or values of several kinds.
    Json,
}

impl ColumnType {
    /// Its name, as schemas have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(Self::Boolean),
            Value::Number(number) if whole(number).is_some() => Some(Self::Integer),
            Value::Number(_) => Some(Self::Number),
            Value::String(_) => Some(Self::Text),
            Value::Array(_) | Value::Object(_) => Some(Self::Json),
        }
    }

    /// The narrowest type that has the values of both.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Integer, Self::Number) | (Self::Number, Self::Integer) => Self::Number,
            _ => Self::Json,
        }
    }

    /// Whether a search looks into it.
    pub(crate) fn has_words(self) -> bool {
        matches!(self, Self::Text | Self::Json)
    }
}

/// One column of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, at most [`COLUMN_NAME_BYTES_MAX`] bytes.
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Whether some row has no value in it.
    pub nullable: bool,
}

/// The columns of the rows seen so far. A function of the rows and nothing else, like their digest.
#[derive(Default)]
pub(crate) struct Seen {
    columns: BTreeMap<String, (ColumnType, u64)>,
    rows: u64,
}

impl Seen {
    /// # Errors
    /// What is wrong with a name, or with their number.
    pub(crate) fn row(&mut self, fields: &BTreeMap<String, Value>) -> Result<(), (String, String)> {
        self.rows += 1;
        for (name, value) in fields {
            let Some(kind) = ColumnType::of(value) else {
                continue;
            };
            match self.columns.get_mut(name) {
                Some((known, values)) => {
                    *known = known.join(kind);
                    *values += 1;
                }
                None => self.add(name, kind).map_err(|what| (name.clone(), what))?,
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, kind: ColumnType) -> Result<(), String> {
        check_name(name)?;
        if self.columns.len() == COLUMNS_MAX {
            return Err(format!("more than {COLUMNS_MAX} columns"));
        }
        self.columns.insert(name.to_owned(), (kind, 1));
        Ok(())
    }

    /// In the order of their names.
    pub(crate) fn columns(self) -> Vec<Column> {
        let rows = self.rows;
        let column = |(name, (kind, values))| Column {
            name,
            kind,
            nullable: values < rows,
        };
        self.columns.into_iter().map(column).collect()
    }
}

/// # Errors
/// What is wrong with the name of a column.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a column without a name".into());
    }
    if name.len() > COLUMN_NAME_BYTES_MAX {
        return Err(format!(
            "a column's name has more than {COLUMN_NAME_BYTES_MAX} bytes"
        ));
    }
    if name.contains(|c: char| c.is_control() || c == ',') {
        return Err("a column's name with a comma or a control character".into());
    }
    Ok(())
}
