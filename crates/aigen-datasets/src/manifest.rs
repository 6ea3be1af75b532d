use crate::rows::END_BYTES;
use crate::schema::Column;
use aigen_types::Digest;
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

/// What a dataset is, without its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The SHA-256 of its rows in canonical form.
    pub digest: Digest,
    /// How many rows.
    pub rows: u64,
    /// Bytes of its rows in canonical form.
    pub bytes: u64,
    /// Its columns, in the order of their names. A column that no row has a value in is not there.
    pub columns: Vec<Column>,
}

/// The file `manifest.json`. A form that this program does not know is refused, not guessed at.
#[derive(Serialize, Deserialize)]
struct Form {
    form: u32,
    digest: String,
    rows: u64,
    bytes: u64,
    columns: Vec<Column>,
}

const FORM: u32 = 1;

impl Manifest {
    /// Bytes that its rows take, with what says where each ends.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.bytes + self.rows * END_BYTES
    }

    /// Its columns as JSON: `[{"name":"question","type":"text","nullable":false}]`.
    ///
    /// # Panics
    /// Never: names and types are text.
    #[must_use]
    pub fn schema(&self) -> String {
        serde_json::to_string(&self.columns).expect("columns are JSON")
    }

    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let form = Form {
            form: FORM,
            digest: self.digest.to_string(),
            rows: self.rows,
            bytes: self.bytes,
            columns: self.columns.clone(),
        };
        fs::write(path, serde_json::to_vec_pretty(&form)?)?;
        fs::File::open(path)?.sync_all()
    }

    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let form: Form = serde_json::from_slice(&fs::read(path)?)?;
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        if form.form != FORM {
            return Err(wrong("a form of a newer program"));
        }
        Ok(Self {
            digest: form
                .digest
                .parse()
                .map_err(|_| wrong("its digest is none"))?,
            rows: form.rows,
            bytes: form.bytes,
            columns: form.columns,
        })
    }
}
