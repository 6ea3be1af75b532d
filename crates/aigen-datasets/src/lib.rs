//! Datasets as files on disk: read in, kept by their content, searched, read row by row.
