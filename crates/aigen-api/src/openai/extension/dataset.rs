//! A name, or an object: each tells what is wrong with it in its own words.

use super::DatasetQuery;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

pub(super) fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<DatasetQuery>, D::Error> {
    let list = Vec::<Either>::deserialize(from)?;
    Ok(list.into_iter().map(|either| either.0).collect())
}

struct Either(DatasetQuery);

impl<'de> Deserialize<'de> for Either {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Form).map(Self)
    }
}

struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = DatasetQuery;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"owner/name\" or an object with that as its `id`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<DatasetQuery, E> {
        Ok(DatasetQuery {
            id: name.parse().map_err(E::custom)?,
            limit: None,
            query: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<DatasetQuery, A::Error> {
        DatasetQuery::deserialize(MapAccessDeserializer::new(fields))
    }
}
