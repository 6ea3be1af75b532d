use super::history::history_page;
use crate::extract::{Asked, Key};
use crate::failure::Failure;
use crate::functions;
use crate::state::Gateway;
use aigen_api::resources::{Function, List};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

/// `?limit=&after=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// How many, at most; all of them when absent.
    limit: Option<usize>,
    /// Only those after this one, by its reference.
    after: Option<String>,
}

/// Each function in the version that its name alone means.
pub(super) async fn list(
    State(gateway): State<Gateway>,
    _: Key,
    Asked(page): Asked<Page>,
) -> Result<Json<List<Function>>, Failure> {
    let limit = page
        .limit
        .map(|limit| history_page(Some(limit)))
        .transpose()?;
    let all = functions::all(&gateway);
    let begin = match page.after {
        None => 0,
        Some(after) => {
            let place = all
                .iter()
                .position(|function| function.reference.to_string() == after);
            place.ok_or_else(|| Failure::invalid("after", "there is no such function"))? + 1
        }
    };
    let rest = all.len() - begin;
    let limit = limit.unwrap_or(rest);
    let data: Vec<_> = all.into_iter().skip(begin).take(limit).collect();
    let next = data.last().filter(|_| rest > limit);
    Ok(Json(List {
        next: next.map(|last| last.reference.to_string()),
        data,
    }))
}
