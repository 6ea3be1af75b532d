//! The same two writes as rows: money moves from balance to hold, and from hold to receipt, each in a
//! transaction of its own. SQLite has one writer, so that everyone waits for one connection.

use crate::{CALLS, CLIENTS, Times};
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0));
    CREATE TABLE hold (id INTEGER PRIMARY KEY, account INTEGER, amount INTEGER);
    CREATE TABLE receipt (id INTEGER PRIMARY KEY, account INTEGER, charged INTEGER);
    INSERT INTO account VALUES (1, 1000000000);
";

pub fn over_sqlite(path: &Path) -> Times {
    let connection = Connection::open(path).expect("a new file");
    connection.execute_batch(SCHEMA).expect("a schema");
    let connection = Mutex::new(connection);
    thread::scope(|scope| {
        let client = |number| {
            let connection = &connection;
            scope.spawn(move || client(connection, number))
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        Times::join(clients.into_iter().map(|one| one.join().expect("it ends")))
    })
}

fn client(connection: &Mutex<Connection>, number: usize) -> Times {
    let mut times = Times::default();
    for call in 0..CALLS {
        let id = (number * CALLS + call).cast_signed();
        let began = Instant::now();
        in_one(
            connection,
            id,
            [
                "UPDATE account SET balance = balance - 100 WHERE id = 1 AND ?1 >= 0",
                "INSERT INTO hold VALUES (?1, 1, 100)",
            ],
        );
        times.hold.push(began.elapsed());
        let ended = Instant::now();
        in_one(
            connection,
            id,
            [
                "DELETE FROM hold WHERE id = ?1",
                "UPDATE account SET balance = balance + 90 WHERE id = 1 AND ?1 >= 0",
                "INSERT INTO receipt VALUES (?1, 1, 10)",
            ],
        );
        times.capture.push(ended.elapsed());
    }
    times
}

fn in_one<const N: usize>(connection: &Mutex<Connection>, id: isize, statements: [&str; N]) {
    let mut connection = connection.lock().expect("nobody panicked");
    let transaction = connection.transaction().expect("one writer");
    for statement in statements {
        let mut statement = transaction.prepare_cached(statement).expect("SQL");
        statement.execute(params![id]).expect("a row");
    }
    transaction.commit().expect("durable");
}
