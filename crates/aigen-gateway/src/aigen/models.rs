//! Models that come and go while the node runs.

use crate::extract::Post;
use crate::failure::Failure;
use crate::openai::describe;
use crate::state::Gateway;
use aigen_api::openai::Model;
use aigen_api::resources::NamedModel;
use axum::Json;
use axum::extract::State;

/// Brings up a model of the node's configuration or catalogue; answered when it is there.
pub(super) async fn load(
    State(gateway): State<Gateway>,
    post: Post<NamedModel>,
) -> Result<Json<Model>, Failure> {
    let name = post.body.model;
    gateway.node.load_model(&post.caller, name.clone()).await?;
    let models = gateway.node.models();
    let served = models.get(&name);
    let found = served.and_then(|served| describe(&gateway.node.network(), &name, served));
    let found = found.ok_or_else(|| Failure::model_unknown(name.as_str(), models.keys()))?;
    Ok(Json(found))
}

/// Takes it away. What is being answered is answered to its end.
pub(super) async fn unload(
    State(gateway): State<Gateway>,
    post: Post<NamedModel>,
) -> Result<Json<NamedModel>, Failure> {
    let node = &gateway.node;
    node.unload_model(&post.caller, &post.body.model).await?;
    Ok(Json(post.body))
}
