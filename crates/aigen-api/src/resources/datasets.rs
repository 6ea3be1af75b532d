use crate::{money, text};
use aigen_types::{Address, Amount, CallId, DatasetRef, Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What rows may be read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetUse {
    /// By whoever asks, some rows at a time.
    Read,
    /// In the prompt of a completion.
    Completion,
    /// By a controller, while it steers.
    Controller,
    /// As a whole.
    Download,
}

impl DatasetUse {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Read,
        Self::Completion,
        Self::Controller,
        Self::Download,
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Completion => "completion",
            Self::Controller => "controller",
            Self::Download => "download",
        }
    }
}

impl std::str::FromStr for DatasetUse {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|one| one.name() == text);
        known.ok_or_else(|| {
            let all = Self::ALL.map(Self::name).join(", ");
            format!("{text:?} is no use of a dataset; there are {all}")
        })
    }
}

impl std::fmt::Display for DatasetUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a dataset costs. Nothing is rounded: prices are whole nano-AIGEN per unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetPrice {
    /// Per row that is read.
    #[serde(flatten, with = "money::per_row")]
    pub row: Amount,
    /// Per row that a search found, beside what it costs as a row.
    #[serde(flatten, with = "money::per_hit")]
    pub hit: Amount,
    /// For all rows at once.
    #[serde(flatten, with = "money::per_download")]
    pub download: Amount,
}

/// `POST /v1/aigen/datasets/{owner}/{name}/price`: for reads to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetDatasetPrice {
    /// Per row that is read, in AIGEN.
    #[serde(with = "text")]
    pub row: Amount,
    /// Per row that a search found, beside what it costs as a row.
    #[serde(with = "text")]
    pub hit: Amount,
    /// For all rows at once.
    #[serde(with = "text")]
    pub download: Amount,
}

/// The query of `POST /v1/aigen/datasets`, whose body is the file itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishDataset {
    /// Owner, name and version.
    #[serde(with = "text")]
    pub name: DatasetRef,
    /// What the file holds: `csv`, `jsonl`, `parquet` or `text`.
    pub format: String,
    /// What stands between cells of CSV; a comma when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// The licence, as an SPDX expression or a name.
    pub licence: String,
    /// One line for people.
    #[serde(default)]
    pub description: String,
    /// What rows may be read for, by commas. When absent everything, but no download if a row or a hit
    /// has a price and `per_download` is absent.
    #[serde(default)]
    pub uses: String,
    /// Whether anyone may read it, or only who was granted it.
    #[serde(default)]
    pub open: bool,
    /// Per row that is read, in AIGEN.
    #[serde(default, with = "text")]
    pub per_row: Amount,
    /// Per row that a search found, beside what it costs as a row.
    #[serde(default, with = "text")]
    pub per_hit: Amount,
    /// For all rows at once; 0 gives them away. Must be there if `uses` has `download` and a row or a
    /// hit has a price.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub per_download: Option<Amount>,
    /// Who is paid; the key's account when absent.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub provider: Option<Address>,
    /// The digest that the rows must have; not compared when absent.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub content: Option<Digest>,
}

impl PublishDataset {
    /// As pairs of a query string.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let always = [
            ("name", self.name.to_string()),
            ("format", self.format.clone()),
            ("licence", self.licence.clone()),
            ("description", self.description.clone()),
            ("uses", self.uses.clone()),
            ("open", self.open.to_string()),
            ("per_row", self.per_row.to_string()),
            ("per_hit", self.per_hit.to_string()),
        ];
        let download = self.per_download;
        let download = download.map(|price| ("per_download", price.to_string()));
        let delimiter = self.delimiter.map(|one| ("delimiter", one.to_string()));
        let provider = self.provider.as_ref();
        let provider = provider.map(|address| ("provider", address.to_string()));
        let content = self.content.map(|digest| ("content", digest.to_string()));
        let rest = [download, delimiter, provider, content];
        let rest = rest.into_iter().flatten();
        always.into_iter().chain(rest).collect()
    }
}

/// `POST /v1/aigen/datasets/{owner}/{name}/withdraw`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawDataset {
    /// One line for people.
    pub reason: String,
}

/// A grant: in a list, and as `POST /v1/aigen/datasets/{owner}/{name}/grants`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetGrant {
    /// Whose keys may read: those of this account and of every account below it.
    #[serde(with = "text")]
    pub to: Address,
    /// Columns that may be read; all when absent or empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// What for; everything that the dataset allows when absent or empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<DatasetUse>,
    /// When it ends by itself, in nanoseconds since the Unix epoch.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "money::time_option"
    )]
    pub until: Option<Timestamp>,
}

/// `POST /v1/aigen/datasets/{owner}/{name}/grants/revoke`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeDatasetGrant {
    /// To whom it was granted.
    #[serde(with = "text")]
    pub to: Address,
}

/// One column of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetColumn {
    /// Its name.
    pub name: String,
    /// `boolean`, `integer`, `number`, `text` or `json`; with a question mark where rows may have
    /// no value in it.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A dataset version, as everyone may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// Owner, name and version.
    #[serde(with = "text")]
    pub reference: DatasetRef,
    /// The SHA-256 of its rows in canonical form.
    #[serde(with = "text")]
    pub content: Digest,
    /// How many rows, numbered from 0.
    pub rows: u64,
    /// Bytes of its rows in canonical form.
    pub bytes: u64,
    /// Its columns.
    pub columns: Vec<DatasetColumn>,
    /// One line for people.
    pub description: String,
    /// The licence, as an SPDX expression or a name.
    pub licence: String,
    /// What rows may be read for.
    pub uses: Vec<DatasetUse>,
    /// Whether anyone may read it, or only who was granted it.
    pub open: bool,
    /// What it costs now.
    pub price: DatasetPrice,
    /// Who is paid.
    #[serde(with = "text")]
    pub provider: Address,
    /// When it was published, in nanoseconds since the Unix epoch.
    #[serde(with = "money::time")]
    pub published_at: Timestamp,
    /// Why it serves no new read, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
    /// Whether the node that answers has its rows.
    pub here: bool,
}

/// `GET /v1/aigen/datasets/{owner}/{name}/rows`: rows that are paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetRows {
    /// The version that they are of.
    #[serde(with = "text")]
    pub dataset: DatasetRef,
    /// In their order, or the best match first.
    pub data: Vec<DatasetRow>,
    /// What to give as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What they cost.
    #[serde(flatten, with = "money::cost")]
    pub cost: Amount,
    /// The receipt; none where there was no row.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub receipt: Option<CallId>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetRow {
    /// Its number, from 0.
    pub row: u64,
    /// How well it matches what was searched for (BM25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// Its values by column; a column without a value is left out.
    pub values: Map<String, Value>,
}

/// `GET /v1/aigen/imports`: a file that the node is reading in, to be a dataset, or to have here what was
/// published on another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetImport {
    /// The version that it is to be.
    #[serde(with = "text")]
    pub reference: DatasetRef,
    /// What the node does with it.
    pub stage: ImportStage,
    /// Rows that it has done of that; none while it waits or checks.
    pub rows: u64,
    /// Bytes that it has done of that.
    pub bytes: u64,
    /// Bytes of that in all; 0 while it waits.
    pub bytes_total: u64,
}

/// What a node does with a file, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportStage {
    /// Another file is before it.
    Waiting,
    /// Takes the rows from the store that it shares with other nodes.
    Fetching,
    /// Looks for bad rows.
    Checking,
    /// Reads and writes rows.
    Reading,
    /// Builds the index.
    Indexing,
}
