//! Model files: added, downloaded from a hub on this machine, continued, checked, removed.

use crate::check;
use crate::support::http::send;
use crate::support::hub::{Hub, Manners};
use crate::support::{Folder, Ran, Serving};
use sha2::{Digest, Sha256};
use std::fs;

const PULL: [&str; 4] = ["model", "pull", "hf:OWNER/REPO/FILE.gguf", "--quiet"];

/// Not a model, but it begins as one: what is in it is of no interest to a download.
fn weights() -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend((0..300_000_u32).flat_map(u32::to_le_bytes));
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn pull(folder: &Folder, hub: &Hub) -> Ran {
    folder.ran(folder.command(&PULL).env("AIGEN_HUB", &hub.url))
}

#[test]
fn a_download_is_checked_and_listed_and_removed() {
    let (folder, contents) = (Folder::new(), weights());
    let hub = Hub::start(Manners {
        sha256: Some(sha256(&contents)),
        contents: contents.clone(),
        ..Manners::default()
    });
    check!(pull(&folder, &hub), @r"
    exit code: 0
    ----- stdout
    file is ready: [SIZE], [FOLDER]/models/file.gguf
    ----- stderr
    ");
    let file = folder.file("models/file.gguf");
    assert!(fs::read(&file).unwrap() == contents);
    check!(folder.run(&["model", "list"]), @r"
    exit code: 0
    ----- stdout
    model       size      source
    aigen-tiny  [SIZE]  part of this program
    file        [SIZE]  hf:OWNER/REPO/FILE.gguf
    ----- stderr
    ");
    check!(pull(&folder, &hub), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: there is a model named `file` already
    hint: choose another name with --name, or `aigen model remove file` first
    ");
    check!(folder.run(&["model", "remove", "file"]), @r"
    exit code: 0
    ----- stdout
    removed file
    ----- stderr
    ");
    assert!(!file.exists());
    check!(folder.run(&["model", "remove", "file"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: there is no model named `file` here; there is aigen-tiny
    hint: add one with `aigen model add FILE` or `aigen model pull hf:OWNER/REPO/FILE.gguf`
    ");
}

#[test]
fn a_download_that_broke_off_continues_where_it_was() {
    let (folder, contents) = (Folder::new(), weights());
    let hub = Hub::start(Manners {
        sha256: Some(sha256(&contents)),
        contents: contents.clone(),
        breaks_off_after: Some(500_000),
    });
    let ran = pull(&folder, &hub);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(
        ran.stderr
            .contains("hint: run the same command again: it continues there"),
        "{ran}"
    );
    assert!(!folder.file("models/file.gguf").exists());
    hub.manners.lock().unwrap().breaks_off_after = None;
    let ran = pull(&folder, &hub);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(fs::read(folder.file("models/file.gguf")).unwrap() == contents);
    let last = hub.ranges.lock().unwrap().last().unwrap().clone();
    assert_eq!(last.as_deref(), Some("bytes=500000-"));
}

#[test]
fn a_download_with_the_wrong_checksum_does_not_count() {
    let folder = Folder::new();
    let hub = Hub::start(Manners {
        contents: weights(),
        sha256: Some("0".repeat(64)),
        ..Manners::default()
    });
    check!(pull(&folder, &hub), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the download's SHA-256 is [DIGEST], but should be [DIGEST]
    hint: it was deleted; run the same command to download it afresh
    ");
    assert_eq!(fs::read_dir(folder.file("models")).unwrap().count(), 0);
    let own = sha256(&weights());
    let mut told = folder.command(&PULL);
    let ran = folder.ran(told.env("AIGEN_HUB", &hub.url).args(["--sha256", &own]));
    assert_eq!(ran.code, 0, "what the caller says counts: {ran}");
}

#[test]
fn what_is_no_model_is_not_downloaded_whole() {
    let folder = Folder::new();
    let hub = Hub::start(Manners {
        contents: b"<html>please log in</html>".to_vec(),
        ..Manners::default()
    });
    check!(pull(&folder, &hub), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: what hf:OWNER/REPO/FILE.gguf gives is not a GGUF model file
    hint: open the address in a browser and look for a file that ends in .gguf
    ");
    assert_eq!(fs::read_dir(folder.file("models")).unwrap().count(), 0);
}

#[test]
fn hubs_that_do_not_have_it_or_do_not_answer() {
    let folder = Folder::new();
    let hub = Hub::start(Manners::default());
    let pull = |hub: &str, source| {
        folder.ran(
            folder
                .command(&["model", "pull", source])
                .env("AIGEN_HUB", hub),
        )
    };
    check!(pull(&hub.url, "hf:OWNER/REPO/OTHER.gguf"), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    downloading hf:OWNER/REPO/OTHER.gguf
    error: http://127.0.0.1:[PORT]/OWNER/REPO/resolve/main/OTHER.gguf answered 404 Not Found
    hint: check owner, repository and file name on the hub's page of the model
    ");
    // Nothing listens on port 1.
    check!(pull("http://127.0.0.1:1", "hf:OWNER/REPO/FILE.gguf"), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    downloading hf:OWNER/REPO/FILE.gguf
    error: cannot reach http://127.0.0.1:[PORT]: Connection refused (os error 111)
    hint: check the network, or set AIGEN_HUB to a mirror; a file that is already here is added with `aigen model add FILE`
    ");
    check!(pull("no address", "hf:OWNER/REPO/FILE.gguf"), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    downloading hf:OWNER/REPO/FILE.gguf
    error: `no address` is not the address of a hub
    hint: set it like AIGEN_HUB=https://huggingface.co
    ");
    assert_eq!(pull(&hub.url, "hf:REPO/FILE.gguf").code, 2);
}

#[test]
fn a_file_of_this_machine_is_added_where_it_is() {
    let folder = Folder::new();
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/../../model/aigen-tiny.gguf");
    let whole = fs::read(bundled).unwrap();
    folder.write("Acme 8B.gguf", &whole);
    folder.write("half.gguf", &whole[..whole.len() / 2]);
    check!(folder.run(&["model", "add", "Acme 8B.gguf"]), @r"
    exit code: 0
    ----- stdout
    acme-8b is ready: [SIZE], [FOLDER]/Acme 8B.gguf
    ----- stderr
    try it: aigen dev --model acme-8b
    ");
    check!(folder.run(&["model", "add", "missing.gguf"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot open the model file missing.gguf
      because: No such file or directory (os error 2)
    hint: give the path of a GGUF file; `aigen model list` shows the models that are here
    ");
    folder.write("page.gguf", "<html>");
    check!(folder.run(&["model", "add", "page.gguf"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: page.gguf is not a GGUF model file
    hint: models come as GGUF: look for a file that ends in .gguf, or convert one with llama.cpp's tools
    ");
    check!(folder.run(&["model", "add", "half.gguf"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: half.gguf is incomplete: it has [BYTES] of [BYTES]
    hint: the download stopped early: download the file again
    ");
    let add = |sha256: &str| {
        let named = [
            "model",
            "add",
            "Acme 8B.gguf",
            "--name",
            "checked",
            "--sha256",
            sha256,
        ];
        folder.run(&named)
    };
    let other = add(&sha256(b"another file"));
    assert_eq!(other.code, 1);
    assert!(other.stderr.contains("was expected"), "{}", other.stderr);
    assert_eq!(add(&sha256(&whole)).code, 0);
    assert_eq!(folder.run(&["model", "remove", "acme-8b"]).code, 0);
    assert!(folder.file("Acme 8B.gguf").exists());
}

/// What a model lacks is said when it is loaded; who asks for it all the same is told what there is.
#[test]
fn a_model_without_a_chat_template_completes_and_does_not_converse() {
    let folder = Folder::new();
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/../../model/aigen-tiny.gguf");
    let mut weights = fs::read(bundled).unwrap();
    let key = b"tokenizer.chat_template";
    let mut windows = weights.windows(key.len());
    let at = windows.position(|window| window == key).unwrap();
    weights[at + key.len() - 1] = b'z';
    folder.write("plain.gguf", weights);
    let mut dev = folder.command(&["dev", "--port", "0", "--json", "--model", "plain.gguf"]);
    let mut node = Serving::start(&mut dev);
    node.logged(
        "plain refuses conversations: the model's chat template failed: the model has none",
    );
    let ask = |path: &str, what: &str| {
        let body = format!("{{\"model\": \"plain\", \"max_tokens\": 1, {what}}}");
        send(node.url(), "POST", path, node.key(), &body)
    };
    let chat = r#""messages": [{"role": "user", "content": "Hello!"}]"#;
    let refused = ask("/v1/chat/completions", chat);
    assert_eq!(
        refused.error(),
        (400, "conversation_refused".into()),
        "{refused:?}"
    );
    let completed = ask("/v1/completions", r#""prompt": "Hello!""#);
    assert_eq!(completed.status, 200, "{completed:?}");
}
