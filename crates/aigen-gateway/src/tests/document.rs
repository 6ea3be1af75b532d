//! The OpenAPI document says what is there.

use super::world::{World, request};
use serde_json::Value;

#[tokio::test]
async fn every_documented_path_is_answered() {
    let world = World::polite().await;
    let document = world.get("", "/api-doc/openapi.json").await;
    assert_eq!(document.header("content-type"), Some("application/json"));
    let document = document.json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 25);
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            let path = path.replace("{name}", "op").replace("{id}", "tiny");
            let path = path.replace("{address}", "operator");
            let body = if method == "post" { "{}" } else { "" };
            let asked = request(&method.to_uppercase(), &world.operator, &path, body);
            let reply = world.send(asked).await;
            let code = reply.json()["error"]["code"].clone();
            let missing = ["unknown_route", "method_not_allowed"].map(Value::from);
            assert!(!missing.contains(&code), "{method} {path}: {}", reply.text);
        }
    }
    world.settle().await;
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let document: Value = serde_json::from_str(aigen_api::OPENAPI).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let references = aigen_api::OPENAPI.split("#/components/schemas/").skip(1);
    for reference in references {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
}
