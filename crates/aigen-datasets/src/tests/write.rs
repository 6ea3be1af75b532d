//! Parquet files, written for tests.

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

/// A table of `name` (text), `size` (integer, may be missing) and `price` (double).
pub(super) fn parquet(rows: &[(&str, Option<i64>, f64)]) -> Vec<u8> {
    let schema = "message row { required binary price_name (UTF8); optional int64 size; required double price; }";
    let schema = schema.replace("price_name", "name");
    let schema = Arc::new(parse_message_type(&schema).expect("a schema"));
    let mut out = Vec::new();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(&mut out, schema, properties).expect("a writer");
    let mut group = file.next_row_group().expect("a group");
    let names: Vec<ByteArray> = rows.iter().map(|row| row.0.into()).collect();
    let sizes: Vec<i64> = rows.iter().filter_map(|row| row.1).collect();
    let levels: Vec<i16> = rows.iter().map(|row| i16::from(row.1.is_some())).collect();
    let prices: Vec<f64> = rows.iter().map(|row| row.2).collect();
    let mut column = group.next_column().expect("a column").expect("name");
    column
        .typed::<ByteArrayType>()
        .write_batch(&names, None, None)
        .expect("names");
    column.close().expect("closed");
    let mut column = group.next_column().expect("a column").expect("size");
    column
        .typed::<Int64Type>()
        .write_batch(&sizes, Some(&levels), None)
        .expect("sizes");
    column.close().expect("closed");
    let mut column = group.next_column().expect("a column").expect("price");
    column
        .typed::<DoubleType>()
        .write_batch(&prices, None, None)
        .expect("prices");
    column.close().expect("closed");
    group.close().expect("closed");
    file.close().expect("closed");
    out
}

/// A file with one column of bytes that are no text.
pub(super) fn parquet_bytes() -> Vec<u8> {
    let schema =
        Arc::new(parse_message_type("message row { required binary blob; }").expect("a schema"));
    let mut out = Vec::new();
    let mut file = SerializedFileWriter::new(&mut out, schema, Arc::default()).expect("a writer");
    let mut group = file.next_row_group().expect("a group");
    let mut column = group.next_column().expect("a column").expect("blob");
    column
        .typed::<ByteArrayType>()
        .write_batch(&[vec![255_u8].into()], None, None)
        .expect("bytes");
    column.close().expect("closed");
    group.close().expect("closed");
    file.close().expect("closed");
    out
}

/// A file of one column of integers, as the schema says what they are.
pub(super) fn parquet_integers(schema: &str, values: &[i64]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let mut out = Vec::new();
    let mut file = SerializedFileWriter::new(&mut out, schema, Arc::default()).expect("a writer");
    let mut group = file.next_row_group().expect("a group");
    let mut column = group.next_column().expect("a column").expect("integers");
    column
        .typed::<Int64Type>()
        .write_batch(values, None, None)
        .expect("integers");
    column.close().expect("closed");
    group.close().expect("closed");
    file.close().expect("closed");
    out
}

/// A file of one row: a map in the column `map`, of these keys.
pub(super) fn parquet_map(keys: &[&str]) -> Vec<u8> {
    let schema = "message row { required group map (MAP) { repeated group key_value { required binary key (UTF8); required int64 value; } } }";
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let mut out = Vec::new();
    let mut file = SerializedFileWriter::new(&mut out, schema, Arc::default()).expect("a writer");
    let mut group = file.next_row_group().expect("a group");
    let there = vec![1_i16; keys.len()];
    // The first begins the row, and the others go on with it.
    let repeated: Vec<i16> = (0..keys.len()).map(|at| i16::from(at > 0)).collect();
    let values: Vec<i64> = (0_i64..).take(keys.len()).collect();
    let keys: Vec<ByteArray> = keys.iter().map(|key| (*key).into()).collect();
    let mut column = group.next_column().expect("a column").expect("keys");
    column
        .typed::<ByteArrayType>()
        .write_batch(&keys, Some(&there), Some(&repeated))
        .expect("keys");
    column.close().expect("closed");
    let mut column = group.next_column().expect("a column").expect("values");
    column
        .typed::<Int64Type>()
        .write_batch(&values, Some(&there), Some(&repeated))
        .expect("values");
    column.close().expect("closed");
    group.close().expect("closed");
    file.close().expect("closed");
    out
}
