//! Tools: those there are, and calls of them.

use crate::api::{Api, Trouble};
use crate::{key, name};
use aigen_api::resources::Function;
use axum::http::request::Parts;
use rmcp::ErrorData;
use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
    ListToolsResult, MetaObject, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Map, Value, json};

/// Tools of one page.
const PER_PAGE: usize = 100;

/// Where a result's receipt stands in its `_meta`, and what a call may choose in its own.
const RECEIPT: &str = "aigen/receipt";
const OPTIONS: &str = "aigen/options";

const INSTRUCTIONS: &str = "Each tool is a typed function that a model computes; its value has the type that its output schema says. A call costs what its receipt says, in `_meta` under `aigen/receipt`. A call may bound that: `_meta` {\"aigen/options\": {\"max_cost\": \"0.01\"}}.";

/// The functions of a node, for whoever has a key.
#[derive(Clone)]
pub struct Tools(Api);

impl Tools {
    pub fn new(api: Api) -> Self {
        Self(api)
    }

    async fn page(
        &self,
        key: &str,
        after: Option<String>,
    ) -> Result<(Vec<Tool>, Option<String>), Trouble> {
        let after = after.map_or(String::new(), |after| format!("&after={after}"));
        let path = format!("/v1/aigen/functions?limit={PER_PAGE}{after}");
        let mut page = self.0.get(key, &path).await?;
        let functions = serde_json::from_value::<Vec<Function>>(page["data"].take());
        let functions = functions.map_err(|error| Trouble {
            status: 502,
            message: format!("the list was not understood: {error}"),
            error: Value::Null,
        })?;
        let next = page["next"].as_str().map(str::to_owned);
        Ok((functions.iter().map(tool).collect(), next))
    }

    async fn call(
        &self,
        key: &str,
        request: CallToolRequestParams,
        options: Option<&Value>,
    ) -> CallToolResult {
        let Some(function) = name::of_tool(&request.name) else {
            let message = format!("there is no tool `{}`; tools/list names them", request.name);
            return CallToolResult::error(vec![ContentBlock::text(message)]);
        };
        let mut body = json!({ "input": request.arguments.unwrap_or_default() });
        if let Some(options) = options {
            body["aigen"] = options.clone();
        }
        let path = format!("/v1/functions/{function}");
        match self.0.post(key, &path, &body).await {
            Ok(reply) => answered(reply),
            Err(trouble) => failed(trouble),
        }
    }
}

fn tool(function: &Function) -> Tool {
    let name = name::of_function(&function.reference.controller().to_string());
    let object = |schema: &Value| schema.as_object().cloned().unwrap_or_default();
    let mut tool = Tool::new(name, function.description.clone(), object(&function.input));
    tool.title = Some(function.reference.to_string());
    // The protocol's values are objects: another one stands under `value`, and has no schema here.
    if is_object(&function.output) {
        tool.output_schema = Some(object(&function.output).into());
    }
    tool
}

fn is_object(schema: &Value) -> bool {
    schema.get("type") == Some(&json!("object"))
}

fn answered(mut reply: Value) -> CallToolResult {
    let (value, receipt) = (reply["value"].take(), reply["receipt"].take());
    let text = ContentBlock::text(value.to_string());
    let mut result = CallToolResult::structured(match value.is_object() {
        true => value,
        false => json!({ "value": value }),
    });
    result.content = vec![text];
    let meta: Map<_, _> = [(RECEIPT.to_owned(), receipt)].into_iter().collect();
    result.with_meta(Some(MetaObject(meta)))
}

/// What was refused or failed is the tool's error: a model that reads it can call it otherwise.
fn failed(trouble: Trouble) -> CallToolResult {
    let result = CallToolResult::error(vec![ContentBlock::text(trouble.message)]);
    let meta: Map<_, _> = [("aigen/error".to_owned(), trouble.error)]
        .into_iter()
        .collect();
    result.with_meta(Some(MetaObject(meta)))
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        info.server_info = Implementation::new("aigen", env!("CARGO_PKG_VERSION"));
        info.instructions = Some(INSTRUCTIONS.to_owned());
        info
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let key = key_of(&context)?;
        let after = request.and_then(|request| request.cursor);
        let page = self.page(&key, after).await;
        let (tools, next) = page.map_err(|trouble| match trouble.status {
            400..=499 => ErrorData::invalid_request(trouble.message, Some(trouble.error)),
            _ => ErrorData::internal_error(trouble.message, Some(trouble.error)),
        })?;
        let mut list = ListToolsResult::with_all_items(tools);
        list.next_cursor = next;
        Ok(list)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let key = key_of(&context)?;
        // The protocol's library has taken `_meta` out of the request's parameters.
        let options = context.meta.get(OPTIONS);
        Ok(self.call(&key, request, options).await.into())
    }
}

/// Of the request that carries the message.
fn key_of(context: &RequestContext<RoleServer>) -> Result<String, ErrorData> {
    let parts = context.extensions.get::<Parts>();
    let key = parts.and_then(|parts| key(&parts.headers));
    let missing = || ErrorData::invalid_request("the request carries no API key", None);
    key.map(str::to_owned).ok_or_else(missing)
}
