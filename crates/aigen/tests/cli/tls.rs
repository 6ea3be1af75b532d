//! A node that speaks TLS.

use crate::support::Folder;
use std::process::Command;

/// A certificate for this machine, signed by itself, and its key.
fn certificate(folder: &Folder) -> [String; 2] {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.file(name));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "2"])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:TRUE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    [certificate, key].map(|path| path.display().to_string())
}

#[test]
fn clients_that_trust_the_certificate_are_answered_and_others_are_not() {
    let folder = Folder::new();
    let [certificate, key] = certificate(&folder);
    let node = folder.serve(&["--tls-certificate", &certificate, "--tls-key", &key]);
    assert!(
        node.url().starts_with("https://127.0.0.1:"),
        "{}",
        node.url()
    );
    let models = |trusted: &str| {
        let mut command = folder.command(&["models", "--json"]);
        command.env("SSL_CERT_FILE", trusted).output().unwrap()
    };
    let told = models(&certificate);
    assert!(told.status.success(), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stdout).contains("aigen-tiny"));
    assert!(!models("/dev/null").status.success());
    let plain = node.url().replace("https", "http");
    assert!(
        !folder
            .command(&["models", "--url", &plain])
            .output()
            .unwrap()
            .status
            .success()
    );
}

#[test]
fn what_is_no_certificate_is_named() {
    let folder = Folder::new();
    folder.write("empty.pem", "");
    for args in [
        ["--tls-certificate", "none.pem", "--tls-key", "none.pem"],
        ["--tls-certificate", "empty.pem", "--tls-key", "empty.pem"],
    ] {
        let serve = ["serve", "--listen", "127.0.0.1:0"];
        let refused = folder.run(&[&serve[..], &args[..]].concat());
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(refused.stderr.contains(args[1]), "{}", refused.stderr);
        assert!(refused.stderr.contains("[tls]"), "{}", refused.stderr);
    }
}
