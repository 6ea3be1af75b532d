//! A configuration that changes while its node runs.

use crate::support::http::send;
use crate::support::{Folder, Serving};
use std::process::Command;

/// Not the file that commands beside it would read.
const FILE: &str = "node.toml";

/// A configuration whose computed tokens cost this.
fn config(output: &str, more: &str) -> String {
    format!(
        "{more}\n[[model]]\nname = \"aigen-tiny\"\nprice = {{ input = \"20\", cached_input = \"2\", output = \"{output}\", request = \"0\" }}\n"
    )
}

const FAR: &str = "[[model]]\nname = \"far\"\ncontext_tokens = 100\n[model.remote]\ncontrol = \"text\"\n[[model.upstream]]\nbase_url = \"http://127.0.0.1:9/v1\"\n";

/// What a million computed tokens of the model cost at the node now.
fn price(folder: &Folder) -> String {
    let prices = folder.json(&["price"]);
    let price = &prices["data"][0]["price"]["output_per_million_nano"];
    price.as_str().unwrap().to_owned()
}

fn models(folder: &Folder) -> Vec<String> {
    let models = folder.json(&["models"]);
    let models = models["data"].as_array().unwrap().iter();
    models
        .map(|model| model["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Whether the node is ready with an older configuration than its file has.
fn is_rejected(node: &Serving) -> bool {
    let ready = send(node.url(), "GET", "/ready", "", "");
    assert_eq!(ready.status, 200, "{ready:?}");
    ready.json()["config"] == "rejected"
}

/// The same as machines are told.
fn is_counted_as_rejected(node: &Serving) -> bool {
    let metrics = send(node.url(), "GET", "/metrics", "", "").body;
    metrics.contains("\naigen_config_rejected 1\n")
}

#[test]
fn what_changes_takes_effect_and_what_is_wrong_does_not() {
    let folder = Folder::new();
    folder.write(FILE, config("60", ""));
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--config",
        FILE,
    ];
    let mut node = Serving::start(folder.command(&serve).env_remove("AIGEN_LOG"));
    assert_eq!(price(&folder), "60000000000");

    // Its file changes: prices, models and all that can change at once.
    folder.write(FILE, config("30", "grace_seconds = 1") + FAR);
    let said = node.logged("a new configuration is in effect");
    let keys = "grace_seconds, model.aigen-tiny.price.output, model.far";
    assert!(said.contains(keys), "{said}");
    assert_eq!(price(&folder), "30000000000");
    assert_eq!(models(&folder), ["aigen-tiny", "far"]);
    assert!(!is_rejected(&node));

    // It is told to read it again.
    let pid = node.ready["pid"].to_string();
    let hang_up = Command::new("kill").args(["-HUP", &pid]).status();
    assert!(hang_up.unwrap().success());
    node.logged("the configuration was read again: nothing has changed");

    // Nothing of a file takes effect that is wrong anywhere: in its form, its sense or its world.
    for (wrong, says) in [
        (config("10", "listen_on = 1"), "unknown field `listen_on`"),
        (
            config("10", "[admission]\nrequests = 0"),
            "is 0, so that nobody would be let in",
        ),
        (
            config("10", "")
                + &FAR.replace("\"far\"", "\"farther\"")
                + "api_key_env = \"NO_KEY\"\n",
            "holds no API key",
        ),
        (config("10", "log = \"===\""), "does not say what to log"),
        (config("10", "log = \"inof\""), "`inof` is no level"),
        (config("10", "memory_mib = 20"), "`aigen-tiny` needs"),
        (String::new(), "node.toml is gone, or empty"),
    ] {
        folder.write(FILE, wrong);
        let said = node.logged("the one before stays in effect");
        assert!(said.contains(says), "{said}");
        assert!(is_rejected(&node) && is_counted_as_rejected(&node));
        assert_eq!(price(&folder), "30000000000");
        assert_eq!(models(&folder), ["aigen-tiny", "far"]);
    }

    // What waits for the next start is said, and the rest takes effect.
    folder.write(FILE, config("40", "network = \"other\"\nlog = \"warn\""));
    let said = node.logged("take effect when the node is started again");
    assert!(said.contains("network"), "{said}");
    while is_rejected(&node) {}
    assert!(!is_counted_as_rejected(&node));
    assert_eq!(price(&folder), "40000000000");
    assert_eq!(models(&folder), ["aigen-tiny"]);
    let (code, rest) = node.stop();
    assert_eq!(code, 0);
    assert!(
        !rest.contains("aigen::access"),
        "only warnings are logged: {rest}"
    );
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

/// A model is loaded anew beside itself: whoever asks later meets its new settings.
#[test]
fn an_embedded_model_is_loaded_again_with_other_settings() {
    let folder = Folder::new();
    let context = |tokens: u32| {
        let settings = format!("context_tokens = {tokens}\nprice =");
        config("60", "").replace("price =", &settings)
    };
    folder.write(FILE, context(256));
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--config",
        FILE,
    ];
    let mut node = Serving::start(folder.command(&serve).env_remove("AIGEN_LOG"));
    folder.json(&["fund", "user:ada", "1"]);
    let key = folder.json(&["key", "create", "user:ada"])["key"].clone();
    let url = node.url().to_owned();
    let messages = serde_json::json!([{"role": "user", "content": "parcel ".repeat(60)}]);
    let body = serde_json::json!({"model": "aigen-tiny", "messages": messages, "max_tokens": 4});
    let ask = || {
        let path = "/v1/chat/completions";
        let reply = send(&url, "POST", path, key.as_str().unwrap(), &body.to_string());
        let code = reply.json()["error"]["code"].as_str().map(str::to_owned);
        (reply.status, code)
    };
    assert_eq!(ask(), (200, None));
    folder.write(FILE, context(32));
    node.logged("a new configuration is in effect");
    assert_eq!(ask(), (400, Some("context_length_exceeded".to_owned())));
    folder.write(FILE, context(256));
    node.logged("a new configuration is in effect");
    assert_eq!(ask(), (200, None));
    let (code, _) = node.stop();
    assert_eq!(code, 0);
}
