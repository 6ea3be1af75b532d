//! Columns whose integers are nanoseconds. The decoder's rows show them as any other integer.

use super::{Unfit, instant, unfit};
use crate::error::ImportError;
use parquet::basic::{LogicalType, TimeUnit};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the integers count from.
#[derive(Clone, Copy)]
pub(super) enum Nanos {
    /// 1970.
    Epoch,
    /// Midnight.
    Midnight,
}

impl Nanos {
    pub(super) fn value(self, nanos: i64) -> Result<Value, Unfit> {
        match self {
            Self::Epoch => Ok(instant(i128::from(nanos)).into()),
            Self::Midnight => Err(unfit("a time of day")),
        }
    }
}

/// These columns, by name.
///
/// # Errors
/// There is one within lists or groups, whose values could not be told from integers.
pub(super) fn of(schema: &SchemaDescriptor) -> Result<BTreeMap<String, Nanos>, ImportError> {
    let mut found = BTreeMap::new();
    for column in schema.columns() {
        let Some(nanos) = counted(column) else {
            continue;
        };
        match column.path().parts() {
            [name] if column.max_rep_level() == 0 => found.insert(name.clone(), nanos),
            _ => return Err(within(column)),
        };
    }
    Ok(found)
}

fn counted(column: &ColumnDescriptor) -> Option<Nanos> {
    match column.logical_type_ref()? {
        LogicalType::Timestamp(of) if of.unit == TimeUnit::NANOS => Some(Nanos::Epoch),
        LogicalType::Time(of) if of.unit == TimeUnit::NANOS => Some(Nanos::Midnight),
        _ => None,
    }
}

fn within(column: &ColumnDescriptor) -> ImportError {
    ImportError::unfit(
        format!(
            "column {}: times in nanoseconds are not read within lists and groups",
            column.path()
        ),
        "cast them to microseconds, or to text",
    )
}
