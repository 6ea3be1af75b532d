//! The full-text index: one field per column that has words, one segment, rows in their order.
//!
//! Since there is one segment whose documents stand in the order of the rows, equal scores come out
//! in the order of their rows, and a question has the same answer on every node.

use crate::limits::{INDEX_MEMORY_BYTES, QUERY_BYTES_MAX, QUERY_WORDS_MAX};
use crate::schema::Column;
use crate::words::{ANALYSER, analyser, distinct};
use crate::{Hit, ReadError};
use serde_json::{Map, Value};
use std::path::Path;
use tantivy::collector::TopDocs;
use tantivy::indexer::NoMergePolicy;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};

const ROW: &str = "row";

/// The field of a column; a column's own name may be any text, a field's may not.
fn field_name(column: usize) -> String {
    format!("c{column}")
}

fn schema(columns: &[Column]) -> Schema {
    let mut schema = Schema::builder();
    schema.add_u64_field(ROW, FAST);
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(ANALYSER)
        .set_index_option(IndexRecordOption::WithFreqs);
    for (at, _) in columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.kind.has_words())
    {
        let options = TextOptions::default().set_indexing_options(indexing.clone());
        schema.add_text_field(&field_name(at), options);
    }
    schema.build()
}

/// Builds an index.
pub(crate) struct Build<'a> {
    writer: IndexWriter,
    index: Index,
    row_field: Field,
    fields: Vec<(Field, &'a str)>,
}

impl<'a> Build<'a> {
    pub(crate) fn new(folder: &Path, columns: &'a [Column]) -> tantivy::Result<Self> {
        let schema = schema(columns);
        let row_field = schema.get_field(ROW)?;
        let named = |(at, column): (usize, &'a Column)| {
            Some((
                schema.get_field(&field_name(at)).ok()?,
                column.name.as_str(),
            ))
        };
        let fields = columns.iter().enumerate().filter_map(named).collect();
        let index = Index::create_in_dir(folder, schema.clone())?;
        index.tokenizers().register(ANALYSER, analyser());
        // One thread, and nothing merged beside it: segments are rows in their order.
        let writer = index.writer_with_num_threads(1, INDEX_MEMORY_BYTES)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(Self {
            writer,
            index,
            row_field,
            fields,
        })
    }

    pub(crate) fn row(&mut self, row: u64, values: &Map<String, Value>) -> tantivy::Result<()> {
        let mut document = TantivyDocument::new();
        document.add_u64(self.row_field, row);
        for (field, name) in &self.fields {
            if let Some(value) = values.get(*name) {
                texts(value, &mut |text| document.add_text(*field, text));
            }
        }
        self.writer.add_document(document)?;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> tantivy::Result<()> {
        self.writer.commit()?;
        let mut parts = Vec::new();
        for part in self.index.reader()?.searcher().segment_readers() {
            let rows = part.fast_fields().u64(ROW)?;
            parts.push((rows.first(0), part.segment_id()));
        }
        parts.sort_unstable();
        if parts.len() > 1 {
            let parts: Vec<_> = parts.into_iter().map(|(_, id)| id).collect();
            self.writer.merge(&parts).wait()?;
        }
        self.writer.garbage_collect_files().wait()?;
        self.writer.wait_merging_threads()
    }
}

/// Calls `each` for every text within a value.
fn texts(value: &Value, each: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, each)),
        Value::Object(fields) => fields.values().for_each(|item| texts(item, each)),
        _ => {}
    }
}

/// Reads an index.
pub(crate) struct Search {
    reader: IndexReader,
    /// By column; `None` for those without words.
    fields: Vec<Option<Field>>,
}

impl Search {
    pub(crate) fn open(folder: &Path, columns: &[Column]) -> tantivy::Result<Self> {
        let index = Index::open_in_dir(folder)?;
        index.tokenizers().register(ANALYSER, analyser());
        let schema = index.schema();
        let field = |at| schema.get_field(&field_name(at)).ok();
        let fields = (0..columns.len()).map(field).collect();
        // What is published never changes.
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        Ok(Self { reader, fields })
    }

    /// The rows that match best in these columns, by score, then by row.
    pub(crate) fn search(
        &self,
        query: &str,
        columns: &[usize],
        limit: usize,
    ) -> Result<Vec<Hit>, ReadError> {
        if query.len() > QUERY_BYTES_MAX {
            return Err(ReadError::LongQuery {
                bytes: query.len(),
                max: QUERY_BYTES_MAX,
            });
        }
        let fields: Vec<_> = columns
            .iter()
            .filter_map(|column| self.fields[*column])
            .collect();
        let words = distinct(query, QUERY_WORDS_MAX);
        if words.is_empty() || fields.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let top = TopDocs::with_limit(limit).order_by_score();
        let found = self
            .reader
            .searcher()
            .search(&any_of(&words, &fields), &top)?;
        let hit = |(score, place): (f32, tantivy::DocAddress)| Hit {
            row: u64::from(place.doc_id),
            score,
        };
        Ok(found.into_iter().map(hit).collect())
    }
}

/// Any of the words in any of the fields: each adds to the score (BM25). No text is syntax.
fn any_of(words: &[String], fields: &[Field]) -> BooleanQuery {
    let one = |(word, field): (&String, &Field)| -> (Occur, Box<dyn Query>) {
        let term = Term::from_field_text(*field, word);
        (
            Occur::Should,
            Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)),
        )
    };
    let pairs = words
        .iter()
        .flat_map(|word| fields.iter().map(move |field| (word, field)));
    BooleanQuery::new(pairs.map(one).collect())
}
