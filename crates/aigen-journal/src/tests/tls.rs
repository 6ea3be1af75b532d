//! A database elsewhere is believed only if somebody trusted says who it is.

use super::founding;
use crate::{PostgresStore, Record, Store, StoreError, Tip};
use aigen_testkit_postgres::{Authority, Server};
use aigen_types::Timestamp;

fn refusal(url: &str) -> String {
    match PostgresStore::open(url) {
        Err(StoreError::Foreign(why)) => why,
        Err(other) => panic!("{url}: {other}"),
        Ok(_) => panic!("{url} was believed"),
    }
}

#[test]
fn a_server_shows_who_it_is() {
    let (authority, other) = (Authority::new(), Authority::new());
    // It takes connections over TLS alone.
    let server = Server::start_with_tls(&authority, "localhost");
    let at = |host: &str, parameters: &str| {
        let port = server.port().unwrap();
        format!("postgres://postgres@{host}:{port}/postgres?{parameters}")
    };
    let ca = authority.certificate().display().to_string();
    let mut store = PostgresStore::open(&at("localhost", &format!("sslrootcert={ca}"))).unwrap();
    let first = Record::of(Tip::default(), Timestamp(1), &[founding()]);
    store.append(&first).unwrap();
    let verified = at(
        "localhost",
        &format!("sslmode=verify-full&sslrootcert={ca}"),
    );
    assert_eq!(
        PostgresStore::open_existing(&verified)
            .unwrap()
            .tip()
            .unwrap(),
        first.tip()
    );

    let wrong = other.certificate().display().to_string();
    let none = "/nowhere/ca.pem";
    let table = [
        (
            "localhost",
            format!("sslrootcert={wrong}"),
            "certificate",
            "sslrootcert=/path/ca.pem",
        ),
        (
            "localhost",
            "sslmode=verify-full".into(),
            "certificate",
            "sslrootcert=/path/ca.pem",
        ),
        (
            "localhost",
            "sslmode=prefer".into(),
            "certificate",
            "sslrootcert=/path/ca.pem",
        ),
        // Signed by the right one, for another name.
        (
            "127.0.0.1",
            format!("sslrootcert={ca}"),
            "certificate",
            "as its certificate does",
        ),
        (
            "localhost",
            "sslmode=disable".into(),
            "no encryption",
            "does it let this user in",
        ),
        (
            "localhost",
            format!("sslrootcert={none}"),
            none,
            "names a PEM file",
        ),
    ];
    for (host, parameters, why, hint) in table {
        let refusal = refusal(&at(host, &parameters));
        assert!(refusal.contains(why), "{host} {parameters}: {refusal}");
        assert!(refusal.contains(hint), "{host} {parameters}: {refusal}");
    }
}
