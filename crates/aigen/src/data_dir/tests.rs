use super::*;

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    format!("{:#}", result.unwrap_err())
}

#[test]
fn a_new_folder_opens_again() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("a/b");
    DataDir::open_or_create(&path).unwrap();
    DataDir::open_or_create(&path).unwrap();
    DataDir::open(&path).unwrap();
}

#[test]
fn foreign_folders_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "precious").unwrap();
    let error = message(DataDir::open_or_create(folder.path()));
    assert!(
        error.contains("is not empty and not an AiGen data folder"),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn nothing_there_is_not_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let error = message(DataDir::open(folder.path()));
    assert!(error.contains("there is no AiGen data in"), "{error}");
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(MARKER), "AiGen data folder, format 9\n").unwrap();
    let error = message(DataDir::open_or_create(folder.path()));
    assert!(error.contains("format 9"), "{error}");
}

#[test]
fn a_second_node_is_told_who_was_first() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open_or_create(folder.path()).unwrap();
    let mut first = data_dir.lock().unwrap();
    first.announce("http://127.0.0.1:1").unwrap();
    let error = message(data_dir.lock());
    let pid = std::process::id();
    assert!(
        error.contains(&format!("process {pid}, at http://127.0.0.1:1")),
        "{error}"
    );
    drop(first);
    assert_eq!(data_dir.running(), None);
    data_dir.lock().unwrap();
}

#[test]
#[cfg(unix)]
fn keys_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let data_dir = DataDir::open_or_create(&parent.path().join("data")).unwrap();
    assert_eq!(data_dir.key(KeyFile::Operator).unwrap(), None);
    data_dir.keep_key(KeyFile::Operator, "secret").unwrap();
    assert_eq!(
        data_dir.key(KeyFile::Operator).unwrap().as_deref(),
        Some("secret")
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data_dir.key_path(KeyFile::Operator)), 0o600);
    assert_eq!(mode(data_dir.path()), 0o700);
    fs::write(data_dir.journal(), "").unwrap();
    data_dir.keep_journal_private().unwrap();
    assert_eq!(mode(&data_dir.journal()), 0o600);
}
