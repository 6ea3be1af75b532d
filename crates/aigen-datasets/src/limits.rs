//! Every bound of datasets, with its unit and what happens at it.

/// Bytes of one row, as it stands in its file and as it is kept. A longer one is a bad row; it is
/// passed over without being held in memory.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// Rows of a dataset. An index numbers its rows in 32 bits.
pub const ROWS_MAX: u64 = 1_000_000_000;

/// Columns of a dataset.
pub const COLUMNS_MAX: usize = 256;

/// Bytes of a column's name. With [`COLUMNS_MAX`] a schema stays below 64 KiB.
pub const COLUMN_NAME_BYTES_MAX: usize = 128;

/// Lists and objects within each other in one cell.
pub const DEPTH_MAX: usize = 16;

/// Bad rows that an import describes; all of them are counted.
pub const BAD_ROWS_SHOWN: usize = 20;

/// Bytes of a passage of text. A longer paragraph is divided, at a space where there is one.
pub const PASSAGE_BYTES_MAX: usize = 4 << 10;

/// Files of a folder of text.
pub const FILES_MAX: usize = 100_000;

/// Bytes that the pages of a row group of a Parquet file take at a time: the dictionary and the largest
/// page of each column, unpacked. Writers make pages and dictionaries of 1 MiB.
pub const PARQUET_PAGES_BYTES_MAX: u64 = 256 << 20;

/// Items of the lists of a row group: a row's lists are in memory as a whole, at about 100 bytes an item.
pub const PARQUET_LIST_VALUES_MAX: u64 = 4 << 20;

/// Bytes of a Parquet file's footer. One for 256 columns and 200 row groups has about 7 MiB; read, it
/// takes some ten times as much.
pub const PARQUET_FOOTER_BYTES_MAX: u64 = 8 << 20;

/// Nodes of a Parquet file's schema: columns, and the groups that they are in.
pub const PARQUET_NODES_MAX: u64 = 4_096;

/// Groups within each other in a Parquet file's schema: a list in a cell takes two of them.
pub const PARQUET_DEPTH_MAX: usize = 3 * DEPTH_MAX;

/// Bytes of memory in which an index is built before that part of it is written: 5 to 20 such parts
/// for a million rows, joined at the end.
pub const INDEX_MEMORY_BYTES: usize = 64 << 20;

/// Bytes of a question's text.
pub const QUERY_BYTES_MAX: usize = 64 << 10;

/// Different words of a question that are looked for; further ones have no say. A question that is a
/// person's message has a few dozen.
pub const QUERY_WORDS_MAX: usize = 128;

/// Bytes of a word. Longer ones are not indexed and not looked for.
pub const WORD_BYTES_MAX: usize = 64;

/// Rows or hits of one answer.
pub const ANSWER_ROWS_MAX: usize = 1_000;

/// Bytes between two reports of progress.
pub const PROGRESS_BYTES: u64 = 1 << 20;
