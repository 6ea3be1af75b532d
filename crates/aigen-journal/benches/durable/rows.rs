//! The work as rows: an account is a row with a balance, a transfer a row of its own, a batch a
//! transaction. What a good engineer writes who has a database and no ledger: statements prepared
//! once, the balance checked where it is changed, and in PostgreSQL one call for a whole batch.

use crate::timed;
use crate::work::{ACCOUNTS, OPENING, Transfer};
use aigen_testkit_postgres::Server;
use postgres::{Client, NoTls, Statement};
use rusqlite::{Connection, params};
use std::path::Path;
use std::thread;
use std::time::Duration;

const SQLITE_SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0));
    CREATE TABLE transfer (id BLOB PRIMARY KEY, debit INTEGER, credit INTEGER, amount INTEGER)
        WITHOUT ROWID;
";

const POSTGRES_SCHEMA: &str = "
    DROP TABLE IF EXISTS row_account, row_transfer;
    CREATE TABLE row_account (id int8 PRIMARY KEY, balance int8 NOT NULL CHECK (balance >= 0))
        WITH (fillfactor = 50);
    CREATE TABLE row_transfer (id bytea PRIMARY KEY, debit int8, credit int8, amount int8);
    CREATE OR REPLACE FUNCTION row_pay(ids bytea[], debits int8[], credits int8[])
    RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        -- Batches that share rows would wait for each other in a circle: all are locked first,
        -- in one order.
        IF array_length(ids, 1) > 1 THEN
            PERFORM FROM row_account WHERE id = ANY (debits || credits) ORDER BY id FOR UPDATE;
        END IF;
        FOR n IN 1 .. array_length(ids, 1) LOOP
            INSERT INTO row_transfer VALUES (ids[n], debits[n], credits[n], 1);
            -- A pair of rows is locked in one order, whoever pays whom.
            IF debits[n] < credits[n] THEN
                UPDATE row_account SET balance = balance - 1 WHERE id = debits[n];
                UPDATE row_account SET balance = balance + 1 WHERE id = credits[n];
            ELSE
                UPDATE row_account SET balance = balance + 1 WHERE id = credits[n];
                UPDATE row_account SET balance = balance - 1 WHERE id = debits[n];
            END IF;
        END LOOP;
    END $$;
";

/// Of the test server's 60.
const CONNECTIONS_MAX: usize = 50;

/// SQLite, one transaction per `size` transfers; it has one writer, however many clients wait.
pub fn of_sqlite(path: &Path, work: &[Transfer], size: usize) -> Duration {
    let mut connection = Connection::open(path).expect("a new file");
    connection.execute_batch(SQLITE_SCHEMA).expect("a schema");
    for account in 0..ACCOUNTS {
        let row = params![account.cast_signed(), OPENING.cast_signed()];
        connection
            .execute("INSERT INTO account VALUES (?1, ?2)", row)
            .expect("a row");
    }
    timed(|| {
        for batch in work.chunks(size) {
            let transaction = connection.transaction().expect("one writer");
            for transfer in batch {
                sqlite_pay(&transaction, transfer).expect("within the balance");
            }
            transaction.commit().expect("durable");
        }
    })
}

fn sqlite_pay(connection: &Connection, transfer: &Transfer) -> rusqlite::Result<()> {
    let (from, to) = (transfer.from.cast_signed(), transfer.to.cast_signed());
    connection
        .prepare_cached("INSERT INTO transfer VALUES (?1, ?2, ?3, 1)")?
        .execute(params![transfer.id.to_be_bytes(), from, to])?;
    connection
        .prepare_cached("UPDATE account SET balance = balance - 1 WHERE id = ?1")?
        .execute([from])?;
    connection
        .prepare_cached("UPDATE account SET balance = balance + 1 WHERE id = ?1")?
        .execute([to])?;
    Ok(())
}

/// PostgreSQL, one call and one transaction per `size` transfers, from as many connections as
/// there are clients, up to those the server takes.
pub fn of_postgres(server: &Server, work: &[Transfer], size: usize, clients: usize) -> Duration {
    postgres_schema(server);
    let shares: Vec<_> = work
        .chunks(work.len().div_ceil(clients.min(CONNECTIONS_MAX)))
        .map(|share| (Payer::connect(server), share))
        .collect();
    timed(|| {
        thread::scope(|scope| {
            for (mut client, share) in shares {
                scope.spawn(move || share.chunks(size).for_each(|batch| client.pay(batch)));
            }
        });
    })
}

fn postgres_schema(server: &Server) {
    let opening = format!(
        "INSERT INTO row_account SELECT n, {OPENING} FROM generate_series(0, {}) AS n;",
        ACCOUNTS - 1
    );
    server.sql(POSTGRES_SCHEMA);
    server.sql(&opening);
}

struct Payer {
    client: Client,
    pay: Statement,
}

impl Payer {
    fn connect(server: &Server) -> Self {
        let mut client = Client::connect(&server.url(), NoTls).expect("it runs");
        let pay = client.prepare("SELECT row_pay($1, $2, $3)");
        let pay = pay.expect("the function exists");
        Self { client, pay }
    }

    fn pay(&mut self, batch: &[Transfer]) {
        let ids: Vec<_> = batch.iter().map(|t| t.id.to_be_bytes()).collect();
        let ids: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
        let debits: Vec<_> = batch.iter().map(|t| t.from.cast_signed()).collect();
        let credits: Vec<_> = batch.iter().map(|t| t.to.cast_signed()).collect();
        self.client
            .execute(&self.pay, &[&ids, &debits, &credits])
            .expect("within the balance");
    }
}
