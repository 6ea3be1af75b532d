use super::*;

#[test]
fn this_book_is_whole() {
    run().unwrap();
}

/// A shelf of these pages, and a picture beside them.
fn shelf(pages: &[(&str, &str)]) -> Shelf {
    let read = |(path, text): &(&str, &str)| (PathBuf::from(path), Page::read(text));
    Shelf {
        pages: pages.iter().map(read).collect(),
        others: vec!["docs/pictures/a.svg".into(), "wit/a.wit".into()],
    }
}

#[test]
fn links_are_followed() {
    let two = (
        "docs/guides/two.md",
        "# Two `words`\n## It's, and\n## It's, and",
    );
    for (link, wrong) in [
        ("guides/two.md", None),
        ("./guides/two.md#two-words", None),
        ("guides/two.md#its-and-1", None),
        ("guides/two.md#its-and-2", Some("no such heading")),
        ("#one", None),
        ("#two", Some("no such heading")),
        ("guides", None),
        ("pictures/a.svg", None),
        ("guides/three.md", Some("no such file")),
        ("../README.md", Some("out of the book")),
        ("../wit/a.wit", Some("out of the book")),
        ("https://example.org/none", None),
    ] {
        let one = format!("# One\n[a]({link})");
        let shelf = shelf(&[("docs/one.md", &one), two]);
        let found = shelf.wrong(Path::new("docs/one.md"), link);
        let expected = wrong.is_none_or(|why| found.is_some_and(|found| found.contains(why)));
        assert!(
            expected && found.is_some() == wrong.is_some(),
            "{link}: {found:?}"
        );
    }
}

#[test]
fn every_page_is_listed_for_people_and_for_programs() {
    let pages = [
        (
            CONTENTS,
            "[Book](README.md)\n- [One](one.md)\n- [Gone](gone.md)",
        ),
        ("docs/README.md", "# Book"),
        (
            CONTENTS_FOR_PROGRAMS,
            "- [Book](index.html)\n- [One](one.html)\n- [Two](two.html)",
        ),
        ("docs/one.md", "# One"),
        ("docs/two.md", "# Two"),
        ("README.md", "[two](docs/two.md)"),
    ];
    assert_eq!(
        shelf(&pages).faults(),
        [
            "docs/SUMMARY.md: gone.md: there is no such file",
            "docs/two.md: not in docs/SUMMARY.md",
        ]
    );
}

#[test]
fn included_files_are_named() {
    for (line, name) in [
        ("{{#include ../GLOSSARY.md}}", Some("../GLOSSARY.md")),
        ("{{#include a.wit }}", Some("a.wit")),
        ("see `{{#include a}}`", None),
    ] {
        assert_eq!(page::included(line), name, "{line}");
    }
}
