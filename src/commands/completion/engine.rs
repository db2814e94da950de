//! Completion of one command line: clap's engine runs on the grammar, in which the arguments know
//! where to look up their values.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::time::Instant;

use clap::{Arg, Command};
use clap_complete::engine::{self, ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::EnvCompleter;

use super::candidates::{MAX_CANDIDATES, Source};
use crate::cli::{PartialLine, completable_grammar};
use crate::cluster::kubeconfig::Entries;

/// The answer to `shell`: candidates for the word at the cursor, which is the last word unless the
/// shell says otherwise. `None` if there is no such word.
pub fn answer(shell: &dyn EnvCompleter, words: Vec<OsString>, deadline: Instant) -> Option<String> {
    let index = index(shell, words.len());
    let mut words: Vec<_> = words.into_iter().take(index + 1).collect();
    if words.len() <= index {
        return None;
    }
    if matches!(shell.name(), "bash" | "zsh") {
        words = words.into_iter().map(unquoted).collect();
    }
    let current = words.pop().filter(|_| !words.is_empty())?;
    let candidates = candidates(words, &current, deadline);
    in_form_of(shell, candidates, index, current)
}

/// The index of the word at the cursor. Some shells report it; the others pass no words after it.
fn index(shell: &dyn EnvCompleter, count: usize) -> usize {
    let told = match shell.name() {
        "bash" | "zsh" | "elvish" => std::env::var("_CLAP_COMPLETE_INDEX").ok(),
        _ => None,
    };
    told.and_then(|index| index.parse().ok()).unwrap_or(count - 1).min(count)
}

/// Removes the quotes. Only bash and zsh pass words with their quotes.
fn unquoted(word: OsString) -> OsString {
    match word.to_str().and_then(shlex::split).as_deref() {
        Some([only]) => only.into(),
        _ => word,
    }
}

fn candidates(
    before: Vec<OsString>,
    current: &OsStr,
    deadline: Instant,
) -> Vec<CompletionCandidate> {
    let partial = PartialLine::read(before);
    let mut words = partial.words.clone();
    // After a single dash the engine would offer only shorthands, not the long names.
    words.push(if current == "-" { "--".into() } else { current.to_owned() });
    let index = words.len() - 1;
    let mut grammar = grammar(Source::new(partial, deadline));
    let directory = std::env::current_dir().ok();
    let found = engine::complete(&mut grammar, words, index, directory.as_deref());
    let mut found = found.unwrap_or_default();
    // Offer flags only after a dash, since there are so many that they hide the names.
    let wants_flag = current.as_encoded_bytes().starts_with(b"-");
    found.retain(|candidate| {
        let text = candidate.get_value();
        let is_flag = text.as_encoded_bytes().starts_with(b"-");
        is_flag == wants_flag && text.to_str().is_some_and(|text| !text.contains(char::is_control))
    });
    found.truncate(MAX_CANDIDATES);
    found
}

/// The grammar with the sources of names.
fn grammar(source: Source) -> Command {
    let source = Arc::new(source);
    let entries = |of: Entries| {
        let source = Arc::clone(&source);
        completer(move |current| source.entries(of, current))
    };
    let (contexts, clusters) = (entries(Entries::Contexts), entries(Entries::Clusters));
    let users = entries(Entries::Users);
    let for_namespaces = Arc::clone(&source);
    let namespaces = completer(move |current| for_namespaces.namespaces(current));
    let for_scale = Arc::clone(&source);
    let many = completer(move |current| for_scale.targets(usize::MAX, current));
    let for_serve = Arc::clone(&source);
    let served = completer(move |current| for_serve.targets(1, current));
    let one = completer(move |current| source.targets(1, current));
    let places = ArgValueCandidates::new(|| {
        ["none", "client", "server"].map(CompletionCandidate::new).into()
    });
    completable_grammar()
        .mut_arg("context", |arg| arg.add(contexts))
        .mut_arg("cluster", |arg| arg.add(clusters))
        .mut_arg("user", |arg| arg.add(users))
        .mut_arg("namespace", |arg| arg.add(namespaces))
        .mut_subcommand("scale", |scale| {
            scale.mut_arg("targets", |arg| arg.add(many)).mut_arg("dry_run", |arg| arg.add(places))
        })
        .mut_subcommand("serve", |serve| serve.mut_arg("target", |arg| arg.add(served)))
        .mut_subcommand("status", |status| status.mut_arg("target", |arg| arg.add(one)))
}

fn completer(find: impl Fn(&str) -> Vec<String> + Send + Sync + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let found = current.to_str().map(&find).unwrap_or_default();
        found.into_iter().map(CompletionCandidate::new).collect()
    })
}

/// Writes the candidates in the format of the shell's script. clap writes this format only for
/// candidates of its own engine, so they are passed through a grammar that has nothing else.
fn in_form_of(
    shell: &dyn EnvCompleter,
    candidates: Vec<CompletionCandidate>,
    index: usize,
    current: OsString,
) -> Option<String> {
    let copy = |candidate: &CompletionCandidate| {
        CompletionCandidate::new(candidate.get_value()).help(candidate.get_help().cloned())
    };
    let these = ArgValueCompleter::new(move |_: &OsStr| candidates.iter().map(copy).collect());
    let mut grammar = Command::new("locustctl")
        .disable_help_flag(true)
        .arg(Arg::new("word").num_args(0..).allow_hyphen_values(true).add(these));
    let mut words = vec![OsString::from("word"); index];
    words.push(current);
    let mut answer = Vec::new();
    shell.write_complete(&mut grammar, words, None, &mut answer).ok()?;
    String::from_utf8(answer).ok()
}
