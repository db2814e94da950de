//! The man pages in `man/` equal the grammar. To renew them: `UPDATE_MAN=1 cargo test --lib man_pages`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::grammar::whole;

/// The pages by file name: one for locustctl, and one for each subcommand.
fn pages() -> BTreeMap<String, Vec<u8>> {
    let mut root = whole().disable_help_subcommand(true);
    root.build();
    std::iter::once(&root).chain(root.get_subcommands()).map(page).collect()
}

fn page(command: &Command) -> (String, Vec<u8>) {
    // clap's display name joins the words with a dash, as man does.
    let name = command.get_display_name().unwrap_or("locustctl").to_owned();
    let mut text = Vec::new();
    render(command, &name, &mut text).unwrap();
    (format!("{name}.1"), text)
}

/// clap_mangen's own `render` fills the lines of the examples to paragraphs.
fn render(command: &Command, name: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let source = concat!("locustctl ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).title(name).source(source).manual("locustctl");
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    let Some(after) = command.get_after_help() else { return Ok(()) };
    let after = after.to_string();
    let (heading, lines) = match after.strip_prefix("Examples:\n") {
        Some(examples) => ("EXAMPLES", examples),
        None => ("NOTES", &*after),
    };
    let mut section = Roff::new();
    section.control("SH", [heading]).control("nf", []);
    for line in lines.lines() {
        section.text([roman(line)]);
    }
    section.control("fi", []);
    page.write_all(section.render().as_bytes())
}

#[test]
fn committed_man_pages_are_current() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let pages = pages();
    if std::env::var_os("UPDATE_MAN").is_some() {
        for (file, text) in &pages {
            std::fs::write(directory.join(file), text).unwrap();
        }
    }
    for (file, text) in &pages {
        let committed = std::fs::read(directory.join(file)).unwrap_or_default();
        assert!(
            committed == *text,
            "man/{file} is stale; to renew: UPDATE_MAN=1 cargo test --lib man_pages"
        );
    }
    let mut found: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, Vec::from_iter(pages.into_keys()), "the files in man/");
}
