use super::*;

fn store() -> (tempfile::TempDir, ModelStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = ModelStore::open(&folder.path().join("models")).unwrap();
    (folder, store)
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    format!("{:#}", result.unwrap_err())
}

#[test]
fn the_bundled_model_unpacks_once_and_heals() {
    let (_folder, store) = store();
    let file = store.file_of(BUNDLED).unwrap();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, "damaged").unwrap();
    assert_eq!(store.file_of(BUNDLED).unwrap(), file);
    assert_eq!(fs::read(&file).unwrap(), whole);
    assert!(message(store.remove(&BUNDLED.parse().unwrap())).contains("part of the program"));
}

#[test]
fn a_file_elsewhere_is_noted_and_left_alone() {
    let (folder, store) = store();
    let file = folder.path().join("Model.gguf");
    let bundled = fs::read(store.file_of(BUNDLED).unwrap()).unwrap();
    fs::write(&file, &bundled).unwrap();
    let name = name_of("Model.gguf").unwrap();
    let entry = store.add_file(&file, name.clone(), None).unwrap();
    let expected = ("model", bundled.len() as u64);
    assert_eq!((entry.name.as_str(), entry.bytes), expected);
    assert_eq!(
        store.file_of("model").unwrap(),
        file.canonicalize().unwrap()
    );
    let names: Vec<_> = store
        .list()
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(names, [BUNDLED.parse().unwrap(), name.clone()]);
    assert!(
        message(store.add_file(&file, name.clone(), None))
            .contains("a model named `model` already")
    );
    store.remove(&name).unwrap();
    assert!(file.exists());
    assert!(
        message(store.file_of("model"))
            .contains("no model named `model` here; there is aigen-tiny")
    );
}

#[test]
fn what_is_not_gguf_is_named() {
    let (folder, store) = store();
    for (contents, expected) in [
        (&b""[..], "is not a GGUF model file"),
        (b"<html>not found</html>", "is not a GGUF model file"),
        (b"GGUF\x01\0\0\0", "is GGUF of version 1"),
        (b"GGUF\x03\0\0\0rest", "is incomplete: it has 12 bytes"),
    ] {
        let file = folder.path().join("x.gguf");
        fs::write(&file, contents).unwrap();
        let error = message(store.add_file(&file, "x".parse().unwrap(), None));
        assert!(error.contains(expected), "{error}");
    }
    let missing = folder.path().join("missing.gguf");
    let error = message(store.add_file(&missing, "x".parse().unwrap(), None));
    assert!(error.contains("cannot open the model file"), "{error}");
}

#[test]
fn names_come_from_files() {
    for (file, name) in [
        ("Acme-8B.Q4_K_M.gguf", "acme-8b.q4_k_m"),
        ("a/b/c d.gguf", "c-d"),
        ("plain", "plain"),
    ] {
        assert_eq!(name_of(file).unwrap().as_str(), name);
    }
    assert!(name_of(".gguf").is_err());
}

#[test]
fn sources_read_and_print() {
    for (text, url) in [
        ("hf:o/r/f.gguf", "http://hub/o/r/resolve/main/f.gguf"),
        (
            "hf:o/r/sub/f.gguf@v2",
            "http://hub/o/r/resolve/v2/sub/f.gguf",
        ),
        ("https://host/f.gguf", "https://host/f.gguf"),
    ] {
        let source: Source = text.parse().unwrap();
        assert_eq!(source.to_string(), text);
        assert_eq!(source.url("http://hub/").unwrap().as_str(), url);
        assert_eq!(source.file_name(), "f.gguf");
    }
    for text in [
        "hf:o/r",
        "hf:o/../f.gguf",
        "ftp://host/f",
        "f.gguf",
        "hf:o//f",
    ] {
        assert!(text.parse::<Source>().is_err(), "{text}");
    }
}
