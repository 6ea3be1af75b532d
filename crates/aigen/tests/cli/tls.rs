//! A node that speaks TLS.

use crate::support::Folder;
use std::process::Command;

/// An authority's certificate, and one for this machine that it signed with its key.
fn certificates(folder: &Folder) -> [String; 3] {
    let [authority, secret, certificate, key] = ["ca.pem", "ca.key", "cert.pem", "key.pem"]
        .map(|name| folder.file(name).display().to_string());
    let made = |key: &str, certificate: &str, more: &[&str]| {
        let output = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-days", "2"])
            .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-keyout", key, "-out", certificate])
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    made(&secret, &authority, &["-subj", "/CN=a test's authority"]);
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
    let signed = [
        "-CA",
        &authority,
        "-CAkey",
        &secret,
        "-subj",
        "/CN=localhost",
    ];
    let leaf = [
        "-addext",
        names,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    made(&key, &certificate, &[&signed[..], &leaf[..]].concat());
    [authority, certificate, key]
}

#[test]
fn clients_that_trust_the_certificate_are_answered_and_others_are_not() {
    let folder = Folder::new();
    let [authority, certificate, key] = certificates(&folder);
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
    let told = models(&authority);
    assert!(told.status.success(), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stdout).contains("aigen-tiny"));
    assert!(!models("/dev/null").status.success());
    let [other, ..] = certificates(&Folder::new());
    let untrusted = String::from_utf8_lossy(&models(&other).stderr).into_owned();
    assert!(untrusted.contains("SSL_CERT_FILE"), "{untrusted}");
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
