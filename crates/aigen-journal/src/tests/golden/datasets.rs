//! Datasets published, priced, granted and withdrawn, and read in every way.

use super::super::{amount, parsed};
use super::lived::{close, open, refund, reverse};
use aigen_economy::DatasetPrice;
use aigen_network::{
    Column, Command, DatasetUse, Grant, GrantDataset, NewDataset, OpenSubCall, PriceDataset,
    ReadDataset, ReadWithin, RevokeDataset, Rows, Wanted, WithdrawDataset,
};
use aigen_types::{CallId, Digest, Timestamp};

pub fn commands() -> Vec<Command> {
    let mut commands = said();
    commands.extend([
        Command::ReadDataset(read(20, DatasetUse::Read)),
        Command::ReadDataset(read(21, DatasetUse::Download)),
        refund(20),
        reverse(21),
        reading(22),
        within(22),
        close(22),
        reading(23),
        within(23),
        sub_call(23),
        withdraw(),
    ]);
    commands
}

fn said() -> Vec<Command> {
    let dataset = || parsed("books/faq");
    let grant = Grant {
        columns: vec!["text".into()],
        uses: [DatasetUse::Completion].into(),
        until: Some(Timestamp(u64::MAX)),
    };
    let to = |to: &str| {
        Command::GrantDataset(GrantDataset {
            dataset: dataset(),
            by: parsed("org:books"),
            to: parsed(to),
            grant: grant.clone(),
        })
    };
    vec![
        publish("books/faq@1.0.0"),
        publish("books/faq@1.1.0"),
        Command::PriceDataset(PriceDataset {
            reference: parsed("books/faq@1.0.0"),
            by: parsed("org:books"),
            price: price(40),
        }),
        to("user:eve"),
        to("org:other"),
        Command::RevokeDataset(RevokeDataset {
            dataset: dataset(),
            by: parsed("org:books"),
            to: parsed("org:other"),
        }),
    ]
}

fn price(row: u128) -> DatasetPrice {
    DatasetPrice {
        row: amount(row),
        hit: amount(7),
        download: amount(900),
    }
}

fn publish(reference: &str) -> Command {
    let column = |name: &str| Column {
        name: name.into(),
        kind: "text".into(),
    };
    Command::PublishDataset(NewDataset {
        reference: parsed(reference),
        by: parsed("org:books"),
        content: Digest([6; 32]),
        rows: 12,
        bytes: 345,
        columns: vec![column("title"), column("text")],
        description: "questions and answers".into(),
        licence: "CC-BY-4.0".into(),
        uses: DatasetUse::ALL.into(),
        open: true,
        price: price(50),
        provider: parsed("provider:books"),
    })
}

fn wanted(rows: Rows, hits: u64) -> Wanted {
    Wanted {
        dataset: parsed("books/faq@1.0.0"),
        columns: vec!["text".into()],
        rows,
        hits,
    }
}

fn read(id: u128, purpose: DatasetUse) -> ReadDataset {
    let wanted = match purpose {
        DatasetUse::Download => Wanted {
            columns: Vec::new(),
            ..wanted(Rows::range(0, 12), 0)
        },
        _ => wanted(Rows::of([1, 2, 9]), 2),
    };
    ReadDataset {
        read: CallId(id),
        key: parsed("ada-key"),
        wanted,
        purpose,
        request: Digest([4; 32]),
        end_user: None,
        bill_to: None,
        budget: Some(amount(5_000)),
    }
}

fn reading(call: u128) -> Command {
    let Command::OpenCall(mut open) = open(call, "ada-key", None) else {
        unreachable!("it opens a call");
    };
    open.reads = vec![wanted(Rows::of([3, 4]), 2)];
    Command::OpenCall(open)
}

fn within(call: u128) -> Command {
    Command::ReadWithin(ReadWithin {
        call: CallId(call),
        wanted: wanted(Rows::of([5]), 0),
    })
}

fn sub_call(parent: u128) -> Command {
    let Command::OpenCall(open) = reading(parent + 1) else {
        unreachable!("it opens a call");
    };
    let parent = CallId(parent);
    Command::OpenSubCall(OpenSubCall { parent, open })
}

fn withdraw() -> Command {
    Command::WithdrawDataset(WithdrawDataset {
        reference: parsed("books/faq@1.1.0"),
        by: parsed("org:books"),
        reason: "misprinted".into(),
    })
}
